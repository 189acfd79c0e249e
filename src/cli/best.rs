//! `sweepd best`: the leaderboard.

use super::context::Context;
use crate::report;
use clap::Args;

/// Show a sweep's best trials
#[derive(Args, Debug)]
pub struct BestArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// How many trials
    #[arg(short, default_value_t = 10, value_name = "TRIALS")]
    pub n: u64,
    /// Show every parameter, however wide the table becomes
    #[arg(long)]
    pub wide: bool,
}

/// Prints the ranking of the completed trials.
///
/// # Errors
/// Where there is no such sweep.
pub async fn run(args: BestArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    let board = reader.leaderboard(sweep.sweep, args.n).await?;
    let board = board.ok_or_else(|| super::exit::Failure::not_found("the sweep has just been removed"))?;
    if context.json {
        return context.print_json(&board);
    }
    println!("{}", report::leaderboard(&board, context.width(args.wide)));
    Ok(())
}
