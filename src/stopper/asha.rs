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

use super::ranking::{Ranking, loss, value};
use super::{Ended, Promotion, Stopper};
use crate::domain::{Direction, LegOutcome, Reason};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Successive halving by promotion.
#[derive(Debug)]
pub(super) struct Asha {
    min_steps: u64,
    factor: u64,
    direction: Direction,
    /// Nothing goes on before all values of its rung are known.
    synchronous: bool,
    rungs: Vec<Rung>,
    /// How far each trial has got: the rung it stands at, from 0.
    place: BTreeMap<u64, usize>,
    /// Legs of each trial that were decided and have not ended.
    under_way: BTreeMap<u64, u64>,
}

/// What is known at one rung.
#[derive(Debug, Default)]
struct Rung {
    /// Every trial's loss.
    losses: BTreeMap<u64, f64>,
    ranked: Ranking,
    /// Those of them that have not gone on, and may.
    standing: Ranking,
    /// Legs to this rung that were decided and have not ended.
    awaited: u64,
    /// Trials that went on from here.
    promoted: BTreeSet<u64>,
    /// Trials that have their value here but stand nowhere: their budget is spent.
    finished: BTreeSet<u64>,
}

impl Rung {
    /// A trial has its value. One that was tried again counts once.
    fn insert(&mut self, trial: u64, loss: f64) {
        if let Some(earlier) = self.losses.insert(trial, loss) {
            self.ranked.remove((earlier, trial));
            self.standing.remove((earlier, trial));
        }
        self.ranked.insert((loss, trial));
        if !self.promoted.contains(&trial) && !self.finished.contains(&trial) {
            self.standing.insert((loss, trial));
        }
    }

    /// A trial stands here no longer.
    fn leave(&mut self, trial: u64) {
        if let Some(loss) = self.losses.get(&trial) {
            self.standing.remove((*loss, trial));
        }
    }
}

impl Asha {
    pub fn new(min_steps: u64, factor: u64, direction: Direction) -> Self {
        let (min_steps, factor) = (min_steps.max(1), factor.max(2));
        Self {
            min_steps,
            factor,
            direction,
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
            self.rungs.push(Rung::default());
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
            below.leave(trial);
        }
        self.place.insert(trial, rung);
    }

    fn ended(&mut self, end: Ended) {
        let Some(rung) = self.rung(end.until_step) else { return };
        let direction = self.direction;
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
            at.leave(end.trial);
        }
        if let (LegOutcome::Paused | LegOutcome::Completed, Some(_)) = (end.outcome, end.value) {
            at.insert(end.trial, loss(direction, end.value));
        }
    }

    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        for (number, rung) in self.rungs.iter().enumerate().rev() {
            let known = rung.ranked.len() as u64;
            let all_known = last && rung.awaited == 0 && known > 0;
            // Values that a lower rung may still send up would change the ranking here.
            let settled = all_known && self.rungs[..number].iter().all(|below| below.awaited == 0);
            if self.synchronous && !settled {
                continue;
            }
            let allowed = (known / self.factor).max(u64::from(settled));
            for entry in rung.standing.iter() {
                let (rank, trial) = (rung.ranked.rank(entry) as u64 + 1, entry.1);
                if rank > allowed {
                    break;
                }
                // One that is tried again still stands at its rung with its old value.
                let under_way = self.under_way.contains_key(&trial);
                let Some(value) = value(self.direction, entry.0) else { continue };
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
        let found = self.rungs.get(place).and_then(|rung| Some((rung, *rung.losses.get(&trial)?)));
        match found.and_then(|(rung, loss)| Some((rung, loss, value(self.direction, loss)?))) {
            Some((rung, loss, value)) => Reason::NotPromoted {
                rung: self.step(place),
                value,
                rank: rung.ranked.rank((loss, trial)) as u64 + 1,
                of: rung.ranked.len() as u64,
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
