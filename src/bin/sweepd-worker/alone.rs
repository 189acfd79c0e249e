//! Subcommands for people: train, predict, describe, without a daemon.

use crate::error::TrainError;
use crate::train::{Job, Observer, train};
use crate::{columns, device, environment, evaluate, images, params, weights};
use anyhow::{Context, ensure};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use sweepd::dataset::{Dataset, Numbers, PIXELS, Split, mean_face_rmse};
use sweepd::domain::{Decision, Metrics, Value, metric};
use sweepd::worker::predict::answer;
use tch::Device;

/// Shows the layers of a network with output shapes and parameter counts.
#[derive(Debug, clap::Args)]
pub struct Describe {
    /// A sweep file whose parameters are all fixed, or a JSON object of parameters.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Describe {
    pub fn run(&self) -> anyhow::Result<()> {
        let plan = params::plan(&params::read(&self.file)?)?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let text = serde_json::json!({
                "layers": plan.layers().layers(),
                "parameters": plan.parameter_count(),
                "trainable": plan.trainable_count(),
                "settings": plan.settings(),
                "without_effect": plan.without_effect(),
            });
            writeln!(out, "{text:#}")?;
        } else {
            writeln!(out, "{}", plan.layers())?;
            for name in plan.without_effect() {
                writeln!(out, "`{name}` has no effect here")?;
            }
        }
        Ok(())
    }
}

/// Trains one network and prints a line per epoch.
#[derive(Debug, clap::Args)]
pub struct Train {
    /// A dataset's file.
    #[arg(long)]
    dataset: PathBuf,
    /// A sweep file whose parameters are all fixed, or a JSON object of parameters.
    #[arg(long)]
    params: PathBuf,
    /// Seed of initial weights, shuffling and dropout.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Share of the images kept for validation.
    #[arg(long, default_value_t = sweepd::dataset::split::DEFAULT_FRACTION)]
    validation: f64,
    /// Seed of the choice of those images.
    #[arg(long, default_value_t = sweepd::dataset::split::DEFAULT_SEED)]
    split_seed: u64,
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Parts that each batch is split into, where memory is short.
    #[arg(long, default_value_t = 1)]
    accumulate: u32,
    /// Epochs, instead of those in the parameters.
    #[arg(long)]
    epochs: Option<i64>,
    /// Where to write the best weights.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON object per epoch.
    #[arg(long)]
    json: bool,
}

impl Train {
    pub fn run(&self) -> anyhow::Result<()> {
        let device = device::open(&self.device)?;
        let mut given = params::read(&self.params)?;
        if let Some(epochs) = self.epochs {
            given.insert("epochs".to_owned(), Value::Int(epochs));
        }
        let plan = params::plan(&given)?;
        let dataset = Dataset::open(&self.dataset)?;
        let split = Split::fraction(&dataset, self.validation, self.split_seed)?;
        let mean_face = mean_face_rmse(&dataset, std::slice::from_ref(&split));
        if !self.json {
            println!(
                "{} parameters, {} rows to train on, {} to validate on; the mean face has RMSE {mean_face:.3}",
                plan.parameter_count(),
                split.train.len(),
                split.validation.len()
            );
        }
        let (plan, dataset, split) = (&plan, &dataset, &split);
        let job = Job {
            plan,
            dataset,
            split,
            seed: self.seed,
            device,
            threads: self.threads,
            precision: plan.training().precision,
            accumulate: self.accumulate,
            resume: None,
            parent: None,
            until_step: None,
        };
        let trained = train(&job, &mut Lines { json: self.json })?;
        let Some(best) = trained.best else { return Ok(()) };
        if !self.json {
            let rmse = best.metrics.get(metric::RMSE).unwrap_or(f64::NAN);
            println!("best: RMSE {rmse:.4} in epoch {}", best.step);
        }
        if let Some(path) = &self.out {
            fs::write(path, &best.weights).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// Prints each epoch.
struct Lines {
    json: bool,
}

impl Observer for Lines {
    fn epoch(&mut self, step: u64, metrics: &Metrics) -> anyhow::Result<Decision> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::json!({ "step": step, "metrics": metrics }))?;
        } else {
            let of = |name| metrics.get(name).unwrap_or(f64::NAN);
            writeln!(
                out,
                "epoch {step:>4}  RMSE {:.4}  training {:.4}  loss {:.6}  rate {:.6}  {:.2} s  {:.0} images/s",
                of(metric::RMSE),
                of(metric::TRAIN_RMSE),
                of(metric::TRAIN_LOSS),
                of(metric::LEARNING_RATE),
                of(metric::SECONDS),
                of(metric::IMAGES_PER_SECOND)
            )?;
        }
        Ok(Decision::Continue)
    }
}

