//! What the core is told, and what it answers.

use crate::domain::prior::Source;
use crate::domain::recovery::OpenSweep;
use crate::domain::{
    AttemptId, Checkpoint, Decision, Descent, Leg, Metrics, ObjectiveKind, Origin, Params, Reason, Sweep,
    SweepId, TellState, Terms, TrialId,
};
use std::collections::BTreeMap;
use thiserror::Error;

/// Something that happened, in the order in which it is handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A sweep was submitted; it has been checked.
    Submit {
        /// Its public id, drawn by the shell.
        uid: String,
        /// What it is.
        spec: Box<Sweep>,
        /// Where it came from.
        origin: Box<Origin>,
        /// What it begins with of earlier sweeps.
        sources: Vec<Source>,
    },
    /// The user's word on a sweep.
    Command {
        /// Which.
        sweep: SweepId,
        /// What.
        command: Command,
    },
    /// A worker's slot is free and takes work of any sweep.
    Claim(Seeker),
    /// A client wants a trial of one sweep.
    Ask {
        /// Which sweep.
        sweep: SweepId,
        /// Who asks.
        seeker: Seeker,
        /// Milliseconds of silence after which the trial is taken back; `None` for never.
        lease_ms: Option<i64>,
    },
    /// A worker lives.
    Heartbeat {
        /// Its trial.
        trial: TrialId,
        /// Its attempt.
        attempt: AttemptId,
    },
    /// A step's metrics.
    Report {
        /// The trial.
        trial: TrialId,
        /// The attempt.
        attempt: AttemptId,
        /// The step, from 1.
        step: u64,
        /// Its numbers.
        metrics: Metrics,
    },
    /// A checkpoint was stored as a blob.
    Checkpoint {
        /// The trial.
        trial: TrialId,
        /// The attempt.
        attempt: AttemptId,
        /// Steps that had ended.
        step: u64,
        /// BLAKE3 of its bytes, in hex.
        hash: String,
        /// Its size, in bytes.
        bytes: u64,
    },
    /// An attempt ended.
    Tell {
        /// The trial.
        trial: TrialId,
        /// The attempt.
        attempt: AttemptId,
        /// How.
        state: TellState,
        /// Final metrics.
        metrics: Metrics,
        /// Why.
        reason: Option<Reason>,
        /// Hash of its best weights.
        weights: Option<String>,
        /// The call as it came, to recognise its repeats.
        text: String,
    },
    /// The user wants a trial that ended badly to be tried again: all that is stored of it and its sweep.
    Retry(Box<OpenSweep>),
    /// The user changes what a sweep searches.
    Edit {
        /// All that is stored of it, and of its past what counts by the new terms; no trials.
        stored: Box<OpenSweep>,
        /// The new terms; they have been checked.
        terms: Box<Terms>,
        /// The file that says so.
        source: String,
    },
    /// A worker process ended.
    WorkerGone {
        /// Its name.
        worker: String,
        /// How: `signal 9`, `exit code 1` ...
        how: String,
    },
    /// A device's memory was looked at.
    Device {
        /// Which: `cuda:0`.
        device: String,
        /// Its memory; `None` where nothing is known of it any more.
        memory: Option<DeviceMemory>,
    },
    /// Time passed.
    Tick,
}

/// A device's memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// What of it nobody uses, in bytes.
    pub free_bytes: u64,
    /// All of it, in bytes.
    pub total_bytes: u64,
}

/// The user's word on a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Hand out no new work; running trials finish.
    Pause,
    /// Hand out work again.
    Resume,
    /// End it: waiting trials at once, running ones at their next word.
    Cancel,
    /// Delete it with all that belongs to it.
    Remove,
    /// Try this configuration next; what it leaves open, the sampler fills in.
    Enqueue(Params),
    /// Sweeps with a larger number are handed out first.
    Prioritise(i64),
}

