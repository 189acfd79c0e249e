//! The program that `bench.py` drives: the samplers of the library behind JSON lines, so that the functions
//! to be searched stand in one place, in Python, and every sampler sees the same ones. `docs/search.md` says
//! what is measured.
//!
//! One request a line on standard input, one answer a line on standard output:
//!
//! ```text
//! {"op":"new","space":{...},"sampler":"tpe","seed":1,"trials":100,"objectives":1}   {"ok":true}
//! {"op":"ask"}                        {"number":0,"params":{"x":0.5},"seconds":1e-5}, or {"exhausted":"why"}
//! {"op":"tell","number":0,"loss":1.2}       {"ok":true}
//! {"op":"time","history":10000,"asks":20}   {"first":0.01,"seconds":[1e-5,...]}
//! {"op":"contest","stopper":"asha","trials":300}                      {"ok":true}
//! {"op":"work"}                                       {"trial":7,"until":9}, or {"nothing":true} for now
//! {"op":"end","trial":7,"until":9,"value":0.3,"done":false}           {"ok":true}
//! {"op":"report","trial":7,"losses":[0.5,0.3],"done":false}            {"stop":true}
//! {"op":"breed","seed":1,"search":{...},"space":{...}}                {"ok":true}
//! {"op":"train"}   {"trial":7,"params":{"x":0.5},"from":3,"until":6,"parent":2}, or {"nothing":true} for now
//! {"op":"trained","trial":7,"losses":[0.3,0.2,0.1],"done":false}      {"ok":true}
//! ```
//!
//! The space is written as in a sweep file, and so is the sampler: a word, or a table with its options. A
//! `new` may have `"earlier":[[{"x":0.4},1.2],...]`: results of another search to begin with (`warm_start`). A
//! loss of `null` says that the trial failed; a list holds one loss per objective. `time` fills a new history
//! with random points and measures suggestions after them. A contest is the same for a stopper: what a free
//! worker trains next, and how that ended; or, if it judges running trials, whether one that has just reported is to
//! end. `breed` begins a sweep that the scheduler itself decides, which populations and BOHB need. A mistake is answered by
//! `{"error":"..."}`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for developers: it may end by a panic"
)]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

mod breeding;
mod contest;
mod session;
mod time;

use breeding::Breeding;
use contest::Contest;
use serde::Deserialize;
use serde_json::{Value, json};
use session::Session;
use std::io::{BufRead, Write};

/// What can be asked for.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Op {
    New(session::Start),
    Ask,
    Tell { number: u64, loss: Option<session::Loss> },
    Time { history: u64, asks: u64 },
    Contest(contest::Start),
    Work,
    End(contest::End),
    Report(contest::Report),
    Breed(breeding::Start),
    Train,
    Trained(breeding::Trained),
}

/// What is under way.
#[derive(Default)]
struct State {
    session: Option<Session>,
    contest: Option<Contest>,
    breeding: Option<Breeding>,
}

fn main() {
    let mut state = State::default();
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&mut state, &line.unwrap()).unwrap_or_else(|error| json!({ "error": error }));
        // Who asked may be gone.
        if writeln!(answers, "{answer}").and_then(|()| answers.flush()).is_err() {
            return;
        }
    }
}

fn answer(state: &mut State, line: &str) -> Result<Value, String> {
    let op = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let session = state.session.as_mut().ok_or("`new` comes first");
    let contest = state.contest.as_mut().ok_or("`contest` comes first");
    let breeding = state.breeding.as_mut().ok_or("`breed` comes first");
    match op {
        Op::New(start) => state.session = Some(Session::new(&start)?),
        Op::Ask => return Ok(session?.ask()),
        Op::Tell { number, loss } => session?.tell(number, loss),
        Op::Time { history, asks } => return Ok(time::measure(session?, history, asks)),
        Op::Breed(start) => state.breeding = Some(Breeding::new(&start)?),
        Op::Train => return Ok(breeding?.train()),
        Op::Trained(trained) => breeding?.trained(&trained)?,
        Op::Contest(start) => state.contest = Some(Contest::new(&start)?),
        Op::Work => return Ok(contest?.work()),
        Op::End(end) => contest?.end(&end),
        Op::Report(report) => return Ok(contest?.report(&report)),
    }
    Ok(json!({ "ok": true }))
}
