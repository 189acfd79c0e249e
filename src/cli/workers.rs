//! `sweepd workers`: who works on what.

use super::context::Context;
use super::exit::Failure;
use crate::daemon::now;
use crate::report;
use crate::store::query::{KnownFrom, Workers};
use crate::store::{Reader, StoreError};
use crate::worker::client::{Client, ClientError};
use crate::worker::process::resident_bytes_of;
use anyhow::Context as _;
use clap::Args;

/// List the workers: what each does, when it was last heard of, and its memory
#[derive(Args, Debug)]
pub struct WorkersArgs {}

/// Prints the workers: asked of the daemon, or, where none runs, as far as the database knows.
///
/// # Errors
/// Where the daemon refuses, or neither it nor the database can be read.
pub async fn run(_: WorkersArgs, context: &Context) -> anyhow::Result<()> {
    let answer = Client::new(&context.home).send("GET", "/api/v1/workers", "application/json", &[]);
    let workers = match answer {
        Ok(body) => serde_json::from_slice(&body).context("the daemon's answer was not understood")?,
        Err(ClientError::NoDaemon { .. } | ClientError::Unreachable { .. }) => {
            without_daemon(context).await?
        }
        Err(error) => return Err(error.into()),
    };
    if context.json {
        return context.print_json(&workers);
    }
    if workers.known_from == KnownFrom::Database {
        eprintln!("no daemon runs: this is what the database knows");
    }
    if workers.workers.is_empty() && workers.devices.is_empty() {
        eprintln!("no workers: `sweepd serve` starts them");
        return Ok(());
    }
    println!("{}", report::worker_list(&workers));
    Ok(())
}

async fn without_daemon(context: &Context) -> anyhow::Result<Workers> {
    let mut workers = match Reader::open(&context.home, 1).await {
        Ok(reader) => reader.workers().await?,
        Err(StoreError::Absent { .. }) => {
            let message = format!("there is nothing in {}: no daemon has run there", context.home.display());
            return Err(Failure::not_found(message).into());
        }
        Err(error) => return Err(error.into()),
    };
    for worker in &mut workers {
        let process = worker.pid.zip(worker.pid_started);
        worker.process_seen(process.and_then(|(pid, started)| resident_bytes_of(pid, started)));
    }
    Ok(Workers {
        known_from: KnownFrom::Database,
        at_ms: now(),
        workers,
        devices: Vec::new(),
        history: Vec::new(),
    })
}
