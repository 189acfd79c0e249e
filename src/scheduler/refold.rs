//! Where the folds of trials stand, for deriving decisions about them again.

use super::folds::{Doom, Place};
use super::method::Method;
use crate::domain::LegOutcome;
use std::collections::BTreeMap;

/// Trials with folds, by number.
pub(super) struct Courses {
    folds: u32,
    /// Those that go on, and those that have ended or are given up; the latter may be tried again.
    open: BTreeMap<u64, Vec<Place>>,
    over: BTreeMap<u64, Vec<Place>>,
}

impl Courses {
    /// Of a sweep with so many folds.
    pub fn new(folds: u32) -> Self {
        Self { folds, open: BTreeMap::new(), over: BTreeMap::new() }
    }

    /// A trial was added.
    pub fn add(&mut self, trial: u64) {
        self.open.insert(trial, vec![Place::Undecided; self.folds as usize]);
    }

    /// A leg of a fold was decided.
    pub fn decided(&mut self, trial: u64, fold: u32) {
        self.set(trial, fold, Place::Open);
    }

    /// A leg of a fold ended.
    pub fn ended(&mut self, trial: u64, fold: u32, leg: u64, outcome: LegOutcome) {
        self.set(trial, fold, Place::Ended { leg, outcome });
    }

    fn set(&mut self, trial: u64, fold: u32, place: Place) {
        let places = self.open.get_mut(&trial).or_else(|| self.over.get_mut(&trial));
        if let Some(known) = places.and_then(|places| places.get_mut(fold as usize)) {
            *known = place;
        }
    }

    /// A trial ended, is told to, or is given up.
    pub fn over(&mut self, trial: u64) {
        self.over.extend(self.open.remove(&trial).map(|places| (trial, places)));
    }

    /// A trial is tried again; the folds whose legs are to be decided: those that have not completed.
    pub fn again(&mut self, trial: u64) -> Vec<u32> {
        let Some(mut places) = self.over.remove(&trial) else { return Vec::new() };
        let mut again = Vec::new();
        for (fold, place) in (0..).zip(&mut places) {
            if !matches!(place, Place::Ended { outcome: LegOutcome::Completed, .. }) {
                *place = Place::Undecided;
                again.push(fold);
            }
        }
        self.open.insert(trial, places);
        again
    }

    /// Whether a leg of a trial has not ended.
    pub fn is_open(&self, trial: u64) -> bool {
        let places = self.open.get(&trial).or_else(|| self.over.get(&trial));
        places.is_some_and(|places| places.contains(&Place::Open))
    }

    /// The first trial whose remaining folds are not worth trying, as far as the decision about leg `number` may know.
    pub fn doomed(&self, method: &Method, number: u64) -> Option<(u64, Doom)> {
        let is_partial = |places: &[Place]| places.iter().any(|place| matches!(place, Place::Ended { .. }));
        let begun = self.open.iter().filter(|(_, places)| is_partial(places));
        begun.into_iter().find_map(|(trial, places)| Some((*trial, method.doom(*trial, number, places)?)))
    }
}
