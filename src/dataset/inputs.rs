//! All that a network may see of some images.

use super::cache::Dataset;
use super::columns::only_common;
use super::numbers::Numbers;

/// Some images, and what is known of them besides labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Grey values, u8 `[images, 96 * 96]`.
    pub pixels: Vec<u8>,
    /// Of each image, whether it is of the source that labelled only the four common points.
    pub common: Vec<bool>,
    /// The dataset's or the table's further columns.
    pub numbers: Numbers,
}

impl Inputs {
    /// Those of a dataset's rows.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn of_rows(dataset: &Dataset, rows: &[usize]) -> Self {
        Self {
            pixels: rows.iter().flat_map(|row| dataset.image(*row)).copied().collect(),
            common: rows.iter().map(|row| only_common(dataset.labels(*row))).collect(),
            numbers: dataset.numbers().of_rows(rows.iter().copied()),
        }
    }

    /// How many images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.common.len()
    }
}
