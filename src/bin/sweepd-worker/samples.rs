//! Training and validation rows as tensors.

use crate::error::TrainError;
use crate::network::scale_images;
use sweepd::dataset::{self, COLUMNS, Dataset, PIXELS};
use sweepd::domain::stream::{Key, stream};
use sweepd::model::{Missing, SIDE_PX, Scaling, Training};
use tch::{Device, Kind, TchError, Tensor};

/// Largest grey value.
const WHITE: f64 = 255.0;

/// `(offset, divisor)` of grey values: `scaled = (grey - offset) / divisor`.
pub fn image_scale(scaling: Scaling) -> (f64, f64) {
    scaling.affine(WHITE)
}

/// `(offset, divisor)` of coordinates: `scaled = (pixels - offset) / divisor`.
pub fn target_scale(scaling: Scaling) -> (f64, f64) {
    scaling.affine(SIDE_PX as f64)
}

/// Some images, u8, to be had in scaled batches.
pub struct Images<'a> {
    /// Those to choose from, `[M, 9216]` row-major.
    bytes: &'a [u8],
    /// Which of them, in order.
    rows: Vec<u32>,
    scale: (f64, f64),
    device: Device,
    /// On a GPU: all of `rows`, u8 `[rows, 9216]`, so that none travels twice.
    resident: Option<Tensor>,
}

impl<'a> Images<'a> {
    /// The images `rows` of a dataset, to be scaled as said.
    pub fn of_dataset(
        dataset: &'a Dataset,
        rows: Vec<u32>,
        scaling: Scaling,
        device: Device,
    ) -> Result<Self, TchError> {
        let scale = image_scale(scaling);
        let mut images = Self { bytes: dataset.images(), rows, scale, device, resident: None };
        if device.is_cuda() {
            let all: Vec<i64> = (0..images.rows.len() as i64).collect();
            images.resident = Some(images.gathered(&all)?.f_to_device(device)?);
        }
        Ok(images)
    }

    /// All of these images, u8 `[N, 9216]` row-major, to be scaled as said.
    pub fn of_bytes(bytes: &'a [u8], scaling: Scaling, device: Device) -> Self {
        let rows = (0..u32::try_from(bytes.len() / PIXELS).unwrap_or(u32::MAX)).collect();
        Self { bytes, rows, scale: image_scale(scaling), device, resident: None }
    }

    /// Where its batches are put.
    fn device(&self) -> Device {
        self.device
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The images at these places among `rows`: f32 `[N, 1, 96, 96]`, scaled.
    pub fn batch(&self, places: &[i64]) -> Result<Tensor, TchError> {
        let grey = match &self.resident {
            Some(all) => all.f_index_select(0, &Tensor::f_from_slice(places)?.f_to_device(self.device)?)?,
            None => self.gathered(places)?.f_to_device(self.device)?,
        };
        scale_images(&grey, self.scale)
    }

    /// u8 `[N, 9216]` on the CPU.
    fn gathered(&self, places: &[i64]) -> Result<Tensor, TchError> {
        let mut bytes = Vec::with_capacity(places.len() * PIXELS);
        for place in places {
            let row = self.rows[*place as usize] as usize;
            bytes.extend_from_slice(&self.bytes[row * PIXELS..(row + 1) * PIXELS]);
        }
        Tensor::f_from_data_size(&bytes, &[places.len() as i64, PIXELS as i64], Kind::Uint8)
    }
}

/// The rows to train on.
pub struct TrainingSet<'a> {
    images: Images<'a>,
    /// f32 `[rows, 30]`, scaled; 0 where missing.
    targets: Tensor,
    /// f32 `[rows, 30]`: 1 where a label exists, 0 where it is missing.
    exists: Tensor,
    /// How many labels exist.
    labels: u64,
}

/// One batch of training rows.
pub struct Batch {
    /// f32 `[N, 1, 96, 96]`, scaled.
    pub images: Tensor,
    /// f32 `[N, 30]`, scaled; 0 where missing.
    pub targets: Tensor,
    /// f32 `[N, 30]`: 1 where a label exists.
    pub exists: Tensor,
}

