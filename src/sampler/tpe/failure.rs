//! The chance that a configuration does not fail, from those that did and those that did not.

use super::density::Density;
use super::kernel::Dimension;

/// The width of the kernels: a failure is mostly the doing of few parameters, so what it says reaches far in all
/// others.
const WIDTH: f64 = 0.4;

/// What failed, and what went well; nothing where nothing failed.
pub(super) struct Failures(Option<Known>);

struct Known {
    failed: Density,
    well: Density,
    /// The logarithm of how many there are of each, one more than were seen.
    log_failed: f64,
    log_well: f64,
}

impl Failures {
    pub fn of(dimensions: &[Dimension], failed: &[&[f64]], well: &[&[f64]]) -> Self {
        if failed.is_empty() {
            return Self(None);
        }
        let density =
            |points: &[&[f64]]| Density::of_width(dimensions, points, &vec![1.0; points.len()], 1.0, WIDTH);
        let log_of = |points: &[&[f64]]| ((points.len() + 1) as f64).ln();
        Self(Some(Known {
            failed: density(failed),
            well: density(well),
            log_failed: log_of(failed),
            log_well: log_of(well),
        }))
    }

    /// The logarithm of the chance that a point does not fail.
    pub fn log_chance(&self, point: &[f64]) -> f64 {
        let Some(known) = &self.0 else { return 0.0 };
        let failed = known.log_failed + known.failed.log_density(point);
        let well = known.log_well + known.well.log_density(point);
        -(failed - well).exp().ln_1p()
    }
}
