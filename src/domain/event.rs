//! The append-only record of every decision.

use super::ids::{AttemptId, SweepId, TrialId};
use super::reason::Reason;
use super::time::Millis;
use serde::{Deserialize, Serialize};

/// What was decided or happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A sweep was submitted.
    SweepSubmitted,
    /// A sweep was paused by the user.
    SweepPaused,
    /// A sweep was resumed by the user.
    SweepResumed,
    /// The user gave a sweep another priority.
    SweepPrioritised,
    /// The user changed a sweep's space, its constraints or its number of trials.
    SweepEdited,
    /// A sweep ended because all its trials did.
    SweepCompleted,
    /// A sweep was cancelled by the user.
    SweepCancelled,
    /// A trial was suggested.
    TrialSuggested,
    /// A trial's leg was handed out.
    AttemptStarted,
    /// An attempt ended without a result; the trial waits for a slot again.
    TrialRequeued,
    /// A trial reached the end of a leg and may go on later.
    TrialPaused,
    /// A paused trial goes on.
    TrialContinued,
    /// The user asked for a trial that had ended to be tried again.
    TrialRetried,
    /// A leg number came to nothing: there was nothing to do.
    NothingToDo,
    /// A running trial was judged at a rung, and goes on.
    TrialPassed,
    /// A fold of a trial ended; whether the trial did is another entry.
    FoldEnded,
    /// What is left of a trial's folds is not tried any more.
    FoldsGivenUp,
    /// A trial was told to end.
    TrialStopping,
    /// A trial spent its budget.
    TrialCompleted,
    /// A trial got the result of another one with the same configuration.
    TrialCopied,
    /// A trial was stopped early.
    TrialStopped,
    /// A trial failed.
    TrialFailed,
    /// A trial was cancelled.
    TrialCancelled,
}

impl EventKind {
    /// The word used in the database and in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SweepSubmitted => "sweep_submitted",
            Self::SweepPaused => "sweep_paused",
            Self::SweepResumed => "sweep_resumed",
            Self::SweepPrioritised => "sweep_prioritised",
            Self::SweepEdited => "sweep_edited",
            Self::SweepCompleted => "sweep_completed",
            Self::SweepCancelled => "sweep_cancelled",
            Self::TrialSuggested => "trial_suggested",
            Self::AttemptStarted => "attempt_started",
            Self::TrialRequeued => "trial_requeued",
            Self::TrialPaused => "trial_paused",
            Self::TrialContinued => "trial_continued",
            Self::TrialRetried => "trial_retried",
            Self::NothingToDo => "nothing_to_do",
            Self::TrialPassed => "trial_passed",
            Self::FoldEnded => "fold_ended",
            Self::FoldsGivenUp => "folds_given_up",
            Self::TrialStopping => "trial_stopping",
            Self::TrialCompleted => "trial_completed",
            Self::TrialCopied => "trial_copied",
            Self::TrialStopped => "trial_stopped",
            Self::TrialFailed => "trial_failed",
            Self::TrialCancelled => "trial_cancelled",
        }
    }
}

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// The sequence number of the input that led to it; inputs are numbered in the order they were handled.
    pub seq: i64,
    /// When.
    pub at_ms: Millis,
    /// Which sweep.
    pub sweep: SweepId,
    /// Which trial, if one.
    pub trial: Option<TrialId>,
    /// Which attempt, if one.
    pub attempt: Option<AttemptId>,
    /// What.
    pub kind: EventKind,
    /// Why.
    pub reason: Option<Reason>,
}
