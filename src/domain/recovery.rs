//! Everything the scheduler needs to go on where the last process ended: the open rows.

use super::change::{
    Checkpoint, FoldResult, Leg, LegOutcome, LegRecord, NewAttempt, NewTrial, StepReport, SweepRow,
};
use super::descent::Descent;
use super::prior::Source;
use super::reason::Reason;
use super::sweep::SweepState;
use super::terms::PastTerms;
use super::time::Millis;
use super::trial::TrialState;
use super::value::Params;
use std::collections::BTreeMap;

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
    /// It is open for a retry alone, and goes back to this state afterwards.
    pub returns_to: Option<SweepState>,
    /// How many trials it has so far: the next one's number.
    pub trials: u64,
    /// How many of the last legs in a row came to nothing.
    pub idle_legs: u64,
    /// What its sampler and its stopper must know of what has been.
    pub past: Past,
    /// Legs that have not ended, by number.
    pub open_legs: Vec<u64>,
    /// Trials that have not ended, by number.
    pub open: Vec<OpenTrial>,
}

/// What decisions of a sweep may depend on besides its terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// Its earlier terms, oldest first.
    pub terms: Vec<PastTerms>,
    /// What it began with of earlier sweeps.
    pub sources: Vec<Source>,
    /// How many legs have been decided: the next one's number.
    pub legs: u64,
    /// Every leg, by number, where the sweep's methods need them ([`super::Sweep::needs_ends`]); else empty.
    pub records: Vec<LegRecord>,
    /// Every trial's configuration, by number, where they are needed ([`super::Sweep::needs_points`],
    /// [`super::Sweep::learns_memory`]); else empty.
    pub points: Vec<Params>,
    /// What the stopper said of running trials, in order, where it judges them; else empty.
    pub judgements: Vec<Judgement>,
    /// What completed trials reported of the objective's metric, by trial number and step, where the stopper needs it; else
    /// empty.
    pub curves: BTreeMap<u64, Vec<(u64, f64)>>,
    /// Where heirs come from, by trial number; only where a population is trained.
    pub descents: BTreeMap<u64, Descent>,
    /// Checkpoints that are kept for heirs, by their step and trial number.
    pub heirlooms: BTreeMap<(u64, u64), Checkpoint>,
}

/// What a stopper said of a running trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The input that led to it: the report.
    pub seq: i64,
    /// The trial's number.
    pub trial: u64,
    /// What it said.
    pub reason: Reason,
}

/// That a trial was told to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    /// The input that led to it.
    pub seq: i64,
    /// Why.
    pub reason: Reason,
}

/// A trial that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTrial {
    /// The trial.
    pub row: NewTrial,
    /// Its state.
    pub state: TrialState,
    /// What is known of its folds, by number; the one that has all of its data, where there are no folds.
    pub folds: Vec<OpenFold>,
    /// That it was told to end, while it is stopping.
    pub stopping: Option<Stopping>,
    /// Why what is left of its folds is not tried any more.
    pub given_up: Option<Reason>,
    /// Not to be handed out before; see [`super::Change::TrialHeld`].
    pub ready: Option<Millis>,
    /// Needs its device for itself.
    pub alone: bool,
    /// Into how many parts each of its batches is split.
    pub accumulate: u32,
}

/// A fold of a trial that has not ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenFold {
    /// Its latest leg, if one was cut.
    pub leg: Option<Leg>,
    /// How that ended, unless the trial is tried again since.
    pub outcome: Option<LegOutcome>,
    /// The attempt at it that has not ended.
    pub attempt: Option<NewAttempt>,
    /// What has been reported so far, by step.
    pub reports: Vec<StepReport>,
    /// Its checkpoints, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Why earlier attempts at its latest leg ended without a result, oldest first.
    pub setbacks: Vec<Reason>,
    /// Why the latest attempt at it ended.
    pub ended: Option<Reason>,
    /// What it is worth, where it has spent its budget and the trial has folds.
    pub result: Option<FoldResult>,
    /// The environment of its first attempt, which later ones must have too.
    pub environment: Option<BTreeMap<String, String>>,
}
