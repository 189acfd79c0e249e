//! `sweepd show`: one sweep.

use super::context::Context;
use crate::daemon::now;
use crate::report;
use clap::Args;

/// Show one sweep
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
}

/// Prints a sweep's state, settings and space.
///
/// # Errors
/// Where there is no such sweep.
pub async fn run(args: ShowArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    if context.json {
        return context.print_json(&sweep);
    }
    println!("{}", report::sweep_detail(&sweep, now()));
    Ok(())
}
