//! What a sweep's sampler knows: the configurations so far as points of the unit cube, and what came of them.
//!
//! Everything in it follows from the news it was told, in the order in which they became known; so it can be built
//! anew from stored rows. Losses are always to be made small: where more is better they come with their sign
//! changed. What failed, or has no finite value, has an infinite loss.

use crate::domain::Params;
use crate::space::Space;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Stands for a parameter that does not exist in a point.
pub const ABSENT: f64 = f64::NAN;

/// How far a value was trained: values are compared with values of the same level only. Higher is further; a
/// trial's whole budget is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Up to a rung: an absolute step.
    Rung(u64),
    /// The whole budget, or to where a stopper ended it.
    Full,
}

/// News of a leg's end.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The trial's number.
    pub trial: u64,
    /// How far it was trained.
    pub level: Level,
    /// A loss per objective, to be made small; infinite where it failed.
    pub losses: Vec<f64>,
}

/// The end of a leg, in the order in which ends became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The trial's number.
    pub trial: u64,
    /// How far it was trained.
    pub level: Level,
}

/// What is known of a sweep's trials.
#[derive(Debug, Clone)]
pub struct History {
    dimensions: usize,
    objectives: usize,
    /// `[trials, dimensions]`, by number.
    points: Vec<f64>,
    signatures: HashSet<Vec<u64>>,
    /// Trials whose configuration is not of the space, by number.
    hidden: BTreeSet<u64>,
    ends: Vec<End>,
    /// `[ends, objectives]`.
    losses: Vec<f64>,
    levels: BTreeMap<Level, Ranking>,
    /// Legs of each trial whose end is not known.
    running: BTreeMap<u64, u32>,
}

/// The trials that have a value at one level.
#[derive(Debug, Clone, Default)]
struct Ranking {
    /// By the first loss, equal ones by number.
    ranked: BTreeSet<Ranked>,
    /// Each trial's loss, to find it again when it is told anew.
    known: BTreeMap<u64, f64>,
}

/// A trial in a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Its first loss; infinite where it failed.
    pub loss: f64,
    /// Its number.
    pub trial: u64,
}

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.loss.total_cmp(&other.loss).then(self.trial.cmp(&other.trial))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl History {
    /// Nothing is known yet of a search over `space` for so many objectives.
    #[must_use]
    pub fn new(space: &Space, objectives: usize) -> Self {
        Self {
            dimensions: space.len(),
            objectives: objectives.max(1),
            points: Vec::new(),
            signatures: HashSet::new(),
            hidden: BTreeSet::new(),
            ends: Vec::new(),
            losses: Vec::new(),
            levels: BTreeMap::new(),
            running: BTreeMap::new(),
        }
    }

    /// The next trial, by number, has this configuration.
    pub fn suggested(&mut self, space: &Space, params: &Params) {
        let point = space.point(params);
        self.signatures.insert(signature(&point));
        self.points.extend(point);
    }

    /// The next trial, by number, has a configuration that is not of the space: nothing will be known of it.
    pub fn hidden(&mut self) {
        self.hidden.insert(self.trials());
        self.points.resize(self.points.len() + self.dimensions, ABSENT);
    }

    /// Whether a trial's configuration is of the space.
    #[must_use]
    pub fn sees(&self, trial: u64) -> bool {
        trial < self.trials() && !self.hidden.contains(&trial)
    }

    /// A leg of a trial was decided; its end is not known.
    pub fn began(&mut self, trial: u64) {
        if self.hidden.contains(&trial) {
            return;
        }
        *self.running.entry(trial).or_default() += 1;
    }

    /// A leg ended without any news for the search: the user ended it.
    pub fn gone(&mut self, trial: u64) {
        if let Some(legs) = self.running.get_mut(&trial) {
            *legs -= 1;
            if *legs == 0 {
                self.running.remove(&trial);
            }
        }
    }

    /// A leg ended with a value, or failed.
    pub fn ended(&mut self, news: &News) {
        self.gone(news.trial);
        if !self.sees(news.trial) {
            return;
        }
        let finite =
            |i: usize| news.losses.get(i).copied().filter(|x| x.is_finite()).unwrap_or(f64::INFINITY);
        self.ends.push(End { trial: news.trial, level: news.level });
        self.losses.extend((0..self.objectives).map(finite));
        let ranking = self.levels.entry(news.level).or_default();
        // A trial that was tried again counts once.
        if let Some(loss) = ranking.known.insert(news.trial, finite(0)) {
            ranking.ranked.remove(&Ranked { loss, trial: news.trial });
        }
        ranking.ranked.insert(Ranked { loss: finite(0), trial: news.trial });
    }

    /// How many trials there are.
    #[must_use]
    pub fn trials(&self) -> u64 {
        (self.points.len() / self.dimensions.max(1)) as u64
    }

    /// How many objectives there are.
    #[must_use]
    pub fn objectives(&self) -> usize {
        self.objectives
    }

    /// A trial's point: a coordinate per entry of the space in `[0, 1]`, [`ABSENT`] where the parameter does not
    /// exist. Empty for a trial that is not known.
    #[must_use]
    pub fn point(&self, trial: u64) -> &[f64] {
        let start = usize::try_from(trial).unwrap_or(usize::MAX).saturating_mul(self.dimensions);
        self.points.get(start..start.saturating_add(self.dimensions)).unwrap_or_default()
    }

    /// Every end so far, in the order in which they became known. It only grows.
    #[must_use]
    pub fn ends(&self) -> &[End] {
        &self.ends
    }

    /// The losses of the end at this place, one per objective.
    #[must_use]
    pub fn losses(&self, end: usize) -> &[f64] {
        let start = end.saturating_mul(self.objectives);
        self.losses.get(start..start.saturating_add(self.objectives)).unwrap_or_default()
    }

    /// The trials that have a leg whose end is not known, by number.
    pub fn running(&self) -> impl Iterator<Item = u64> + '_ {
        self.running.keys().copied()
    }

    /// The highest level at which `enough` trials have a value, else the one with the most (Falkner et al.,
    /// "BOHB", ICML 2018, section 4); `None` where nothing has ended.
    #[must_use]
    pub fn level(&self, enough: usize) -> Option<Level> {
        let highest = self.levels.iter().rev().find(|(_, ranking)| ranking.ranked.len() >= enough);
        highest
            .or_else(|| self.levels.iter().max_by_key(|(_, ranking)| ranking.ranked.len()))
            .map(|(level, _)| *level)
    }

    /// The trials that have a value at a level, or failed there, the best first.
    pub fn ranked(&self, level: Level) -> impl ExactSizeIterator<Item = Ranked> + Clone + '_ {
        static NONE: BTreeSet<Ranked> = BTreeSet::new();
        self.levels.get(&level).map_or(&NONE, |ranking| &ranking.ranked).iter().copied()
    }

    /// Whether a trial with just this point exists.
    #[must_use]
    pub fn contains(&self, point: &[f64]) -> bool {
        self.signatures.contains(&signature(point))
    }
}

/// What tells a point from all others.
#[must_use]
pub fn signature(point: &[f64]) -> Vec<u64> {
    point.iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
}

#[cfg(test)]
#[path = "history_test.rs"]
mod history_test;
