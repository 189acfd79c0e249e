//! How sweepd behaves at scale: a database of a million trials, a thousand workers at once, and two clients
//! that want the same trial. `docs/scale.md` says what is measured and what came out.
//!
//! ```text
//! cargo bench --no-default-features --bench scale -- [PART...] [--trials N] [--home FOLDER] [--repeat N] ...
//! ```
//!
//! Parts: `generate`, `questions`, `calls`, `restart`, `workers`, `races`, `ask_tell`, `streams`, `remove`; without any, all of
//! them in this order. A folder named by `--home` is kept, and found again by a later run that leaves `generate` out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for developers: it may end by a panic"
)]
#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

mod ask_tell;
mod calls;
mod connection;
mod generate;
mod process;
mod questions;
mod races;
mod remove;
mod restart;
mod streams;
mod workers;

use std::path::PathBuf;
use std::str::FromStr;

/// What was asked for on the command line.
struct Options {
    parts: Vec<String>,
    /// Trials of the generated database.
    trials: u64,
    home: Option<PathBuf>,
    /// How often each question is asked.
    repeat: usize,
    /// Simulated workers, and for how long they work.
    workers: usize,
    seconds: u64,
    /// Pairs of clients that race for one trial.
    races: u64,
}

const PARTS: [&str; 9] =
    ["generate", "questions", "calls", "restart", "workers", "races", "ask_tell", "streams", "remove"];

fn main() {
    let options = options();
    let temporary = tempfile::tempdir().unwrap();
    let home = options.home.clone().unwrap_or_else(|| temporary.path().join("home"));
    std::fs::create_dir_all(&home).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for part in &options.parts {
        println!("\n== {part}");
        match part.as_str() {
            "generate" => runtime.block_on(generate::database(&home, options.trials)),
            "questions" => questions::ask_all(&home, options.repeat),
            "calls" => calls::ask_all(&home, options.repeat),
            "restart" => runtime.block_on(restart::measure(&home, options.repeat)),
            "workers" => runtime.block_on(workers::run(&home, options.workers, options.seconds)),
            "streams" => runtime.block_on(streams::run(options.repeat)),
            "ask_tell" => runtime.block_on(ask_tell::run()),
            "races" => runtime.block_on(races::run(options.races)),
            _ => remove::measure(&home),
        }
    }
}

fn options() -> Options {
    let mut options = Options {
        parts: Vec::new(),
        trials: 1_000_000,
        home: None,
        repeat: 10,
        workers: 1000,
        seconds: 60,
        races: 10_000,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--trials" => options.trials = number(words.next()),
            "--repeat" => options.repeat = number(words.next()),
            "--workers" => options.workers = number(words.next()),
            "--seconds" => options.seconds = number(words.next()),
            "--races" => options.races = number(words.next()),
            "--home" => options.home = Some(words.next().expect("--home FOLDER").into()),
            part if PARTS.contains(&part) => options.parts.push(part.to_owned()),
            other => panic!("{other}: expected one of {PARTS:?} or an option"),
        }
    }
    if options.parts.is_empty() {
        options.parts = PARTS.map(str::to_owned).to_vec();
    }
    options
}

fn number<T: FromStr>(word: Option<String>) -> T {
    word.and_then(|word| word.parse().ok()).expect("a number after the option")
}
