//! What the core remembers of the sweeps that are not over.

use crate::domain::{
    Decision, Leg, Metrics, Millis, NewAttempt, NewTrial, SweepRow, SweepState, TrialId, TrialState,
};
use crate::sampler::Sampler;
use crate::space::Space;
use std::collections::BTreeMap;

/// A sweep with work left.
pub(super) struct Active {
    pub row: SweepRow,
    pub space: Space,
    pub sampler: Box<dyn Sampler>,
    /// Trials created so far: the next one's number.
    pub created: u64,
    /// Legs handed out so far: the next one's number.
    pub legs: u64,
    /// The sampler has nothing more.
    pub exhausted: bool,
    /// Trials that have not ended. Ids grow with numbers, so the first queued one is the oldest.
    pub open: BTreeMap<TrialId, Open>,
}

/// A trial that has not ended.
pub(super) struct Open {
    pub row: NewTrial,
    pub state: TrialState,
    pub leg: Option<Leg>,
    pub attempt: Option<Attempt>,
    /// What was reported for each step, and the decision that was answered.
    pub steps: BTreeMap<u64, (Metrics, Decision)>,
    /// The best step so far and the value there.
    pub best: Option<(u64, f64)>,
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
        self.open.values().filter(|trial| trial.attempt.is_some()).count()
    }

    /// Whether another trial may start now.
    pub fn may_start(&self) -> bool {
        let below_limit = self.row.spec.search.parallel.is_none_or(|limit| self.running() < limit as usize);
        self.row.state == SweepState::Active && below_limit
    }

    /// Whether the sampler may be asked for another trial.
    pub fn may_create(&self) -> bool {
        !self.exhausted && self.row.spec.search.trials.is_none_or(|limit| self.created < limit)
    }

    /// The oldest trial that waits for a slot.
    pub fn first_queued(&self) -> Option<TrialId> {
        self.open.iter().find(|(_, trial)| trial.state == TrialState::Queued).map(|(id, _)| *id)
    }
}

impl Open {
    pub fn new(row: NewTrial) -> Self {
        Self { row, state: TrialState::Queued, leg: None, attempt: None, steps: BTreeMap::new(), best: None }
    }
}
