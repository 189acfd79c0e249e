//! Samplers: which configuration to try next.
//!
//! A sampler is a pure function of the space, the observations in order, the seed and the trial's number:
//! nothing it needs is lost with a process. Caches inside are allowed where rebuilding gives the same. Samplers
//! work on the unit cube and make losses small: a parameter's scale is the space's business, an objective's
//! direction the caller's.

mod auto;
mod axes;
mod cmaes;
mod evolution;
mod gaussian;
mod gp;
mod grid;
mod halton;
mod history;
mod nsga2;
mod propose;
mod random;
mod sobol;
mod tpe;
#[cfg(test)]
mod trial_runs_test;
mod warm;

pub use history::{ABSENT, End, History, Level, News, Ranked, signature};
pub use warm::Prior;

use crate::domain::sweep::SamplerSpec;
use crate::domain::{Params, Reason};
use crate::space::Space;
use propose::Proposing;

/// What a sampler is asked with.
pub struct Ask<'a> {
    /// The space.
    pub space: &'a Space,
    /// The sweep's seed.
    pub seed: u64,
    /// The number of the trial that is wanted, from 0.
    pub number: u64,
    /// How many trials the sweep is to have, where that is limited.
    pub trials: Option<u64>,
    /// What is known of the trials before it.
    pub history: &'a History,
    /// Whether a configuration may come more than once.
    pub duplicates: bool,
    /// Whether a configuration can exist, and if not, why.
    pub feasible: &'a dyn Fn(&Params) -> Result<(), String>,
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
}

/// A configuration that the user asked for, completed by what the sampler suggests for that trial. It is to pass
/// `check`, which may ask for less than suggestions must meet.
///
/// # Errors
/// Why it cannot exist, as a sentence.
pub fn fill_in(
    sampler: &dyn Sampler,
    ask: &Ask<'_>,
    given: &Params,
    check: &dyn Fn(&Params) -> Result<(), String>,
) -> Result<(Params, Reason), String> {
    let drawn = match sampler.suggest(ask) {
        Suggestion::Trial { params, .. } => params,
        Suggestion::Exhausted { .. } => Params::new(),
    };
    // A parameter that exists under the given values but not in the draw takes the middle of its range.
    let fill = |entry: &crate::space::Entry| {
        drawn.get(&entry.name).cloned().unwrap_or_else(|| entry.dimension.decode(0.5))
    };
    let params = ask.space.complete(given, fill)?;
    check(&params)?;
    let open = params.keys().filter(|name| {
        let is_fixed = ask.space.entries().iter().any(|entry| entry.name == **name && entry.is_fixed());
        !given.contains_key(*name) && !is_fixed
    });
    let filled_in = open.cloned().collect();
    Ok((params, Reason::Enqueued { filled_in }))
}

/// The sampler that a sweep names, with what it begins with.
#[must_use]
pub fn build(spec: &SamplerSpec, prior: Option<Prior>) -> Box<dyn Sampler> {
    match prior {
        Some(prior) => Box::new(warm::Warm::new(cold(spec), prior)),
        None => cold(spec),
    }
}

fn cold(spec: &SamplerSpec) -> Box<dyn Sampler> {
    match *spec {
        SamplerSpec::Auto => Box::new(Proposing(auto::Auto::new())),
        SamplerSpec::Random => Box::new(Proposing(random::Random)),
        SamplerSpec::Sobol => Box::new(Proposing(sobol::Sobol)),
        SamplerSpec::Halton => Box::new(Proposing(halton::Halton)),
        SamplerSpec::Tpe { startup, candidates } => Box::new(Proposing(tpe::Tpe::new(startup, candidates))),
        SamplerSpec::Gp { startup } => Box::new(Proposing(gp::Gp::new(startup))),
        SamplerSpec::Cmaes { population } => Box::new(Proposing(cmaes::CmaEs::new(population))),
        SamplerSpec::Nsga2 { population } => Box::new(Proposing(nsga2::Nsga2::new(population))),
        SamplerSpec::Evolution { population, tournament } => {
            Box::new(Proposing(evolution::Evolution::new(population, tournament)))
        }
        SamplerSpec::Grid { divisions } => Box::new(grid::Grid::new(divisions)),
    }
}
