//! What the scheduler decided, as rows to write: the core returns changes, the store applies them.

use super::event::Event;
use super::ids::{AttemptId, LegId, SweepId, TrialId};
use super::metric::Metrics;
use super::prior::Source;
use super::reason::Reason;
use super::sweep::{Sweep, SweepState};
use super::terms::PastTerms;
use super::time::Millis;
use super::trial::TrialState;
use super::value::Params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One row to insert, update or delete. All changes of one input are committed together.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new sweep.
    SweepInserted(Box<SweepRow>),
    /// What a new sweep begins with of earlier ones, in the order in which it names them.
    SweepWarmed {
        /// Which.
        sweep: SweepId,
        /// What of each of them was taken.
        sources: Vec<Source>,
    },
    /// A sweep moved from one state to another.
    SweepMoved {
        /// Which.
        sweep: SweepId,
        /// The state it must be in.
        from: SweepState,
        /// The state it is in afterwards.
        to: SweepState,
        /// When.
        at: Millis,
    },
    /// A sweep's place among the others changed.
    SweepPrioritised {
        /// Which.
        sweep: SweepId,
        /// Larger goes first.
        priority: i64,
    },
    /// What a sweep searches changed: from the next leg on other terms count.
    SweepEdited {
        /// Which.
        sweep: SweepId,
        /// How often that has happened, this time included.
        version: u32,
        /// The terms so far.
        past: Box<PastTerms>,
        /// The sweep as it is now.
        spec: Box<Sweep>,
        /// Its file as it is now.
        source: String,
        /// When.
        at: Millis,
    },
    /// A sweep is open for a retry alone, and goes back afterwards.
    SweepReturns {
        /// Which.
        sweep: SweepId,
        /// The state that it goes back to.
        to: SweepState,
    },
    /// A sweep and all that belongs to it is deleted.
    SweepRemoved {
        /// Which.
        sweep: SweepId,
    },
    /// A new trial, queued.
    TrialInserted(Box<NewTrial>),
    /// A trial moved from one state to another.
    TrialMoved {
        /// Which.
        trial: TrialId,
        /// The state it must be in.
        from: TrialState,
        /// The state it is in afterwards.
        to: TrialState,
        /// Why it ended, where it did.
        reason: Option<Reason>,
        /// When.
        at: Millis,
    },
    /// When a waiting trial may be handed out again, and how it then has to be treated.
    TrialHeld {
        /// Which.
        trial: TrialId,
        /// Not before; `None` for at any time.
        ready: Option<Millis>,
        /// No other trial may run on the same device.
        alone: bool,
        /// Into how many parts each of its batches is split.
        accumulate: u32,
    },
    /// It was decided what a leg is.
    LegDecided(DecidedLeg),
    /// A leg ended for good.
    LegEnded {
        /// Which.
        leg: LegId,
        /// How.
        end: LegEnd,
    },
    /// An attempt at a leg began.
    AttemptOpened(Box<NewAttempt>),
    /// An attempt ended.
    AttemptClosed {
        /// Which.
        attempt: AttemptId,
        /// How.
        state: AttemptState,
        /// Why.
        reason: Option<Reason>,
        /// The call that ended it, as JSON.
        tell: Option<String>,
        /// When.
        at: Millis,
    },
    /// A step's metrics arrived.
    Reported(Box<StepReport>),
    /// The reports of a fold after a step do not count any more: it is trained again from there.
    ReportsDiscarded {
        /// Which trial.
        trial: TrialId,
        /// Which fold.
        fold: u32,
        /// The last step that counts.
        after_step: u64,
    },
    /// A trial's best step so far; of one with folds the mean of theirs.
    BestMoved {
        /// Which trial.
        trial: TrialId,
        /// The step, and the value there; `None` where there is none any more.
        best: Option<(u64, f64)>,
    },
    /// A fold of a trial spent its budget.
    FoldValued {
        /// Which trial.
        trial: TrialId,
        /// Which fold.
        fold: u32,
        /// What it is worth.
        result: FoldResult,
    },
    /// What a trial's best step so far is worth by the further objectives; only where there are any.
    FurtherMoved {
        /// Which trial.
        trial: TrialId,
        /// A value per further objective; none at all where there is no best step any more.
        values: Vec<Option<f64>>,
    },
    /// A trial's values and weights are those of another trial of its sweep.
    ResultCopied {
        /// Which trial.
        trial: TrialId,
        /// The sweep of both.
        sweep: SweepId,
        /// The number of the other one, which has completed.
        from: u64,
    },
    /// A trial ended with a value.
    Valued {
        /// The sweep.
        sweep: SweepId,
        /// The trial.
        trial: TrialId,
        /// Which objective, from 0.
        objective: u32,
        /// The step it was reached at.
        step: u64,
        /// The value.
        value: f64,
        /// Whether it takes part in the ranking.
        ranked: bool,
    },
    /// A checkpoint was stored.
    CheckpointStored(Checkpoint),
    /// A checkpoint is not needed any more.
    CheckpointDropped(Checkpoint),
    /// A checkpoint at which a population is compared is kept for heirs, whatever becomes of its trial.
    HeirloomKept(Checkpoint),
    /// No heir will come to go on from it.
    HeirloomDropped(Checkpoint),
    /// A trial's best weights were stored.
    WeightsStored {
        /// Which trial.
        trial: TrialId,
        /// Which fold, where the trial has folds.
        fold: Option<u32>,
        /// BLAKE3 in hex.
        hash: String,
    },
    /// An entry of the record.
    Recorded(Event),
}

