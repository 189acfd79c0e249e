//! What a network predicts, and how far off it is.

use crate::columns;
use crate::error::TrainError;
use crate::images::Images;
use crate::network::{Input, Network};
use crate::samples::target_scale;
use sweepd::dataset::Dataset;
use sweepd::dataset::columns::{COLUMNS, MIRRORED, only_common};
use sweepd::model::{OUTPUTS, Plan, SIDE_PX, Training};
use tch::{Device, Kind, TchError, Tensor};

/// Images per pass: enough to keep a processor busy, small enough for its memory. Fixed, so that the same
/// weights give the same bits.
const IMAGES_PER_PASS: usize = 128;
/// The axis of an image's width.
const WIDTH: i64 = 3;

/// How a network's numbers become keypoints.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// `(offset, divisor)` of the targets.
    target_scale: (f64, f64),
    /// Whether each image is also seen in the mirror.
    flip: bool,
    images_per_pass: usize,
}

impl Reading {
    /// As a training's settings say. Whose batches are split into `parts` needs smaller passes too.
    pub fn new(settings: &Training, parts: u32) -> Self {
        Self {
            target_scale: target_scale(settings.target_scaling),
            flip: settings.test_flip,
            images_per_pass: (IMAGES_PER_PASS / parts.max(1) as usize).max(1),
        }
    }
}

/// Images to be predicted, and what is known of them.
pub struct Seen<'a> {
    /// The images.
    pub images: Images<'a>,
    /// Which of them are of the source that labelled only the common points.
    pub common: Vec<bool>,
    /// f32 `[images, K]` on the CPU: the columns that the network takes; NaN where missing.
    pub numbers: Tensor,
}

/// Predictions in pixels, f64 `[rows, members, 30]` in row-major order, for all images. They are as the network gives them:
/// not held inside the image.
pub fn predict(network: &Network, seen: &Seen<'_>, reading: Reading) -> Result<Vec<f64>, TchError> {
    let _guard = tch::no_grad_guard();
    let images = &seen.images;
    let places: Vec<i64> = (0..images.len() as i64).collect();
    let mut all = Vec::with_capacity(places.len() * OUTPUTS);
    for places in places.chunks(reading.images_per_pass) {
        let (first, count) = (places[0], places.len());
        let common = &seen.common[first as usize..first as usize + count];
        let common = Tensor::f_from_slice(common)?.f_view([-1, 1])?.f_to_device(images.device())?;
        let numbers = seen.numbers.f_narrow(0, first, count as i64)?.f_to_device(images.device())?;
        let input = Input {
            images: network.images_for_each(&images.scaled(images.grey(places, None)?)?)?,
            mirrored: common.f_zeros_like()?,
            common,
            numbers: network.numbers_for_each(&numbers)?,
        };
        let mut pixels = in_pixels(network, &input, reading.target_scale)?;
        if reading.flip {
            let mirrored = Input {
                images: input.images.f_flip([WIDTH])?,
                mirrored: input.mirrored.f_logical_not()?,
                common: input.common,
                numbers: input.numbers,
            };
            let other = in_pixels(network, &mirrored, reading.target_scale)?;
            for (row, other) in pixels.chunks_mut(COLUMNS).zip(other.chunks(COLUMNS)) {
                average_with_mirrored(row, other);
            }
        }
        all.append(&mut pixels);
    }
    Ok(all)
}

fn in_pixels(network: &Network, input: &Input, (offset, divisor): (f64, f64)) -> Result<Vec<f64>, TchError> {
    let out = network.forward(input, false)?;
    let out = out.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut numbers = vec![0f32; out.numel()];
    out.f_copy_data(&mut numbers, out.numel())?;
    Ok(numbers.iter().map(|number| f64::from(*number) * divisor + offset).collect())
}

