//! `sweepd plot`: learning curves of trials in one picture.

use super::context::Context;
use super::exit::{FAILED, Failure, NOT_FOUND, USAGE};
use crate::report::{Drawn, Plot, PlotSource, plotted_metric};
use crate::store::Reader;
use crate::store::query::{SweepSummary, TrialNames, TrialSummary};
use anyhow::Context as _;
use clap::Args;
use std::path::{Path, PathBuf};

/// Trials of one sweep, or of all together, that are drawn where nobody says how many.
const USUAL: u64 = 12;
/// Behind them at most so many of each sweep in grey, as long as they have no more steps together.
const OTHERS: u64 = 300;
const OTHERS_STEPS: u64 = 500_000;

/// Draw the learning curves of a sweep's best trials, or compare several sweeps
#[derive(Args, Debug)]
pub struct PlotArgs {
    /// Sweeps, each by its name, its id, or the start of its id
    #[arg(required = true, value_name = "SWEEP")]
    pub sweeps: Vec<String>,
    /// Where the picture goes
    #[arg(long, value_name = "FILE.svg")]
    pub out: Option<PathBuf>,
    /// The metric to draw, such as train_rmse [default: what the sweep optimises]
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Only trials for which this holds, whatever their state: 'number in (3, 7)'
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// The best so many of each sweep in colour, 12 in all unless given; others are grey
    #[arg(short, value_name = "TRIALS", value_parser = clap::value_parser!(u64).range(1..=500))]
    pub n: Option<u64>,
    /// Name curves by these parameters, and give the same colour to what is the same by them [default: what is
    /// unlike most]
    #[arg(long, value_name = "PARAMETER", value_delimiter = ',')]
    pub label: Vec<String>,
    /// A logarithmic axis of values
    #[arg(long)]
    pub log: bool,
    /// Only the steps up to this one
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u64).range(1..))]
    pub last_step: Option<u64>,
}

/// Writes the picture, or prints the curves.
///
/// # Errors
/// Where there is no such sweep or nothing to draw, or something asked for is not understood.
pub async fn run(args: PlotArgs, context: &Context) -> anyhow::Result<()> {
    let file = args.out.as_deref().filter(|_| !context.json);
    check_file(file, context.json)?;
    let reader = context.reader().await?;
    let mut sweeps: Vec<SweepSummary> = Vec::new();
    for word in &args.sweeps {
        let sweep = context.find_sweep(&reader, word).await?;
        if sweeps.iter().all(|known| known.sweep != sweep.sweep) {
            sweeps.push(sweep);
        }
    }
    let metric = plotted_metric(&sweeps, args.metric.as_deref())?;
    let each = args.n.unwrap_or_else(|| USUAL.div_ceil(sweeps.len() as u64));
    let mut sources = Vec::new();
    for sweep in &sweeps {
        sources.push(read(&reader, sweep, &metric, each, &args).await?);
    }
    if sources.iter().all(|source| source.chosen.is_empty()) {
        return Err(nothing(&reader, &sources, &metric, &args).await?.into());
    }
    let plot = Plot::new(&sources, &metric, &args.label, args.condition.as_deref())?;
    let Some(file) = file else { return context.print_json(&plot) };
    std::fs::write(file, plot.svg(args.log)?).with_context(|| format!("writing {}", file.display()))?;
    eprintln!("{}: {}", file.display(), plot.selection);
    for source in sources.iter().filter(|source| source.chosen.is_empty()) {
        eprintln!("no curve of {} is in it: no trial of it has reported {metric}", source.sweep.name);
    }
    Ok(())
}

/// Mistakes in what the file is called come before any work.
fn check_file(file: Option<&Path>, json: bool) -> Result<(), Failure> {
    match file {
        None if json => Ok(()),
        None => {
            Err(Failure::new(USAGE, "say where the picture goes: --out FILE.svg (or --json for the numbers)"))
        }
        Some(file) if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg")) => {
            Ok(())
        }
        Some(file) => {
            let message = format!("the picture is SVG: call it {}", file.with_extension("svg").display());
            Err(Failure::new(USAGE, message))
        }
    }
}

