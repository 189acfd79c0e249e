//! Samplers: which configuration to try next.
//!
//! A sampler is a pure function of the space, the observations in order, the seed and the trial's number:
//! nothing it needs is lost with a process. Caches inside are allowed where rebuilding gives the same.

mod grid;
mod random;

use crate::domain::sweep::SamplerSpec;
use crate::domain::{Params, Reason};
use crate::space::Space;

/// What a sampler is asked with.
pub struct Ask<'a> {
    /// The space.
    pub space: &'a Space,
    /// The sweep's seed.
    pub seed: u64,
    /// The number of the trial that is wanted, from 0.
    pub number: u64,
    /// What is known of other trials, in the order in which it became known.
    pub observations: &'a [Observation],
    /// Whether a configuration can exist, and if not, why.
    pub feasible: &'a dyn Fn(&Params) -> Result<(), String>,
}

/// What is known of another trial of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Its number.
    pub number: u64,
    /// Its configuration.
    pub params: Params,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// It runs.
    Running,
    /// It has a value per objective; only the first here.
    Completed {
        /// The metric at its best step.
        value: f64,
    },
    /// It was stopped early at this step with this value.
    Stopped {
        /// The last step.
        step: u64,
        /// The best value up to there.
        value: f64,
    },
    /// It failed: information about where not to go.
    Failed,
}

/// A sampler's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Suggestion {
    /// Try this.
    Trial {
        /// The configuration.
        params: Params,
        /// Why this one.
        reason: Reason,
    },
    /// There is nothing more to try.
    Exhausted {
        /// Why not.
        reason: Reason,
    },
}

/// Suggests configurations.
pub trait Sampler: Send + Sync {
    /// The configuration of trial `ask.number`.
    fn suggest(&self, ask: &Ask<'_>) -> Suggestion;

    /// Whether it looks at observations; if not, none have to be loaded.
    fn needs_observations(&self) -> bool;
}

/// A configuration that the user asked for, completed by what the sampler suggests for that trial.
///
/// # Errors
/// Why it cannot exist, as a sentence.
pub fn fill_in(sampler: &dyn Sampler, ask: &Ask<'_>, given: &Params) -> Result<(Params, Reason), String> {
    let drawn = match sampler.suggest(ask) {
        Suggestion::Trial { params, .. } => params,
        Suggestion::Exhausted { .. } => Params::new(),
    };
    // A parameter that exists under the given values but not in the draw takes the middle of its range.
    let fill = |entry: &crate::space::Entry| {
        drawn.get(&entry.name).cloned().unwrap_or_else(|| entry.dimension.decode(0.5))
    };
    let params = ask.space.complete(given, fill)?;
    (ask.feasible)(&params)?;
    let open = params.keys().filter(|name| {
        let is_fixed = ask.space.entries().iter().any(|entry| entry.name == **name && entry.is_fixed());
        !given.contains_key(*name) && !is_fixed
    });
    let filled_in = open.cloned().collect();
    Ok((params, Reason::Enqueued { filled_in }))
}

/// The sampler that a sweep names.
#[must_use]
pub fn build(spec: &SamplerSpec) -> Box<dyn Sampler> {
    match spec {
        SamplerSpec::Random => Box::new(random::Random),
        SamplerSpec::Grid { divisions } => Box::new(grid::Grid::new(*divisions)),
    }
}
