//! `sweepd pause|resume|cancel|rm`: the user's word on a sweep.

use super::context::Context;
use crate::worker::client::{Client, ClientError};
use clap::Args;
use std::time::{Duration, Instant};

/// How long the workers of a cancelled sweep are waited for before it is removed, and how often they are asked after.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// Which sweep is meant.
#[derive(Args, Debug)]
pub struct SteerArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
}

/// What is to happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Hand out no new work.
    Pause,
    /// Hand out work again.
    Resume,
    /// End it.
    Cancel,
    /// Delete it.
    Remove,
}

/// Passes the word on to the daemon.
///
/// # Errors
/// Where no daemon runs, there is no such sweep, or the word does not fit its state.
pub fn run(args: &SteerArgs, verb: Verb, context: &Context) -> anyhow::Result<()> {
    let client = Client::new(&context.home);
    let path = format!("/api/v1/sweeps/{}", escape(&args.sweep));
    let (method, path, done) = match verb {
        Verb::Pause => ("POST", format!("{path}/pause"), "paused: running trials finish"),
        Verb::Resume => ("POST", format!("{path}/resume"), "resumed"),
        Verb::Cancel => ("POST", format!("{path}/cancel"), "cancelled: running trials are being stopped"),
        Verb::Remove => ("DELETE", path, "removed"),
    };
    let send = || client.send(method, &path, "application/json", b"").map(drop);
    match verb {
        Verb::Remove => once_let_go(send, PATIENCE, &args.sweep)?,
        _ => send()?,
    }
    if context.json {
        println!("{}", serde_json::json!({ "sweep": args.sweep, "done": true }));
    } else {
        eprintln!("{}: {done}", args.sweep);
    }
    Ok(())
}

/// Repeats a call until the sweep's last trials have ended, for so long.
fn once_let_go(
    mut call: impl FnMut() -> Result<(), ClientError>,
    patience: Duration,
    sweep: &str,
) -> Result<(), ClientError> {
    let started = Instant::now();
    let mut said = false;
    loop {
        match call() {
            Err(ClientError::Refused { code, .. })
                if code == "still_ending" && started.elapsed() < patience =>
            {
                if !std::mem::replace(&mut said, true) {
                    let most = patience.as_secs();
                    eprintln!("{sweep}: its last trials are still ending: waiting up to {most} s for them");
                }
                std::thread::sleep(PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Percent-encodes what may not stand in a path.
pub(super) fn escape(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Result<(), ClientError> {
        let (code, message) = (code.to_owned(), "refused".to_owned());
        Err(ClientError::Refused { status: 409, code, message, problems: Vec::new() })
    }

    #[test]
    fn workers_are_waited_for_but_not_for_ever() {
        let mut answers = vec![Ok(()), refused("still_ending"), refused("still_ending")];
        assert!(once_let_go(|| answers.pop().unwrap(), PATIENCE, "a").is_ok());
        assert!(answers.is_empty());
        let patience = Duration::from_millis(300);
        let (started, mut calls) = (Instant::now(), 0);
        let held = once_let_go(
            || {
                calls += 1;
                refused("still_ending")
            },
            patience,
            "a",
        );
        assert!(matches!(held, Err(ClientError::Refused { code, .. }) if code == "still_ending"));
        assert!(calls > 1 && started.elapsed() >= patience, "{calls} calls");
    }

    #[test]
    fn another_refusal_is_told_at_once() {
        let mut answers = vec![Ok(()), refused("wrong_state")];
        assert!(once_let_go(|| answers.pop().unwrap(), PATIENCE, "a").is_err());
        assert_eq!(answers.len(), 1);
    }
}
