//! `sweepd pause|resume|cancel|rm`: the user's word on a sweep.

use super::context::Context;
use crate::worker::client::{Client, ClientError};
use clap::Args;
use std::time::Duration;

/// Before a cancelled sweep is removed, its workers are waited for: 30 seconds in all.
const REPEATS: u32 = 150;
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
        Verb::Remove => once_let_go(send, REPEATS, PAUSE, &args.sweep)?,
        _ => send()?,
    }
    if context.json {
        println!("{}", serde_json::json!({ "sweep": args.sweep, "done": true }));
    } else {
        eprintln!("{}: {done}", args.sweep);
    }
    Ok(())
}

/// Repeats a call until the sweep's last trials have ended: so often, with a pause before each further time.
fn once_let_go(
    mut call: impl FnMut() -> Result<(), ClientError>,
    repeats: u32,
    pause: Duration,
    sweep: &str,
) -> Result<(), ClientError> {
    for repeat in 0..repeats {
        match call() {
            Err(ClientError::Refused { code, .. }) if code == "still_ending" => {
                if repeat == 0 {
                    let most = (pause * repeats).as_secs();
                    eprintln!("{sweep}: its last trials are still ending: waiting up to {most} s for them");
                }
                std::thread::sleep(pause);
            }
            answer => return answer,
        }
    }
    call()
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
        let pause = Duration::from_millis(1);
        let mut answers = vec![Ok(()), refused("still_ending"), refused("still_ending")];
        assert!(once_let_go(|| answers.pop().unwrap(), 2, pause, "a").is_ok());
        assert!(answers.is_empty());
        let mut calls = 0;
        let held = || {
            calls += 1;
            refused("still_ending")
        };
        let said = once_let_go(held, 2, pause, "a");
        assert!(matches!(said, Err(ClientError::Refused { code, .. }) if code == "still_ending"));
        assert_eq!((calls, PAUSE * REPEATS), (3, Duration::from_secs(30)));
    }

    #[test]
    fn another_refusal_is_told_at_once() {
        let mut answers = vec![Ok(()), refused("wrong_state")];
        assert!(once_let_go(|| answers.pop().unwrap(), REPEATS, PAUSE, "a").is_err());
        assert_eq!(answers.len(), 1);
    }
}
