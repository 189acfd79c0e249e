//! What a trial runs, and what of it is optimised.

use super::metric::{Metrics, PARAMETERS};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a trial runs and what of it is optimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Objective {
    /// Who runs a trial.
    pub kind: ObjectiveKind,
    /// Name of the dataset, for the built-in trainer.
    pub dataset: Option<String>,
    /// Share of the images (by group of identical images) kept for validation, for the built-in trainer.
    pub validation: f64,
    /// Into how many folds the images are divided, each of which validates a training on the others: a trial's values
    /// are then means over its folds. `None` for the one split by `validation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<u32>,
    /// The reported metric that ranks trials, and whose best step is a trial's best: the primary one.
    pub metric: String,
    /// Whether less or more of the metric is better.
    pub direction: Direction,
    /// What else is optimised, beside the primary metric; nothing where a sweep has one objective.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Target>,
    /// The program and its arguments, for [`ObjectiveKind::Command`]; see [`super::template`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Seconds that one attempt of a command may take; `None` for as long as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// The folder that a command runs in. Absolute once the sweep is submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workdir: Option<PathBuf>,
    /// What becomes of a trial that does not fit its device's memory.
    #[serde(default, skip_serializing_if = "OutOfMemory::is_default")]
    pub out_of_memory: OutOfMemory,
}

impl Objective {
    /// How often each trial is worked on: once a fold, else once.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.folds.unwrap_or(1)
    }

    /// All that is optimised, the primary metric first.
    pub fn targets(&self) -> impl Iterator<Item = (&str, Direction)> {
        let further = self.further.iter().map(|target| (target.name.as_str(), target.direction));
        std::iter::once((self.metric.as_str(), self.direction)).chain(further)
    }

    /// How many objectives there are.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + self.further.len()
    }

    /// What a step is worth by the further objectives: a finite number for each that was reported with the step or
    /// told at the trial's end. The number of weights nobody has to report where it is known beforehand.
    #[must_use]
    pub fn further_values(
        &self,
        step: Option<&Metrics>,
        told: &Metrics,
        parameter_count: Option<u64>,
    ) -> Vec<Option<f64>> {
        let value = |target: &Target| {
            let reported = step.and_then(|metrics| metrics.get(&target.name));
            let planned = parameter_count.filter(|_| target.name == PARAMETERS).map(|count| count as f64);
            reported.or_else(|| told.get(&target.name)).or(planned).filter(|value| value.is_finite())
        };
        self.further.iter().map(value).collect()
    }
}

/// A metric that is optimised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Target {
    /// The metric's name.
    pub name: String,
    /// Whether less or more of it is better.
    pub direction: Direction,
}

/// What becomes of a trial that ran out of memory with its device to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutOfMemory {
    /// It fails.
    #[default]
    Fail,
    /// It is tried again with each batch in 2, then 4, then 8 parts, whose gradients are summed: the same gradient
    /// within rounding, but for batch norms, which see parts. Inexact, therefore.
    Accumulate,
}

impl OutOfMemory {
    /// Whether it is what a sweep has that says nothing of it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Who runs a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveKind {
    /// The built-in trainer: keypoint regression on a dataset.
    Keypoints,
    /// A synthetic function of the parameters, evaluated in a worker process: for trying out a search.
    Toy,
    /// A program of the user's, started once for every attempt of a trial.
    Command,
    /// Any client that asks and tells over HTTP.
    External,
}

/// Whether less or more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

impl Direction {
    /// Whether `a` is better than `b`. A non-finite number is never better.
    #[must_use]
    pub fn better(self, a: f64, b: f64) -> bool {
        if !a.is_finite() {
            return false;
        }
        if !b.is_finite() {
            return true;
        }
        match self {
            Self::Minimize => a < b,
            Self::Maximize => a > b,
        }
    }

    /// The best of some steps: the first of those whose finite value none is better than.
    pub fn best(self, steps: impl IntoIterator<Item = (u64, f64)>) -> Option<(u64, f64)> {
        let finite = steps.into_iter().filter(|(_, value)| value.is_finite());
        finite.reduce(|best, step| if self.better(step.1, best.1) { step } else { best })
    }

    /// A value as a loss, which is to be made small: infinite without a finite value.
    #[must_use]
    pub fn loss(self, value: Option<f64>) -> f64 {
        value.filter(|value| value.is_finite()).map_or(f64::INFINITY, |value| self.signed(value))
    }

    /// With the sign changed where more is better; its own inverse.
    #[must_use]
    pub fn signed(self, x: f64) -> f64 {
        match self {
            Self::Minimize => x,
            Self::Maximize => -x,
        }
    }
}
