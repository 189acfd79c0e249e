//! What the core remembers of the sweeps that are not over.

use super::method::Method;
use super::trials::Trials;
use crate::domain::{
    AttemptId, Checkpoint, Decision, Leg, Metrics, Millis, NewAttempt, NewTrial, Reason, SweepRow,
    SweepState, TrialState,
};
use std::collections::{BTreeMap, BTreeSet};

/// A sweep with work left.
pub(super) struct Active {
    pub row: SweepRow,
    /// Sampler and stopper, and what they may see.
    pub method: Method,
    /// Trials created so far: the next one's number.
    pub created: u64,
    /// Legs decided so far: the next one's number.
    pub legs: u64,
    /// Numbers of the legs that have not ended.
    pub open_legs: BTreeSet<u64>,
    /// How many of the last legs in a row came to nothing.
    pub idle_legs: u64,
    /// It is open for a retry alone: it has no new trials and no time limit, and goes back to this state.
    pub returns_to: Option<SweepState>,
    /// Its trials have been told that its time is up.
    pub time_was_up: bool,
    /// Checkpoints that are kept for heirs of a population, by their step and trial number.
    pub heirlooms: BTreeMap<(u64, u64), Checkpoint>,
    /// Trials that have not ended.
    pub open: Trials,
}

/// A trial that has not ended.
pub(super) struct Open {
    pub row: NewTrial,
    pub state: TrialState,
    /// The leg that is waiting, being worked on, or ended last.
    pub leg: Option<Leg>,
    /// That leg has not ended.
    pub has_leg: bool,
    pub attempt: Option<Attempt>,
    pub steps: BTreeMap<u64, Step>,
    /// The best step so far and the value there.
    pub best: Option<(u64, f64)>,
    /// What came with its end, for objectives that its steps say nothing of.
    pub told: Metrics,
    /// The stopper's word that it is to end, once it has been given to the attempt.
    pub to_end: Option<ToEnd>,
    /// Newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Why earlier attempts at the leg ended without a result.
    pub setbacks: Vec<Reason>,
    /// Not to be handed out before.
    pub ready: Option<Millis>,
    /// Needs its device for itself.
    pub alone: bool,
    /// Since when it waits, as far as this process knows.
    pub waits_since: Millis,
    /// Into how many parts each of its batches is split.
    pub accumulate: u32,
    /// The environment of its first attempt.
    pub environment: Option<BTreeMap<String, String>>,
}

/// A step that was reported.
pub(super) struct Step {
    pub metrics: Metrics,
    /// By which attempt.
    pub attempt: AttemptId,
    /// What was answered.
    pub answer: Decision,
}

/// A stopper's word that a trial is to end.
#[derive(Debug, PartialEq)]
pub(super) struct ToEnd {
    /// The step at which it was given.
    pub step: u64,
    pub reason: Reason,
}

/// The open attempt at a trial.
pub(super) struct Attempt {
    pub row: NewAttempt,
    /// Until when silence is accepted; `None` for ever.
    pub lease_until: Option<Millis>,
    /// It began under an earlier daemon, whose end may have taken the worker along.
    pub recovered: bool,
}

impl Active {
    /// Trials that occupy a slot.
    pub fn running(&self) -> usize {
        self.open.busy()
    }

    /// Whether another trial may start now.
    pub fn may_start(&self, now: Millis) -> bool {
        let below_limit = self.row.spec.search.parallel.is_none_or(|limit| self.running() < limit as usize);
        self.row.state == SweepState::Active && below_limit && !self.time_is_up(now)
    }

    /// Whether the sweep's time is up.
    pub fn time_is_up(&self, now: Millis) -> bool {
        // A clock that was set back gives no time back.
        self.time_was_up || self.ends_at().is_some_and(|end| end <= now)
    }

    /// Whether the sweep may have another trial.
    pub fn may_create(&self) -> bool {
        let more = self.row.spec.search.trials.is_none_or(|limit| self.created < limit);
        more && self.returns_to.is_none()
    }

    /// Whether a leg waits or is being worked on.
    pub fn has_open_legs(&self) -> bool {
        !self.open_legs.is_empty()
    }

    /// When the sweep's time is up: by its limit or its deadline, whichever comes first.
    pub fn ends_at(&self) -> Option<Millis> {
        if self.returns_to.is_some() {
            return None;
        }
        self.row.ends_at()
    }
}

impl Open {
    pub fn new(row: NewTrial) -> Self {
        Self {
            waits_since: row.created,
            row,
            state: TrialState::Queued,
            leg: None,
            has_leg: false,
            attempt: None,
            steps: BTreeMap::new(),
            best: None,
            told: Metrics::default(),
            to_end: None,
            checkpoints: Vec::new(),
            setbacks: Vec::new(),
            ready: None,
            alone: false,
            accumulate: 1,
            environment: None,
        }
    }

    /// Whether nothing of its budget is left after a step, as far as is known.
    pub fn is_spent_at(&self, step: u64) -> bool {
        self.row.budget_steps.is_some_and(|budget| step >= budget)
    }

    /// What it has reported of a metric, by step.
    pub fn curve(&self, metric: &str) -> Vec<(u64, f64)> {
        let value = |(step, reported): (&u64, &Step)| Some((*step, reported.metrics.get(metric)?));
        self.steps.iter().filter_map(value).collect()
    }

    /// The last step reported; before any, the step that it begins after.
    pub fn last_step(&self) -> u64 {
        self.steps.last_key_value().map_or_else(|| self.first_step(), |(step, _)| *step)
    }
}
