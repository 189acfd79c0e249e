//! Which labels of a row are missing: the pattern of Kaggle's data.

use super::dice::Dice;
use crate::dataset::columns::{COLUMNS, COMMON_POINTS, POINTS};

/// Share of rows that have the four common points only.
const FEW: f32 = 0.67;
/// Share of the other rows that lack some more points.
const SOME_MISSING: f32 = 0.06;

/// The points with missing ones as NaN.
pub(super) fn hide(seed: u64, row: u64, points: &[f32; COLUMNS]) -> [f32; COLUMNS] {
    let mut dice = Dice::new(seed, "synth-labels", row);
    let mut labels = *points;
    let mut hide = |point: usize| labels[2 * point..2 * point + 2].fill(f32::NAN);
    if dice.chance(FEW) {
        (0..POINTS).filter(|point| !COMMON_POINTS.contains(point)).for_each(hide);
    } else if dice.chance(SOME_MISSING) {
        for _ in 0..=dice.below(3) {
            // Mostly the ends of the brows, as in the real data.
            hide(if dice.chance(0.7) {
                [7, 9][dice.below(2) as usize]
            } else {
                dice.below(POINTS as u32) as usize
            });
        }
    }
    labels
}
