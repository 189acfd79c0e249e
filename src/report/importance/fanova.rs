//! The share of the variance over the space that each parameter explains alone (Hutter et al., "An Efficient Approach
//! for Assessing Hyperparameter Importance", ICML 2014): exact for each tree of a forest, averaged over the trees.

use super::Results;
use super::forest::{ABSENT, Axis, Leaf, tree};
use crate::domain::stream::{Key, stream};
use crate::space::Space;

/// With more of them shares move by some thousandths, ten times less than by another draw of trials.
const TREES: u64 = 32;

/// Each parameter's share of the variance.
pub(super) fn shares(results: &Results, space: &Space) -> Vec<f64> {
    let coordinate = |x: f64| if x.is_nan() { ABSENT } else { x };
    let axis = |d: usize| {
        let coordinates: Vec<f64> = results.points.iter().map(|point| coordinate(point[d])).collect();
        Axis::new(&coordinates)
    };
    let axes: Vec<Axis> = (0..space.len()).map(axis).collect();
    let absent = |d: usize| {
        results.points.iter().filter(|point| point[d].is_nan()).count() as f64 / results.points.len() as f64
    };
    let measures: Vec<Measure> =
        axes.iter().enumerate().map(|(d, axis)| Measure::of(axis, absent(d))).collect();
    let mut sums = vec![0.0; space.len()];
    for number in 0..TREES {
        let mut rng = stream(0, "fanova", &[Key::Number(number)]);
        let explained = explained(&tree(&axes, &results.losses, &mut rng), &measures);
        sums.iter_mut().zip(explained).for_each(|(sum, explained)| *sum += explained);
    }
    sums.iter().map(|sum| (sum / TREES as f64).clamp(0.0, 1.0)).collect()
}

/// How much of a dimension lies below each cut: uniform where the parameter exists, and one mass for all where it does
/// not.
struct Measure(Vec<f64>);

impl Measure {
    /// `absent` is the share of the results in which the parameter does not exist.
    fn of(axis: &Axis, absent: f64) -> Self {
        let below = |cut: usize| {
            let at = axis.cut(cut);
            at.clamp(0.0, 1.0) * (1.0 - absent) + if at > ABSENT { absent } else { 0.0 }
        };
        Self((0..=axis.values.len()).map(below).collect())
    }

    fn length(&self, (low, high): (u32, u32)) -> f64 {
        self.0[high as usize] - self.0[low as usize]
    }
}

/// The share of a tree's variance that each dimension explains alone; nothing where there is no variance.
fn explained(leaves: &[Leaf], measures: &[Measure]) -> Vec<f64> {
    let boxes: Vec<Extent> = leaves.iter().map(|leaf| Extent::of(leaf, measures)).collect();
    let over_leaves = || leaves.iter().zip(&boxes);
    let mean: f64 = over_leaves().map(|(leaf, extent)| extent.volume * leaf.mean).sum();
    let variance: f64 = over_leaves().map(|(leaf, extent)| extent.volume * (leaf.mean - mean).powi(2)).sum();
    let alone = |d: usize| {
        let Measure(below) = &measures[d];
        // The mean over all other dimensions moves where leaves begin and end.
        let mut moves = vec![0.0; below.len()];
        for (leaf, extent) in over_leaves() {
            let weight = leaf.mean * extent.across[d];
            let (low, high) = leaf.edges[d];
            moves[low as usize] += weight;
            moves[high as usize] -= weight;
        }
        let mut marginal = 0.0;
        let step = |(pair, moved): (&[f64], &f64)| {
            marginal += moved;
            (pair[1] - pair[0]) * (marginal - mean).powi(2)
        };
        below.windows(2).zip(&moves).map(step).sum::<f64>()
    };
    let share = |d: usize| if variance > 0.0 { alone(d) / variance } else { 0.0 };
    (0..measures.len()).map(share).collect()
}

/// How much of the space a box is.
struct Extent {
    volume: f64,
    /// Per dimension what the box measures in all others.
    across: Vec<f64>,
}

impl Extent {
    fn of(leaf: &Leaf, measures: &[Measure]) -> Self {
        let length = |d: usize| measures[d].length(leaf.edges[d]);
        let mut across = vec![1.0; measures.len()];
        // The product of those before, then that of those behind.
        let mut volume = 1.0;
        for (d, across) in across.iter_mut().enumerate() {
            *across = volume;
            volume *= length(d);
        }
        let mut behind = 1.0;
        for (d, across) in across.iter_mut().enumerate().rev() {
            *across *= behind;
            behind *= length(d);
        }
        Self { volume, across }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: usize) -> (Axis, Measure) {
        let axis = Axis::new(&(0..values).map(|i| (i as f64 + 0.5) / values as f64).collect::<Vec<f64>>());
        let measure = Measure::of(&axis, 0.0);
        (axis, measure)
    }

    #[test]
    fn a_tree_of_known_variance_is_taken_apart_by_the_book() {
        let ((_, x), (_, y)) = (axis(2), axis(4));
        let leaf = |edges: &[(u32, u32)], mean: f64| Leaf { edges: edges.to_vec(), mean };
        // 3 above a half of x; below it 0, and 2 in the last quarter of y.
        let leaves =
            [leaf(&[(1, 2), (0, 4)], 3.0), leaf(&[(0, 1), (0, 3)], 0.0), leaf(&[(0, 1), (3, 4)], 2.0)];
        let shares = explained(&leaves, &[x, y]);
        // Means: 1.75; along x 0.5 and 3; along y 1.5, and 2.5 in the last quarter.
        let variance = 0.5 * 1.25_f64.powi(2) + 0.375 * 1.75_f64.powi(2) + 0.125 * 0.25_f64.powi(2);
        let by_x = 1.25_f64.powi(2);
        let by_y = 0.75 * 0.25_f64.powi(2) + 0.25 * 0.75_f64.powi(2);
        assert!((shares[0] - by_x / variance).abs() < 1e-12, "{shares:?}");
        assert!((shares[1] - by_y / variance).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn what_does_not_exist_has_a_mass_of_its_own() {
        let axis = Axis::new(&[ABSENT, 0.25, 0.75, ABSENT]);
        let Measure(below) = Measure::of(&axis, 0.5);
        assert_eq!(below, [0.0, 0.5, 0.75, 1.0]);
    }
}
