//! Sweeps side by side: how good their trials are as a whole, and how soon they became so.

use super::choose::spread;
use crate::domain::{Direction, TrialState};
use crate::store::query::TrialPoint;
use serde::Serialize;

/// The most points of a line.
const MOST: usize = 400;

/// A sweep beside others.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Compared {
    /// Trials that completed.
    pub completed: u64,
    /// A value, and which share of the completed trials is at least as good: the best first.
    pub edf: Vec<(f64, f64)>,
    /// A trial's number, and the best value of all completed trials up to it, wherever that moved.
    pub history: Vec<(u64, f64)>,
}

/// The lines of one sweep; `points` by number.
#[must_use]
pub fn compared(points: &[TrialPoint], direction: Direction) -> Compared {
    let completed = points.iter().filter(|point| point.state == TrialState::Completed);
    let completed: Vec<(u64, f64)> = completed
        .filter_map(|point| Some((point.number, point.value.filter(|value| value.is_finite())?)))
        .collect();
    let history = improvements(completed.iter().copied(), direction);
    let mut values: Vec<f64> = completed.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(|a, b| direction.signed(*a).total_cmp(&direction.signed(*b)));
    let share = |place: usize| (values[place], (place + 1) as f64 / values.len() as f64);
    Compared {
        completed: completed.len() as u64,
        edf: spread(values.len(), MOST).map(share).collect(),
        history: spread(history.len(), MOST).map(|place| history[place]).collect(),
    }
}

/// The completed trials that were better than all before them.
#[must_use]
pub fn moves(points: &[TrialPoint], direction: Direction) -> Vec<TrialPoint> {
    let completed = points.iter().filter(|point| point.state == TrialState::Completed);
    let valued = completed.filter_map(|point| Some((*point, point.value.filter(|value| value.is_finite())?)));
    improvements(valued, direction).into_iter().map(|(point, _)| point).collect()
}

/// Wherever the best value so far moved.
pub(super) fn improvements<K>(values: impl Iterator<Item = (K, f64)>, direction: Direction) -> Vec<(K, f64)> {
    let mut best = f64::INFINITY;
    values
        .filter(|(_, value)| {
            let loss = direction.signed(*value);
            let is_better = loss < best;
            best = best.min(loss);
            is_better
        })
        .collect()
}
