//! The mean face: what a model must beat to have learned anything.

use super::cache::Dataset;
use super::columns::{COLUMNS, SIDE_PX};
use super::split::Split;

/// The mean of the existing labels of these rows, per column, in pixels. A column without any label gets
/// the middle of the image.
///
/// # Panics
/// When a row is not one of the dataset's.
#[must_use]
pub fn mean_face(dataset: &Dataset, rows: &[u32]) -> [f32; COLUMNS] {
    let mut sum = [0f64; COLUMNS];
    let mut count = [0u32; COLUMNS];
    for row in rows {
        for (column, label) in dataset.labels(*row as usize).iter().enumerate() {
            if !label.is_nan() {
                sum[column] += f64::from(*label);
                count[column] += 1;
            }
        }
    }
    let mut mean = [SIDE_PX as f32 / 2.0; COLUMNS];
    for column in 0..COLUMNS {
        if count[column] > 0 {
            mean[column] = (sum[column] / f64::from(count[column])) as f32;
        }
    }
    mean
}

/// RMSE in pixels, over the existing labels of the validation rows, of predicting the mean face of the
/// training rows; with several splits (folds), over the validation rows of all of them. NaN when no validation row has
/// a label.
///
/// # Panics
/// When a row of a split is not one of the dataset's.
#[must_use]
pub fn mean_face_rmse(dataset: &Dataset, splits: &[Split]) -> f64 {
    let (mut sum, mut count) = (0f64, 0u64);
    for split in splits {
        let mean = mean_face(dataset, &split.train);
        for row in &split.validation {
            for (label, mean) in dataset.labels(*row as usize).iter().zip(&mean) {
                if !label.is_nan() {
                    sum += (f64::from(*label) - f64::from(*mean)).powi(2);
                    count += 1;
                }
            }
        }
    }
    (sum / count as f64).sqrt()
}
