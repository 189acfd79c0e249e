//! Networks predict in the worker program: this one has no libtorch.

use super::context::Context;
use super::exit::{Failure, NOT_FOUND};
use super::trainer;
use crate::store::blob;
use crate::store::query::TrialSummary;
use anyhow::Context as _;
use clap::Args;
use std::ffi::OsStr;
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
}

impl Images {
    /// Grey values `[images, 96 * 96]`, and which of the images are of the source that labelled only the four common
    /// points.
    pub fn new(pixels: &[u8], common: &[bool]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the images")?;
        std::fs::write(folder.path().join("images"), pixels).context("writing the images")?;
        let bytes: Vec<u8> = common.iter().map(|common| u8::from(*common)).collect();
        std::fs::write(folder.path().join("common"), bytes).context("writing whose images they are")?;
        Ok(Self { folder })
    }

    /// Pixels, f32 `[images, 30]`, by the network of these weights.
    pub fn predict(&self, weights: &Path, by: &PredictorArgs) -> anyhow::Result<Vec<f32>> {
        let [input, sources, output] =
            ["images", "common", "predictions"].map(|name| self.folder.path().join(name));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
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
            by.device.as_ref(),
            "--threads".as_ref(),
            threads.as_ref(),
        ];
        trainer::run(by.worker_program.as_deref(), "predicting", flags)?;
        let bytes = std::fs::read(&output).context("reading the predictions")?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        anyhow::ensure!(
            rest.is_empty(),
            "the worker wrote {} bytes, which is no list of numbers",
            bytes.len()
        );
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

/// The file of a trial's best weights; `name` is what people call the trial.
pub(super) fn weights_of(trial: &TrialSummary, name: &str, context: &Context) -> anyhow::Result<PathBuf> {
    let Some(hash) = &trial.weights else {
        let message = format!("trial {name} has no weights: only trials that ended after an epoch have");
        return Err(Failure::new(NOT_FOUND, message).into());
    };
    let path = blob::path(&context.home, hash).filter(|path| path.exists());
    path.ok_or_else(|| {
        Failure::new(NOT_FOUND, format!("the weights of trial {name} ({hash}) are gone")).into()
    })
}
