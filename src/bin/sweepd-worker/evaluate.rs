//! What a network predicts, and how far off it is.

use crate::error::TrainError;
use crate::network::Network;
use crate::samples::Images;
use sweepd::model::OUTPUTS;
use tch::{Device, Kind, TchError};

/// Images per pass: enough to keep a processor busy, small enough for its memory. Fixed, so that the same
/// weights give the same bits.
const IMAGES_PER_PASS: usize = 128;

/// Predictions in pixels, f64 `[rows, 30]` in row-major order, for all images, with targets scaled by
/// `(offset, divisor)`. They are as the network gives them: not held inside the image.
pub fn predict(
    network: &Network,
    images: &Images<'_>,
    target_scale: (f64, f64),
) -> Result<Vec<f64>, TchError> {
    predict_in(network, images, target_scale, IMAGES_PER_PASS)
}

fn predict_in(
    network: &Network,
    images: &Images<'_>,
    (offset, divisor): (f64, f64),
    images_per_pass: usize,
) -> Result<Vec<f64>, TchError> {
    let _guard = tch::no_grad_guard();
    let places: Vec<i64> = (0..images.len() as i64).collect();
    let mut all = Vec::with_capacity(places.len() * OUTPUTS);
    for places in places.chunks(images_per_pass) {
        let out = network.forward(&images.batch(places)?, false)?;
        let out = out.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let mut numbers = vec![0f32; places.len() * OUTPUTS];
        out.f_copy_data(&mut numbers, places.len() * OUTPUTS)?;
        all.extend(numbers.iter().map(|number| f64::from(*number) * divisor + offset));
    }
    Ok(all)
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
    images: Images<'a>,
    /// f32 `[rows, 30]`, pixels, NaN where missing: as the dataset has them.
    labels: Vec<f32>,
}

impl<'a> ValidationSet<'a> {
    /// Images with their labels in pixels.
    pub fn new(images: Images<'a>, labels: Vec<f32>) -> Result<Self, TrainError> {
        if labels.iter().all(|label| label.is_nan()) {
            return Err(TrainError::BadConfiguration("no validation row has a label".to_owned()));
        }
        Ok(Self { images, labels })
    }

    /// The network's RMSE in pixels. Whose batches are split into `parts` needs smaller passes too.
    pub fn rmse_px(&self, network: &Network, target_scale: (f64, f64), parts: u32) -> Result<f64, TchError> {
        let per_pass = (IMAGES_PER_PASS / parts.max(1) as usize).max(1);
        Ok(rmse_px(&predict_in(network, &self.images, target_scale, per_pass)?, &self.labels))
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
}