impl<'a> TrainingSet<'a> {
    /// The training rows of a split, their missing labels treated as the settings say.
    pub fn new(
        dataset: &'a Dataset,
        train: &[u32],
        settings: &Training,
        device: Device,
    ) -> Result<Self, TrainError> {
        let (rows, labels) = dataset::fill(dataset, train, treatment(settings.missing));
        let existing = labels.iter().filter(|label| !label.is_nan()).count() as u64;
        if rows.is_empty() || existing == 0 {
            return Err(TrainError::BadConfiguration(format!(
                "missing = \"{}\" leaves no labels to train on: all {} training rows lack some",
                settings.missing.word(),
                train.len()
            )));
        }
        let (offset, divisor) = target_scale(settings.target_scaling);
        let scaled = |label: &f32| {
            if label.is_nan() { 0.0 } else { ((f64::from(*label) - offset) / divisor) as f32 }
        };
        let targets: Vec<f32> = labels.iter().map(scaled).collect();
        let exists: Vec<f32> = labels.iter().map(|label| f32::from(!label.is_nan())).collect();
        let shape = [rows.len() as i64, COLUMNS as i64];
        let place = |numbers: &[f32]| Tensor::f_from_slice(numbers)?.f_view(shape)?.f_to_device(device);
        Ok(Self {
            targets: place(&targets)?,
            exists: place(&exists)?,
            labels: existing,
            images: Images::of_dataset(dataset, rows, settings.input_scaling, device)?,
        })
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.images.len()
    }

    /// How many labels exist.
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// How many labels exist in the rows at these places, f32 on the device.
    pub fn existing(&self, places: &[i64]) -> Result<Tensor, TchError> {
        let places = Tensor::f_from_slice(places)?.f_to_device(self.images.device())?;
        self.exists.f_index_select(0, &places)?.f_sum(Kind::Float)
    }

    /// The rows at these places.
    pub fn batch(&self, places: &[i64]) -> Result<Batch, TchError> {
        let images = self.images.batch(places)?;
        let places = Tensor::f_from_slice(places)?.f_to_device(self.images.device())?;
        Ok(Batch {
            images,
            targets: self.targets.f_index_select(0, &places)?,
            exists: self.exists.f_index_select(0, &places)?,
        })
    }
}

fn treatment(missing: Missing) -> dataset::Missing {
    match missing {
        Missing::Mask => dataset::Missing::Mask,
        Missing::Drop => dataset::Missing::Drop,
        Missing::Mean => dataset::Missing::Mean,
        Missing::Previous => dataset::Missing::Previous,
    }
}

/// The places `0..rows` in the random order of one epoch (from 1): a function of seed and epoch alone.
pub fn shuffled(rows: usize, seed: u64, epoch: u64) -> Vec<i64> {
    let mut random = stream(seed, "shuffle", &[Key::Number(epoch)]);
    let mut places: Vec<i64> = (0..rows as i64).collect();
    for i in (1..rows).rev() {
        // The bias of this way of drawing below 2^32 is below 2^-21: no order is visibly likelier.
        let j = (sweepd::domain::stream::uniform(&mut random) * (i + 1) as f64) as usize;
        places.swap(i, j.min(i));
    }
    places
}

/// How an epoch's places are cut into batches of `size`. A last batch of a single row joins the one before:
/// a batch norm over one number has no variance.
pub fn batches(places: &[i64], size: usize) -> Vec<&[i64]> {
    let mut cuts: Vec<&[i64]> = places.chunks(size.max(1)).collect();
    if cuts.len() > 1 && size > 1 && places.len() % size == 1 {
        cuts.pop();
        if let Some(last) = cuts.last_mut() {
            *last = &places[places.len() - size - 1..];
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
            let places = shuffled(rows, 7, 1);
            let cuts = batches(&places, size);
            let mut seen: Vec<i64> = cuts.concat();
            assert_eq!(seen, places);
            seen.sort_unstable();
            assert_eq!(seen, (0..rows as i64).collect::<Vec<_>>());
            assert!(size == 1 || rows == 1 || cuts.iter().all(|cut| cut.len() > 1), "{rows} by {size}");
        }
        assert_ne!(shuffled(100, 7, 1), shuffled(100, 7, 2));
        assert_ne!(shuffled(100, 7, 1), shuffled(100, 8, 1));
        assert_eq!(shuffled(100, 7, 1), shuffled(100, 7, 1));
    }
}