/// Who wants work.
#[derive(Debug, Clone, PartialEq)]
pub struct Seeker {
    /// The worker's name.
    pub worker: String,
    /// Its slot.
    pub slot: String,
    /// A repeat of the same request gets the same answer.
    pub request_id: String,
    /// The id was made by the daemon for this request: nobody can have asked with it before.
    pub is_new: bool,
    /// The kinds of objective it can work on.
    pub kinds: Vec<ObjectiveKind>,
    /// Its environment, recorded with the attempt.
    pub environment: BTreeMap<String, String>,
    /// An attempt that it works on and keeps: what it takes beside it is trained in one step with it.
    pub beside: Option<AttemptId>,
}

impl Input {
    /// The request for work that it is, if it is one that may have come before.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Claim(seeker) | Self::Ask { seeker, .. } if !seeker.is_new => Some(&seeker.request_id),
            _ => None,
        }
    }
}

/// What the core answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It is done.
    Done,
    /// The sweep has this id.
    Submitted(SweepId),
    /// Work on this.
    Work(Box<Claimed>),
    /// There is nothing now.
    Nothing,
    /// The worker is to do this.
    Decision(Decision),
    /// The worker that ended had work: it did start.
    HadWork(bool),
}

/// A leg that was handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The sweep's public id.
    pub sweep_uid: String,
    /// The sweep.
    pub spec: Sweep,
    /// Hash of its dataset.
    pub dataset_hash: Option<String>,
    /// The leg.
    pub leg: Leg,
    /// The trial's number.
    pub number: u64,
    /// The attempt.
    pub attempt: AttemptId,
    /// The configuration.
    pub params: Params,
    /// Where it comes from, for an heir.
    pub descent: Option<Descent>,
    /// How often the worker must be heard of.
    pub lease_ms: Option<i64>,
    /// What it may go on from, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Into how many parts each batch is split.
    pub accumulate: u32,
    /// How many trials may be trained in one step, this one among them.
    pub fuse: u32,
    /// Threads that its first attempt computed with, and later ones must too.
    pub threads: Option<usize>,
    /// What layers of its first attempt computed in where the configuration leaves that to the device.
    pub precision: Option<String>,
}

/// Why an input changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The sweep is over, or never was.
    #[error("the sweep is over")]
    SweepOver,
    /// The sweep's trials are not handed out this way.
    #[error(
        "this sweep's trials are run by sweepd's own workers; only sweeps of kind \"external\" are asked for"
    )]
    NotExternal,
    /// The trial has no open attempt: it ended, waits for a slot, or never was.
    #[error("the trial has no open attempt")]
    NotOpen,
    /// The request was answered before, and what was handed out then has ended.
    #[error(
        "this request was answered with attempt {attempt}, which has ended: ask with another request_id for more"
    )]
    RequestEnded {
        /// The attempt that it got.
        attempt: AttemptId,
    },
    /// The attempt is not the trial's open one.
    #[error("attempt {attempt} is not the open attempt of the trial: another took its place")]
    StaleAttempt {
        /// The attempt that was named.
        attempt: AttemptId,
    },
    /// The named bytes are not stored.
    #[error("blob {hash} is not stored: put it first")]
    NoBlob {
        /// Its name.
        hash: String,
    },
    /// A step was reported again, with other numbers.
    #[error("step {step} was reported before with other numbers")]
    StepDiffers {
        /// The step.
        step: u64,
    },
    /// Steps are counted from 1 and only grow.
    #[error("step {step} comes after step {last}: steps are counted from 1 and only grow")]
    StepBackwards {
        /// The step that was named.
        step: u64,
        /// The last step.
        last: u64,
    },
    /// The configuration cannot exist.
    #[error("{0}")]
    BadConfiguration(String),
    /// The command does not fit the state the sweep is in.
    #[error("{0}")]
    WrongState(&'static str),
    /// A sweep that was cancelled cannot be removed before its workers have let go of its trials.
    #[error("its last trials are still ending: try again in a moment")]
    StillEnding,
    /// A sweep cannot have fewer trials than it has, and one that is over needs more.
    #[error("{trials} trials exist already: search.trials must be at least {least}")]
    TooFewTrials {
        /// How many there are.
        trials: u64,
        /// How many there must be to be.
        least: u64,
    },
}
