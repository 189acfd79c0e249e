//! A stopper as a sweep file names it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A stopper by name with its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum StopperSpec {
    /// Asynchronous successive halving.
    Asha {
        /// The first rung, an absolute step.
        min_steps: u64,
        /// One in so many goes on from a rung; each rung is so many times the one before.
        factor: u64,
        /// What becomes of the others.
        #[serde(default)]
        mode: Mode,
    },
    /// Synchronous successive halving: nothing goes on before all values of its rung are known.
    Halving {
        /// See [`StopperSpec::Asha`].
        min_steps: u64,
        /// See [`StopperSpec::Asha`].
        factor: u64,
    },
    /// Brackets of asynchronous successive halving, each with a later first rung. With the sampler `tpe` it is BOHB.
    Hyperband {
        /// The first bracket's first rung, an absolute step.
        min_steps: u64,
        /// The most steps of a trial: no bracket begins later.
        max_steps: u64,
        /// See [`StopperSpec::Asha`].
        factor: u64,
        /// See [`StopperSpec::Asha`].
        #[serde(default)]
        mode: Mode,
    },
    /// A running trial ends when it is worse than the median of those that completed.
    Median(Against),
    /// A running trial ends when it is not among the best so many percent of those that completed.
    Percentile {
        /// The best so many percent go on.
        percentile: f64,
        /// Compared how.
        #[serde(flatten)]
        against: Against,
    },
    /// A running trial ends when it will hardly come to be the best, going by how completed ones went on.
    Extrapolation {
        /// So many trials must have completed before any is judged.
        startup_trials: u64,
        /// The first so many steps are not judged.
        warmup_steps: u64,
        /// The least chance, from 0 to 1, with which a trial goes on.
        chance: f64,
    },
    /// A running trial ends when its value leaves a range.
    Threshold {
        /// No value may be less.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lower: Option<f64>,
        /// No value may be more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upper: Option<f64>,
        /// The first so many steps are not judged.
        after_steps: u64,
    },
    /// A running trial ends when it has not become better for some steps.
    Patience {
        /// So many steps.
        patience: u64,
        /// Better by no more than this does not count.
        min_delta: f64,
    },
    /// Population-based training: what is among the last gives its place to an heir of one of the first.
    Population(Population),
}

/// How a population is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Population {
    /// So many trials begin anew; later ones take the places of earlier ones.
    pub members: u64,
    /// They are compared after every so many steps.
    pub interval: u64,
    /// The share of those compared that is replaced, and the share that heirs come from.
    pub quantile: f64,
    /// The parameters that an heir may have otherwise than its parent; empty for all that a checkpoint of the built-in
    /// trainer survives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub perturb: Vec<String>,
}

impl Population {
    /// How many of so many are replaced, and how many heirs may come from: the nearest whole number, at most half of
    /// them. The first to come are compared with few, and would always go on were it rounded down.
    #[must_use]
    pub fn share_of(&self, known: u64) -> u64 {
        // A hair more is allowed for: 0.1 is not a tenth. Small and never negative, so the cast is exact.
        let nearest = (known as f64 * self.quantile + 0.5 + 1e-9).floor() as u64;
        nearest.min(known / 2)
    }
}

/// What becomes of trials that are not among the best at a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every trial pauses at a rung, and goes on when it turns out to be among the best there.
    #[default]
    Promote,
    /// No trial pauses; it ends unless it is among the best when it comes to the rung.
    Stop,
}

impl Mode {
    /// The word in a sweep file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Stop => "stop",
        }
    }
}

/// How a running trial is compared with completed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Against {
    /// So many trials must have completed before any is judged.
    pub startup_trials: u64,
    /// The first so many steps are not judged.
    pub warmup_steps: u64,
    /// After them one step of so many is.
    pub interval_steps: u64,
    /// So many completed trials must have come to the same step.
    pub min_trials: u64,
}

impl StopperSpec {
    /// The name it has in a sweep file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Asha { .. } => "asha",
            Self::Halving { .. } => "halving",
            Self::Hyperband { .. } => "hyperband",
            Self::Median(_) => "median",
            Self::Percentile { .. } => "percentile",
            Self::Extrapolation { .. } => "extrapolation",
            Self::Threshold { .. } => "threshold",
            Self::Patience { .. } => "patience",
            Self::Population(_) => "population",
        }
    }

    /// Whether it judges running trials at their reports.
    #[must_use]
    pub fn judges(&self) -> bool {
        match self {
            Self::Asha { mode, .. } | Self::Hyperband { mode, .. } => *mode == Mode::Stop,
            Self::Halving { .. } | Self::Population(_) => false,
            Self::Median(_)
            | Self::Percentile { .. }
            | Self::Extrapolation { .. }
            | Self::Threshold { .. }
            | Self::Patience { .. } => true,
        }
    }

    /// Whether it must know what completed trials reported.
    #[must_use]
    pub fn needs_curves(&self) -> bool {
        matches!(self, Self::Median(_) | Self::Percentile { .. } | Self::Extrapolation { .. })
    }

    /// The population that it trains, if it does.
    #[must_use]
    pub fn population(&self) -> Option<&Population> {
        match self {
            Self::Population(population) => Some(population),
            _ => None,
        }
    }
}

/// As a line for people: the name, and what it does with which numbers.
impl fmt::Display for StopperSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Asha { min_steps, factor, mode } => {
                write!(f, ", first rung {min_steps}, factor {factor}, mode {}", mode.as_str())
            }
            Self::Halving { min_steps, factor } => write!(f, ", first rung {min_steps}, factor {factor}"),
            Self::Hyperband { min_steps, max_steps, factor, mode } => {
                let mode = mode.as_str();
                write!(f, ", first rungs {min_steps} to {max_steps}, factor {factor}, mode {mode}")
            }
            Self::Median(against) => write!(f, " of completed trials{against}"),
            Self::Percentile { percentile, against } => {
                write!(f, ", the best {percentile} % of completed trials{against}")
            }
            Self::Extrapolation { startup_trials, warmup_steps, chance } => {
                let percent = 100.0 * chance;
                write!(
                    f,
                    ", a chance of less than {percent} % of becoming the best, startup {startup_trials} trials"
                )?;
                write!(f, ", warmup {warmup_steps} steps")
            }
            Self::Threshold { lower, upper, after_steps } => {
                if let Some(lower) = lower {
                    write!(f, ", at least {lower}")?;
                }
                if let Some(upper) = upper {
                    write!(f, ", at most {upper}")?;
                }
                write!(f, ", after {after_steps} steps")
            }
            Self::Patience { patience, min_delta } => {
                write!(f, ", {patience} steps without being better by more than {min_delta}")
            }
            Self::Population(Population { members, interval, quantile, perturb }) => {
                write!(f, ", {members} members, compared every {interval} steps, quantile {quantile}")?;
                if perturb.is_empty() { Ok(()) } else { write!(f, ", perturbs {}", perturb.join(", ")) }
            }
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { startup_trials, warmup_steps, interval_steps, min_trials } = self;
        write!(
            f,
            ", startup {startup_trials} trials, warmup {warmup_steps} steps, interval {interval_steps}, \
             at least {min_trials} to compare with"
        )
    }
}
