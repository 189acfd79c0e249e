//! `sweepd ensemble`: trials that predict together, chosen by what they say about the validation rows.

use super::context::Context;
use super::predictor::{Images, PredictorArgs};
use crate::daemon::{self, now};
use crate::domain::ensemble::Ensemble;
use crate::ensembling::{HeldOut, Nominee, Recipe, USUAL_CANDIDATES, nominees};
use crate::report::ensemble::{ensemble_list, ensemble_table};
use crate::store::query::SweepSummary;
use crate::store::{Reader, Writer};
use crate::worker::client::{Client, ClientError};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

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
    #[arg(long, default_value_t = USUAL_CANDIDATES, value_name = "TRIALS")]
    pub candidates: u64,
    /// What it is called [default: topN or greedy]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub predictor: PredictorArgs,
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
    let recipe = Recipe::new(args.name, args.top, args.candidates)?;
    let held_out = HeldOut::of(&context.home, &sweeps)?;
    let nominees = nominees(&reader, &context.home, &sweeps, &recipe, held_out.networks()).await?;
    let all = predictions(&held_out, nominees, &args.predictor)?;
    let ensemble = held_out.choose(&recipe, &all, now());
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

/// Has each trial predict the rows that are held out.
fn predictions(
    held_out: &HeldOut,
    nominees: Vec<Nominee>,
    by: &PredictorArgs,
) -> anyhow::Result<Vec<(Nominee, Vec<f32>)>> {
    let images: Vec<Images> =
        held_out.inputs().map(|inputs| Images::new(&inputs)).collect::<anyhow::Result<_>>()?;
    let bar = ProgressBar::new(nominees.len() as u64).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} trials predict the validation rows, {eta} left",
    )?);
    let mut all = Vec::new();
    for nominee in nominees {
        let mut predicted = Vec::new();
        for (images, weights) in images.iter().zip(&nominee.weights) {
            predicted.extend(images.predict(weights, by)?);
        }
        all.push((nominee, predicted));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(all)
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
