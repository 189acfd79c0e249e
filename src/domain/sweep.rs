//! A sweep as its file says it, with every default filled in.

pub use super::objective::{Direction, Objective, ObjectiveKind, OutOfMemory, Target};
pub use super::stopper::{Against, Mode, Population, StopperSpec};
use super::time::Millis;
use super::value::{Params, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One search: what is optimised, how it is searched, and over which space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sweep {
    /// The name people say; several sweeps may share one, the newest is meant.
    pub name: String,
    /// Every random number of the sweep derives from it.
    pub seed: u64,
    /// Higher goes first when slots are scarce.
    pub priority: i64,
    /// What a trial is and which number of it counts.
    pub objective: Objective,
    /// How configurations are chosen.
    pub search: Search,
    /// The parameters by name.
    pub space: BTreeMap<String, Parameter>,
    /// Parameters that an earlier version of the space had: trials have values of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gone: BTreeMap<String, Parameter>,
    /// Configurations to try first, in order; what one leaves open, the sampler fills in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enqueue: Vec<Params>,
}

impl Sweep {
    /// Every parameter that some trial may have a value of, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&String, &Parameter)> {
        self.space.iter().chain(&self.gone)
    }

    /// Whether the configurations of earlier trials decide about later ones.
    #[must_use]
    pub fn needs_points(&self) -> bool {
        let repeats = self.may_repeat() && self.search.duplicates != Duplicates::Allow;
        self.search.sampler.learns() || repeats || self.population().is_some()
    }

    /// The population that it trains, where it does (population-based training).
    #[must_use]
    pub fn population(&self) -> Option<&Population> {
        self.search.stopper.as_ref().and_then(StopperSpec::population)
    }

    /// Whether the same configuration may be suggested twice.
    fn may_repeat(&self) -> bool {
        let is_endless = |parameter: &Parameter| matches!(parameter.kind, ParameterKind::Float { low, high, step: None, .. } if low < high);
        let is_grid = matches!(self.search.sampler, SamplerSpec::Grid { .. });
        !is_grid && !self.space.values().any(is_endless)
    }

    /// Whether results of earlier trials stand in for new ones.
    #[must_use]
    pub fn reuses(&self) -> bool {
        self.search.duplicates == Duplicates::Reuse && self.may_repeat()
    }

    /// Whether it learns from its trials how much fits into memory: the built-in trainer's needs are estimated
    /// beforehand. A grid tries every combination.
    #[must_use]
    pub fn learns_memory(&self) -> bool {
        let is_grid = matches!(self.search.sampler, SamplerSpec::Grid { .. });
        self.objective.kind == ObjectiveKind::Keypoints && !is_grid
    }

    /// Whether the ends of earlier legs decide about later ones.
    #[must_use]
    pub fn needs_ends(&self) -> bool {
        self.search.stopper.is_some()
            || self.search.sampler.learns()
            || self.reuses()
            || self.objective.folds.is_some()
            || self.learns_memory()
    }
}

/// How configurations are chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Search {
    /// Which sampler suggests configurations.
    pub sampler: SamplerSpec,
    /// How many trials the sweep runs; `None` for as many as the sampler has (a grid), or as a population comes to.
    pub trials: Option<u64>,
    /// How many trials (or folds of trials) may run at once; `None` for as many as there are slots.
    pub parallel: Option<u32>,
    /// How many trials one worker may train in one step, where they are trainings of one network with batches of one
    /// size.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub fuse: u32,
    /// Which trials go on, and which end early; `None` for all to their end.
    #[serde(default)]
    pub stopper: Option<StopperSpec>,
    /// How sure it must be that a trial is worse than the best one before its remaining folds are not tried any more,
    /// between 0 and 1; `None` for never. Only where there are folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub race: Option<f64>,
    /// What a decision may see of the others.
    #[serde(default)]
    pub order: Order,
    /// Seconds after its submission at which the sweep ends.
    #[serde(default)]
    pub time_limit_s: Option<u64>,
    /// The point in time at which the sweep ends, whenever it was submitted.
    #[serde(default, with = "super::time::text", skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Millis>,
    /// What becomes of a configuration that comes a second time.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// Earlier sweeps, by name or id, whose results the sampler begins with; resolved at the submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_start: Vec<String>,
    /// Conditions between parameters that every configuration must meet: `blocks * 2 <= 12`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "so serde wants it")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

