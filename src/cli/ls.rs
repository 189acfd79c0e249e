//! `sweepd ls`: all sweeps.

use super::context::Context;
use crate::daemon::now;
use crate::report;
use crate::store::StoreError;
use clap::Args;

/// List sweeps
#[derive(Args, Debug)]
pub struct LsArgs {
    /// Only those that have this tag, or of which a trial has it
    #[arg(long)]
    pub tag: Option<String>,
}

/// Prints sweeps, newest first.
///
/// # Errors
/// Where the database cannot be read.
pub async fn run(args: LsArgs, context: &Context) -> anyhow::Result<()> {
    let sweeps = match crate::store::Reader::open(&context.home, 1).await {
        Ok(reader) => reader.sweeps(args.tag.as_deref()).await?,
        // Nothing has been submitted yet: that is a short list, not a failure.
        Err(StoreError::Absent { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if context.json {
        return context.print_json(&sweeps);
    }
    if sweeps.is_empty() {
        match args.tag {
            Some(tag) => {
                eprintln!("no sweep has the tag {tag}, nor has any trial: `sweepd tag OF {tag}` gives it")
            }
            None => eprintln!("no sweeps yet: `sweepd run FILE` starts a first one"),
        }
        return Ok(());
    }
    println!("{}", report::sweep_list(&sweeps, now()));
    Ok(())
}
