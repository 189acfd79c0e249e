//! `sweepd trial`: one trial with all that is known of it.

use super::context::Context;
use crate::report;
use clap::Args;

/// Show one trial: parameters, attempts, every epoch
#[derive(Args, Debug)]
pub struct TrialArgs {
    /// A trial: its id, or SWEEP/NUMBER
    pub trial: String,
}

/// Prints a trial.
///
/// # Errors
/// Where there is no such trial.
pub async fn run(args: TrialArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let detail = context.find_trial(&reader, &args.trial).await?;
    if context.json {
        return context.print_json(&detail);
    }
    let sweep = context.find_sweep(&reader, &detail.sweep).await?;
    println!("{}", report::trial_detail(&detail, &sweep.spec.objective));
    Ok(())
}
