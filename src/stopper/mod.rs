//! Stoppers: which trials go on from a rung, and which never do.
//!
//! A stopper is fed two kinds of news, legs that were decided and legs that ended, and asked what to do next.
//! What it answers depends on the set of news alone, not on their order, so it can be rebuilt from stored
//! rows. Pure: no clock, no random numbers, no input or output.

mod asha;

use crate::domain::sweep::StopperSpec;
use crate::domain::{Direction, LegOutcome, Reason};

/// News of a leg that ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ended {
    /// The trial's number.
    pub trial: u64,
    /// The step at which the leg was to end; `None` for the trial's own budget.
    pub until_step: Option<u64>,
    /// How it ended.
    pub outcome: LegOutcome,
    /// The trial's best value so far.
    pub value: Option<f64>,
}

/// A paused trial that is to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// The trial's number.
    pub trial: u64,
    /// The step at which its next leg ends.
    pub until_step: u64,
    /// Why.
    pub reason: Reason,
}

/// Decides which trials go on.
pub trait Stopper: Send + Sync {
    /// The step at which a new trial's first leg ends.
    fn first_rung(&self) -> u64;

    /// A leg of `trial` up to `until_step` was decided.
    fn decided(&mut self, trial: u64, until_step: Option<u64>);

    /// A leg ended.
    fn ended(&mut self, end: Ended);

    /// The paused trial that is to go on now, if one is. `last` says that no new trial will come, `may_go_on` of a
    /// trial whether it is still there: the user may have ended it.
    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion>;

    /// Why a trial that is paused for good did not go on.
    fn verdict(&self, trial: u64) -> Reason;
}

/// The stopper that a sweep names.
#[must_use]
pub fn build(spec: &StopperSpec, direction: Direction) -> Box<dyn Stopper> {
    match *spec {
        StopperSpec::Asha { min_steps, factor } => Box::new(asha::Asha::new(min_steps, factor, direction)),
    }
}
