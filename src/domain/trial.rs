//! A trial's states, and the one function that moves between them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// Has a leg that waits to be handed out.
    Queued,
    /// A leg of it is being worked on.
    Running,
    /// Between legs: something else decides whether it goes on.
    Paused,
    /// Told to end; its worker has not answered yet.
    Stopping,
    /// Ended with its full budget spent. Ranked.
    Completed,
    /// Ended early by a stopper. Shown unranked.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Ended by the user.
    Cancelled,
}

/// What can happen to a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialEvent {
    /// A leg was handed out.
    Started,
    /// Its worker went away, or a leg of it is to be continued: it waits for a slot again.
    Requeued,
    /// A leg ended and the next is not decided.
    Paused,
    /// It is told to end while its worker runs: on the user's word or a stopper's, or because time is up.
    StopRequested,
    /// Its worker spent the whole budget.
    Completed,
    /// It got the result of another trial with the same configuration.
    Copied,
    /// Its worker ended early on a stopper's word.
    Stopped,
    /// It ended by an error.
    Failed,
    /// It ended by the user's word.
    Cancelled,
}

/// A transition that does not exist: a defect of the caller, or a message that came too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a trial that is {from:?} cannot take {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: TrialState,
    /// What was to happen.
    pub event: TrialEvent,
}

impl TrialState {
    /// All states, in the order of a trial's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Stopping,
        Self::Completed,
        Self::Stopped,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the event cannot happen in this state; the state is unchanged.
    pub fn apply(self, event: TrialEvent) -> Result<Self, IllegalTransition> {
        use TrialEvent as E;
        match (self, event) {
            (Self::Queued | Self::Paused, E::Started) => Ok(Self::Running),
            (Self::Running | Self::Paused, E::Requeued) => Ok(Self::Queued),
            // A retry of a trial that ended badly; its earlier attempts stay in the record.
            (Self::Failed | Self::Cancelled | Self::Stopped, E::Requeued) => Ok(Self::Queued),
            (Self::Running, E::Paused) => Ok(Self::Paused),
            (Self::Running, E::StopRequested) => Ok(Self::Stopping),
            // A result that arrives after the word to stop is still a result.
            (Self::Running | Self::Stopping, E::Completed) | (Self::Queued, E::Copied) => Ok(Self::Completed),
            // One that waits is stopped where its next fold is not worth trying.
            (Self::Running | Self::Stopping | Self::Paused | Self::Queued, E::Stopped) => Ok(Self::Stopped),
            (Self::Running | Self::Stopping | Self::Queued, E::Failed) => Ok(Self::Failed),
            (Self::Queued | Self::Paused | Self::Stopping, E::Cancelled) => Ok(Self::Cancelled),
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }

    /// Whether the trial has ended.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Failed | Self::Cancelled)
    }

    /// The word used in the database and in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// What a worker is to do after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on with the next step.
    Continue,
    /// End here and tell `stopped`.
    Stop,
    /// Write a checkpoint, end here and tell `paused`.
    Pause,
}

/// How a worker says that an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TellState {
    /// The whole budget is spent (or the trial's own early stopping ended it).
    Completed,
    /// It ended by an error.
    Failed,
    /// It ended early because it was told to.
    Stopped,
    /// It stands at a checkpoint.
    Paused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_trials_only_leave_by_retry() {
        use TrialEvent as E;
        let events = [
            E::Started,
            E::Paused,
            E::StopRequested,
            E::Completed,
            E::Copied,
            E::Stopped,
            E::Failed,
            E::Cancelled,
        ];
        for state in TrialState::ALL.into_iter().filter(|s| s.is_over()) {
            for event in events {
                assert!(state.apply(event).is_err(), "{state:?} took {event:?}");
            }
        }
        assert!(TrialState::Completed.apply(E::Requeued).is_err());
    }

    #[test]
    fn words_round_trip() {
        for state in TrialState::ALL {
            assert_eq!(TrialState::parse(state.as_str()), Some(state));
        }
    }
}
