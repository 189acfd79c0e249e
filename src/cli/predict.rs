//! `sweepd predict`: a trial's best weights and test images in, submission.csv out.
//!
//! The network runs in the worker program: this one has no libtorch.

use super::context::Context;
use super::exit::{Failure, NOT_FOUND};
use super::trainer;
use crate::dataset::submission::{read_lookup, read_test, write_submission};
use crate::store::blob;
use anyhow::Context as _;
use clap::Args;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Write submission.csv from a trial's best weights
#[derive(Args, Debug)]
pub struct PredictArgs {
    /// A trial: its id, or SWEEP/NUMBER
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
    /// The device to predict on: cpu, cuda:0
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// The worker program [default: sweepd-worker beside sweepd]
    #[arg(long, value_name = "PATH")]
    pub worker_program: Option<PathBuf>,
}

/// Predicts and writes the file, whole or not at all.
///
/// # Errors
/// Where there is no such trial, it has no weights, the test images are bad, or the worker fails.
pub async fn run(args: PredictArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let trial = context.find_trial(&reader, &args.trial).await?;
    let weights = weights_of(&trial.trial.weights, &args.trial, context)?;
    let scratch = tempfile::tempdir().context("a folder for the images")?;
    let test = read_test(&args.test, scratch.path())?;
    let lookup = match &args.lookup {
        Some(path) => read_lookup(path, scratch.path())?,
        // A CSV of test images cannot hold the table as well.
        None if args.test.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) => None,
        None => read_lookup(&args.test, scratch.path())?,
    };
    eprintln!(
        "predicting {} images with trial {} of {}",
        test.ids.len(),
        trial.trial.number,
        trial.sweep_name
    );
    let common =
        lookup.as_deref().map_or_else(|| vec![false; test.ids.len()], |asked| test.only_common(asked));
    let predictions = predict(&args, &weights, &test.images, &common, scratch.path())?;
    let rows = write_submission(&args.out, &test, &predictions, lookup.as_deref())?;
    if context.json {
        let out = serde_json::json!({ "file": args.out, "rows": rows, "images": test.ids.len() });
        println!("{out}");
    } else {
        eprintln!("{}: {rows} rows", args.out.display());
    }
    Ok(())
}

/// Where the best weights of a trial are.
pub(super) fn weights_of(hash: &Option<String>, trial: &str, context: &Context) -> anyhow::Result<PathBuf> {
    let Some(hash) = hash else {
        let message = format!("trial {trial} has no weights: only trials that ended after an epoch have");
        return Err(Failure::new(NOT_FOUND, message).into());
    };
    let path = blob::path(&context.home, hash).filter(|path| path.exists());
    path.ok_or_else(|| {
        Failure::new(NOT_FOUND, format!("the weights of trial {trial} ({hash}) are gone")).into()
    })
}

/// Pixels, f32 `[images, 30]`.
fn predict(
    args: &PredictArgs,
    weights: &Path,
    images: &[u8],
    common: &[bool],
    scratch: &Path,
) -> anyhow::Result<Vec<f32>> {
    let [input, sources, output] = ["images", "common", "predictions"].map(|name| scratch.join(name));
    std::fs::write(&input, images).context("writing the images")?;
    let bytes: Vec<u8> = common.iter().map(|common| u8::from(*common)).collect();
    std::fs::write(&sources, bytes).context("writing which images are of which source")?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.to_string();
    let flags: [&OsStr; 13] = [
        "predict".as_ref(),
        "--weights".as_ref(),
        weights.as_os_str(),
        "--images".as_ref(),
        input.as_os_str(),
        "--common".as_ref(),
        sources.as_os_str(),
        "--out".as_ref(),
        output.as_os_str(),
        "--device".as_ref(),
        args.device.as_ref(),
        "--threads".as_ref(),
        threads.as_ref(),
    ];
    trainer::run(args.worker_program.as_deref(), "predicting", flags)?;
    let bytes = std::fs::read(&output).context("reading the predictions")?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    anyhow::ensure!(rest.is_empty(), "the worker wrote {} bytes, which is no list of numbers", bytes.len());
    Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
