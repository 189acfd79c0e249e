//! The share of the variance over the space that each parameter explains alone (Hutter et al., "An Efficient Approach
//! for Assessing Hyperparameter Importance", ICML 2014): exact for each tree of a forest, averaged over the trees.

use super::Results;
use super::forest::{ABSENT, BOTTOM, Leaf, tree};
use crate::domain::stream::{Key, stream};
use crate::space::Space;

const TREES: u64 = 48;
/// More results than this are sampled: trees grow slowly, and know enough.
const MOST_RESULTS: usize = 2_000;

/// Each parameter's share of the variance.
pub(super) fn shares(results: &Results, space: &Space) -> Vec<f64> {
    let stride = results.losses.len().div_ceil(MOST_RESULTS);
    let coordinate = |x: &f64| if x.is_nan() { ABSENT } else { *x };
    let points: Vec<Vec<f64>> =
        results.points.iter().step_by(stride).map(|point| point.iter().map(coordinate).collect()).collect();
    let losses: Vec<f64> = results.losses.iter().copied().step_by(stride).collect();
    let absent =
        |d: usize| points.iter().filter(|point| point[d] == ABSENT).count() as f64 / points.len() as f64;
    let measure = Measure { absent: (0..space.len()).map(absent).collect() };
    let mut sums = vec![0.0; space.len()];
    for number in 0..TREES {
        let mut rng = stream(0, "fanova", &[Key::Number(number)]);
        let leaves = tree(&points, &losses, &mut rng);
        let (_, variance) = measure.moments(&leaves);
        if variance <= 0.0 {
            continue;
        }
        for (d, sum) in sums.iter_mut().enumerate() {
            *sum += measure.explained_by(&leaves, d) / variance;
        }
    }
    sums.iter().map(|sum| (sum / TREES as f64).clamp(0.0, 1.0)).collect()
}

/// How much of the space a box is: uniform where a parameter exists, and one mass for all where it does not.
struct Measure {
    /// The share of the results in which each parameter does not exist.
    absent: Vec<f64>,
}

impl Measure {
    fn length(&self, d: usize, (low, high): (f64, f64)) -> f64 {
        let present = (high.clamp(0.0, 1.0) - low.clamp(0.0, 1.0)).max(0.0) * (1.0 - self.absent[d]);
        let has_absent = low < ABSENT && ABSENT <= high;
        present + if has_absent { self.absent[d] } else { 0.0 }
    }

    fn volume(&self, leaf: &Leaf) -> f64 {
        leaf.edges.iter().enumerate().map(|(d, edges)| self.length(d, *edges)).product()
    }

    /// The mean and the variance of a tree over the space.
    fn moments(&self, leaves: &[Leaf]) -> (f64, f64) {
        let mean: f64 = leaves.iter().map(|leaf| self.volume(leaf) * leaf.mean).sum();
        let variance = leaves.iter().map(|leaf| self.volume(leaf) * (leaf.mean - mean).powi(2)).sum();
        (mean, variance)
    }

    /// The variance of the tree's mean over all dimensions but one.
    fn explained_by(&self, leaves: &[Leaf], d: usize) -> f64 {
        let mut edges: Vec<f64> = leaves.iter().flat_map(|leaf| [leaf.edges[d].0, leaf.edges[d].1]).collect();
        edges.extend([BOTTOM, 0.0, 1.0]);
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let (mean, _) = self.moments(leaves);
        let part = |pair: &[f64]| {
            let length = self.length(d, (pair[0], pair[1]));
            if length <= 0.0 {
                return 0.0;
            }
            let over = leaves.iter().filter(|leaf| leaf.edges[d].0 <= pair[0] && pair[1] <= leaf.edges[d].1);
            let marginal: f64 = over
                .map(|leaf| {
                    let others = leaf.edges.iter().enumerate().filter(|(other, _)| *other != d);
                    leaf.mean * others.map(|(other, edges)| self.length(other, *edges)).product::<f64>()
                })
                .sum();
            length * (marginal - mean).powi(2)
        };
        edges.windows(2).map(part).sum()
    }
}
