//! Training rows as tensors, epoch by epoch.

use crate::columns;
use crate::error::TrainError;
use crate::images::Images;
use crate::network::Input;
use crate::pixels::Changes;
use std::ops::Range;
use sweepd::augment::{Draw, move_labels};
use sweepd::dataset::columns::only_common;
use sweepd::dataset::{self, COLUMNS, Dataset};
use sweepd::domain::stream::{Key, stream, uniform};
use sweepd::model::{Augment, Missing, SIDE_PX, Scaling, Training};
use tch::{Device, TchError, Tensor};

/// `(offset, divisor)` of coordinates: `scaled = (pixels - offset) / divisor`.
pub fn target_scale(scaling: Scaling) -> (f64, f64) {
    scaling.affine(SIDE_PX as f64)
}

/// The rows to train on.
pub struct TrainingSet<'a> {
    images: Images<'a>,
    /// In pixels, NaN where missing; one for each image.
    labels: Vec<[f32; COLUMNS]>,
    /// Whether a row is of the source that labelled only the common points.
    common: Vec<bool>,
    /// The columns that the network takes of each row, f32 `[rows, K]`, on the device; NaN where missing.
    numbers: Tensor,
    target_scale: (f64, f64),
    augment: Augment,
}

impl<'a> TrainingSet<'a> {
    /// The training rows of a split, their missing labels treated as the settings say; `wanted` are the columns that the
    /// network takes.
    pub fn new(
        dataset: &'a Dataset,
        train: &[u32],
        settings: &Training,
        wanted: &[String],
        device: Device,
    ) -> Result<Self, TrainError> {
        let (rows, labels) = dataset::fill(dataset, train, treatment(settings.missing));
        if rows.is_empty() || labels.iter().all(|label| label.is_nan()) {
            return Err(TrainError::BadConfiguration(format!(
                "missing = \"{}\" leaves no labels to train on: all {} training rows lack some",
                settings.missing.word(),
                train.len()
            )));
        }
        let (labels, _) = labels.as_chunks::<COLUMNS>();
        let numbers = dataset.numbers().of_rows(rows.iter().map(|row| *row as usize));
        let numbers = numbers.columns(wanted).map_err(TrainError::column)?;
        Ok(Self {
            numbers: columns::tensor(&numbers, rows.len(), wanted.len(), device)?,
            labels: labels.to_vec(),
            common: rows.iter().map(|row| only_common(dataset.labels(*row as usize))).collect(),
            images: Images::of_dataset(dataset, rows, settings.input_scaling, device)?,
            target_scale: target_scale(settings.target_scaling),
            augment: settings.augment.clone(),
        })
    }

    /// The columns that the network takes of each row, f32 `[rows, K]`.
    pub fn numbers(&self) -> &Tensor {
        &self.numbers
    }

    /// Images that an epoch shows.
    pub fn samples(&self) -> usize {
        self.images.len() * self.augment.copies.unwrap_or(1) as usize
    }

    /// What an epoch (from 1) shows, in which order, and how it is changed: a function of seed and epoch alone.
    pub fn epoch(&self, seed: u64, epoch: u64) -> Result<Epoch<'_>, TchError> {
        let rows = self.images.len();
        let sample = |number: i64| Sample {
            row: number as usize % rows,
            // Fixed variants are keyed by their own number, others by the epoch's.
            variant: self.augment.copies.map_or(epoch, |_| number as u64 / rows as u64),
        };
        let samples: Vec<Sample> = shuffled(self.samples(), seed, epoch).into_iter().map(sample).collect();
        self.prepared(seed, &samples)
    }

    /// These samples, in this order.
    pub fn prepared(&self, seed: u64, samples: &[Sample]) -> Result<Epoch<'_>, TchError> {
        let device = self.images.device();
        let places: Vec<i64> = samples.iter().map(|sample| sample.row as i64).collect();
        let changes = self.augment.moves() || self.augment.shades();
        let draw = |sample: &Sample| {
            let keys = [Key::Number(sample.variant), Key::Number(sample.row as u64)];
            Draw::new(&self.augment, &mut stream(seed, "augment", &keys))
        };
        let draws: Vec<Draw> = if changes { samples.iter().map(draw).collect() } else { Vec::new() };
        let moved = |(i, place): (usize, &i64)| {
            let labels = &self.labels[*place as usize];
            draws.get(i).map_or(*labels, |draw| move_labels(labels, &draw.motion))
        };
        let labels: Vec<f32> = places.iter().enumerate().flat_map(moved).collect();
        let (offset, divisor) = self.target_scale;
        let scaled = |label: &f32| {
            if label.is_nan() { 0.0 } else { ((f64::from(*label) - offset) / divisor) as f32 }
        };
        let targets: Vec<f32> = labels.iter().map(scaled).collect();
        let exists: Vec<f32> = labels.iter().map(|label| f32::from(!label.is_nan())).collect();
        let common: Vec<bool> = places.iter().map(|place| self.common[*place as usize]).collect();
        let mirrored: Vec<bool> =
            (0..samples.len()).map(|i| draws.get(i).is_some_and(|draw| draw.motion.mirrored)).collect();
        let flags = |flags: &[bool]| Tensor::f_from_slice(flags)?.f_view([-1, 1])?.f_to_device(device);
        let place = |numbers: &[f32]| {
            Tensor::f_from_slice(numbers)?.f_view([-1, COLUMNS as i64])?.f_to_device(device)
        };
        Ok(Epoch {
            images: &self.images,
            numbers: &self.numbers,
            places_on_device: Tensor::f_from_slice(&places)?.f_to_device(device)?,
            places,
            targets: place(&targets)?,
            exists: place(&exists)?,
            common: flags(&common)?,
            mirrored: flags(&mirrored)?,
            labels: labels.iter().filter(|label| !label.is_nan()).count() as u64,
            changes: changes.then(|| Changes::new(&self.augment, &draws, device)).transpose()?,
        })
    }
}

