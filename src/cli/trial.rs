//! `sweepd trial`: one trial with all that is known of it.

use super::context::Context;
use super::exit::Failure;
use super::predictor::weights_of;
use crate::report;
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;

/// Show one trial: parameters, attempts, every epoch
#[derive(Args, Debug)]
pub struct TrialArgs {
    /// A trial: its id, or SWEEP/NUMBER
    pub trial: String,
    /// Also write its best weights to a file (safetensors), as for `pretrained`
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Of a trial with folds, which fold's weights to write, from 0
    #[arg(long, requires = "weights", default_value_t = 0, value_name = "FOLD")]
    pub fold: usize,
}

/// Prints a trial.
///
/// # Errors
/// Where there is no such trial, or its weights are wanted and it has none.
pub async fn run(args: TrialArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let detail = context.find_trial(&reader, &args.trial).await?;
    if let Some(out) = &args.weights {
        let weights = weights_of(&detail.trial, &args.trial, context)?;
        let weights = weights
            .get(args.fold)
            .ok_or_else(|| Failure::not_found(format!("trial {} has no fold {}", args.trial, args.fold)))?;
        std::fs::copy(weights, out).with_context(|| format!("writing {}", out.display()))?;
    }
    if context.json {
        return context.print_json(&detail);
    }
    let sweep = context.find_sweep(&reader, &detail.sweep).await?;
    println!("{}", report::trial_detail(&detail, &sweep.spec.objective));
    Ok(())
}
