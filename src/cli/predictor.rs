//! Networks predict in the worker program: this one has no libtorch.

use super::context::Context;
use super::exit::{Failure, NOT_FOUND};
use super::trainer;
use crate::dataset::{COLUMNS, Inputs};
use crate::ensembling;
use crate::store::query::TrialSummary;
use crate::worker::predict::{Question, answer};
use anyhow::Context as _;
use clap::Args;
use std::path::{Path, PathBuf};

/// Where and by what it is predicted.
#[derive(Args, Debug)]
pub struct PredictorArgs {
    /// The device to predict on: cpu, cuda:0
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// The worker program [default: sweepd-worker beside sweepd]
    #[arg(long, value_name = "PATH")]
    pub worker_program: Option<PathBuf>,
}

/// Images to be predicted, written where the worker program finds them.
pub(super) struct Images {
    folder: tempfile::TempDir,
    question: Question,
    images: usize,
}

impl Images {
    /// What networks may see of them.
    pub fn new(inputs: &Inputs) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the images")?;
        let question = Question::write(folder.path(), inputs).context("writing the images")?;
        Ok(Self { folder, question, images: inputs.images() })
    }

    /// Pixels, f32 `[images, 30]`, by the network of these weights.
    pub fn predict(&self, weights: &Path, by: &PredictorArgs) -> anyhow::Result<Vec<f32>> {
        let out = self.folder.path().join("predictions");
        let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let mut args = self.question.args(weights, &out);
        args.extend(["--device", &by.device, "--threads", &threads].map(Into::into));
        trainer::run(by.worker_program.as_deref(), "predicting", args)?;
        let bytes = std::fs::read(&out).context("reading the predictions")?;
        Ok(answer(&bytes, self.images * COLUMNS)?)
    }
}

/// The file of a trial's best weights, or one of each of its folds; `name` is what people call the trial.
pub(super) fn weights_of(
    trial: &TrialSummary,
    name: &str,
    context: &Context,
) -> anyhow::Result<Vec<PathBuf>> {
    ensembling::weights_of(&context.home, trial, name)
        .map_err(|error| Failure::new(NOT_FOUND, error.to_string()).into())
}
