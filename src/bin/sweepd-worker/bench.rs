//! How fast a plan trains here: steps on drawn images, measured.

use crate::gradient::{gradient, gradients};
use crate::loss::Objective;
use crate::network::Network;
use crate::optimizer::{Optimizer, Restraint, Trunk};
use crate::samples::{Epoch, TrainingSet};
use crate::{device, environment, memory, params, precision, train};
use anyhow::ensure;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;
use sweepd::dataset::builder::{IfExists, with_numbers};
use sweepd::dataset::{Dataset, Numbers, synth};
use sweepd::domain::Value;
use sweepd::model::Plan;
use sweepd::worker::memory::resident_bytes;
use tch::{Cuda, Device, Kind, Tensor};

/// Sides of the square matrices whose product shows what a device can do: on CPUs, on GPUs.
const MATRIX_SIDES: (i64, i64) = (2048, 8192);
/// Products of which the fastest counts.
const PRODUCTS: usize = 5;
/// A forward pass, and a backward pass of twice the work.
const PASSES: f64 = 3.0;

/// Measures how fast a network trains on this machine.
#[derive(Debug, clap::Args)]
pub struct Bench {
    /// A sweep file whose parameters are all fixed, or a JSON object of parameters.
    file: PathBuf,
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// auto, f32 or bf16, instead of what the file says.
    #[arg(long)]
    precision: Option<String>,
    /// Steps to measure, after some to warm up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// So many networks whose steps are one, as a sweep's `fuse` has them trained.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    fuse: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    precision: &'static str,
    batch_size: usize,
    /// Networks whose steps are one.
    fuse: u32,
    /// Of the median step, of all networks together.
    images_per_second: f64,
    step_ms: Steps,
    /// Once per epoch, for each image: drawing what is done to it, and moving its keypoints.
    prepare_us_per_image: f64,
    /// The process's memory at most, in bytes.
    resident_bytes: Option<u64>,
    /// What the GPU's allocator held at most, in bytes.
    device_memory_bytes: Option<u64>,
    /// Of the median step, in 10^9 floating-point operations per second.
    gflops: f64,
    /// Of a product of two large matrices in the same precision.
    matrix_gflops: f64,
    environment: BTreeMap<String, String>,
}

/// Wall-clock milliseconds of steps.
#[derive(Debug, Serialize)]
struct Steps {
    fastest: f64,
    median: f64,
    slowest: f64,
}