/// What becomes of a configuration that comes a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Another one is taken in its place, as long as there is one. Matters where the space is finite.
    #[default]
    Skip,
    /// It is tried again.
    Allow,
    /// It gets the result of the trial that completed with it, at once; tried again where none has.
    Reuse,
}

impl Duplicates {
    /// The word in a sweep file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Allow => "allow",
            Self::Reuse => "reuse",
        }
    }
}

/// What a decision about a leg may see of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All that is known when it is made; nothing ever waits.
    #[default]
    Arrival,
    /// Just the legs 0 to k - parallel, for leg k: the same sweep gives the same table, whatever the timing.
    Number,
}

impl Order {
    /// The word in a sweep file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Number => "number",
        }
    }
}

/// A sampler by name with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SamplerSpec {
    /// The method that fits the space, the number of trials and the objectives.
    Auto,
    /// Independent draws.
    Random,
    /// Points of a scrambled Sobol sequence.
    Sobol,
    /// Points of a scrambled Halton sequence.
    Halton,
    /// Tree-structured Parzen estimators.
    Tpe {
        /// Trials that are drawn before anything is modelled.
        startup: u32,
        /// Draws from the good trials' density, the best of which is taken.
        candidates: u32,
    },
    /// A Gaussian process with expected improvement.
    Gp {
        /// Trials that are drawn before anything is modelled.
        startup: u32,
    },
    /// Evolution strategy with covariance matrix adaptation.
    Cmaes {
        /// Trials of a generation; `None` for what fits the space.
        population: Option<u32>,
    },
    /// Genetic algorithm with non-dominated sorting.
    Nsga2 {
        /// Trials of a generation; `None` for what fits the number of trials.
        population: Option<u32>,
    },
    /// Regularised evolution.
    Evolution {
        /// How many of the last trials live.
        population: u32,
        /// How many of them compete to be the parent.
        tournament: u32,
    },
    /// Every combination, in order.
    Grid {
        /// How many values a float, or a wide int, is divided into.
        divisions: u32,
    },
}

impl SamplerSpec {
    /// The name it has in a sweep file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Halton => "halton",
            Self::Tpe { .. } => "tpe",
            Self::Gp { .. } => "gp",
            Self::Cmaes { .. } => "cmaes",
            Self::Nsga2 { .. } => "nsga2",
            Self::Evolution { .. } => "evolution",
            Self::Grid { .. } => "grid",
        }
    }

    /// Whether it serves a sweep with several objectives: it knows what to do with them, or learns from none.
    #[must_use]
    pub fn takes_several(&self) -> bool {
        !matches!(self, Self::Gp { .. } | Self::Cmaes { .. } | Self::Evolution { .. })
    }

    /// Whether what came of earlier trials decides about later ones.
    #[must_use]
    pub fn learns(&self) -> bool {
        !matches!(self, Self::Random | Self::Sobol | Self::Halton | Self::Grid { .. })
    }
}

/// One entry of the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Parameter {
    /// Its range or choices.
    pub kind: ParameterKind,
    /// When it exists; `None` for always.
    pub when: Option<When>,
    /// What a trial counts as having that was suggested when the space did not have the parameter yet, or by
    /// another sweep; `None`: such a trial does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// A parameter's range or choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ParameterKind {
    /// A real number in `[low, high]`.
    Float {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Uniform in the logarithm.
        log: bool,
        /// Only `low + k * step`.
        step: Option<f64>,
    },
    /// A whole number in `[low, high]`.
    Int {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Uniform in the logarithm.
        log: bool,
        /// Only `low + k * step`.
        step: Option<i64>,
    },
    /// One of some values.
    Choice {
        /// The values, in the order of the file.
        values: Vec<Value>,
    },
    /// Always the same.
    Fixed {
        /// The value.
        value: Value,
    },
}

/// A parameter exists only while its parent has one of these values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct When {
    /// The parent's name.
    pub param: String,
    /// The parent's values under which the parameter exists.
    #[serde(rename = "in")]
    pub values: Vec<Value>,
}

/// Where a sweep stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SweepState {
    /// Hands out work.
    Active,
    /// Hands out no new work until resumed; running trials finish.
    Paused,
    /// Every trial has ended.
    Completed,
    /// Ended by the user.
    Cancelled,
}

impl SweepState {
    /// The word used in the database and in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Completed, Self::Cancelled]
            .into_iter()
            .find(|s| s.as_str() == word)
    }

    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}
