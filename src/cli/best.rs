//! `sweepd best`: the leaderboard; with several objectives the front.

use super::context::Context;
use super::exit::Failure;
use crate::report;
use crate::store::Reader;
use crate::store::query::SweepSummary;
use clap::Args;

/// Trials of a ranking that are shown where nobody says how many.
const USUAL: u64 = 10;

/// Show a sweep's best trials; with several objectives those that no other trial dominates
#[derive(Args, Debug)]
pub struct BestArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// How many trials: 10 of a ranking, or the whole front of several objectives, unless given
    #[arg(short, value_name = "TRIALS")]
    pub n: Option<u64>,
    /// Show every parameter, however wide the table becomes
    #[arg(long)]
    pub wide: bool,
}

/// Prints the ranking of the completed trials, or their front.
///
/// # Errors
/// Where there is no such sweep.
pub async fn run(args: BestArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    print(context, &reader, &sweep, args.n, args.wide).await
}

/// Prints a sweep's best trials.
///
/// # Errors
/// Where the sweep has been removed meanwhile.
pub(super) async fn print(
    context: &Context,
    reader: &Reader,
    sweep: &SweepSummary,
    most: Option<u64>,
    wide: bool,
) -> anyhow::Result<()> {
    let removed = || Failure::not_found("the sweep has just been removed");
    if sweep.spec.objective.count() > 1 {
        let front = reader.front(sweep.sweep, most.unwrap_or(u64::MAX)).await?.ok_or_else(removed)?;
        if context.json {
            return context.print_json(&front);
        }
        println!("{}", report::front_table(&front, context.width(wide)));
        return Ok(());
    }
    let board = reader.leaderboard(sweep.sweep, most.unwrap_or(USUAL)).await?.ok_or_else(removed)?;
    if context.json {
        return context.print_json(&board);
    }
    println!("{}", report::leaderboard(&board, context.width(wide)));
    Ok(())
}