/// The mean of a row of predictions and of what was predicted for the mirror image.
fn average_with_mirrored(row: &mut [f64], seen: &[f64]) {
    for (point, mirrored) in MIRRORED.iter().enumerate() {
        let (x, y) = (SIDE_PX as f64 - seen[2 * mirrored], seen[2 * mirrored + 1]);
        row[2 * point] = f64::midpoint(row[2 * point], x);
        row[2 * point + 1] = f64::midpoint(row[2 * point + 1], y);
    }
}

/// Kaggle's score: the root of the mean, over all labels that exist, of the squared error; in pixels.
/// `labels` has NaN where one is missing. NaN when none exists.
pub fn rmse_px(predictions: &[f64], labels: &[f32]) -> f64 {
    let existing = predictions.iter().zip(labels).filter(|(_, label)| !label.is_nan());
    let (sum, count) = existing.fold((0.0, 0u64), |(sum, count), (prediction, label)| {
        (sum + (prediction - f64::from(*label)).powi(2), count + 1)
    });
    (sum / count as f64).sqrt()
}

/// The rows to validate on.
pub struct ValidationSet<'a> {
    seen: Seen<'a>,
    /// f32 `[rows, 30]`, pixels, NaN where missing: as the dataset has them.
    labels: Vec<f32>,
    reading: Reading,
}

impl<'a> ValidationSet<'a> {
    /// Rows of a dataset, as a plan's network sees them.
    pub fn new(
        dataset: &'a Dataset,
        rows: &[u32],
        plan: &Plan,
        device: Device,
        reading: Reading,
    ) -> Result<Self, TrainError> {
        let places: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let labels: Vec<f32> = places.iter().flat_map(|row| dataset.labels(*row)).copied().collect();
        if labels.iter().all(|label| label.is_nan()) {
            return Err(TrainError::BadConfiguration("no validation row has a label".to_owned()));
        }
        let wanted = plan.architecture().top.columns();
        let numbers = dataset.numbers().of_rows(places).columns(wanted).map_err(TrainError::column)?;
        let scaling = plan.training().input_scaling;
        let seen = Seen {
            images: Images::of_dataset(dataset, rows.to_vec(), scaling, device)?,
            common: labels.chunks(COLUMNS).map(only_common).collect(),
            numbers: columns::tensor(&numbers, rows.len(), wanted.len(), Device::Cpu)?,
        };
        Ok(Self { seen, labels, reading })
    }

    /// The RMSE in pixels of each of the network's members.
    pub fn rmse_px(&self, network: &Network) -> Result<Vec<f64>, TchError> {
        let all = predict(network, &self.seen, self.reading)?;
        let members = all.len() / self.labels.len();
        let of_member = |member: usize| {
            let rows = all.chunks(COLUMNS).skip(member).step_by(members);
            rmse_px(&rows.flatten().copied().collect::<Vec<f64>>(), &self.labels)
        };
        Ok((0..members).map(of_member).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_existing_labels_count() {
        let labels = [1.0, f32::NAN, 5.0];
        assert_eq!(rmse_px(&[4.0, 1e9, 1.0], &labels), 12.5f64.sqrt());
        assert_eq!(rmse_px(&[1.0, f64::NAN, 5.0], &labels), 0.0);
        assert!(rmse_px(&[1.0], &[f32::NAN]).is_nan());
        assert!(rmse_px(&[f64::NAN], &[1.0]).is_nan());
    }

    #[test]
    fn what_is_seen_in_the_mirror_changes_sides() {
        let mut row: Vec<f64> = (0..COLUMNS).map(|i| i as f64).collect();
        let mut seen = row.clone();
        for (point, mirrored) in MIRRORED.iter().enumerate() {
            seen[2 * mirrored] = 96.0 - row[2 * point];
            seen[2 * mirrored + 1] = row[2 * point + 1];
        }
        let before = row.clone();
        average_with_mirrored(&mut row, &seen);
        assert_eq!(row, before);
    }
}
