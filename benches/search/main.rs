//! The program that `bench.py` drives: the samplers of the library behind JSON lines, so that the functions to be
//! searched stand in one place, in Python, and every sampler sees the same ones. `docs/search.md` says what is
//! measured.
//!
//! One request a line on standard input, one answer a line on standard output:
//!
//! ```text
//! {"op":"new","space":{...},"sampler":"tpe","seed":1,"trials":100,"objectives":1}   {"ok":true}
//! {"op":"ask"}                              {"number":0,"params":{"x":0.5},"seconds":1e-5}, or {"exhausted":"why"}
//! {"op":"tell","number":0,"loss":1.2}       {"ok":true}
//! {"op":"time","history":10000,"asks":20}   {"first":0.01,"seconds":[1e-5,...]}
//! ```
//!
//! The space is written as in a sweep file, and so is the sampler: a word, or a table with its options. A loss of
//! `null` says that the trial failed; a list holds one loss per objective. `time` fills a new history with random
//! points and measures suggestions after them. A mistake is answered by `{"error":"..."}`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for developers: it may end by a panic"
)]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

mod session;
mod time;

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
}

fn main() {
    let mut session = None;
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&mut session, &line.unwrap()).unwrap_or_else(|error| json!({ "error": error }));
        // Who asked may be gone.
        if writeln!(answers, "{answer}").and_then(|()| answers.flush()).is_err() {
            return;
        }
    }
}

fn answer(session: &mut Option<Session>, line: &str) -> Result<Value, String> {
    let op = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if let Op::New(start) = op {
        *session = Some(Session::new(&start)?);
        return Ok(json!({ "ok": true }));
    }
    let session = session.as_mut().ok_or("`new` comes first")?;
    match op {
        Op::New(_) => unreachable!("answered above"),
        Op::Ask => Ok(session.ask()),
        Op::Tell { number, loss } => {
            session.tell(number, loss);
            Ok(json!({ "ok": true }))
        }
        Op::Time { history, asks } => Ok(time::measure(session, history, asks)),
    }
}
