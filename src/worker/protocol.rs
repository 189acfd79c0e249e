//! What daemon and workers say to each other: JSON over HTTP, the same near or far.

use crate::domain::{
    AttemptId, Decision, Descent, Metrics, Millis, Objective, ObjectiveKind, Params, Reason, TellState,
    TrialId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `POST /api/v1/work/claim`: a worker's slot is free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The worker's name, unique among the daemon's workers.
    pub worker: String,
    /// The slot it serves: `cpu:0`, `cuda:1` ...
    pub slot: String,
    /// A repeat of the same request gets the same answer; once its attempt has ended, it is refused
    /// (`request_ended`).
    pub request_id: String,
    /// The kinds of objective it can work on.
    pub kinds: Vec<ObjectiveKind>,
    /// The worker's versions, device, threads, host and so on, recorded with the attempt.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// An attempt that the worker works on and keeps: it wants another trial that may be trained in one step with it, and
    /// is answered at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<AttemptId>,
}

/// The answer to a claim: one leg to work on. No content when there is nothing now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Work {
    /// The sweep's public id.
    pub sweep: String,
    /// The sweep's name, for logs.
    pub sweep_name: String,
    /// Which trial.
    pub trial_id: TrialId,
    /// The trial's number within its sweep, from 0.
    pub number: u64,
    /// The attempt's id: every later call about it must carry it.
    pub attempt: AttemptId,
    /// The fold, from 0.
    pub fold: u32,
    /// The step after which the leg starts; 0 for the beginning.
    pub from_step: u64,
    /// The step at which the leg ends; `None` for the trial's own budget.
    pub until_step: Option<u64>,
    /// The configuration.
    pub params: Params,
    /// What to do with it.
    pub objective: Objective,
    /// The sweep's seed; the trial's streams are keyed by it and by the trial's number.
    pub seed: u64,
    /// The dataset, for the built-in trainer.
    pub dataset: Option<DatasetRef>,
    /// A folder of the daemon's machine for this trial's files (its log): a local path, an optimisation.
    #[schema(value_type = Option<String>)]
    pub folder: Option<PathBuf>,
    /// How often the worker must be heard of, in milliseconds.
    pub lease_ms: i64,
    /// What to go on from, the newest first: the first that is intact. None for the beginning.
    #[serde(default)]
    pub checkpoints: Vec<CheckpointRef>,
    /// The trial that it is the heir of, in a population: its first checkpoint is that one's.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// Whether heirs may go on from the end of the leg: what they need must then be a checkpoint.
    #[serde(default)]
    pub has_heirs: bool,
    /// Into how many parts each batch is split, the gradients of which are summed: more than 1 where the whole did
    /// not fit the device's memory.
    #[serde(default = "one")]
    pub accumulate: u32,
    /// How many trials may be trained in one step, this one among them: the worker may claim others beside it.
    #[serde(default = "one")]
    pub fuse: u32,
    /// Threads that the trial's first attempt computed with: another number would give other bits. `None`
    /// at the first attempt.
    #[serde(default)]
    pub threads: Option<usize>,
    /// What layers of the first attempt computed in (`f32`, `bf16`) where the configuration leaves that to the
    /// device; `None` at the first attempt.
    #[serde(default)]
    pub precision: Option<String>,
}

impl Work {
    /// Why an heir fails that has nothing to go on from; `None` for a trial that may begin anew.
    #[must_use]
    pub fn lost_heritage(&self) -> Option<Reason> {
        let Parent { number, step } = self.parent?;
        let message = format!("nothing is left to go on from of trial {number} at step {step}");
        Some(Reason::Error { message })
    }
}

/// Whom an heir comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Parent {
    /// The trial's number within the sweep.
    pub number: u64,
    /// The step after which the heir begins.
    pub step: u64,
}

impl From<Descent> for Parent {
    fn from(descent: Descent) -> Self {
        Self { number: descent.parent, step: descent.step }
    }
}

fn one() -> u32 {
    1
}

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CheckpointRef {
    /// Steps that are done in it; the next one may be under way.
    pub step: u64,
    /// BLAKE3 (hex) of its bytes, which are a blob.
    pub hash: String,
    /// Where the daemon's machine has it: a local path, an optimisation.
    #[schema(value_type = Option<String>)]
    pub path: Option<PathBuf>,
}

/// Which bytes to train on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DatasetRef {
    /// Its name.
    pub name: String,
    /// BLAKE3 of its content, in hex: what is trained on must have it.
    pub hash: String,
    /// Where the daemon's machine has it.
    #[schema(value_type = String)]
    pub path: PathBuf,
}

/// `POST /api/v1/work/heartbeat`: the worker lives, also in the middle of a long epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Which trial.
    pub trial_id: TrialId,
    /// Which attempt.
    pub attempt: AttemptId,
}

/// `POST /api/v1/trials/{trial_id}/report`: one step's metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Which step, from 1: an epoch for the built-in trainer.
    pub step: u64,
    /// Its numbers.
    pub metrics: Metrics,
}

/// The answer to a report or a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Verdict {
    /// What to do now.
    pub decision: Decision,
}

/// `POST /api/v1/trials/{trial_id}/checkpoint`: a later attempt can go on from here. Comes after the reports
/// of all its steps, and may come twice for one step: the later one is further within the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Steps that are done in it.
    pub step: u64,
    /// BLAKE3 (hex) of its bytes, put beforehand as a blob.
    pub hash: String,
    /// How many bytes.
    pub bytes: u64,
}

/// `POST /api/v1/trials/{trial_id}/tell`: the attempt has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tell {
    /// Which attempt.
    pub attempt: AttemptId,
    /// How it ended.
    pub state: TellState,
    /// Final metrics, for clients that report no steps.
    #[serde(default)]
    pub metrics: Metrics,
    /// Why, where `state` does not say it all.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// BLAKE3 (hex) of the best weights, put beforehand as a blob.
    #[serde(default)]
    pub weights: Option<String>,
}

/// `POST /api/v1/sweeps/{id}/ask`: an outside client wants a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A repeat of the same request gets the same answer; once its attempt has ended, it is refused
    /// (`request_ended`).
    #[serde(default)]
    pub request_id: Option<String>,
    /// The trial is taken back when nothing is heard for so long; without it, it waits for its tell.
    #[serde(default)]
    pub lease_s: Option<u32>,
}

/// The answer to an ask. No content when there is nothing now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Asked {
    /// Which trial.
    pub trial_id: TrialId,
    /// Its number within the sweep, from 0.
    pub number: u64,
    /// The attempt's id.
    pub attempt: AttemptId,
    /// The configuration.
    pub params: Params,
    /// The fold to validate on, from 0; 0 where the sweep has no folds.
    #[serde(default)]
    pub fold: u32,
    /// The step after which to begin: 0, where it paused before, or where its parent stood.
    pub from_step: u64,
    /// The step at which to pause; `None` for the whole budget.
    pub until_step: Option<u64>,
    /// The trial that it is the heir of, in a population: it goes on from what that one had at that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// `HOME/daemon.json` (mode 0600): where the daemon listens and the token it wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonFile {
    /// `http://127.0.0.1:7788`
    pub url: String,
    /// The bearer token that may do everything.
    pub token: String,
    /// The bearer token of the daemon's own workers, which may do what workers do.
    #[serde(default)]
    pub worker_token: String,
    /// The daemon's process id.
    pub pid: i32,
    /// When it started.
    pub started_ms: Millis,
}

/// Every error over HTTP: one shape with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorDetail {
    /// A stable word for programs: `stale_attempt`, `not_found` ...
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Several mistakes, each with its place, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}
