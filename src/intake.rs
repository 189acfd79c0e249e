//! A sweep's way in: its file is read, checked against the trainer, its sampler and its dataset.
//!
//! Used before a submission (on the user's side, for quick errors) and at it (in the daemon, whose word
//! counts). Nothing is stored here.

use crate::dataset::{self, Dataset, Split, mean_face_rmse, split};
use crate::domain::prior::{PriorResult, Source};
use crate::domain::sweep::Duplicates;
use crate::domain::{
    Direction, Millis, ObjectiveKind, Origin, Parameter, ParameterKind, Params, PastTerms, Reason, Sweep,
    Terms, Value,
};
use crate::model::{EXTRA_COLUMNS, columns_named};
use crate::sampler::{self, Ask, History, Suggestion};
use crate::scheduler::{Feasible, check_parameter, check_population};
use crate::space::{self, Space};
use crate::sweepfile;
use std::collections::BTreeMap;
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
    /// The dataset lacks a column that a trial may take.
    #[error("space.extra_columns: dataset {0}: {1}")]
    Columns(String, dataset::DatasetError),
    /// No configuration of the space can exist.
    #[error("no trial of this sweep can exist: {0}")]
    NoTrial(Reason),
    /// A population cannot be trained in its space.
    #[error("search.stopper: {0}")]
    Population(String),
    /// It would be over before it began.
    #[error("search.deadline: {} has passed: give a later one", .0.to_text().unwrap_or_default())]
    DeadlinePassed(Millis),
    /// An earlier sweep has nothing to begin with.
    #[error("search.warm_start: {word:?}: {why}")]
    WarmStart {
        /// What the sweep calls it.
        word: String,
        /// Why not.
        why: String,
    },
    /// What may not change once a sweep has begun, each with both values.
    #[error("this may not change: {}", .0.join(", "))]
    Lasting(Vec<String>),
    /// A configuration that is to be tried is given in the wrong place.
    #[error("enqueue: the sweep has begun: `sweepd enqueue` has a configuration tried next")]
    LateWish,
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
            Self::Lasting(all) => all.iter().map(|one| format!("this may not change: {one}")).collect(),
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
    let sampler = sampler::build(&sweep.search.sampler, None);
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
        let suggestion =
            match enqueued.map(|given| sampler::fill_in(sampler.as_ref(), &ask, given, &feasible)) {
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
        check_columns(&sweep.space, &dataset)?;
        let splits: Result<Vec<Split>, _> = (0..sweep.objective.runs())
            .map(|fold| split::of_fold(&dataset, &sweep.objective, fold))
            .collect();
        origin.dataset_hash = Some(dataset.hash().to_owned());
        origin.baseline = Some(mean_face_rmse(&dataset, &splits?));
    }
    Ok(origin)
}

/// Whether a sweep's dataset has every column of numbers that a space names by which the sweep is to go on. Nothing is said
/// where the dataset is not there any more.
///
/// # Errors
/// `Columns`.
pub fn check_edited_columns(home: &Path, sweep: &Sweep, terms: &Terms) -> Result<(), IntakeError> {
    let name =
        sweep.objective.dataset.as_deref().filter(|_| sweep.objective.kind == ObjectiveKind::Keypoints);
    match name.map(|name| dataset::find(home, name)) {
        Some(Ok(dataset)) => check_columns(&terms.space, &dataset),
        _ => Ok(()),
    }
}