/// A sweep as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRow {
    /// Its id.
    pub id: SweepId,
    /// Its public id.
    pub uid: String,
    /// Its state.
    pub state: SweepState,
    /// What it is.
    pub spec: Sweep,
    /// Where it came from.
    pub origin: Origin,
    /// When it was submitted.
    pub created: Millis,
}

impl SweepRow {
    /// When its time is up: by its limit or its deadline, whichever comes first; `None` where it has neither.
    #[must_use]
    pub fn ends_at(&self) -> Option<Millis> {
        let search = &self.spec.search;
        let limit = search.time_limit_s.map(|limit| {
            let limit_ms = i64::try_from(limit.saturating_mul(1000)).unwrap_or(i64::MAX);
            self.created.plus_ms(limit_ms)
        });
        [limit, search.deadline].into_iter().flatten().min()
    }
}

/// Where a sweep came from, and what its dataset is worth without any learning.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The file as it was submitted.
    pub source: String,
    /// The commit of the file's folder, where it lies in a git work tree.
    pub git_commit: Option<String>,
    /// Hash of the dataset as it was at submission; trials train on nothing else.
    pub dataset_hash: Option<String>,
    /// Validation metric of predicting the training rows' mean.
    pub baseline: Option<f64>,
}

/// A trial to insert.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrial {
    /// Its id.
    pub id: TrialId,
    /// Its sweep.
    pub sweep: SweepId,
    /// Its number within the sweep.
    pub number: u64,
    /// Its configuration.
    pub params: Params,
    /// Why this configuration.
    pub suggested: Reason,
    /// Number of weights, where the model room knows it.
    pub parameter_count: Option<u64>,
    /// Its whole budget in steps, where it is known.
    pub budget_steps: Option<u64>,
    /// When.
    pub created: Millis,
}

impl NewTrial {
    /// The step that it begins after: of an heir where its parent stood, else 0.
    #[must_use]
    pub fn first_step(&self) -> u64 {
        self.suggested.descent().map_or(0, |descent| descent.step)
    }
}

/// The unit of work that is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Its id.
    pub id: LegId,
    /// Its sweep.
    pub sweep: SweepId,
    /// Its number within the sweep, in the order of handing out.
    pub number: u64,
    /// Its trial.
    pub trial: TrialId,
    /// The fold, from 0. The leg under which a trial is given up is of none, and has the number that follows the last.
    pub fold: u32,
    /// The step after which it starts.
    pub from_step: u64,
    /// The step at which it ends; `None` for the trial's own budget.
    pub until_step: Option<u64>,
}

