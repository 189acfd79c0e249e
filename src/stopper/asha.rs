//! Successive halving by promotion: a trial pauses at each rung and goes on when it is among the best `1/factor`
//! of the values known there.
//!
//! Asynchronous, at once with what is known (Li et al., "A System for Massively Parallel Hyperparameter Tuning",
//! MLSys 2020, algorithm 2); or synchronous, when all values of a rung are known (Jamieson and Talwalkar,
//! "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016).
//!
//! Two additions for sweeps that end: a trial whose own budget is spent before a rung counts at that rung with
//! its final value; and when no new trial will come and a rung has all its values, its best goes on even
//! where `1/factor` of them is less than one, so that a small sweep has a winner.
//!
//! Who is among the best where there are several objectives, `standings.rs` says.

use super::ranking::value;
use super::standings::Standings;
use super::{Ended, Promotion, Stopper};
use crate::domain::{Direction, LegOutcome, Reason};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Successive halving by promotion.
#[derive(Debug)]
pub(super) struct Asha {
    min_steps: u64,
    factor: u64,
    /// One per objective.
    directions: Vec<Direction>,
    /// Nothing goes on before all values of its rung are known.
    synchronous: bool,
    rungs: Vec<Rung>,
    /// How far each trial has got: the rung it stands at, from 0.
    place: BTreeMap<u64, usize>,
    /// Legs of each trial that were decided and have not ended.
    under_way: BTreeMap<u64, u64>,
}

/// What is known at one rung.
#[derive(Debug)]
struct Rung {
    /// The trials with a value here. Those stand here that have not gone on, and may.
    known: Standings,
    /// Legs to this rung that were decided and have not ended.
    awaited: u64,
    /// Trials that went on from here.
    promoted: BTreeSet<u64>,
    /// Trials that have their value here but stand nowhere: their budget is spent.
    finished: BTreeSet<u64>,
}

impl Rung {
    fn new(objectives: usize) -> Self {
        let (promoted, finished) = (BTreeSet::new(), BTreeSet::new());
        Self { known: Standings::new(objectives), awaited: 0, promoted, finished }
    }

    /// A trial has its value.
    fn insert(&mut self, trial: u64, losses: Vec<f64>) {
        let stands = !self.promoted.contains(&trial) && !self.finished.contains(&trial);
        self.known.insert(trial, losses, stands);
    }
}

impl Asha {
    pub fn new(min_steps: u64, factor: u64, directions: &[Direction]) -> Self {
        let (min_steps, factor) = (min_steps.max(1), factor.max(2));
        Self {
            min_steps,
            factor,
            directions: directions.to_vec(),
            synchronous: false,
            rungs: Vec::new(),
            place: BTreeMap::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// The same, but nothing goes on before all values of its rung are known.
    pub fn synchronous(self) -> Self {
        Self { synchronous: true, ..self }
    }

    /// That of the primary objective.
    fn direction(&self) -> Direction {
        self.directions.first().copied().unwrap_or(Direction::Minimize)
    }

    /// The absolute step of a rung.
    fn step(&self, rung: usize) -> u64 {
        step_of_rung(self.min_steps, self.factor, rung)
    }

    /// The rung that a step is; the first beyond all known ones for a trial's own budget.
    fn rung(&self, until_step: Option<u64>) -> Option<usize> {
        let step = until_step?;
        (0..64).find(|rung| self.step(*rung) >= step)
    }

    fn at(&mut self, rung: usize) -> &mut Rung {
        while self.rungs.len() <= rung {
            self.rungs.push(Rung::new(self.directions.len()));
        }
        &mut self.rungs[rung]
    }
}

/// The absolute step of a rung, counted from 0.
pub(super) fn step_of_rung(min_steps: u64, factor: u64, rung: usize) -> u64 {
    let power = u32::try_from(rung).unwrap_or(u32::MAX);
    min_steps.saturating_mul(factor.saturating_pow(power))
}

impl Stopper for Asha {
    fn first_rung(&self, _trial: u64) -> Option<u64> {
        Some(self.min_steps)
    }

    fn decided(&mut self, trial: u64, until_step: Option<u64>) {
        let Some(rung) = self.rung(until_step) else { return };
        self.at(rung).awaited += 1;
        *self.under_way.entry(trial).or_default() += 1;
        if let Some(below) = rung.checked_sub(1) {
            let below = self.at(below);
            below.promoted.insert(trial);
            below.known.leave(trial);
        }
        self.place.insert(trial, rung);
    }

    fn ended(&mut self, end: Ended) {
        let Some(rung) = self.rung(end.until_step) else { return };
        let losses = end.losses(&self.directions);
        if let Entry::Occupied(mut legs) = self.under_way.entry(end.trial) {
            *legs.get_mut() -= 1;
            if *legs.get() == 0 {
                legs.remove();
            }
        }
        let at = self.at(rung);
        at.awaited = at.awaited.saturating_sub(1);
        if end.outcome == LegOutcome::Completed {
            at.finished.insert(end.trial);
            at.known.leave(end.trial);
        }
        if let (LegOutcome::Paused | LegOutcome::Completed, Some(_)) = (end.outcome, end.value) {
            at.insert(end.trial, losses);
        }
    }

    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        for (number, rung) in self.rungs.iter().enumerate().rev() {
            let known = rung.known.len() as u64;
            let all_known = last && rung.awaited == 0 && known > 0;
            // Values that a lower rung may still send up would change the ranking here.
            let settled = all_known && self.rungs[..number].iter().all(|below| below.awaited == 0);
            if self.synchronous && !settled {
                continue;
            }
            let allowed = (known / self.factor).max(u64::from(settled));
            for place in rung.known.standing() {
                let (rank, trial) = (place.rank as u64 + 1, place.trial);
                if rank > allowed {
                    break;
                }
                // One that is tried again still stands at its rung with its old value.
                let under_way = self.under_way.contains_key(&trial);
                let Some(value) = value(self.direction(), place.loss) else { continue };
                if !under_way && may_go_on(trial) {
                    let reason = Reason::Promoted { rung: self.step(number), value, rank, of: known };
                    return Some(Promotion { trial, until_step: self.step(number + 1), reason });
                }
            }
        }
        None
    }

    fn verdict(&self, trial: u64) -> Reason {
        let place = self.place.get(&trial).copied().unwrap_or(0);
        let found = self.rungs.get(place).and_then(|rung| Some((rung, rung.known.place(trial)?)));
        match found.and_then(|(rung, found)| Some((rung, found.rank, value(self.direction(), found.loss)?))) {
            Some((rung, rank, value)) => Reason::NotPromoted {
                rung: self.step(place),
                value,
                rank: rank as u64 + 1,
                of: rung.known.len() as u64,
                promoted: rung.promoted.len() as u64,
            },
            None => {
                let message =
                    format!("rung {}: it has no finite value, so it did not go on", self.step(place));
                Reason::Error { message }
            }
        }
    }
}

#[cfg(test)]
#[path = "asha_test.rs"]
mod asha_test;