/// Whether the dataset has every column of numbers that a trial may take.
fn check_columns(space: &BTreeMap<String, Parameter>, dataset: &Dataset) -> Result<(), IntakeError> {
    let values = match space.get(EXTRA_COLUMNS).map(|parameter| &parameter.kind) {
        Some(ParameterKind::Choice { values }) => values.as_slice(),
        Some(ParameterKind::Fixed { value }) => std::slice::from_ref(value),
        _ => &[],
    };
    for value in values {
        let found = dataset.numbers().places_of(&columns_named(value));
        found.map_err(|error| IntakeError::Columns(dataset.name().to_owned(), error))?;
    }
    Ok(())
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

/// The terms by which a sweep is to go on, from its file with the changes made. A command's folder need not be said
/// again; a relative one is taken from `folder`.
///
/// # Errors
/// Where the file changes what may not change.
pub fn edited_terms(before: &Sweep, mut after: Sweep, folder: Option<&Path>) -> Result<Terms, IntakeError> {
    match &after.objective.workdir {
        None => after.objective.workdir.clone_from(&before.objective.workdir),
        Some(_) => settle_workdir(&mut after, folder)?,
    }
    let differences = before.lasting_differences(&after);
    if !differences.is_empty() {
        return Err(IntakeError::Lasting(differences));
    }
    if after.enqueue.iter().any(|wish| !before.enqueue.contains(wish)) {
        return Err(IntakeError::LateWish);
    }
    Ok(after.terms())
}

/// Says of configurations of a sweep what they are in the space by which it is to go on, or why they are not of it:
/// its sampler will not know of them.
pub fn fitting(
    past: &[PastTerms],
    now: &Sweep,
    terms: &Terms,
) -> impl Fn(&Params) -> Result<Params, String> + use<> {
    let spaces = past.iter().map(|past| &past.terms.space).chain([&now.space]);
    let constant = space::constants(spaces);
    let space = Space::new(&terms.space);
    move |params: &Params| match &space {
        Ok(space) => space.fit(params, &constant),
        // One that was read from a file is valid.
        Err(_) => Err("the space is not valid".into()),
    }
}

/// A sweep whose results another one is to begin with.
pub struct Earlier {
    /// Its public id.
    pub id: String,
    /// What it is.
    pub spec: Sweep,
    /// The terms that it had before.
    pub past: Vec<PastTerms>,
    /// Hash of its dataset.
    pub dataset_hash: Option<String>,
    /// Number, configuration and value of its completed trials, by number.
    pub results: Vec<(u64, Params, f64)>,
}

/// More results of one sweep say little more.
const MOST_TAKEN: usize = 500;

/// What a sweep begins with of an earlier one: results whose configuration is of its space, of many the best half and
/// others spread evenly over the rest. A parameter that the earlier sweep never varied need not exist.
///
/// # Errors
/// Why there is nothing to be taken, as a sentence.
pub fn taken(sweep: &Sweep, dataset_hash: Option<&str>, earlier: Earlier) -> Result<Source, String> {
    let space = Space::new(&sweep.space).map_err(|_| "the sweep's own space is not valid".to_owned())?;
    let spaces = earlier.past.iter().map(|past| &past.terms.space).chain([&earlier.spec.space]);
    let constant = space::constants(spaces);
    let sign = match earlier.spec.objective.direction {
        Direction::Minimize => 1.0,
        Direction::Maximize => -1.0,
    };
    let completed = earlier.results.len();
    let (mut results, mut misfit) = (Vec::new(), None);
    for (trial, params, value) in earlier.results {
        match space.fit(&params, &constant) {
            Ok(params) if value.is_finite() => {
                results.push(PriorResult { trial, params, loss: sign * value })
            }
            Ok(_) => {}
            Err(why) => misfit = misfit.or(Some(format!("trial {trial}: {why}"))),
        }
    }
    if results.is_empty() {
        return Err(match misfit {
            None => "none of its trials has completed".into(),
            Some(why) => format!("none of its {completed} completed trials is of this sweep's space; {why}"),
        });
    }
    Ok(Source {
        comparable: earlier.spec.objective == sweep.objective
            && earlier.dataset_hash.as_deref() == dataset_hash,
        id: earlier.id,
        name: earlier.spec.name,
        completed: completed as u64,
        results: thinned(results),
    })
}

/// The best half of as many as are taken, and as many spread evenly over the rest by rank; by number.
fn thinned(mut results: Vec<PriorResult>) -> Vec<PriorResult> {
    if results.len() <= MOST_TAKEN {
        return results;
    }
    results.sort_by(|a, b| a.loss.total_cmp(&b.loss).then(a.trial.cmp(&b.trial)));
    let best = MOST_TAKEN / 2;
    let (rest, wanted) = (results.len() - best, MOST_TAKEN - best);
    let mut kept: Vec<PriorResult> = results[..best].to_vec();
    kept.extend((0..wanted).map(|i| results[best + i * rest / wanted].clone()));
    kept.sort_by_key(|result| result.trial);
    kept
}

/// The parameters of a sweep whose every parameter is fixed; `None` where one varies.
#[must_use]
pub fn fixed_params(sweep: &Sweep) -> Option<Params> {
    let fixed = |kind: &ParameterKind| -> Option<Value> {
        match kind {
            ParameterKind::Fixed { value } => Some(value.clone()),
            _ => None,
        }
    };
    sweep.space.iter().map(|(name, parameter)| Some((name.clone(), fixed(&parameter.kind)?))).collect()
}
