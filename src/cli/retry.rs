//! `sweepd retry`: try a trial again that failed, was stopped or was cancelled.

use super::context::Context;
use crate::worker::client::Client;
use clap::Args;

/// Try a trial again that failed, was stopped or was cancelled
#[derive(Args, Debug)]
pub struct RetryArgs {
    /// A trial: its id, or SWEEP/NUMBER
    pub trial: String,
}

/// Has the daemon try the trial again, from its last checkpoint if it has one.
///
/// # Errors
/// Where no daemon runs, there is no such trial, or it has not ended badly.
pub async fn run(args: &RetryArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let detail = context.find_trial(&reader, &args.trial).await?;
    let path = format!("/api/v1/trials/{}/retry", detail.trial.trial_id);
    Client::new(&context.home).send("POST", &path, "application/json", b"")?;
    if context.json {
        println!("{}", serde_json::json!({ "trial_id": detail.trial.trial_id, "queued": true }));
    } else {
        eprintln!("trial {} of {} is queued again", detail.trial.number, detail.sweep_name);
    }
    Ok(())
}
