//! A sweep's decisions as they are stored: what they can be derived from again.

use super::change::LegRecord;
use super::event::EventKind;
use super::prior::Source;
use super::reason::Reason;
use super::sweep::Sweep;
use super::terms::PastTerms;
use super::value::Params;

/// Everything that was decided in a sweep, and everything that the decisions saw.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDecisions {
    /// What the sweep is now.
    pub spec: Sweep,
    /// The terms that it had before, oldest first.
    pub terms: Vec<PastTerms>,
    /// What it began with of earlier sweeps.
    pub sources: Vec<Source>,
    /// Its trials, by number.
    pub trials: Vec<StoredTrial>,
    /// Its legs, by number.
    pub legs: Vec<LegRecord>,
    /// Its record, in order.
    pub events: Vec<StoredEvent>,
    /// What trials reported of the objective's metric and what of it still counts, in order, where the stopper judges
    /// running trials; else empty.
    pub reports: Vec<StoredReport>,
}

/// A trial as it was suggested.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrial {
    /// Its number.
    pub number: u64,
    /// Its configuration.
    pub params: Params,
    /// Why this one.
    pub suggested: Reason,
    /// Its whole budget in steps, where it is known.
    pub budget_steps: Option<u64>,
}

/// An entry of the record, with the trial's number.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The input that led to it.
    pub seq: i64,
    /// What.
    pub kind: EventKind,
    /// Which trial, if one.
    pub trial: Option<u64>,
    /// Why.
    pub reason: Option<Reason>,
}

/// One step's value, with the trial's number.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredReport {
    /// The input that it came with.
    pub seq: i64,
    /// Which trial.
    pub trial: u64,
    /// Which step.
    pub step: u64,
    /// The value.
    pub value: f64,
    /// Its values by the further objectives; nothing where there are none.
    pub further: Vec<Option<f64>>,
}