/// What was decided for one leg number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedLeg {
    /// Its id.
    pub id: LegId,
    /// Its sweep.
    pub sweep: SweepId,
    /// Its number within the sweep.
    pub number: u64,
    /// The leg; `None` where there was nothing to do under this number.
    pub leg: Option<Leg>,
    /// The input that led to the decision.
    pub seq: i64,
}

/// How a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegOutcome {
    /// At its last step, and the trial may go on.
    Paused,
    /// With the trial's whole budget spent.
    Completed,
    /// Early, on a stopper's word.
    Stopped,
    /// By an error.
    Failed,
    /// By the user.
    Cancelled,
}

impl LegOutcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [Self::Paused, Self::Completed, Self::Stopped, Self::Failed, Self::Cancelled];

    /// The word used in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The outcome a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A leg as it was decided and how it ended: what a stopper and a sampler may learn of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LegRecord {
    /// Its number within the sweep.
    pub number: u64,
    /// The trial's number; `None` where there was nothing to do.
    pub trial: Option<u64>,
    /// See [`Leg::fold`].
    pub fold: u32,
    /// The step after which it starts.
    pub from_step: u64,
    /// The step at which it ends; `None` for the trial's own budget.
    pub until_step: Option<u64>,
    /// The input that led to the decision.
    pub decided_seq: i64,
    /// How it ended, if it has.
    pub end: Option<LegEnd>,
}

impl LegRecord {
    /// Whether nobody worked on it: its trial got the result of another one. Only then does the input that decided a
    /// leg also complete it.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        let completed = self.end.as_ref().filter(|end| end.outcome == LegOutcome::Completed);
        completed.is_some_and(|end| end.seq == self.decided_seq)
    }

    /// Whether nobody worked on it: what was left of its trial was given up with it.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.seq == self.decided_seq) && !self.is_copy()
    }
}

/// How a leg ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LegEnd {
    /// How.
    pub outcome: LegOutcome,
    /// The trial's best value up to there.
    pub value: Option<f64>,
    /// What that step is worth by the further objectives; nothing where there are none.
    pub further: Vec<Option<f64>>,
    /// It ran out of memory with the largest device for itself. The reason of its last attempt says so.
    pub out_of_memory: bool,
    /// The input that led to it.
    pub seq: i64,
}

/// What a fold that spent its budget is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldResult {
    /// Its best step.
    pub step: u64,
    /// The value there.
    pub value: f64,
    /// What that step is worth by the further objectives; nothing where there are none.
    pub further: Vec<Option<f64>>,
}

/// A stored state of a trial from which its training can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which trial.
    pub trial: TrialId,
    /// Which fold.
    pub fold: u32,
    /// Steps that had ended.
    pub step: u64,
    /// By which attempt.
    pub attempt: AttemptId,
    /// BLAKE3 of its bytes, in hex: the blob's name.
    pub hash: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// When it arrived.
    pub at: Millis,
}

/// An attempt to insert.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Its leg.
    pub leg: LegId,
    /// Its trial.
    pub trial: TrialId,
    /// Who works on it.
    pub worker: String,
    /// On which slot.
    pub slot: String,
    /// The request that it answers.
    pub request_id: String,
    /// The worker's environment.
    pub environment: BTreeMap<String, String>,
    /// Milliseconds of silence after which it is lost; `None`: it waits for ever.
    pub lease_ms: Option<i64>,
    /// When it began.
    pub started: Millis,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Being worked on.
    Open,
    /// Ended with the budget spent.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended early on request.
    Stopped,
    /// Ended to be continued.
    Paused,
    /// Its worker went away.
    Lost,
}

impl AttemptState {
    /// The word used in the database and in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Lost => "lost",
        }
    }
}

/// One step's metrics, to insert.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Which trial.
    pub trial: TrialId,
    /// Which fold.
    pub fold: u32,
    /// Which step, from 1.
    pub step: u64,
    /// By which attempt.
    pub attempt: AttemptId,
    /// The input's sequence number.
    pub seq: i64,
    /// When it arrived.
    pub at: Millis,
    /// The numbers.
    pub metrics: Metrics,
}
