//! Losses as the process sees them: of mean 0 and variance 1, after a warp that keeps huge ones from hiding the
//! differences among the good.
//!
//! Up to twice the median's gap from the best the warp is linear, beyond it grows by the logarithm, and not without end. It is monotone, and
//! follows the search: as more trials come near the best, the scale narrows around it. Warps of the output are
//! the largest single gain in Cowen-Rivers et al., "HEBO", JAIR 74, 2022; theirs is a fitted power, this one has
//! nothing to fit and cannot bend the good end.

/// Linear up to so many times the gap from the best to the median.
const LINEAR: f64 = 2.0;
/// On the warped scale, all beyond that are equally bad.
const WORST: f64 = 6.0;

/// Warped and standardised losses. What failed (infinite) counts as the worst that did not.
pub(super) fn standardised(losses: &[f64]) -> Vec<f64> {
    let mut finite: Vec<f64> = losses.iter().copied().filter(|loss| loss.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let Some(best) = finite.first().copied() else { return vec![0.0; losses.len()] };
    let median = finite[(finite.len() - 1) / 2];
    let pivot = if median > best { Some(median) } else { finite.iter().copied().find(|loss| *loss > best) };
    let warp = |loss: f64| pivot.map_or(0.0, |pivot| warp(loss, best, pivot));
    // Where all that did not fail are equal, a failure is still worse.
    let worst = finite.last().filter(|_| pivot.is_some()).map_or(1.0, |loss| warp(*loss));
    let mut targets: Vec<f64> =
        losses.iter().map(|loss| if loss.is_finite() { warp(*loss) } else { worst }).collect();
    let count = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / count;
    let variance = targets.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count;
    let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    targets.iter_mut().for_each(|y| *y = (*y - mean) / scale);
    targets
}

fn warp(loss: f64, best: f64, pivot: f64) -> f64 {
    // Halved, so that the difference of two finite numbers stays finite.
    let gap = (loss / 2.0 - best / 2.0) / (pivot / 2.0 - best / 2.0);
    // Below the smallest normal number halves may vanish.
    let gap = if gap.is_nan() { 0.0 } else { gap };
    if gap <= LINEAR { gap } else { (LINEAR * (1.0 + (gap / LINEAR).ln())).min(WORST) }
}

#[cfg(test)]
#[path = "target_test.rs"]
mod target_test;
