//! `sweepd gc`: free what is not needed.

use super::context::Context;
use crate::daemon;
use crate::store::{Cleared, Writer};
use crate::worker::client::{Client, ClientError};
use anyhow::Context as _;
use clap::Args;

/// Remove checkpoints of ended trials, and files that nothing refers to
#[derive(Args, Debug)]
pub struct GcArgs {}

/// Clears up: through the daemon where one runs, else in its place.
///
/// # Errors
/// Where the database or the disk fails.
pub async fn run(_: GcArgs, context: &Context) -> anyhow::Result<()> {
    let cleared = match Client::new(&context.home).send("POST", "/api/v1/daemon/gc", "application/json", b"")
    {
        Ok(answer) => serde_json::from_slice(&answer).context("the daemon's answer was not understood")?,
        Err(ClientError::NoDaemon { .. } | ClientError::Unreachable { .. }) => alone(context).await?,
        Err(error) => return Err(error.into()),
    };
    if context.json {
        return context.print_json(&cleared);
    }
    let Cleared { checkpoints, files, folders, bytes } = cleared;
    let megabytes = bytes as f64 / 1e6;
    eprintln!(
        "{checkpoints} checkpoints of ended trials, {files} files and {folders} folders removed: {megabytes:.1} MB free"
    );
    Ok(())
}

async fn alone(context: &Context) -> anyhow::Result<Cleared> {
    // Makes sure that there is a database, so that a mistyped home is not created.
    context.reader().await?;
    let _held = daemon::hold(&context.home)?;
    let mut writer = Writer::open(&context.home).await?;
    let cleared = writer.clear_up(&context.home)?;
    writer.close()?;
    Ok(cleared)
}
