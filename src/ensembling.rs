//! An ensemble on its way: which trials may be in it, on which rows they predict, and what comes of the predictions.
//!
//! The predictions themselves are made by the trainer's program, which the command line and the daemon each run in
//! their own way.

use crate::dataset::{self, Dataset, DatasetError, Inputs, Split, split};
use crate::domain::ensemble::{Ensemble, Member, is_name};
use crate::domain::{Direction, Millis, ObjectiveKind};
use crate::report::ensemble::{greedy, rmse_of_mean};
use crate::store::query::{SweepSummary, TrialSummary};
use crate::store::{Reader, StoreError, blob};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many additions greedy selection tries.
const ROUNDS: u32 = 50;
/// Of so many of the best trials greedy selection chooses where nobody says otherwise.
pub const USUAL_CANDIDATES: u64 = 24;

/// What to put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// What it is called.
    pub name: String,
    /// The mean of so many of the best; of those that make the mean better, chosen greedily, where it is `None`.
    pub top: Option<u64>,
    /// So many of the best trials of each sweep may be chosen from.
    pub candidates: u64,
}

/// Why there is no ensemble.
#[derive(Debug, Error)]
pub enum EnsembleError {
    /// It cannot be called so.
    #[error(
        "`{0}` cannot be an ensemble's name: up to 64 letters, digits, `-` and `_`, and not digits alone"
    )]
    Name(String),
    /// The trials are no networks that can be asked.
    #[error("{0} trains no keypoint networks by their error")]
    NoNetworks(String),
    /// Two sweeps hold out different rows.
    #[error(
        "{0} and {1} have different datasets, validation shares or folds: their values cannot be compared"
    )]
    Differ(String, String),
    /// The dataset has another content now.
    #[error("dataset {dataset} is not what {sweep} was trained on any more")]
    Replaced {
        /// Its name.
        dataset: String,
        /// The sweep.
        sweep: String,
    },
    /// Nobody can predict.
    #[error("no trial has weights yet: only those that have paused or ended after an epoch do")]
    NoWeights,
    /// One trial cannot predict.
    #[error("trial {0} has no weights: only trials that ended after an epoch have")]
    Weightless(String),
    /// Weights are not where they were put.
    #[error("the weights of trial {name} ({hash}) are gone")]
    Gone {
        /// What people call the trial.
        name: String,
        /// Their hash.
        hash: String,
    },
    /// The dataset cannot be used.
    #[error("{}", crate::error_chain(.0))]
    Dataset(#[from] DatasetError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Recipe {
    /// A recipe with a name: `topN` or `greedy` where none is given.
    ///
    /// # Errors
    /// Where nothing can be called so.
    pub fn new(name: Option<String>, top: Option<u64>, candidates: u64) -> Result<Self, EnsembleError> {
        let name = name.unwrap_or_else(|| top.map_or("greedy".into(), |n| format!("top{n}")));
        if is_name(&name) { Ok(Self { name, top, candidates }) } else { Err(EnsembleError::Name(name)) }
    }

    /// How many trials may predict.
    fn most(&self) -> u64 {
        self.top.unwrap_or(self.candidates)
    }
}

/// The rows that some sweeps hold out, all the same ones.
#[derive(Debug)]
pub struct HeldOut {
    dataset: Dataset,
    /// One, or one of each fold.
    splits: Vec<Split>,
    labels: Vec<f32>,
}

impl HeldOut {
    /// Reads the dataset of the sweeps.
    ///
    /// # Errors
    /// Where the sweeps do not go together, or their dataset is not what it was.
    pub fn of(home: &Path, sweeps: &[SweepSummary]) -> Result<Self, EnsembleError> {
        let first = &sweeps[0];
        let rows_of = |sweep: &SweepSummary| {
            let objective = &sweep.spec.objective;
            (objective.folds, objective.folds.is_none().then_some(objective.validation))
        };
        for sweep in sweeps {
            let objective = &sweep.spec.objective;
            if objective.kind != ObjectiveKind::Keypoints || objective.direction != Direction::Minimize {
                return Err(EnsembleError::NoNetworks(sweep.name.clone()));
            }
            if sweep.dataset_hash != first.dataset_hash || rows_of(sweep) != rows_of(first) {
                return Err(EnsembleError::Differ(first.name.clone(), sweep.name.clone()));
            }
        }
        let objective = &first.spec.objective;
        let name = objective.dataset.as_deref().unwrap_or_default();
        let dataset = dataset::find(home, name)?;
        if first.dataset_hash.as_deref() != Some(dataset.hash()) {
            return Err(EnsembleError::Replaced { dataset: name.to_owned(), sweep: first.name.clone() });
        }
        let splits: Vec<Split> = (0..objective.runs())
            .map(|fold| split::of_fold(&dataset, objective, fold))
            .collect::<Result<_, _>>()?;
        // With folds these are all rows, each predicted by the network that was not trained on it.
        let rows = splits.iter().flat_map(|split| &split.validation);
        let labels = rows.flat_map(|row| dataset.labels(*row as usize)).copied().collect();
        Ok(Self { dataset, splits, labels })
    }

