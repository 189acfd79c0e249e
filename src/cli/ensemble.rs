//! `sweepd ensemble`: trials that predict together, chosen by what they say about the validation rows.

use super::context::Context;
use super::exit::{FAILED, Failure};
use super::predictor::{Images, PredictorArgs, weights_of};
use crate::daemon::{self, now};
use crate::dataset::columns::only_common;
use crate::dataset::{self, Dataset, Split, split};
use crate::domain::ensemble::{Ensemble, Member, is_name};
use crate::domain::{Direction, ObjectiveKind};
use crate::report::ensemble::{ensemble_list, ensemble_table, greedy, rmse_of_mean};
use crate::store::query::{SweepSummary, TrialSummary};
use crate::store::{Reader, Writer};
use crate::worker::client::{Client, ClientError};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

/// How many additions greedy selection tries.
const ROUNDS: u32 = 50;

/// Let several trials predict together, and list those that do
///
/// Without --top or --greedy, the ensembles of the first sweep are listed.
#[derive(Args, Debug)]
pub struct EnsembleArgs {
    /// Sweeps whose trials may be in it, of one dataset and one validation share or number of folds; it is named in the first
    #[arg(required = true, value_name = "SWEEP")]
    pub sweeps: Vec<String>,
    /// Take the mean of so many of the best trials
    #[arg(long, value_name = "TRIALS", conflicts_with = "greedy")]
    pub top: Option<u64>,
    /// Add whoever makes the mean better, again and again, also more than once
    #[arg(long)]
    pub greedy: bool,
    /// So many of the best trials of each sweep may be chosen from
    #[arg(long, default_value_t = 24, value_name = "TRIALS")]
    pub candidates: u64,
    /// What it is called [default: topN or greedy]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub predictor: PredictorArgs,
}

/// A trial that may be chosen, and what it says about the validation rows.
struct Candidate {
    trial: TrialSummary,
    /// `SWEEP/NUMBER`
    name: String,
    predictions: Vec<f32>,
    rmse: f64,
}

/// Lists ensembles, or puts one together and keeps it.
///
/// # Errors
/// Where the sweeps do not go together, no trial has weights, or the worker fails.
pub async fn run(args: EnsembleArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let mut sweeps = Vec::new();
    for word in &args.sweeps {
        sweeps.push(context.find_sweep(&reader, word).await?);
    }
    if args.top.is_none() && !args.greedy {
        return list(context, &reader, &sweeps[0]).await;
    }
    let name = args.name.clone().unwrap_or_else(|| args.top.map_or("greedy".into(), |n| format!("top{n}")));
    if !is_name(&name) {
        let message = format!(
            "`{name}` cannot be an ensemble's name: letters, digits, `-` and `_`, and not digits alone"
        );
        return Err(Failure::new(FAILED, message).into());
    }
    let dataset = common_dataset(context, &sweeps)?;
    let objective = &sweeps[0].spec.objective;
    let splits: Vec<Split> = (0..objective.runs())
        .map(|fold| split::of_fold(&dataset, objective, fold))
        .collect::<Result<_, _>>()?;
    // With folds these are all rows, each predicted by the network that was not trained on it.
    let rows: Vec<u32> = splits.iter().flat_map(|split| split.validation.clone()).collect();
    let labels: Vec<f32> = rows.iter().flat_map(|row| dataset.labels(*row as usize)).copied().collect();
    let candidates = candidates(&args, context, &reader, &sweeps, &dataset, &splits, &labels).await?;
    let ensemble = choose(&args, name, &candidates, &labels, rows.len() as u64);
    keep(context, &sweeps[0], &ensemble).await?;
    if context.json {
        return context.print_json(&ensemble);
    }
    println!("{}", ensemble_table(&ensemble));
    let place = format!("{}/{}", args.sweeps[0], ensemble.name);
    eprintln!(
        "RMSE in pixels on {} validation rows; `sweepd predict {place} --test PATH` predicts with it",
        ensemble.rows
    );
    Ok(())
}

async fn list(context: &Context, reader: &Reader, sweep: &SweepSummary) -> anyhow::Result<()> {
    let ensembles = reader.ensembles(sweep.sweep).await?;
    if context.json {
        return context.print_json(&ensembles);
    }
    if ensembles.is_empty() {
        eprintln!("{} has no ensembles: `sweepd ensemble {} --greedy` makes one", sweep.name, sweep.id);
        return Ok(());
    }
    println!("{}", ensemble_list(&ensembles));
    Ok(())
}

