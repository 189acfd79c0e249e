//! `sweepd pause|resume|cancel|rm`: the user's word on a sweep.

use super::context::Context;
use crate::worker::client::Client;
use clap::Args;

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
    client.send(method, &path, "application/json", b"")?;
    if context.json {
        println!("{}", serde_json::json!({ "sweep": args.sweep, "done": true }));
    } else {
        eprintln!("{}: {done}", args.sweep);
    }
    Ok(())
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
