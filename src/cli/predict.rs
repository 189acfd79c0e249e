//! `sweepd predict`: best weights of a trial or of an ensemble and test images in, submission.csv out.

use super::context::Context;
use super::exit::Failure;
use super::predictor::{Images, PredictorArgs, weights_of};
use crate::dataset::Inputs;
use crate::dataset::submission::{read_lookup, read_test, write_submission};
use crate::domain::Params;
use crate::model::Plan;
use crate::report::ensemble::mean;
use crate::store::Reader;
use anyhow::Context as _;
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Write submission.csv from a trial's best weights, or an ensemble's
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// A trial: its id, or SWEEP/NUMBER; or an ensemble: SWEEP/NAME
    #[arg(value_name = "TRIAL or ENSEMBLE")]
    pub trial: String,
    /// The test images: Kaggle's bundle as downloaded, test.zip or test.csv
    #[arg(long, value_name = "PATH")]
    pub test: PathBuf,
    /// IdLookupTable.csv [default: the one in the bundle; without one, all 30 numbers per image]
    #[arg(long, value_name = "PATH")]
    pub lookup: Option<PathBuf>,
    /// Where to write the predictions
    #[arg(long, short, default_value = "submission.csv", value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub predictor: PredictorArgs,
}

/// The trials that predict, and how often each counts.
struct Networks {
    /// Of each trial one network, or one a fold, whose mean is the trial's prediction.
    weights: Vec<Vec<PathBuf>>,
    counts: Vec<u32>,
    /// Further columns that one of them takes.
    columns: Vec<String>,
    /// Who they are, for people.
    name: String,
}

/// Predicts and writes the file, whole or not at all.
///
/// # Errors
/// Where there is no such trial or ensemble, it has no weights, the test images are bad, or the worker fails.
pub async fn run(args: PredictArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let networks = networks(&args.trial, context, &reader).await?;
    let scratch = tempfile::tempdir().context("a folder for the archive")?;
    let mut test = read_test(&args.test, scratch.path(), &networks.columns)?;
    let lookup = match &args.lookup {
        Some(path) => read_lookup(path, scratch.path())?,
        // A CSV of test images cannot hold the table as well.
        None if args.test.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) => None,
        None => read_lookup(&args.test, scratch.path())?,
    };
    eprintln!("predicting {} images with {}", test.ids.len(), networks.name);
    let common =
        lookup.as_deref().map_or_else(|| vec![false; test.ids.len()], |asked| test.only_common(asked));
    let (pixels, numbers) = (std::mem::take(&mut test.images), std::mem::take(&mut test.numbers));
    let images = Images::new(&Inputs { pixels, common, numbers })?;
    let predictions: Vec<Vec<f32>> = networks
        .weights
        .iter()
        .map(|folds| {
            let one = |weights: &PathBuf| images.predict(weights, &args.predictor);
            let predictions: Vec<Vec<f32>> = folds.iter().map(one).collect::<anyhow::Result<_>>()?;
            let predictions: Vec<&[f32]> = predictions.iter().map(Vec::as_slice).collect();
            Ok(mean(&predictions, &vec![1; predictions.len()]))
        })
        .collect::<anyhow::Result<_>>()?;
    let predictions: Vec<&[f32]> = predictions.iter().map(Vec::as_slice).collect();
    let predictions = mean(&predictions, &networks.counts);
    let rows = write_submission(&args.out, &test, &predictions, lookup.as_deref())?;
    if context.json {
        let out = serde_json::json!({ "file": args.out, "rows": rows, "images": test.ids.len() });
        println!("{out}");
    } else {
        eprintln!("{}: {rows} rows", args.out.display());
    }
    Ok(())
}

/// What a word means: an ensemble of a sweep where its last part is no number, else a trial.
async fn networks(word: &str, context: &Context, reader: &Reader) -> anyhow::Result<Networks> {
    match word.rsplit_once('/') {
        Some((sweep, name)) if name.parse::<u64>().is_err() => ensemble(sweep, name, context, reader).await,
        _ => {
            let trial = context.find_trial(reader, word).await?;
            let weights = vec![weights_of(&trial.trial, word, context)?];
            let name = format!("trial {} of {}", trial.trial.number, trial.sweep_name);
            let columns = columns_of(&trial.trial.params);
            Ok(Networks { weights, counts: vec![1], columns, name })
        }
    }
}

/// The columns that a trial's network takes beside the image.
fn columns_of(params: &Params) -> Vec<String> {
    let plan = Plan::from_params(params);
    plan.map(|plan| plan.architecture().top.columns().to_vec()).unwrap_or_default()
}

async fn ensemble(sweep: &str, name: &str, context: &Context, reader: &Reader) -> anyhow::Result<Networks> {
    let found = context.find_sweep(reader, sweep).await?;
    let ensemble = reader.ensembles(found.sweep).await?.into_iter().find(|one| one.name == name);
    let ensemble = ensemble.ok_or_else(|| {
        let message = format!("{sweep} has no ensemble {name}: `sweepd ensemble {sweep}` lists them");
        Failure::not_found(message)
    })?;
    let (mut weights, mut columns) = (Vec::new(), BTreeSet::new());
    for member in &ensemble.members {
        let trial = reader.trial(member.trial_id).await?.ok_or_else(|| {
            Failure::not_found(format!("trial {} of ensemble {name} has been removed", member.trial))
        })?;
        weights.push(weights_of(&trial.trial, &member.trial, context)?);
        columns.extend(columns_of(&trial.trial.params));
    }
    let counts = ensemble.members.iter().map(|member| member.weight).collect();
    let name = format!("the {} trials of ensemble {name} of {}", ensemble.members.len(), found.name);
    Ok(Networks { weights, counts, columns: columns.into_iter().collect(), name })
}
