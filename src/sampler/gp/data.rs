//! Which trials the process is told of, and when its scales are learned anew.

use crate::sampler::{History, Level};
use std::collections::HashMap;

/// Up to so many trials the scales are learned anew after each; then after each twentieth more.
const EACH: usize = 30;
const GROWTH: usize = 20;
/// They are never left alone for more new trials than that.
const MOST_UNSEEN: usize = 100;
/// The scales are learned from no more trials.
const MOST_FITTED: usize = 256;
/// The posterior is of no more trials, and those since the scales were learned.
const MOST_KEPT: usize = 800;

/// The trials that have a value at a level, in the order in which the first of each became known, with the last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Observed {
    pub trials: Vec<u64>,
    pub losses: Vec<f64>,
}

impl Observed {
    /// What was known when the `most`th trial had its first value.
    pub fn up_to(history: &History, level: Level, most: usize) -> Self {
        let mut places = HashMap::new();
        let mut observed = Self::default();
        for (i, end) in history.ends().iter().enumerate().filter(|(_, end)| end.level == level) {
            let loss = history.losses(i).first().copied().unwrap_or(f64::INFINITY);
            let new = observed.trials.len();
            let place = *places.entry(end.trial).or_insert(new);
            if place < new {
                observed.losses[place] = loss;
                continue;
            }
            observed.trials.push(end.trial);
            observed.losses.push(loss);
            if observed.trials.len() == most {
                break;
            }
        }
        observed
    }

    /// The places of those to learn the scales from.
    pub fn to_fit(&self) -> Vec<usize> {
        thinned(&self.losses, MOST_FITTED)
    }

    /// The places of those to keep in the posterior.
    pub fn to_keep(&self) -> Vec<usize> {
        thinned(&self.losses, MOST_KEPT)
    }
}

/// How many of so many trials the scales are learned from: a schedule, so that they depend on nothing else.
pub(super) fn learned_at(trials: usize) -> usize {
    let mut at = EACH;
    if trials <= at {
        return trials;
    }
    loop {
        let next = at + (at / GROWTH).clamp(1, MOST_UNSEEN);
        if next > trials {
            return at;
        }
        at = next;
    }
}

/// The better half of `most`, and as many spread evenly over the rest by rank; in their order.
fn thinned(losses: &[f64], most: usize) -> Vec<usize> {
    let count = losses.len();
    if count <= most {
        return (0..count).collect();
    }
    let mut ranked: Vec<usize> = (0..count).collect();
    ranked.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]).then(a.cmp(b)));
    let best = most / 2;
    let (rest, wanted) = (count - best, most - best);
    let mut kept: Vec<usize> = ranked[..best].to_vec();
    kept.extend((0..wanted).map(|i| ranked[best + i * rest / wanted]));
    kept.sort_unstable();
    kept
}

#[cfg(test)]
#[path = "data_test.rs"]
mod data_test;
