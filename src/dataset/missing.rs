//! How the missing labels of training rows are filled. Validation rows are never given to this.

use super::baseline::mean_face;
use super::cache::Dataset;
use super::columns::COLUMNS;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What becomes of a missing label of a training row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It stays missing (NaN): the loss leaves it out.
    Mask,
    /// The row is left out.
    Drop,
    /// It becomes the mean of the column over the training rows.
    Mean,
    /// It becomes the value of the previous training row in file order, itself perhaps filled in; before
    /// the column's first value it becomes the mean.
    Previous,
}

impl Missing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mask, Self::Drop, Self::Mean, Self::Previous];

    /// Its word in sweep files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Drop => "drop",
            Self::Mean => "mean",
            Self::Previous => "previous",
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Missing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|m| m.name() == text);
        found.ok_or_else(|| format!("`{text}` is not one of mask, drop, mean, previous"))
    }
}

/// The rows to train on and their labels, f32 `[rows, 30]` in pixels, with missing ones treated as said.
///
/// `train` is in file order, as a split gives it. Only [`Missing::Drop`] leaves rows out (perhaps all of
/// them), and only [`Missing::Mask`] leaves NaN.
///
/// # Panics
/// When a row is not one of the dataset's.
#[must_use]
pub fn fill(dataset: &Dataset, train: &[u32], missing: Missing) -> (Vec<u32>, Vec<f32>) {
    let labels_of = |row: &u32| dataset.labels(*row as usize);
    let rows: Vec<u32> = match missing {
        Missing::Drop => {
            train.iter().copied().filter(|row| !labels_of(row).iter().any(|l| l.is_nan())).collect()
        }
        _ => train.to_vec(),
    };
    let mut labels: Vec<f32> = rows.iter().flat_map(labels_of).copied().collect();
    if matches!(missing, Missing::Mean | Missing::Previous) {
        let mut instead = mean_face(dataset, train);
        for row in labels.as_chunks_mut::<COLUMNS>().0 {
            for (label, instead) in row.iter_mut().zip(&mut instead) {
                if label.is_nan() {
                    *label = *instead;
                } else if missing == Missing::Previous {
                    *instead = *label;
                }
            }
        }
    }
    (rows, labels)
}
