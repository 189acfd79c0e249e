//! What the core remembers of the sweeps that are not over.

use super::folds::Place;
use super::method::Method;
use super::trials::Trials;
use crate::domain::{
    AttemptId, Checkpoint, Decision, FoldResult, Leg, LegOutcome, Metrics, Millis, NewAttempt, NewTrial,
    Reason, SweepRow, SweepState, TrialId, TrialState,
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
    /// One per fold; one where there are no folds.
    pub runs: Vec<Run>,
    /// The stopper's word that it is to end, once it has been given to the attempt.
    pub to_end: Option<ToEnd>,
    /// Why what is left of its folds is not tried any more.
    pub given_up: Option<Reason>,
    /// Not to be handed out before.
    pub ready: Option<Millis>,
    /// Needs its device for itself.
    pub alone: bool,
    /// Since when it waits, as far as this process knows.
    pub waits_since: Millis,
    /// Into how many parts each of its batches is split.
    pub accumulate: u32,
}

/// One fold of an open trial, by number. Ordered by trial: the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RunId {
    pub trial: TrialId,
    pub fold: usize,
}

/// A trial's way through one fold of the data, or through all of it.
#[derive(Default)]
pub(super) struct Run {
    /// The leg that is waiting, being worked on, or ended last.
    pub leg: Option<Leg>,
    /// That leg has not ended.
    pub has_leg: bool,
    /// How the last leg ended, until the next is decided or wanted.
    pub outcome: Option<LegOutcome>,
    pub attempt: Option<Attempt>,
    pub steps: BTreeMap<u64, Step>,
    /// The best step so far and the value there.
    pub best: Option<(u64, f64)>,
    /// What came with its end, for objectives that its steps say nothing of.
    pub told: Metrics,
    /// The step that it begins after: of an heir where its parent stood, else 0.
    pub first_step: u64,
    /// Newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Why earlier attempts at the leg ended without a result.
    pub setbacks: Vec<Reason>,
    /// Why the latest attempt ended.
    pub ended: Option<Reason>,
    /// What it is worth, once it has spent its budget; only where there are folds.
    pub result: Option<FoldResult>,
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
    /// Into how many parts it splits each batch, as far as this process knows. Another fold may have found since that
    /// the trial needs more.
    pub parts: u32,
    /// It began under an earlier daemon, whose end may have taken the worker along.
    pub recovered: bool,
}

impl Active {
    /// Trials, or folds of trials, that occupy a slot.
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
    /// A trial that nobody has worked on, with so many folds.
    pub fn new(row: NewTrial, folds: u32) -> Self {
        let first_step = row.first_step();
        Self {
            waits_since: row.created,
            row,
            state: TrialState::Queued,
            runs: (0..folds).map(|_| Run { first_step, ..Run::default() }).collect(),
            to_end: None,
            given_up: None,
            ready: None,
            alone: false,
            accumulate: 1,
        }
    }

    /// Whether nothing of its budget is left after a step, as far as is known.
    pub fn is_spent_at(&self, step: u64) -> bool {
        self.row.budget_steps.is_some_and(|budget| step >= budget)
    }

    /// Whether its data are divided into folds.
    pub fn has_folds(&self) -> bool {
        self.runs.len() > 1
    }

    /// The fold that an open attempt works on.
    pub fn fold_of(&self, attempt: AttemptId) -> Option<usize> {
        let is_it = |run: &Run| run.attempt.as_ref().is_some_and(|open| open.row.id == attempt);
        self.runs.iter().position(is_it)
    }

    /// Whether anybody works on it.
    pub fn is_worked_on(&self) -> bool {
        self.runs.iter().any(|run| run.attempt.is_some())
    }

    /// Where its folds stand.
    pub fn places(&self) -> Vec<Place> {
        self.runs.iter().map(Run::place).collect()
    }
}

impl Run {
    /// Where it stands.
    pub fn place(&self) -> Place {
        match (self.has_leg, self.leg, self.outcome) {
            (true, _, _) => Place::Open,
            (false, Some(leg), Some(outcome)) => Place::Ended { leg: leg.number, outcome },
            _ => Place::Undecided,
        }
    }

    /// What it has reported of a metric, by step.
    pub fn curve(&self, metric: &str) -> Vec<(u64, f64)> {
        let value = |(step, reported): (&u64, &Step)| Some((*step, reported.metrics.get(metric)?));
        self.steps.iter().filter_map(value).collect()
    }

    /// The last step reported; before any, the step that it begins after.
    pub fn last_step(&self) -> u64 {
        self.steps.last_key_value().map_or(self.first_step, |(step, _)| *step)
    }
}
