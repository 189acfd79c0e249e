//! A picture of what augmentation makes of a dataset's faces, by the very code that trains.

use crate::samples::{Sample, TrainingSet};
use crate::{device, params};
use anyhow::{Context, ensure};
use std::fs;
use std::path::PathBuf;
use sweepd::dataset::picture::{Face, Mark, contact_sheet};
use sweepd::dataset::{COLUMNS, Dataset, PIXELS};
use sweepd::model::{Missing, Scaling};
use tch::{Device, Kind, Tensor};

/// Draws faces and what augmentation makes of them, with their keypoints.
#[derive(Debug, clap::Args)]
pub struct Augment {
    /// A dataset's file.
    #[arg(long)]
    dataset: PathBuf,
    /// A sweep file whose parameters are all fixed, or a JSON object of parameters.
    #[arg(long)]
    params: PathBuf,
    /// How many faces, taken evenly from all rows.
    #[arg(long, default_value_t = 8)]
    faces: u32,
    /// These faces instead, with commas between their rows.
    #[arg(long, value_delimiter = ',', conflicts_with = "faces")]
    rows: Vec<usize>,
    /// How many variants of each, beside itself.
    #[arg(long, default_value_t = 7)]
    variants: u32,
    /// Seed of what is done to them.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Where to write the picture (PNG).
    #[arg(long, required_unless_present = "raw")]
    out: Option<PathBuf>,
    /// Where to write the variants alone as numbers: all grey values, one byte per pixel, then all labels as raw
    /// little-endian f32, NaN where missing.
    #[arg(long)]
    raw: Option<PathBuf>,
}

impl Augment {
    pub fn run(&self) -> anyhow::Result<()> {
        let device = device::open(&self.device)?;
        // As many everywhere: with the number of threads the last bits may change.
        tch::set_num_threads(1);
        let plan = params::plan(&params::read(&self.params)?)?;
        let mut settings = plan.training().clone();
        let changes = settings.augment.moves() || settings.augment.shades();
        ensure!(changes, "{} asks for no augmentation", self.params.display());
        // As in the file, and every row.
        settings.input_scaling = Scaling::Pixels;
        settings.target_scaling = Scaling::Pixels;
        settings.missing = Missing::Mask;
        let dataset = Dataset::open(&self.dataset)?;
        let rows: Vec<u32> = (0..u32::try_from(dataset.rows()).unwrap_or(u32::MAX)).collect();
        let set = TrainingSet::new(&dataset, &rows, &settings, &[], device)?;
        let chosen = self.chosen(rows.len())?;
        let variants = u64::from(self.variants.max(1));
        let samples: Vec<Sample> = chosen
            .iter()
            .flat_map(|row| (1..=variants).map(|variant| Sample { row: *row, variant }))
            .collect();
        let (images, labels) = self.drawn(&set, &samples)?;
        if let Some(path) = &self.raw {
            let labels = labels.iter().flat_map(|label| label.to_le_bytes());
            let bytes: Vec<u8> = images.iter().copied().chain(labels).collect();
            fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
        }
        let Some(out) = &self.out else { return Ok(()) };
        let variant = |i: usize| Face {
            image: &images[i * PIXELS..(i + 1) * PIXELS],
            points: vec![(&labels[i * COLUMNS..(i + 1) * COLUMNS], Mark::Dot)],
        };
        let mut sheet = Vec::new();
        for (i, row) in chosen.iter().enumerate() {
            sheet.push(Face { image: dataset.image(*row), points: vec![(dataset.labels(*row), Mark::Dot)] });
            let first = i * variants as usize;
            sheet.extend((first..first + variants as usize).map(variant));
        }
        contact_sheet(&sheet, 1 + variants as usize).write_png(out).context("the picture was not written")
    }

    /// The rows to show, of so many.
    fn chosen(&self, of: usize) -> anyhow::Result<Vec<usize>> {
        if self.rows.is_empty() {
            let faces = (self.faces as usize).clamp(1, of);
            return Ok((0..faces).map(|i| i * of / faces).collect());
        }
        ensure!(self.rows.iter().all(|row| *row < of), "--rows: the dataset has {of} rows");
        Ok(self.rows.clone())
    }

    /// Grey values, and labels in pixels with NaN where missing.
    fn drawn(&self, set: &TrainingSet<'_>, samples: &[Sample]) -> anyhow::Result<(Vec<u8>, Vec<f32>)> {
        tch::manual_seed(self.seed.cast_signed());
        let batch = set.prepared(self.seed, samples)?.batch(&(0..samples.len()))?;
        let on_cpu = |tensor: &Tensor, kind| tensor.f_to_device(Device::Cpu)?.f_to_kind(kind)?.f_contiguous();
        let grey = on_cpu(&batch.input.images.f_round()?, Kind::Uint8)?;
        let mut images = vec![0u8; samples.len() * PIXELS];
        grey.f_copy_data_u8(&mut images, samples.len() * PIXELS)?;
        let mut labels = vec![0f32; samples.len() * COLUMNS];
        on_cpu(&batch.targets, Kind::Float)?.f_copy_data(&mut labels, samples.len() * COLUMNS)?;
        let mut exists = labels.clone();
        on_cpu(&batch.exists, Kind::Float)?.f_copy_data(&mut exists, samples.len() * COLUMNS)?;
        for (label, exists) in labels.iter_mut().zip(exists) {
            if exists == 0.0 {
                *label = f32::NAN;
            }
        }
        Ok((images, labels))
    }
}
