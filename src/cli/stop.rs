//! `sweepd stop`: end the daemon.

use super::context::Context;
use super::exit::{FAILED, Failure};
use crate::home;
use crate::worker::client::Client;
use crate::worker::process;
use clap::Args;
use std::time::Duration;

/// Longer than the daemon gives its workers to hand back what they have.
const PATIENCE: Duration = Duration::from_secs(40);

/// End the daemon
#[derive(Args, Debug)]
pub struct StopArgs {
    /// End the workers too; without it they go on, and the next daemon finds them
    #[arg(long)]
    pub drain: bool,
}

/// Ends the daemon and waits until it is gone.
///
/// # Errors
/// Where no daemon runs, or it does not end.
pub async fn run(args: StopArgs, context: &Context) -> anyhow::Result<()> {
    let client = Client::new(&context.home);
    let daemon = home::read_daemon_file(&context.home)?;
    let started = daemon.as_ref().and_then(|daemon| process::started_at(daemon.pid));
    client.post("/api/v1/daemon/stop", &serde_json::json!({ "drain": args.drain }))?;
    if let (Some(daemon), Some(started)) = (daemon, started) {
        let gone = async {
            while process::is_alive(daemon.pid, started) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, gone).await.is_err() {
            let message = format!("the daemon (pid {}) was asked to end and still runs", daemon.pid);
            return Err(Failure::new(FAILED, message).into());
        }
    }
    if context.json {
        println!("{}", serde_json::json!({ "stopped": true, "drained": args.drain }));
    } else {
        eprintln!("{}", if args.drain { "daemon and workers ended" } else { "daemon ended" });
    }
    Ok(())
}
