//! `sweepd trials`: a sweep's trials, filtered and sorted.

use super::context::Context;
use super::exit::{FAILED, Failure};
use crate::report;
use crate::store::query::{Sort, TrialNames};
use clap::Args;

/// List a sweep's trials, filtered and sorted
#[derive(Args, Debug)]
pub struct TrialsArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// Only those for which this holds: 'rmse < 2.5 and kernel_size = 3'
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// Sort by this, smallest first; with a - before it, largest first
    #[arg(long, value_name = "[-]NAME", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// At most so many
    #[arg(short, default_value_t = 1_000, value_name = "TRIALS")]
    pub n: u64,
    /// Show every parameter, however wide the table becomes
    #[arg(long)]
    pub wide: bool,
}

/// Prints the trials.
///
/// # Errors
/// Where there is no such sweep, or the condition or sort is not understood.
pub async fn run(args: TrialsArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    let names = TrialNames::of(&sweep.spec);
    let filter = args.condition.as_deref().map(|text| names.condition(text));
    let filter = filter.transpose().map_err(|error| Failure::new(FAILED, format!("--where: {error}")))?;
    let sort = args.sort.as_deref().map(|text| match text.strip_prefix('-') {
        Some(text) => names.value(text).map(|by| Sort { by, descending: true }),
        None => names.value(text).map(|by| Sort { by, descending: false }),
    });
    let sort = sort.transpose().map_err(|error| Failure::new(FAILED, format!("--sort: {error}")))?;
    let trials = reader.trials(sweep.sweep, filter.as_ref(), sort.as_ref(), args.n).await?;
    if context.json {
        return context.print_json(&trials);
    }
    if trials.is_empty() {
        let which = if args.condition.is_some() { "no trial is like that" } else { "no trial has begun yet" };
        eprintln!("{which}");
        return Ok(());
    }
    println!("{}", report::trial_list(&trials, &sweep.spec, context.width(args.wide)));
    if trials.len() as u64 == args.n {
        eprintln!("there may be more: -n shows more than {} trials", args.n);
    }
    Ok(())
}
