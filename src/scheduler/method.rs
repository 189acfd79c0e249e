//! A sweep's sampler and stopper, and what of the past they may see.
//!
//! With `order = "arrival"` that is everything, at once. With `order = "number"` the decision about leg k sees
//! the ends of legs 0 to k - parallel and no other, however long the others have been known: news of an end
//! waits here until a decision may see it.

use super::feasible::plan_of;
use crate::domain::recovery::OpenSweep;
use crate::domain::sweep::Order;
use crate::domain::{Direction, LegRecord, Params, Reason, Sweep};
use crate::sampler::{self, Ask, Sampler, Suggestion};
use crate::space::Space;
use crate::stopper::{self, Ended, Promotion, Stopper};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What the next leg is.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// A trial that waits without a leg: asked for by the user, or tried again.
    Waiting(T),
    /// A paused trial goes on.
    Promotion(Promotion),
    /// A new trial.
    New(Params, Reason),
    /// There is nothing to do.
    Nothing,
}

/// A sweep's sampler and stopper.
pub(super) struct Method {
    pub sampler: Box<dyn Sampler>,
    pub stopper: Option<Box<dyn Stopper>>,
    direction: Direction,
    order: Order,
    parallel: u64,
    /// Ends that no decision has been allowed to see, by leg number.
    unseen: BTreeMap<u64, Ended>,
}

impl Method {
    /// The methods that a sweep names, knowing nothing yet.
    pub fn new(spec: &Sweep) -> Self {
        let direction = spec.objective.direction;
        Self {
            sampler: sampler::build(&spec.search.sampler),
            stopper: spec.search.stopper.as_ref().map(|stopper| stopper::build(stopper, direction)),
            direction,
            order: spec.search.order,
            parallel: u64::from(spec.search.parallel.unwrap_or(1)),
            unseen: BTreeMap::new(),
        }
    }

    /// Learns what stored legs say. They are needed only where there is a stopper.
    pub fn learn(&mut self, stored: &OpenSweep) {
        for record in &stored.records {
            let Some(trial) = record.trial else { continue };
            self.decided(trial, record.until_step);
        }
        // The best first: a stopper ranks what it is told, and a million ends in any other order would be moved
        // about in its ranking a million times. To what it knows in the end the order makes no difference.
        let mut ended: Vec<(u64, Ended)> = stored.records.iter().filter_map(end_of).collect();
        ended.sort_by(|(_, a), (_, b)| rank(self.direction, a, b));
        for (leg, end) in ended {
            self.ended(leg, end);
        }
        if let Some(last) = stored.legs.checked_sub(1) {
            self.show_for(last);
        }
    }

    /// A leg was decided.
    pub fn decided(&mut self, trial: u64, until_step: Option<u64>) {
        if let Some(stopper) = &mut self.stopper {
            stopper.decided(trial, until_step);
        }
    }

    /// A leg ended.
    pub fn ended(&mut self, leg: u64, end: Ended) {
        match (self.order, &mut self.stopper) {
            (_, None) => {}
            (Order::Arrival, Some(stopper)) => stopper.ended(end),
            (Order::Number, Some(_)) => {
                self.unseen.insert(leg, end);
            }
        }
    }

    /// Whether the decision about leg `number` may be made while `first_open` is the first leg that has not
    /// ended.
    pub fn may_decide(&self, number: u64, first_open: Option<u64>) -> bool {
        match self.order {
            Order::Arrival => true,
            Order::Number => first_open.is_none_or(|open| number < open.saturating_add(self.parallel)),
        }
    }

    /// Shows the stopper every end that the decision about leg `number` may see.
    pub fn show_for(&mut self, number: u64) {
        let direction = self.direction;
        let Some(stopper) = &mut self.stopper else { return };
        let Some(last) = number.checked_sub(self.parallel) else { return };
        let hidden = self.unseen.split_off(&(last + 1));
        let mut seen: Vec<Ended> = std::mem::replace(&mut self.unseen, hidden).into_values().collect();
        seen.sort_by(|a, b| rank(direction, a, b));
        for end in seen {
            stopper.ended(end);
        }
    }

    /// What the next leg is, given what has been shown. `waiting` is the first trial that waits without a leg,
    /// `suggest` the configuration of the next new trial, `None` where there will be none; it is asked for only
    /// where it matters. `may_go_on` says of a trial's number whether the trial is still there to go on.
    ///
    /// Nothing else counts: what has been known to an earlier process must not.
    pub fn next<T>(
        &self,
        waiting: Option<T>,
        may_go_on: &dyn Fn(u64) -> bool,
        suggest: impl FnOnce() -> Option<(Params, Reason)>,
    ) -> Next<T> {
        if let Some(waiting) = waiting {
            return Next::Waiting(waiting);
        }
        let promote = |last| self.stopper.as_ref().and_then(|stopper| stopper.promote(last, may_go_on));
        let (promotion, at_last) = (promote(false), promote(true));
        match promotion {
            Some(promotion) if at_last.as_ref() == Some(&promotion) => Next::Promotion(promotion),
            promotion => match (promotion, suggest()) {
                (Some(promotion), Some(_)) => Next::Promotion(promotion),
                (None, Some((params, reason))) => Next::New(params, reason),
                (_, None) => at_last.map_or(Next::Nothing, Next::Promotion),
            },
        }
    }

    /// The sampler's configuration of trial `number`; `None` where it has nothing more.
    pub fn suggest(&self, spec: &Sweep, space: &Space, number: u64) -> Option<(Params, Reason)> {
        let suggestion = self.sampler.suggest(&Ask {
            space,
            seed: spec.seed,
            number,
            // The samplers at hand look at no observations (`needs_observations`).
            observations: &[],
            feasible: &|params| plan_of(spec.objective.kind, params).map(|_| ()),
        });
        match suggestion {
            Suggestion::Trial { params, reason } => Some((params, reason)),
            Suggestion::Exhausted { reason } => {
                tracing::info!(sweep = spec.name, %reason, "the sampler has no further configuration");
                None
            }
        }
    }

    /// The step at which the first leg of a trial ends.
    pub fn first_rung(&self) -> Option<u64> {
        self.stopper.as_ref().map(|stopper| stopper.first_rung())
    }

    /// Whether so many legs in a row that came to nothing end the sweep, given whether any leg is open.
    pub fn is_over(&self, idle_legs: u64, has_open_legs: bool) -> bool {
        match self.order {
            Order::Arrival => !has_open_legs,
            Order::Number => idle_legs >= self.parallel,
        }
    }

    /// What of it decides the future, as text.
    #[cfg(test)]
    pub fn essence(&self) -> String {
        let stopper = self.stopper.as_ref();
        let promote = |last| stopper.map(|stopper| stopper.promote(last, &|_| true));
        format!("unseen {:?} next {:?} last {:?}", self.unseen, promote(false), promote(true))
    }

    /// Whether a decision that comes to nothing takes a leg number.
    pub fn counts_idle_legs(&self) -> bool {
        self.order == Order::Number
    }
}

/// The end of a leg that has a trial.
fn end_of(record: &LegRecord) -> Option<(u64, Ended)> {
    let (trial, end) = (record.trial?, record.end?);
    let ended = Ended { trial, until_step: record.until_step, outcome: end.outcome, value: end.value };
    Some((record.number, ended))
}

/// The better value first, equal ones by number; those without a value last.
fn rank(direction: Direction, a: &Ended, b: &Ended) -> Ordering {
    let by_value = match (a.value, b.value) {
        (Some(a), Some(b)) if direction == Direction::Minimize => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    by_value.then(a.trial.cmp(&b.trial))
}
