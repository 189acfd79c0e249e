//! Asynchronous successive halving by promotion (Li et al., "A System for Massively Parallel Hyperparameter
//! Tuning", MLSys 2020, algorithm 2): a trial pauses at each rung and goes on when it is among the best
//! `1/factor` of the values known there.
//!
//! Two additions for sweeps that end: a trial whose own budget is spent before a rung counts at that rung with
//! its final value; and when no new trial will come and a rung has all its values, its best goes on even
//! where `1/factor` of them is less than one, so that a small sweep has a winner.

use super::{Ended, Promotion, Stopper};
use crate::domain::{Direction, LegOutcome, Reason};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Successive halving by promotion.
#[derive(Debug)]
pub(super) struct Asha {
    min_steps: u64,
    factor: u64,
    direction: Direction,
    rungs: Vec<Rung>,
    /// How far each trial has got: the rung it stands at, from 0.
    place: BTreeMap<u64, usize>,
    /// Legs of each trial that were decided and have not ended.
    under_way: BTreeMap<u64, u64>,
}

/// What is known at one rung.
#[derive(Debug, Default)]
struct Rung {
    /// The values by rank: best first, equal ones by the trial's number.
    ranked: Vec<(f64, u64)>,
    /// Legs to this rung that were decided and have not ended.
    awaited: u64,
    /// Trials that went on from here.
    promoted: BTreeSet<u64>,
    /// Trials that have their value here but stand nowhere: their budget is spent.
    finished: BTreeSet<u64>,
}

impl Asha {
    pub fn new(min_steps: u64, factor: u64, direction: Direction) -> Self {
        let (min_steps, factor) = (min_steps.max(1), factor.max(2));
        Self {
            min_steps,
            factor,
            direction,
            rungs: Vec::new(),
            place: BTreeMap::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// The absolute step of a rung.
    fn step(&self, rung: usize) -> u64 {
        let power = u32::try_from(rung).unwrap_or(u32::MAX);
        self.min_steps.saturating_mul(self.factor.saturating_pow(power))
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

    fn insert(&mut self, rung: usize, value: f64, trial: u64) {
        let (entry, direction) = ((value, trial), self.direction);
        let ranked = &mut self.at(rung).ranked;
        // A trial that was tried again counts once.
        ranked.retain(|(_, other)| *other != trial);
        let place = ranked.partition_point(|other| order(direction, *other, entry) == Ordering::Less);
        ranked.insert(place, entry);
    }
}

fn order(direction: Direction, a: (f64, u64), b: (f64, u64)) -> Ordering {
    let by_value = match direction {
        Direction::Minimize => a.0.total_cmp(&b.0),
        Direction::Maximize => b.0.total_cmp(&a.0),
    };
    by_value.then(a.1.cmp(&b.1))
}

impl Stopper for Asha {
    fn first_rung(&self) -> u64 {
        self.min_steps
    }

    fn decided(&mut self, trial: u64, until_step: Option<u64>) {
        let Some(rung) = self.rung(until_step) else { return };
        self.at(rung).awaited += 1;
        *self.under_way.entry(trial).or_default() += 1;
        if let Some(below) = rung.checked_sub(1) {
            self.at(below).promoted.insert(trial);
        }
        self.place.insert(trial, rung);
    }

    fn ended(&mut self, end: Ended) {
        let Some(rung) = self.rung(end.until_step) else { return };
        let at = self.at(rung);
        at.awaited = at.awaited.saturating_sub(1);
        if let Some(legs) = self.under_way.get_mut(&end.trial) {
            *legs = legs.saturating_sub(1);
        }
        let finished = end.outcome == LegOutcome::Completed;
        if let (LegOutcome::Paused | LegOutcome::Completed, Some(value)) = (end.outcome, end.value) {
            self.insert(rung, value, end.trial);
        }
        if finished {
            self.at(rung).finished.insert(end.trial);
        }
    }

    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        for (number, rung) in self.rungs.iter().enumerate().rev() {
            let known = rung.ranked.len() as u64;
            let all_known = last && rung.awaited == 0 && known > 0;
            // Values that a lower rung may still send up would change the ranking here.
            let settled = all_known && self.rungs[..number].iter().all(|below| below.awaited == 0);
            let allowed = (known / self.factor).max(u64::from(settled));
            let best = rung.ranked.iter().take(usize::try_from(allowed).unwrap_or(usize::MAX));
            let open = |(_, trial): &&(f64, u64)| {
                let ready = !rung.promoted.contains(trial) && !rung.finished.contains(trial);
                // One that is tried again still stands at its rung with its old value.
                ready && self.under_way.get(trial).is_none_or(|legs| *legs == 0) && may_go_on(*trial)
            };
            if let Some((rank, (value, trial))) = (1..).zip(best).find(|(_, entry)| open(entry)) {
                let step = self.step(number);
                let reason = Reason::Promoted { rung: step, value: *value, rank, of: known };
                return Some(Promotion { trial: *trial, until_step: self.step(number + 1), reason });
            }
        }
        None
    }

    fn verdict(&self, trial: u64) -> Reason {
        let place = self.place.get(&trial).copied().unwrap_or(0);
        let found = self.rungs.get(place).and_then(|rung| {
            let at = rung.ranked.iter().position(|(_, number)| *number == trial)?;
            Some((rung, at))
        });
        match found {
            Some((rung, at)) => Reason::NotPromoted {
                rung: self.step(place),
                value: rung.ranked[at].0,
                rank: at as u64 + 1,
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
