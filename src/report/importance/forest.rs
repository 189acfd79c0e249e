//! Regression trees on random samples of the results (Breiman, "Random Forests", Machine Learning 45, 2001), as
//! boxes of the space with their means.
//!
//! A parameter that does not exist lies at [`ABSENT`], below every coordinate, so that a split can tell it apart.

use crate::domain::stream::uniform;
use rand_chacha::ChaCha8Rng;

/// Where a parameter lies that does not exist; the cube's other coordinates are in `[0, 1]`.
pub(super) const ABSENT: f64 = -1.0;
/// The lowest edge of a box: below what does not exist.
pub(super) const BOTTOM: f64 = -2.0;

const LEAST_TO_SPLIT: usize = 4;
const DEEPEST: usize = 20;

/// A part of the space where the tree says the same.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The lower and upper edge in every dimension.
    pub edges: Vec<(f64, f64)>,
    pub mean: f64,
}

/// The leaves of a tree grown on as many draws, with replacement, as there are results.
pub(super) fn tree(points: &[Vec<f64>], losses: &[f64], rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let among = |rng: &mut ChaCha8Rng, n: usize| ((uniform(rng) * n as f64) as usize).min(n - 1);
    let drawn: Vec<usize> = (0..points.len()).map(|_| among(rng, points.len())).collect();
    let mut open = vec![(drawn, vec![(BOTTOM, 1.0); points[0].len()], 0)];
    let mut leaves = Vec::new();
    while let Some((of, edges, depth)) = open.pop() {
        let split = if of.len() < LEAST_TO_SPLIT || depth >= DEEPEST {
            None
        } else {
            best_split(points, losses, &of, rng)
        };
        let Some((d, at)) = split else {
            let mean = of.iter().map(|i| losses[*i]).sum::<f64>() / of.len() as f64;
            leaves.push(Leaf { edges, mean });
            continue;
        };
        let (below, above): (Vec<usize>, Vec<usize>) = of.into_iter().partition(|i| points[*i][d] <= at);
        let (mut lower, mut upper) = (edges.clone(), edges);
        (lower[d].1, upper[d].0) = (at, at);
        open.push((below, lower, depth + 1));
        open.push((above, upper, depth + 1));
    }
    leaves
}

/// The dimension and the place that leave the least variance, among a random part of the dimensions.
fn best_split(
    points: &[Vec<f64>],
    losses: &[f64],
    of: &[usize],
    rng: &mut ChaCha8Rng,
) -> Option<(usize, f64)> {
    let dimensions = points[0].len();
    let mut best: Option<(f64, usize, f64)> = None;
    // About five in six, as the method's authors let the forest have.
    let candidates: Vec<usize> =
        (0..dimensions).filter(|_| dimensions == 1 || uniform(rng) <= 5.0 / 6.0).collect();
    for d in candidates {
        let mut sorted: Vec<(f64, f64)> = of.iter().map(|i| (points[*i][d], losses[*i])).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = sorted.iter().map(|(_, loss)| loss).sum();
        let n = sorted.len() as f64;
        let mut sum = 0.0;
        for (i, pair) in sorted.windows(2).enumerate() {
            sum += pair[0].1;
            if pair[0].0 == pair[1].0 {
                continue;
            }
            let left = i as f64 + 1.0;
            // The squared sums stand for the variance that is explained.
            let explained = sum * sum / left + (total - sum) * (total - sum) / (n - left) - total * total / n;
            if explained > 1e-12 && best.is_none_or(|(most, ..)| explained > most) {
                best = Some((explained, d, f64::midpoint(pair[0].0, pair[1].0)));
            }
        }
    }
    best.map(|(_, d, at)| (d, at))
}