impl Bench {
    pub fn run(&self) -> anyhow::Result<()> {
        let device = device::open(&self.device)?;
        tch::set_num_threads(i32::try_from(self.threads.max(1)).unwrap_or(i32::MAX));
        let mut given = params::read(&self.file)?;
        if let Some(precision) = &self.precision {
            given.insert("precision".to_owned(), Value::Text(precision.clone()));
        }
        let plan = params::plan(&given)?;
        let measured = self.measure(&plan, device)?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&measured)?)?;
            return Ok(());
        }
        let Measured { step_ms, .. } = &measured;
        let networks = if self.fuse > 1 { format!("{} networks in ", self.fuse) } else { String::new() };
        writeln!(
            out,
            "{:.0} images/s, {networks}{}, batches of {}: {:.1} ms per step ({:.1} to {:.1})",
            measured.images_per_second,
            measured.precision,
            measured.batch_size,
            step_ms.median,
            step_ms.fastest,
            step_ms.slowest
        )?;
        writeln!(
            out,
            "{:.0} GFLOP/s, {:.0} % of a large matrix product's {:.0}",
            measured.gflops,
            100.0 * measured.gflops / measured.matrix_gflops,
            measured.matrix_gflops
        )?;
        writeln!(out, "{:.1} us per image to prepare an epoch", measured.prepare_us_per_image)?;
        let mib = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |b| format!("{} MiB", b >> 20));
        let (here, there) = (mib(measured.resident_bytes), mib(measured.device_memory_bytes));
        writeln!(out, "memory: {here} of the machine's, {there} of a GPU's")?;
        Ok(())
    }

    fn measure(&self, plan: &Plan, device: Device) -> anyhow::Result<Measured> {
        let settings = plan.training();
        let precision = precision::resolve(settings.precision, device);
        let initial = |seed| Network::initial(plan.layers(), seed, device, precision::kind(precision));
        let mut networks = (0..u64::from(self.fuse)).map(initial).collect::<Result<Vec<_>, _>>()?;
        let whole = Network::side_by_side(&networks.iter().collect::<Vec<_>>())?;
        if let [_, _, ..] = networks.as_slice() {
            for (number, network) in networks.iter_mut().enumerate() {
                network.become_member(&whole, number)?;
            }
        }
        let restraint = Restraint { weight_decay: settings.weight_decay, clip_norm: settings.clip_norm };
        let optimizer = |network| {
            Optimizer::new(settings.optimizer, restraint, Trunk::default(), &train::trainable(network))
        };
        let mut optimizers = networks.iter().map(optimizer).collect::<Result<Vec<_>, _>>()?;
        let objective = Objective::new(settings);
        let columns = plan.architecture().top.columns();
        let faces = Faces::new(columns)?;
        let rows: Vec<u32> = (0..Faces::ROWS as u32).collect();
        let set = TrainingSet::new(&faces.dataset, &rows, settings, columns, device)?;
        let began = now();
        let epoch = set.epoch(0, 1)?;
        let prepare_us_per_image = began.elapsed().as_secs_f64() * 1e6 / set.samples() as f64;
        let batch = settings.batch_size.images(Faces::ROWS) as usize;
        ensure!(batch > 1, "a batch of one image says little: set `batch_size`");
        let mut step = |epoch: &Epoch<'_>| -> anyhow::Result<f64> {
            let began = now();
            let samples = 0..batch;
            let steps = match networks.as_slice() {
                [network] => vec![gradient(network, epoch, &objective, &samples, 1)?],
                several => {
                    let batches = several.iter().map(|_| epoch.batch(&samples));
                    let batches = batches.collect::<Result<Vec<_>, _>>()?;
                    gradients(&whole, &batches, &vec![&objective; several.len()])?
                }
            };
            for ((optimizer, network), step) in optimizers.iter_mut().zip(&networks).zip(steps) {
                optimizer.update(&train::trainable(network), &step.gradients, 0.0)?;
            }
            settle(device);
            Ok(began.elapsed().as_secs_f64())
        };
        for _ in 0..2.max(self.steps / 5) {
            step(&epoch)?;
        }
        memory::begin(device);
        let mut seconds = (0..self.steps).map(|_| step(&epoch)).collect::<anyhow::Result<Vec<f64>>>()?;
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let images = batch as f64 * f64::from(self.fuse);
        let flops = 2.0 * PASSES * plan.layers().multiply_adds() as f64 * images;
        let ms = |place: usize| seconds[place] * 1e3;
        Ok(Measured {
            precision: precision.word(),
            batch_size: batch,
            fuse: self.fuse,
            images_per_second: images / median,
            step_ms: Steps { fastest: ms(0), median: median * 1e3, slowest: ms(seconds.len() - 1) },
            prepare_us_per_image,
            resident_bytes: resident_bytes(),
            device_memory_bytes: memory::held_at_most(device),
            gflops: flops / median / 1e9,
            matrix_gflops: matrix_rate(device, precision::kind(precision))? / 1e9,
            environment: environment::environment(device, self.threads),
        })
    }
}

/// Faces to train on, drawn for the occasion.
struct Faces {
    dataset: Dataset,
}

impl Faces {
    const ROWS: u64 = 1024;

    /// With such columns of numbers.
    fn new(columns: &[String]) -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        let request = synth::Request {
            home: home.path(),
            name: "bench",
            rows: Self::ROWS,
            seed: 0,
            poses: synth::Poses::Free,
            threads: 1,
        };
        let written = synth::write(&request, IfExists::Refuse, &mut |_| {})?;
        // Which numbers there are makes no difference to how long it takes.
        let zeros = vec![0.0; Self::ROWS as usize * columns.len()];
        let numbers = Numbers::of_values(columns.to_vec(), zeros)?;
        let written = with_numbers(written.dataset(), home.path(), "with-numbers", &numbers)?;
        // Mapped: it outlives its file.
        Ok(Self { dataset: Dataset::open(written.dataset().path())? })
    }
}

/// Floating-point operations per second of a product of two large matrices.
fn matrix_rate(device: Device, kind: Kind) -> anyhow::Result<f64> {
    let side = if device.is_cuda() { MATRIX_SIDES.1 } else { MATRIX_SIDES.0 };
    let matrix = Tensor::f_rand([side, side], (Kind::Float, device))?.f_to_kind(kind)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..=PRODUCTS {
        settle(device);
        let began = now();
        let _product = matrix.f_matmul(&matrix)?;
        settle(device);
        fastest = fastest.min(began.elapsed().as_secs_f64());
    }
    Ok(2.0 * (side as f64).powi(3) / fastest)
}

/// Waits for what a GPU was told to do.
fn settle(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}

#[allow(clippy::disallowed_methods, reason = "real time is what is measured")]
fn now() -> Instant {
    Instant::now()
}