/// The dataset of all sweeps, validated on the same rows.
fn common_dataset(context: &Context, sweeps: &[SweepSummary]) -> anyhow::Result<Dataset> {
    let first = &sweeps[0];
    let refuse = |message: String| Err(Failure::new(FAILED, message).into());
    for sweep in sweeps {
        let objective = &sweep.spec.objective;
        if objective.kind != ObjectiveKind::Keypoints || objective.direction != Direction::Minimize {
            return refuse(format!("{} trains no keypoint networks by their error", sweep.name));
        }
        let rows_of = |sweep: &SweepSummary| {
            let objective = &sweep.spec.objective;
            (objective.folds, objective.folds.is_none().then_some(objective.validation))
        };
        if sweep.dataset_hash != first.dataset_hash || rows_of(sweep) != rows_of(first) {
            let message =
                "have different datasets, validation shares or folds: their values cannot be compared";
            return refuse(format!("{} and {} {message}", first.name, sweep.name));
        }
    }
    let name = first.spec.objective.dataset.as_deref().unwrap_or_default();
    let dataset = dataset::find(&context.home, name)?;
    if first.dataset_hash.as_deref() != Some(dataset.hash()) {
        return refuse(format!("dataset {name} is not what {} was trained on any more", first.name));
    }
    Ok(dataset)
}

/// Has the best trials predict the validation rows; the best first.
async fn candidates(
    args: &EnsembleArgs,
    context: &Context,
    reader: &Reader,
    sweeps: &[SweepSummary],
    dataset: &Dataset,
    splits: &[Split],
    labels: &[f32],
) -> anyhow::Result<Vec<Candidate>> {
    let mut chosen = Vec::new();
    let most = args.top.unwrap_or(args.candidates);
    for sweep in sweeps {
        let trials = reader.best_first(sweep, None, most).await?;
        let usable = trials.into_iter().filter(|trial| has_weights(trial, splits.len()));
        chosen.extend(usable.map(|trial| (format!("{}/{}", sweep.name, trial.number), trial)));
    }
    let value = |trial: &TrialSummary| trial.value.unwrap_or(f64::INFINITY);
    chosen.sort_by(|(_, a), (_, b)| value(a).total_cmp(&value(b)));
    chosen.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    if chosen.is_empty() {
        let message = "no trial has weights yet: only those that have paused or ended after an epoch do";
        return Err(Failure::new(FAILED, message.to_owned()).into());
    }
    let images_of = |split: &Split| {
        let rows = split.validation.iter().map(|row| *row as usize);
        let pixels: Vec<u8> = rows.clone().flat_map(|row| dataset.image(row)).copied().collect();
        let common: Vec<bool> = rows.map(|row| only_common(dataset.labels(row))).collect();
        Images::new(&pixels, &common)
    };
    let images: Vec<Images> = splits.iter().map(images_of).collect::<anyhow::Result<_>>()?;
    let bar = ProgressBar::new(chosen.len() as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} trials predict the validation rows, {eta} left",
    )?);
    let mut candidates = Vec::new();
    for (name, trial) in chosen {
        let weights = weights_of(&trial, &name, context)?;
        let mut predictions = Vec::with_capacity(labels.len());
        for (images, weights) in images.iter().zip(&weights) {
            predictions.extend(images.predict(weights, &args.predictor)?);
        }
        let rmse = rmse_of_mean(&[&predictions], &[1], labels);
        candidates.push(Candidate { trial, name, predictions, rmse });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(candidates)
}

/// Whether a trial has a network for every split.
fn has_weights(trial: &TrialSummary, splits: usize) -> bool {
    let folds = trial.folds.iter().filter(|fold| fold.weights.is_some() && fold.value.is_some()).count();
    trial.value.is_some() && (folds == splits || splits == 1 && trial.weights.is_some())
}

fn choose(
    args: &EnsembleArgs,
    name: String,
    candidates: &[Candidate],
    labels: &[f32],
    rows: u64,
) -> Ensemble {
    let predictions: Vec<&[f32]> = candidates.iter().map(|one| one.predictions.as_slice()).collect();
    let weights = if args.greedy { greedy(&predictions, labels, ROUNDS) } else { vec![1; candidates.len()] };
    let rmse = rmse_of_mean(&predictions, &weights, labels);
    let member = |(one, weight): (&Candidate, &u32)| Member {
        trial_id: one.trial.trial_id,
        trial: one.name.clone(),
        weight: *weight,
        rmse: one.rmse,
    };
    let mut members: Vec<Member> =
        candidates.iter().zip(&weights).filter(|(_, weight)| **weight > 0).map(member).collect();
    // Stable: equals stay with the better one first.
    members.sort_by_key(|member| std::cmp::Reverse(member.weight));
    Ensemble { name, members, rmse, rows, created_ms: now() }
}

/// Keeps it: through the daemon where one runs, else in its place.
async fn keep(context: &Context, sweep: &SweepSummary, ensemble: &Ensemble) -> anyhow::Result<()> {
    let path = format!("/api/v1/sweeps/{}/ensembles", sweep.id);
    let body = serde_json::to_vec(ensemble)?;
    match Client::new(&context.home).send("POST", &path, "application/json", &body) {
        Ok(_) => Ok(()),
        Err(ClientError::NoDaemon { .. } | ClientError::Unreachable { .. }) => {
            let _held = daemon::hold(&context.home)?;
            let mut writer = Writer::open(&context.home).await?;
            writer.keep_ensemble(sweep.sweep, ensemble)?;
            writer.close()?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