/// Predicts keypoints with a trial's weights.
#[derive(Debug, clap::Args)]
pub struct Predict {
    /// A trial's weights: a safetensors file.
    #[arg(long)]
    weights: PathBuf,
    /// Images: raw grey values, one byte per pixel, 9,216 per image, row by row.
    #[arg(long)]
    images: PathBuf,
    /// Where to write the predictions: raw little-endian f32, 30 per image, in pixels, x and y in turn; as
    /// the network gives them, also outside of the image.
    #[arg(long)]
    out: PathBuf,
    /// One byte per image: 1 where it is of the source that labelled only the four common points, else 0.
    /// [default: all 0]
    #[arg(long)]
    common: Option<PathBuf>,
    /// Columns of numbers of the images, as the table has them: raw little-endian f32, image by image, NaN where
    /// missing.
    #[arg(long, requires = "columns")]
    numbers: Option<PathBuf>,
    /// What these columns are called, in order.
    #[arg(long = "column", requires = "numbers")]
    columns: Vec<String>,
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

impl Predict {
    /// The columns that a network takes, `[images, wanted]`.
    fn numbers(&self, wanted: &[String], images: usize) -> anyhow::Result<Vec<f32>> {
        let Some(path) = &self.numbers else {
            let names = wanted.join(", ");
            ensure!(wanted.is_empty(), "this network takes the columns {names}: give --numbers and --column");
            return Ok(Vec::new());
        };
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let numbers = answer(&bytes, images * self.columns.len())
            .with_context(|| format!("{}: {images} images", path.display()))?;
        Ok(Numbers::of_values(self.columns.clone(), numbers)?.columns(wanted)?)
    }

    fn common(&self, images: usize) -> anyhow::Result<Vec<bool>> {
        let Some(path) = &self.common else { return Ok(vec![false; images]) };
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        ensure!(bytes.len() == images, "{}: {} bytes for {images} images", path.display(), bytes.len());
        Ok(bytes.iter().map(|byte| *byte != 0).collect())
    }

    pub fn run(&self) -> anyhow::Result<()> {
        let device = device::open(&self.device)?;
        tch::set_num_threads(i32::try_from(self.threads.max(1)).unwrap_or(i32::MAX));
        let bytes = fs::read(&self.weights).with_context(|| format!("reading {}", self.weights.display()))?;
        let loaded = weights::from_safetensors(&bytes, device);
        let (plan, network) = loaded.with_context(|| self.weights.display().to_string())?;
        let grey = fs::read(&self.images).with_context(|| format!("reading {}", self.images.display()))?;
        ensure!(
            grey.len().is_multiple_of(PIXELS),
            "{}: {} bytes are not a whole number of images of {PIXELS}",
            self.images.display(),
            grey.len()
        );
        let settings = plan.training();
        let images = images::Images::of_bytes(&grey, settings.input_scaling, device);
        let count = images.len();
        let wanted = plan.architecture().top.columns();
        let numbers = self.numbers(wanted, count)?;
        let numbers =
            columns::tensor(&numbers, count, wanted.len(), Device::Cpu).map_err(TrainError::from)?;
        let seen = evaluate::Seen { images, common: self.common(count)?, numbers };
        let reading = evaluate::Reading::new(settings, 1);
        let predictions = evaluate::predict(&network, &seen, reading).map_err(TrainError::from)?;
        let bytes: Vec<u8> = predictions.iter().flat_map(|px| (*px as f32).to_le_bytes()).collect();
        fs::write(&self.out, bytes).with_context(|| format!("writing {}", self.out.display()))
    }
}

/// Prints what results may depend on besides parameters, as JSON: versions, device, processor.
#[derive(Debug, clap::Args)]
pub struct Info {
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

impl Info {
    pub fn run(&self) -> anyhow::Result<()> {
        let all = environment::environment(device::open(&self.device)?, self.threads);
        writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(&all)?)?;
        Ok(())
    }
}
