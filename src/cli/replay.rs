//! `sweepd replay`: a sweep's decisions derived again.

use super::context::Context;
use super::exit::{DIFFERS, Failure};
use crate::report;
use crate::scheduler::{Difference, replay};
use clap::Args;
use serde::Serialize;

/// Derive a sweep's decisions again and compare them with what is stored
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
}

/// The outcome for programs.
#[derive(Serialize)]
struct Replayed {
    /// The sweep's public id.
    sweep: String,
    /// Whether all decisions agree.
    agrees: bool,
    /// How many were derived; none where one differs.
    decisions: Option<u64>,
    /// The first that differs.
    difference: Option<Difference>,
}

/// Derives every decision of a sweep again.
///
/// # Errors
/// Where there is no such sweep, or a decision differs (exit code [`DIFFERS`]).
pub async fn run(args: ReplayArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    let stored = reader.stored_decisions(sweep.sweep).await?;
    let stored = stored.ok_or_else(|| Failure::not_found("the sweep has just been removed"))?;
    let outcome = replay(&stored);
    if context.json {
        context.print_json(&Replayed {
            sweep: sweep.id.clone(),
            agrees: outcome.is_ok(),
            decisions: outcome.as_ref().ok().copied(),
            difference: outcome.as_ref().err().map(|difference| (**difference).clone()),
        })?;
    }
    match outcome {
        Ok(_) if context.json => Ok(()),
        Ok(1) => {
            println!("1 decision re-derived: it agrees");
            Ok(())
        }
        Ok(decisions) => {
            println!("{} decisions re-derived: all agree", report::grouped(decisions));
            Ok(())
        }
        Err(difference) => Err(Failure::new(DIFFERS, difference.to_string()).into()),
    }
}
