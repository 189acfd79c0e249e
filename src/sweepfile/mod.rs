//! Sweep files: text in, a checked [`Sweep`] out, or every mistake with its place.
//!
//! TOML (a file) and JSON (over HTTP) become the same tree of nodes, which is read once: defaults and
//! checks are the same for both. Must not know files, sockets or the trainer: what the trainer accepts is
//! asked through a function.

mod command;
mod enqueue;
mod folds;
mod json;
mod node;
mod objective;
mod problem;
mod reader;
mod sampler;
mod search;
mod space;
mod stopper;
mod sweep;
mod targets;
mod toml;

pub use problem::{Problem, Problems};

use crate::domain::{Sweep, Value};

/// Says whether the trainer knows a parameter and accepts a value of it.
pub type Check<'a> = &'a dyn Fn(&str, &Value) -> Result<(), String>;

/// Largest sweep file, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// Reads a sweep file. `file` is its name in messages.
///
/// # Errors
/// Every mistake of the file, in its order.
pub fn parse_toml(file: &str, text: &str, check: Check<'_>) -> Result<Sweep, Problems> {
    finish(file, parsed(text, toml::parse), check)
}

/// Reads the same structure as JSON.
///
/// # Errors
/// Every mistake, by key: JSON has no lines.
pub fn parse_json(text: &str, check: Check<'_>) -> Result<Sweep, Problems> {
    finish("", parsed(text, json::parse), check)
}

type Parsed = Result<node::Node, Vec<Problem>>;

fn parsed(text: &str, parse: fn(&str) -> Parsed) -> Parsed {
    if text.len() > MOST_BYTES {
        return Err(vec![Problem::new(None, "", format!("the file is larger than {MOST_BYTES} bytes"))]);
    }
    parse(text)
}

fn finish(file: &str, parsed: Parsed, check: Check<'_>) -> Result<Sweep, Problems> {
    let mut problems = Vec::new();
    let sweep = match parsed {
        Ok(root) => sweep::read(&root, check, &mut problems),
        Err(found) => {
            problems = found;
            None
        }
    };
    match sweep {
        Some(sweep) if problems.is_empty() => Ok(sweep),
        _ => {
            // In the order of the file; what has no line comes last.
            problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
            problems.iter_mut().for_each(|problem| problem.file = file.to_owned());
            Err(Problems(problems))
        }
    }
}

#[cfg(test)]
mod sweepfile_test;
