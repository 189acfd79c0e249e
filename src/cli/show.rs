//! `sweepd show`: one sweep.

use super::context::Context;
use super::exit::{FAILED, Failure};
use crate::daemon::now;
use crate::domain::TooLarge;
use crate::report;
use crate::scheduler::too_large;
use crate::store::Reader;
use crate::store::query::{FrontShape, SweepSummary};
use clap::Args;
use serde::Serialize;

/// Show one sweep
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// How much each parameter mattered, by the completed trials
    #[arg(long)]
    pub importance: bool,
}

/// A sweep, its front where it has several objectives, and what it does not try for lack of memory.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    sweep: SweepSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    front: Option<FrontShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_large: Option<TooLarge>,
}

/// Prints a sweep's state, settings and space.
///
/// # Errors
/// Where there is no such sweep.
pub async fn run(args: ShowArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    if args.importance {
        return show_importance(&reader, &sweep, context).await;
    }
    let front = match sweep.spec.objective.count() {
        0..=1 => None,
        _ => reader.front(sweep.sweep, 0).await?.map(|front| front.shape),
    };
    let evidence = reader.memory_evidence(sweep.sweep).await?;
    let too_large =
        evidence.and_then(|(configurations, legs)| too_large(&sweep.spec, &configurations, &legs));
    if context.json {
        return context.print_json(&Shown { sweep, front, too_large });
    }
    println!("{}", report::sweep_detail(&sweep, front.as_ref(), too_large.as_ref(), now()));
    Ok(())
}

async fn show_importance(reader: &Reader, sweep: &SweepSummary, context: &Context) -> anyhow::Result<()> {
    let completed = reader.completed(sweep.sweep, report::MOST_RESULTS).await?;
    let Some(importances) = report::importances(&sweep.spec, &completed) else {
        let (has, least) = (completed.trials, report::LEAST_RESULTS);
        let message = format!(
            "{} has {has} completed trials; importance needs at least {least}: `sweepd watch {}` follows it",
            sweep.name, sweep.id
        );
        return Err(Failure::new(FAILED, message).into());
    };
    if context.json {
        return context.print_json(&importances);
    }
    println!("{}", report::importance_table(&importances));
    Ok(())
}
