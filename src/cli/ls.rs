//! `sweepd ls`: all sweeps.

use super::context::Context;
use crate::daemon::now;
use crate::report;
use crate::store::StoreError;
use clap::Args;

/// List sweeps
#[derive(Args, Debug)]
pub struct LsArgs {}

/// Prints all sweeps, newest first.
///
/// # Errors
/// Where the database cannot be read.
pub async fn run(_: LsArgs, context: &Context) -> anyhow::Result<()> {
    let sweeps = match crate::store::Reader::open(&context.home, 1).await {
        Ok(reader) => reader.sweeps().await?,
        // Nothing has been submitted yet: that is a short list, not a failure.
        Err(StoreError::Absent { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if context.json {
        return context.print_json(&sweeps);
    }
    if sweeps.is_empty() {
        eprintln!("no sweeps yet: `sweepd run FILE` starts a first one");
        return Ok(());
    }
    println!("{}", report::sweep_list(&sweeps, now()));
    Ok(())
}