    /// How many networks of a trial predict: one, or one of each fold.
    #[must_use]
    pub fn networks(&self) -> usize {
        self.splits.len()
    }

    /// What each network sees of the images that it predicts.
    pub fn inputs(&self) -> impl Iterator<Item = Inputs> {
        self.splits.iter().map(|split| {
            let rows: Vec<usize> = split.validation.iter().map(|row| *row as usize).collect();
            Inputs::of_rows(&self.dataset, &rows)
        })
    }

    /// The ensemble that comes of what some trials predict; `predictions` are of all networks' rows, one after the
    /// other. The best trial comes first.
    #[must_use]
    pub fn choose(&self, recipe: &Recipe, all: &[(Nominee, Vec<f32>)], now: Millis) -> Ensemble {
        let predictions: Vec<&[f32]> = all.iter().map(|(_, predicted)| predicted.as_slice()).collect();
        let weights = match recipe.top {
            Some(_) => vec![1; all.len()],
            None => greedy(&predictions, &self.labels, ROUNDS),
        };
        let member = |((nominee, predicted), weight): (&(Nominee, Vec<f32>), &u32)| Member {
            trial_id: nominee.trial.trial_id,
            trial: nominee.name.clone(),
            weight: *weight,
            rmse: rmse_of_mean(&[predicted], &[1], &self.labels),
        };
        let counting = all.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
        let mut members: Vec<Member> = counting.map(member).collect();
        // Stable: equals stay with the better one first.
        members.sort_by_key(|member| std::cmp::Reverse(member.weight));
        Ensemble {
            name: recipe.name.clone(),
            members,
            rmse: rmse_of_mean(&predictions, &weights, &self.labels),
            rows: self.splits.iter().map(|split| split.validation.len() as u64).sum(),
            created_ms: now,
        }
    }
}

/// A trial that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Nominee {
    /// The trial.
    pub trial: TrialSummary,
    /// `SWEEP/NUMBER`
    pub name: String,
    /// The files of its networks.
    pub weights: Vec<PathBuf>,
}

/// The best trials of some sweeps that have so many networks, the best first.
///
/// # Errors
/// Where there is none, or its weights are gone; what the database says.
pub async fn nominees(
    reader: &Reader,
    home: &Path,
    sweeps: &[SweepSummary],
    recipe: &Recipe,
    networks: usize,
) -> Result<Vec<Nominee>, EnsembleError> {
    let most = recipe.most();
    let mut found = Vec::new();
    for sweep in sweeps {
        let trials = reader.best_first(sweep, None, most).await?;
        let usable = trials.into_iter().filter(|trial| has_weights(trial, networks));
        found.extend(usable.map(|trial| (format!("{}/{}", sweep.name, trial.number), trial)));
    }
    let value = |trial: &TrialSummary| trial.value.unwrap_or(f64::INFINITY);
    found.sort_by(|(_, a), (_, b)| value(a).total_cmp(&value(b)));
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    if found.is_empty() {
        return Err(EnsembleError::NoWeights);
    }
    let nominee = |(name, trial): (String, TrialSummary)| {
        Ok(Nominee { weights: weights_of(home, &trial, &name)?, trial, name })
    };
    found.into_iter().map(nominee).collect()
}

/// Whether a trial has so many networks.
fn has_weights(trial: &TrialSummary, networks: usize) -> bool {
    let folds = trial.folds.iter().filter(|fold| fold.weights.is_some() && fold.value.is_some()).count();
    trial.value.is_some() && (folds == networks || networks == 1 && trial.weights.is_some())
}

/// The file of a trial's best weights, or one of each of its folds; `name` is what people call the trial.
///
/// # Errors
/// Where it has none, or they are gone.
pub fn weights_of(home: &Path, trial: &TrialSummary, name: &str) -> Result<Vec<PathBuf>, EnsembleError> {
    let hashes: Option<Vec<&String>> = match trial.folds.as_slice() {
        [] => trial.weights.as_ref().map(|hash| vec![hash]),
        folds => folds.iter().map(|fold| fold.weights.as_ref()).collect(),
    };
    let path = |hash: &String| {
        let path = blob::path(home, hash).filter(|path| path.exists());
        path.ok_or_else(|| EnsembleError::Gone { name: name.to_owned(), hash: hash.clone() })
    };
    hashes.ok_or_else(|| EnsembleError::Weightless(name.to_owned()))?.into_iter().map(path).collect()
}
