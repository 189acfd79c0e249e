//! A sweep's way in: its file is read, checked against the trainer, its sampler and its dataset.
//!
//! Used before a submission (on the user's side, for quick errors) and at it (in the daemon, whose word
//! counts). Nothing is stored here.

use crate::dataset::{self, Split, mean_face_rmse, split};
use crate::domain::sweep::Duplicates;
use crate::domain::{Millis, ObjectiveKind, Origin, Params, Reason, Sweep, Value};
use crate::sampler::{self, Ask, History, Suggestion};
use crate::scheduler::{Feasible, check_parameter, check_population};
use crate::space::Space;
use crate::sweepfile;
use std::path::Path;
use thiserror::Error;

/// Why a sweep was not taken.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// Mistakes in the file, each with its place.
    #[error("{0}")]
    Mistakes(sweepfile::Problems),
    /// The dataset cannot be used.
    #[error("{}", crate::error_chain(.0))]
    Dataset(#[from] dataset::DatasetError),
    /// No configuration of the space can exist.
    #[error("no trial of this sweep can exist: {0}")]
    NoTrial(Reason),
    /// A population cannot be trained in its space.
    #[error("search.stopper: {0}")]
    Population(String),
    /// It would be over before it began.
    #[error("search.deadline: {} has passed: give a later one", .0.to_text().unwrap_or_default())]
    DeadlinePassed(Millis),
    /// A command has no folder to run in.
    #[error("objective.workdir: expected the full path of the folder in which to run the command")]
    NoWorkdir,
}

impl IntakeError {
    /// One line per mistake.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Mistakes(problems) => problems.0.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        }
    }
}

/// Reads a sweep file.
///
/// # Errors
/// All mistakes of the file, or that no trial of it can exist.
pub fn read_toml(file: &str, text: &str) -> Result<Sweep, IntakeError> {
    checked(sweepfile::parse_toml(file, text, &check_parameter))
}

/// Reads the same structure as JSON.
///
/// # Errors
/// As [`read_toml`].
pub fn read_json(text: &str) -> Result<Sweep, IntakeError> {
    checked(sweepfile::parse_json(text, &check_parameter))
}

fn checked(parsed: Result<Sweep, sweepfile::Problems>) -> Result<Sweep, IntakeError> {
    let sweep = parsed.map_err(IntakeError::Mistakes)?;
    check_population(&sweep).map_err(IntakeError::Population)?;
    // Every configuration to try first, and at least one trial.
    match samples(&sweep, sweep.enqueue.len().max(1) as u64).pop() {
        Some(Suggestion::Exhausted { reason }) => Err(IntakeError::NoTrial(reason)),
        _ => Ok(sweep),
    }
}

/// Refuses a sweep whose deadline has passed at the time `now`.
///
/// # Errors
/// `DeadlinePassed`.
pub fn check_deadline(sweep: &Sweep, now: Millis) -> Result<(), IntakeError> {
    match sweep.search.deadline {
        Some(deadline) if deadline <= now => Err(IntakeError::DeadlinePassed(deadline)),
        _ => Ok(()),
    }
}

/// What the sampler suggests for the first `n` trials, up to where it ends.
#[must_use]
pub fn samples(sweep: &Sweep, n: u64) -> Vec<Suggestion> {
    let (Ok(space), Ok(feasible)) = (Space::new(&sweep.space), Feasible::of(sweep)) else {
        return Vec::new();
    };
    let sampler = sampler::build(&sweep.search.sampler);
    let feasible = |params: &Params| feasible.check(params);
    let mut history = History::new(&space, sweep.objective.count());
    let mut suggestions = Vec::new();
    for number in 0..n {
        let ask = Ask {
            space: &space,
            seed: sweep.seed,
            number,
            trials: sweep.search.trials,
            history: &history,
            duplicates: sweep.search.duplicates != Duplicates::Skip || !sweep.needs_points(),
            feasible: &feasible,
        };
        let enqueued = usize::try_from(number).ok().and_then(|number| sweep.enqueue.get(number));
        let suggestion = match enqueued.map(|given| sampler::fill_in(sampler.as_ref(), &ask, given)) {
            Some(Ok((params, reason))) => Suggestion::Trial { params, reason },
            Some(Err(message)) => Suggestion::Exhausted { reason: Reason::BadConfiguration { message } },
            None => sampler.suggest(&ask),
        };
        let params = match &suggestion {
            Suggestion::Trial { params, .. } => Some(params.clone()),
            Suggestion::Exhausted { .. } => None,
        };
        suggestions.push(suggestion);
        match params {
            Some(params) => history.suggested(&space, &params),
            None => break,
        }
    }
    suggestions
}

/// What of a sweep's origin the daemon finds out itself: the dataset's hash and its mean-face baseline.
///
/// # Errors
/// Where the dataset is missing, damaged or cannot be split.
pub fn origin(
    home: &Path,
    sweep: &Sweep,
    source: String,
    git_commit: Option<String>,
) -> Result<Origin, IntakeError> {
    let mut origin = Origin { source, git_commit, dataset_hash: None, baseline: None };
    if let (ObjectiveKind::Keypoints, Some(name)) = (sweep.objective.kind, &sweep.objective.dataset) {
        let dataset = dataset::find(home, name)?;
        let split = Split::fraction(&dataset, sweep.objective.validation, split::DEFAULT_SEED)?;
        origin.dataset_hash = Some(dataset.hash().to_owned());
        origin.baseline = Some(mean_face_rmse(&dataset, &split));
    }
    Ok(origin)
}

/// Settles in which folder a command runs: its `workdir`, taken from `folder` where it is relative, else
/// `folder` itself, from which the sweep was submitted. Nothing happens to other sweeps.
///
/// # Errors
/// Where that is no full path: a daemon's own folder is no place that a user would think of.
pub fn settle_workdir(sweep: &mut Sweep, folder: Option<&Path>) -> Result<(), IntakeError> {
    if sweep.objective.kind != ObjectiveKind::Command {
        return Ok(());
    }
    let said = sweep.objective.workdir.take().unwrap_or_default();
    let workdir = folder.map_or_else(|| said.clone(), |folder| folder.join(&said));
    if !workdir.is_absolute() {
        return Err(IntakeError::NoWorkdir);
    }
    // Without the slash that joining nothing leaves at the end, and without `.` in the middle.
    sweep.objective.workdir = Some(workdir.components().collect());
    Ok(())
}

/// The parameters of a sweep whose every parameter is fixed; `None` where one varies.
#[must_use]
pub fn fixed_params(sweep: &Sweep) -> Option<Params> {
    let fixed = |kind: &crate::domain::ParameterKind| -> Option<Value> {
        match kind {
            crate::domain::ParameterKind::Fixed { value } => Some(value.clone()),
            _ => None,
        }
    };
    sweep.space.iter().map(|(name, parameter)| Some((name.clone(), fixed(&parameter.kind)?))).collect()
}
