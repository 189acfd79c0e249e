//! Regression trees on random samples of the results (Breiman, "Random Forests", Machine Learning 45, 2001), as
//! boxes of the space with their means.
//!
//! Coordinates are their ranks here: per dimension the trees share one list of cuts, one between each two neighbouring
//! coordinates, and a box's edge is the number of a cut. A parameter that does not exist lies at [`ABSENT`], below every
//! coordinate, so that a cut can tell it apart. Every part of a tree knows its results in the order of each dimension,
//! so that nothing is sorted while it grows.

use crate::domain::stream::uniform;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// Where a parameter lies that does not exist; the cube's other coordinates are in `[0, 1]`.
pub(super) const ABSENT: f64 = -1.0;

const LEAST_TO_SPLIT: f64 = 4.0;
const DEEPEST: usize = 20;

/// One dimension of all results.
#[derive(Debug)]
pub(super) struct Axis {
    /// Every coordinate that occurs, smallest first.
    pub values: Vec<f64>,
    /// Each result's place in `values`.
    ranks: Vec<u32>,
    /// The results by their ranks.
    order: Vec<u32>,
}

impl Axis {
    pub fn new(coordinates: &[f64]) -> Self {
        let mut values = coordinates.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let rank = |x: &f64| values.partition_point(|value| value < x) as u32;
        let ranks: Vec<u32> = coordinates.iter().map(rank).collect();
        let mut order: Vec<u32> = (0..).take(coordinates.len()).collect();
        order.sort_by_key(|at| ranks[*at as usize]);
        Self { values, ranks, order }
    }

    /// Where a cut lies: halfway between the coordinates below and above it. The first and the last have all coordinates
    /// on one side.
    pub fn cut(&self, cut: usize) -> f64 {
        match (cut.checked_sub(1).and_then(|below| self.values.get(below)), self.values.get(cut)) {
            (Some(below), Some(above)) => f64::midpoint(*below, *above),
            (None, _) => f64::NEG_INFINITY,
            (_, None) => f64::INFINITY,
        }
    }

    /// The cut nearest to the middle between two ranks.
    fn between(&self, below: u32, above: u32) -> u32 {
        let middle = f64::midpoint(self.values[below as usize], self.values[above as usize]);
        (self.values.partition_point(|value| *value <= middle) as u32).clamp(below + 1, above)
    }
}

/// A part of the space where the tree says the same.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The lower and upper cut in every dimension.
    pub edges: Vec<(u32, u32)>,
    pub mean: f64,
}

/// A part of the results that may be split further.
struct Part {
    /// Its place in every dimension's order.
    of: Range<usize>,
    edges: Vec<(u32, u32)>,
    depth: usize,
}

/// The leaves of a tree grown on as many draws, with replacement, as there are results.
pub(super) fn tree(axes: &[Axis], losses: &[f64], rng: &mut ChaCha8Rng) -> Vec<Leaf> {
    let results = losses.len();
    let mut drawn = vec![Sum::default(); results];
    for _ in 0..results {
        let at = ((uniform(rng) * results as f64) as usize).min(results - 1);
        drawn[at] = drawn[at].with(Sum { draws: 1.0, loss: losses[at] });
    }
    let in_order =
        |axis: &Axis| axis.order.iter().copied().filter(|at| drawn[*at as usize].draws > 0.0).collect();
    let mut orders: Vec<Vec<u32>> = axes.iter().map(in_order).collect();
    let all = 0..orders.first().map_or(0, Vec::len);
    let edges = axes.iter().map(|axis| (0, axis.values.len() as u32)).collect();
    let mut open = vec![Part { of: all, edges, depth: 0 }];
    let (mut leaves, mut aside) = (Vec::new(), vec![0; results]);
    while let Some(part) = open.pop() {
        let results = orders[0][part.of.clone()].iter();
        let whole = results.fold(Sum::default(), |sum, result| sum.with(drawn[*result as usize]));
        let split = if whole.draws < LEAST_TO_SPLIT || part.depth >= DEEPEST {
            None
        } else {
            best_split(axes, &orders, &part, &drawn, whole, rng)
        };
        let Some((d, at)) = split else {
            leaves.push(Leaf { edges: part.edges, mean: whole.loss / whole.draws });
            continue;
        };
        let ranks = &axes[d].ranks;
        let mut middle = part.of.start;
        for order in &mut orders {
            let below = |result: u32| ranks[result as usize] < at;
            middle = part.of.start + set_apart(&mut order[part.of.clone()], below, &mut aside);
        }
        let (mut lower, mut upper) = (part.edges.clone(), part.edges);
        (lower[d].1, upper[d].0) = (at, at);
        open.push(Part { of: part.of.start..middle, edges: lower, depth: part.depth + 1 });
        open.push(Part { of: middle..part.of.end, edges: upper, depth: part.depth + 1 });
    }
    leaves
}

/// Moves those for which `first` holds before the others, each in their order; how many they are. Where each goes is
/// no branch: nobody could foretell it.
fn set_apart(of: &mut [u32], first: impl Fn(u32) -> bool, aside: &mut [u32]) -> usize {
    let (mut kept, mut moved) = (0, 0);
    for at in 0..of.len() {
        let one = of[at];
        let stays = first(one);
        (of[kept], aside[moved]) = (one, one);
        kept += usize::from(stays);
        moved += usize::from(!stays);
    }
    of[kept..].copy_from_slice(&aside[..moved]);
    kept
}

/// Draws of some results, and the sum of their losses.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    draws: f64,
    loss: f64,
}

impl Sum {
    fn with(self, other: Self) -> Self {
        Self { draws: self.draws + other.draws, loss: self.loss + other.loss }
    }

    fn square(self) -> f64 {
        self.loss * self.loss / self.draws
    }
}

/// The dimension and the cut that leave the least variance, among a random part of the dimensions.
fn best_split(
    axes: &[Axis],
    orders: &[Vec<u32>],
    part: &Part,
    drawn: &[Sum],
    whole: Sum,
    rng: &mut ChaCha8Rng,
) -> Option<(usize, u32)> {
    // The squared sums stand for the variance that is explained: a cut must explain more than none does.
    let mut most = whole.square() + 1e-12;
    let mut best: Option<(usize, (u32, u32))> = None;
    // About five in six, as the method's authors let the forest have.
    let candidates: Vec<usize> =
        (0..axes.len()).filter(|_| axes.len() == 1 || uniform(rng) <= 5.0 / 6.0).collect();
    for d in candidates {
        let (order, ranks) = (&orders[d][part.of.clone()], &axes[d].ranks);
        let Some((first, others)) = order.split_first().filter(|_| axes[d].values.len() > 1) else {
            continue;
        };
        let (mut below, mut rank) = (drawn[*first as usize], ranks[*first as usize]);
        for result in others {
            let next = ranks[*result as usize];
            if next != rank {
                let above = Sum { draws: whole.draws - below.draws, loss: whole.loss - below.loss };
                // Both squares in one division, which is most of the work.
                let both = below.loss * below.loss * above.draws + above.loss * above.loss * below.draws;
                let explained = both / (below.draws * above.draws);
                if explained > most {
                    most = explained;
                    best = Some((d, (rank, next)));
                }
                rank = next;
            }
            below = below.with(drawn[*result as usize]);
        }
    }
    best.map(|(d, (below, above))| (d, axes[d].between(below, above)))
}
