//! What training makes small, read from parameters.

use super::choices::words;
use super::read::Reader;
use serde::Serialize;

words!(
    /// The losses by name.
    LossKind {
        /// The squared error.
        Mse = "mse",
        /// Squared where small, straight where large.
        SmoothL1 = "smooth_l1",
        /// Steep where small, straight where large.
        Wing = "wing",
    }
);

/// A function of the error of one number; lengths are in pixels of the image, whatever the scale of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Loss {
    /// The square of the error.
    Mse,
    /// `error^2 / (2 beta)` below `beta`, `|error| - beta / 2` above (Huber 1964; Girshick 2015).
    SmoothL1 {
        /// Where it becomes straight, in pixels.
        beta_px: f64,
    },
    /// `width * ln(1 + |error| / curvature)` below `width`, straight with slope 1 above (Feng et al. 2018, "Wing
    /// Loss for Robust Facial Landmark Localisation").
    Wing {
        /// Where it becomes straight, in pixels.
        width_px: f64,
        /// The smaller, the steeper it is about 0; in pixels.
        curvature_px: f64,
    },
}

impl Loss {
    pub(crate) fn read(reader: &Reader<'_>) -> Self {
        match reader.word("loss", LossKind::Mse) {
            LossKind::Mse => Self::Mse,
            LossKind::SmoothL1 => Self::SmoothL1 { beta_px: reader.number("loss_beta_px", 1.0) },
            LossKind::Wing => Self::Wing {
                width_px: reader.number("loss_width_px", 5.0),
                curvature_px: reader.number("loss_curvature_px", 0.5),
            },
        }
    }
}