/// One image as an epoch shows it.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Which of the training rows.
    pub row: usize,
    /// Which of its variants: with its row and the seed it says what is done to it.
    pub variant: u64,
}

/// What one epoch shows, in its order: all that it needs besides pixels lies on the device.
pub struct Epoch<'a> {
    images: &'a Images<'a>,
    /// Which image each sample shows.
    places: Vec<i64>,
    places_on_device: Tensor,
    /// f32 `[rows, K]`.
    numbers: &'a Tensor,
    /// f32 `[samples, 30]`, scaled; 0 where missing.
    targets: Tensor,
    /// f32 `[samples, 30]`: 1 where a label exists, 0 where it is missing.
    exists: Tensor,
    /// bool `[samples, 1]`: rows of the source that labelled only the common points.
    common: Tensor,
    /// bool `[samples, 1]`: mirrored images.
    mirrored: Tensor,
    /// How many labels exist.
    labels: u64,
    changes: Option<Changes>,
}

/// One batch of training rows.
pub struct Batch {
    /// What the network sees.
    pub input: Input,
    /// f32 `[N, 30]`, scaled; 0 where missing.
    pub targets: Tensor,
    /// f32 `[N, 30]`: 1 where a label exists.
    pub exists: Tensor,
}

impl Epoch<'_> {
    /// How many labels exist in all its samples.
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// How many labels exist in these samples, f32 on the device.
    pub fn existing(&self, range: &Range<usize>) -> Result<Tensor, TchError> {
        part(&self.exists, range)?.f_sum(tch::Kind::Float)
    }

    /// These samples.
    pub fn batch(&self, range: &Range<usize>) -> Result<Batch, TchError> {
        let at = part(&self.places_on_device, range)?;
        let mut grey = self.images.grey(&self.places[range.clone()], Some(&at))?;
        if let Some(changes) = &self.changes {
            grey = changes.apply(grey, range)?;
        }
        Ok(Batch {
            input: Input {
                images: self.images.scaled(grey)?,
                common: part(&self.common, range)?,
                mirrored: part(&self.mirrored, range)?,
                numbers: self.numbers.f_index_select(0, &at)?,
            },
            targets: part(&self.targets, range)?,
            exists: part(&self.exists, range)?,
        })
    }
}

fn part(all: &Tensor, range: &Range<usize>) -> Result<Tensor, TchError> {
    all.f_narrow(0, range.start as i64, range.len() as i64)
}

fn treatment(missing: Missing) -> dataset::Missing {
    match missing {
        Missing::Mask => dataset::Missing::Mask,
        Missing::Drop => dataset::Missing::Drop,
        Missing::Mean => dataset::Missing::Mean,
        Missing::Previous => dataset::Missing::Previous,
    }
}

/// The numbers `0..count` in the random order of one epoch (from 1): a function of seed and epoch alone.
fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<i64> {
    let mut random = stream(seed, "shuffle", &[Key::Number(epoch)]);
    let mut order: Vec<i64> = (0..count as i64).collect();
    for i in (1..count).rev() {
        // The bias of this way of drawing below 2^32 is below 2^-21: no order is visibly likelier.
        let j = (uniform(&mut random) * (i + 1) as f64) as usize;
        order.swap(i, j.min(i));
    }
    order
}

/// How samples are cut into batches of `size`. A last batch of a single one joins the one before: a batch norm over
/// one number has no variance.
pub fn batches(samples: Range<usize>, size: usize) -> Vec<Range<usize>> {
    let size = size.max(1);
    let starts = samples.clone().step_by(size);
    let mut cuts: Vec<_> = starts.map(|start| start..(start + size).min(samples.end)).collect();
    if cuts.len() > 1 && size > 1 && samples.len() % size == 1 {
        cuts.pop();
        if let Some(last) = cuts.last_mut() {
            last.end = samples.end;
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_batch_of_each_epoch() {
        for (rows, size) in [(1, 1), (10, 3), (10, 4), (9, 4), (9, 100), (5, 1), (3, 2)] {
            let cuts = batches(0..rows, size);
            let seen: Vec<usize> = cuts.iter().cloned().flatten().collect();
            assert_eq!(seen, (0..rows).collect::<Vec<_>>());
            assert!(size == 1 || rows == 1 || cuts.iter().all(|cut| cut.len() > 1), "{rows} by {size}");
        }
        let mut order = shuffled(10, 7, 1);
        order.sort_unstable();
        assert_eq!(order, (0..10).collect::<Vec<_>>());
        assert_ne!(shuffled(100, 7, 1), shuffled(100, 7, 2));
        assert_ne!(shuffled(100, 7, 1), shuffled(100, 8, 1));
        assert_eq!(shuffled(100, 7, 1), shuffled(100, 7, 1));
    }
}
