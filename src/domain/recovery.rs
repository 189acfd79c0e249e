//! Everything the scheduler needs to go on where the last process ended: the open rows.

use super::change::{Leg, NewAttempt, NewTrial, StepReport, SweepRow};
use super::trial::TrialState;

/// What is open in the database, and where the counters stand. The scheduler's only way to start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recovery {
    /// How many inputs have been handled.
    pub seq: i64,
    /// Largest id given out so far, each.
    pub last_sweep: i64,
    /// See `last_sweep`.
    pub last_trial: i64,
    /// See `last_sweep`.
    pub last_leg: i64,
    /// See `last_sweep`.
    pub last_attempt: i64,
    /// Sweeps that are not over, oldest first.
    pub sweeps: Vec<OpenSweep>,
}

/// A sweep that is not over.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenSweep {
    /// The sweep.
    pub row: SweepRow,
    /// How many trials it has so far: the next one's number.
    pub trials: u64,
    /// How many legs it has handed out: the next one's number.
    pub legs: u64,
    /// Trials that have not ended, by number.
    pub open: Vec<OpenTrial>,
}

/// A trial that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTrial {
    /// The trial.
    pub row: NewTrial,
    /// Its state.
    pub state: TrialState,
    /// Its latest leg, if one was cut.
    pub leg: Option<Leg>,
    /// The attempt at it that has not ended.
    pub attempt: Option<NewAttempt>,
    /// What has been reported so far, by step.
    pub reports: Vec<StepReport>,
}
