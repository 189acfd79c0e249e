//! Tree-structured Parzen estimators (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS
//! 2011): one density of the good trials, one of all others; draws from the first are ranked by the ratio.
//!
//! The densities are joint over all parameters (Falkner et al., "BOHB", ICML 2018), so that interactions are seen.
//! A parameter that a trial does not have is uniform in that trial's kernel, so trials of every branch of a
//! conditional space teach about what they share, and no more. Each density has a uniform prior over the whole space:
//! early draws are not greedy. Good trials weigh by how good they are (Watanabe, "Tree-Structured Parzen
//! Estimator: Understanding Its Algorithm Components", 2023). Running trials count among the others (the constant
//! liar), so that workers do not crowd one place. Failed ones are the worst of all, and what resembles them more than
//! it resembles any that went well is avoided.

mod density;
mod failure;
mod kernel;

use super::propose::Propose;
use super::random::Random;
use super::{Ask, History, Ranked};
use crate::domain::stream::{Key, stream};
use density::Density;
use failure::Failures;

/// The most trials that count as good, and the most of the others that are looked at: evenly among their ranks,
/// which leaves their density what it is.
const MOST_GOOD: usize = 25;
const MOST_OTHERS: usize = 1_000;

/// How much the priors count, in trials.
const PRIOR_OF_GOOD: f64 = 1.0;
const PRIOR_OF_OTHERS: f64 = 4.0;

/// The share of the trials that count as good, and the least weight of one of them; the mean is 1.
const GOOD_ONE_IN: usize = 10;
const LEAST_WEIGHT: f64 = 0.1;

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
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
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
        let equal = vec![1.0; groups.others.len()];
        let good = Density::new(&dimensions, &points(&groups.good), &groups.weights, PRIOR_OF_GOOD);
        let others = Density::new(&dimensions, &points(&groups.others), &equal, PRIOR_OF_OTHERS);
        let failures = Failures::of(&dimensions, &points(&groups.failed), &points(&groups.well));
        let mut rng = stream(ask.seed, "tpe", &[Key::Number(ask.number), Key::Number(round.into())]);
        let mut drawn: Vec<(f64, Vec<f64>)> = (0..self.candidates)
            .map(|_| {
                let point = good.draw(ask.space, &mut rng);
                let ratio = good.log_density(&point) - others.log_density(&point);
                (ratio + failures.log_chance(&point), point)
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
    /// Some of those that failed, and of those that did not.
    failed: Vec<u64>,
    well: Vec<u64>,
}

impl Groups {
    /// `known` comes best first.
    fn of(history: &History, known: impl ExactSizeIterator<Item = Ranked>) -> Self {
        let size = known.len();
        let most = size.div_ceil(GOOD_ONE_IN).clamp(1, MOST_GOOD);
        let mut good: Vec<Ranked> = Vec::with_capacity(most);
        let (mut others, mut failed, mut well) = (Vec::new(), Vec::new(), Vec::new());
        let rest = size - most;
        let stride = rest.div_ceil(MOST_OTHERS).max(1);
        for (at, ranked) in known.enumerate() {
            // What failed is never good.
            if at < most && ranked.loss.is_finite() {
                good.push(ranked);
            } else if at < most || (at - most).is_multiple_of(stride) {
                others.push(ranked.trial);
            } else {
                continue;
            }
            let group = if ranked.loss.is_finite() { &mut well } else { &mut failed };
            group.push(ranked.trial);
        }
        let limit = good.last().map_or(0.0, |worst| worst.loss);
        let gain = |ranked: &Ranked| limit - ranked.loss;
        let mean = good.iter().map(gain).sum::<f64>() / good.len().max(1) as f64;
        let weight = |ranked: &Ranked| {
            // The last of the good has no gain at all, and is good all the same.
            if mean > 0.0 && mean.is_finite() { (gain(ranked) / mean).max(LEAST_WEIGHT) } else { 1.0 }
        };
        let weights = good.iter().map(weight).collect();
        others.extend(history.running());
        let good = good.into_iter().map(|ranked| ranked.trial).collect();
        Self { good, weights, others, failed, well }
    }
}

#[cfg(test)]
#[path = "tpe_test.rs"]
mod tpe_test;