/// The trials of one sweep that are drawn, with their curves.
async fn read(
    reader: &Reader,
    sweep: &SweepSummary,
    metric: &str,
    each: u64,
    args: &PlotArgs,
) -> anyhow::Result<PlotSource> {
    let filter = args.condition.as_deref().map(|text| TrialNames::of(&sweep.spec).condition(text));
    let filter = filter
        .transpose()
        .map_err(|error| Failure::new(FAILED, format!("--where: {error} (sweep {})", sweep.name)))?;
    let mut chosen: Vec<TrialSummary> = Vec::new();
    if filter.is_none() {
        let board = reader.leaderboard(sweep.sweep, each).await?;
        chosen = board.map(|board| board.ranked).unwrap_or_default().into_iter().map(|r| r.trial).collect();
    }
    let unfinished = chosen.is_empty();
    let mut others = reader.best_first(sweep, filter.as_ref(), each.saturating_add(OTHERS)).await?;
    others.retain(|trial| trial.steps > 0 && chosen.iter().all(|known| known.trial_id != trial.trial_id));
    if unfinished {
        let rest = others.split_off(others.len().min(usize::try_from(each).unwrap_or(usize::MAX)));
        chosen = std::mem::replace(&mut others, rest);
    }
    let mut steps: u64 = 0;
    let few = others.into_iter().take_while(|trial| {
        steps = steps.saturating_add(trial.steps);
        steps <= OTHERS_STEPS
    });
    let others: Vec<TrialSummary> = few.take(usize::try_from(OTHERS).unwrap_or(usize::MAX)).collect();
    let ids: Vec<_> = chosen.iter().chain(&others).map(|trial| trial.trial_id).collect();
    let mut curves = reader.curves(&ids, metric, args.last_step).await?;
    let mut drawn = |trials: Vec<TrialSummary>| -> Vec<Drawn> {
        trials
            .into_iter()
            .filter_map(|trial| curves.remove(&trial.trial_id).map(|points| (trial, points)))
            .collect()
    };
    let (chosen, others) = (drawn(chosen), drawn(others));
    Ok(PlotSource { sweep: sweep.clone(), chosen, others, unfinished })
}

/// Why there is nothing to draw, and what to do.
async fn nothing(
    reader: &Reader,
    sources: &[PlotSource],
    metric: &str,
    args: &PlotArgs,
) -> anyhow::Result<Failure> {
    let names: Vec<&str> = sources.iter().map(|source| source.sweep.name.as_str()).collect();
    let (name, names) = (names.first().copied().unwrap_or_default(), names.join(", "));
    for source in sources {
        let filter = args.condition.as_deref().map(|text| TrialNames::of(&source.sweep.spec).condition(text));
        let like_that = reader.best_first(&source.sweep, filter.transpose()?.as_ref(), OTHERS).await?;
        let Some(trial) = like_that.iter().find(|trial| trial.steps > 0) else { continue };
        let Some(step) = reader.last_step(trial.trial_id).await? else { continue };
        let metrics: Vec<&str> = step.metrics.0.keys().map(String::as_str).collect();
        let message = if metrics.contains(&metric) {
            format!("no trial of {names} has reported {metric} by step {}", args.last_step.unwrap_or(0))
        } else {
            format!(
                "no trial of {names} reports {metric}; trial {} reports {}",
                trial.number,
                metrics.join(", ")
            )
        };
        return Ok(Failure::new(NOT_FOUND, message));
    }
    Ok(Failure::new(
        NOT_FOUND,
        match &args.condition {
            Some(_) => {
                format!("no trial of {names} that has begun is like that: `sweepd trials {name}` lists all")
            }
            None => {
                format!("no trial of {names} has reported anything yet: `sweepd watch {name}` follows it")
            }
        },
    ))
}
