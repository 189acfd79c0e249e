//! What there is to say about a dataset, for people and programs.

use super::baseline::mean_face_rmse;
use super::cache::{Dataset, Provenance};
use super::columns::COLUMNS;
use super::split::Split;
use serde::Serialize;

/// A dataset in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of different images: rows with the same image are kept on one side of every split.
    pub groups: usize,
    /// Rows that lack no label.
    pub full_rows: usize,
    /// Labels that are missing, of all rows and columns, 0 to 1.
    pub missing_share: f64,
    /// Labels that are missing, per column.
    pub missing: Vec<MissingLabels>,
    /// Columns of numbers beside the image, which networks may take.
    pub numbers: Vec<String>,
    /// RMSE in pixels of predicting the mean face, on the validation rows of the default split; `None`
    /// where it cannot be split, or no validation row has a label.
    pub mean_face_rmse: Option<f64>,
    /// BLAKE3 of columns, images, labels and numbers, in hex.
    pub hash: String,
    /// Where it came from.
    pub provenance: Provenance,
    /// Size of its file in bytes.
    pub file_bytes: u64,
}

/// One column's missing labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingLabels {
    /// The column's name.
    pub column: String,
    /// How many rows lack it.
    pub missing: usize,
}

impl Summary {
    /// Goes through the labels; the images are not read.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Self {
        let missing = dataset.missing_per_column();
        let full = |row: &usize| !dataset.labels(*row).iter().any(|label| label.is_nan());
        let baseline = Split::default_of(dataset).ok().map(|split| mean_face_rmse(dataset, &[split]));
        Self {
            name: dataset.name().to_owned(),
            rows: dataset.rows(),
            groups: dataset.group_count(),
            full_rows: (0..dataset.rows()).filter(full).count(),
            missing_share: missing.iter().sum::<usize>() as f64 / (dataset.rows() * COLUMNS) as f64,
            missing: dataset
                .columns()
                .iter()
                .zip(missing)
                .map(|(column, missing)| MissingLabels { column: column.clone(), missing })
                .collect(),
            numbers: dataset.numbers().names().to_vec(),
            mean_face_rmse: baseline.filter(|rmse| rmse.is_finite()),
            hash: dataset.hash().to_owned(),
            provenance: dataset.provenance().clone(),
            file_bytes: dataset.file_bytes(),
        }
    }
}
