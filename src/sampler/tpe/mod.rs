//! Tree-structured Parzen estimators (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS
//! 2011): one density of the good trials, one of all others; draws from the first are ranked by the ratio.
//!
//! The densities are joint over all parameters (Falkner et al., "BOHB", ICML 2018), so that interactions are seen.
//! A parameter that a trial does not have is uniform in that trial's kernel, so trials of every branch of a
//! conditional space teach about what they share, and no more. A uniform prior over the whole space counts as one
//! trial: early draws are not greedy. Good trials weigh by how good they are (Watanabe, "Tree-Structured Parzen
//! Estimator: Understanding Its Algorithm Components", 2023). Running trials count among the others (the constant
//! liar), so that workers do not crowd one place; failed ones are the worst of all.

mod density;
mod kernel;

use super::propose::Propose;
use super::random::Random;
use super::{Ask, History, Ranked};
use crate::domain::stream::{Key, stream};
use density::Density;

/// The most trials that count as good, and the most of the others that are looked at: evenly among their ranks,
/// which leaves their density what it is.
const MOST_GOOD: usize = 25;
const MOST_OTHERS: usize = 1_000;

/// Tree-structured Parzen estimators.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tpe {
    startup: u32,
    candidates: u32,
}

impl Tpe {
    /// Draws `startup` trials at random first; later the best of `candidates` draws is taken.
    pub fn new(startup: u32, candidates: u32) -> Self {
        Self { startup, candidates: candidates.max(1) }
    }
}

impl Propose for Tpe {
    fn name(&self) -> &'static str {
        "tpe"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        let startup = (self.startup as usize).max(1);
        let known = ask.history.level(startup).map(|level| ask.history.ranked(level));
        let Some(known) = known.filter(|known| known.len() >= startup) else {
            return Random.propose(ask, round);
        };
        let groups = Groups::of(ask.history, known);
        let dimensions: Vec<_> = ask.space.entries().iter().map(kernel::Dimension::of).collect();
        let points =
            |trials: &[u64]| trials.iter().map(|trial| ask.history.point(*trial)).collect::<Vec<_>>();
        let good = Density::new(&dimensions, &points(&groups.good), &groups.weights);
        let others = Density::new(&dimensions, &points(&groups.others), &vec![1.0; groups.others.len()]);
        let mut rng = stream(ask.seed, "tpe", &[Key::Number(ask.number), Key::Number(round.into())]);
        let mut drawn: Vec<(f64, Vec<f64>)> = (0..self.candidates)
            .map(|_| {
                let point = good.draw(ask.space, &mut rng);
                (good.log_density(&point) - others.log_density(&point), point)
            })
            .collect();
        drawn.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        drawn.into_iter().map(|(_, point)| point).collect()
    }
}

/// The good trials with their weights, and the others.
struct Groups {
    good: Vec<u64>,
    weights: Vec<f64>,
    others: Vec<u64>,
}

impl Groups {
    /// `known` comes best first.
    fn of(history: &History, known: impl ExactSizeIterator<Item = Ranked>) -> Self {
        let size = known.len();
        let most = size.div_ceil(10).clamp(1, MOST_GOOD);
        let mut good: Vec<Ranked> = Vec::with_capacity(most);
        let mut others = Vec::new();
        let rest = size - most;
        let stride = rest.div_ceil(MOST_OTHERS).max(1);
        for (at, ranked) in known.enumerate() {
            // What failed is never good.
            if at < most && ranked.loss.is_finite() {
                good.push(ranked);
            } else if at < most || (at - most).is_multiple_of(stride) {
                others.push(ranked.trial);
            }
        }
        let limit = good.last().map_or(0.0, |worst| worst.loss);
        let gain = |ranked: &Ranked| limit - ranked.loss;
        let mean = good.iter().map(gain).sum::<f64>() / good.len().max(1) as f64;
        let weight = |ranked: &Ranked| {
            // The last of the good has no gain at all: it counts for half of the mean.
            if mean > 0.0 && mean.is_finite() { (gain(ranked) / mean).max(0.5) } else { 1.0 }
        };
        let weights = good.iter().map(weight).collect();
        others.extend(history.running());
        Self { good: good.into_iter().map(|ranked| ranked.trial).collect(), weights, others }
    }
}

#[cfg(test)]
#[path = "tpe_test.rs"]
mod tpe_test;
