//! A sweep's decisions as they are stored: what they can be derived from again.

use super::change::LegRecord;
use super::event::EventKind;
use super::reason::Reason;
use super::sweep::Sweep;
use super::value::Params;

/// Everything that was decided in a sweep, and everything that the decisions saw.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDecisions {
    /// What the sweep is.
    pub spec: Sweep,
    /// Its trials, by number.
    pub trials: Vec<StoredTrial>,
    /// Its legs, by number.
    pub legs: Vec<LegRecord>,
    /// Its record, in order.
    pub events: Vec<StoredEvent>,
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
