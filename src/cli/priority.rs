//! `sweepd priority`: which sweep goes first.

use super::context::Context;
use super::steer::escape;
use crate::worker::client::Client;
use clap::Args;

/// Give a sweep another priority
#[derive(Args, Debug)]
pub struct PriorityArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// The sweep with the largest number gets the next free slot
    #[arg(allow_hyphen_values = true, value_name = "NUMBER")]
    pub priority: i64,
}

/// Passes the number on to the daemon; it counts from the next free slot on.
///
/// # Errors
/// Where no daemon runs, there is no such sweep, or it is over.
pub fn run(args: &PriorityArgs, context: &Context) -> anyhow::Result<()> {
    let path = format!("/api/v1/sweeps/{}/priority", escape(&args.sweep));
    let body = serde_json::json!({ "priority": args.priority }).to_string();
    Client::new(&context.home).send("POST", &path, "application/json", body.as_bytes())?;
    if context.json {
        println!("{}", serde_json::json!({ "sweep": args.sweep, "priority": args.priority }));
    } else {
        eprintln!("{}: priority {}", args.sweep, args.priority);
    }
    Ok(())
}
