//! Bayesian optimisation with a Gaussian process: Matern 5/2 with a length scale per parameter, expected
//! improvement by its logarithm, and a mixed local search of it.
//!
//! The parts: [`cube`] makes points of the space comparable, [`data`] chooses the trials, [`target`] scales their
//! losses, [`fit`] learns the length scales, [`model`] is the posterior with the running trials, [`optimum`]
//! searches it. What is learned or factored is remembered with all that it was made from, and used again for just
//! that: forgetting it changes nothing but the time taken.

mod cube;
mod data;
mod descent;
mod factor;
mod fit;
mod improvement;
mod kernel;
mod model;
mod optimum;
mod target;

use super::propose::Propose;
use super::{Ask, History, Level};
use crate::domain::stream::{Key, stream, uniform};
use cube::Cube;
use data::Observed;
use kernel::{Rows, Scales};
use model::{Covariance, Model};
use optimum::Optimum;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// A Gaussian process over the unit cube.
pub(super) struct Gp {
    startup: u32,
    memory: Mutex<Memory>,
}

/// What was worked out last, each with what it was worked out from.
#[derive(Default)]
struct Memory {
    fitted: Option<Fitted>,
    covariance: Option<Covariance>,
}

#[derive(Clone)]
struct Fitted {
    rows: Rows,
    targets: Vec<f64>,
    seed: u64,
    scales: Scales,
}

/// So many points are proposed at most.
const MOST_PROPOSED: usize = 24;
/// The candidates lie around so many of the best trials.
const BEST: usize = 5;
/// No more running trials are imagined.
const MOST_RUNNING: usize = 128;

/// A point that is no further from another in any coordinate would tell nothing new.
const CLOSE: f64 = 1e-6;
/// So many of the best trials are compared with, and all that run.
const MOST_NEAR: usize = 200;

impl Gp {
    /// With so many trials spread over the space first.
    #[must_use]
    pub fn new(startup: u32) -> Self {
        Self { startup, memory: Mutex::default() }
    }

    /// A Latin hypercube over the first trials (McKay, Beckman and Conover, Technometrics 21, 1979); independent
    /// draws when asked again, or later.
    fn first(&self, ask: &Ask<'_>, round: u32) -> Vec<f64> {
        let coordinate = |name: &str| {
            let keys = [Key::Number(ask.number), Key::Number(round.into()), Key::Name(name)];
            let within = uniform(&mut stream(ask.seed, "gp draw", &keys));
            let strata = u64::from(self.startup);
            if round > 0 || ask.number >= strata {
                return within;
            }
            let mut rng = stream(ask.seed, "gp start", &[Key::Name(name)]);
            let mut order: Vec<u64> = (0..strata).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, (uniform(&mut rng) * (i + 1) as f64) as usize);
            }
            (order[ask.number as usize] as f64 + within) / strata as f64
        };
        ask.space.entries().iter().map(|entry| coordinate(&entry.name)).collect()
    }

    fn best(&self, ask: &Ask<'_>, level: Level, round: u32) -> Vec<Vec<f64>> {
        let history = ask.history;
        let cube = Cube::new(ask.space);
        let observed = Observed::up_to(history, level, usize::MAX);
        let learned = data::learned_at(observed.trials.len());
        let then = Observed::up_to(history, level, learned);

        let mut kept = then.to_keep();
        kept.extend(learned..observed.trials.len());
        let trials: Vec<u64> = kept.iter().map(|place| observed.trials[*place]).collect();
        let all = target::standardised(&observed.losses);
        let targets: Vec<f64> = kept.iter().map(|place| all[*place]).collect();
        let rows = rows(&cube, history, trials.iter().copied());

        let covariance = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let scales = memory.scales(&cube, history, &then, ask.seed);
            memory.covariance(&scales, &rows)
        };

        let is_observed: HashSet<u64> = observed.trials.iter().copied().collect();
        let running = history.running().filter(|trial| *trial != ask.number && !is_observed.contains(trial));
        let running: Vec<Vec<f64>> = running
            .filter(|trial| !history.point(*trial).is_empty())
            .take(MOST_RUNNING)
            .map(|trial| described(&cube, history.point(trial)))
            .collect();

        let keys = [Key::Number(ask.number), Key::Number(round.into())];
        let model = Model::new(covariance, &targets, &running, &mut stream(ask.seed, "gp fantasies", &keys));
        let best: Vec<&[f64]> = history
            .ranked(level)
            .take(BEST)
            .filter(|ranked| ranked.loss.is_finite())
            .map(|ranked| history.point(ranked.trial))
            .collect();
        let near: Vec<&[f64]> = history
            .ranked(level)
            .take(MOST_NEAR)
            .map(|ranked| ranked.trial)
            .chain(history.running())
            .map(|trial| history.point(trial))
            .collect();
        let is_near = |point: &[f64]| near.iter().any(|other| is_close(point, other));
        let can_exist = |point: &[f64]| (ask.feasible)(&ask.space.decode(point)).is_ok();
        let is_known = |point: &[f64]| {
            if cube.is_continuous(point) { is_near(point) } else { history.contains(point) }
        };
        // Whether a point can exist is asked of the few that are proposed, and of all once those were refused.
        let is_open =
            |point: &[f64]| (ask.duplicates || !is_known(point)) && (round == 0 || can_exist(point));
        let rng = stream(ask.seed, "gp search", &keys);
        let candidates = if rows.len() <= 250 { 1024 } else { 512 };
        let spots = Optimum { cube: &cube, model, rng, is_open: &is_open }.search(&best, candidates);
        spots.into_iter().take(MOST_PROPOSED).map(|spot| spot.raw).collect()
    }
}

impl Propose for Gp {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "gp"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        let startup = u64::from(self.startup);
        let level = ask.history.level(usize::try_from(self.startup).unwrap_or(usize::MAX).max(1));
        // While most of the first are running there is too little to go by.
        let enough = (self.startup as usize / 2).max(2);
        match level {
            Some(level) if ask.number >= startup && ask.history.ranked(level).len() >= enough => {
                self.best(ask, level, round)
            }
            _ => vec![self.first(ask, round)],
        }
    }
}

impl Memory {
    fn scales(&mut self, cube: &Cube<'_>, history: &History, observed: &Observed, seed: u64) -> Scales {
        let places = observed.to_fit();
        let rows = rows(cube, history, places.iter().map(|place| observed.trials[*place]));
        let losses: Vec<f64> = places.iter().map(|place| observed.losses[*place]).collect();
        let targets = target::standardised(&losses);
        let known = self.fitted.as_ref().filter(|known| {
            known.seed == seed
                && known.targets == targets
                && known.rows.len() == rows.len()
                && known.rows.begin(&rows)
        });
        if let Some(known) = known {
            return known.scales.clone();
        }
        let scales = fit::fit(&rows, &targets, seed);
        self.fitted = Some(Fitted { rows, targets, seed, scales: scales.clone() });
        scales
    }

    fn covariance(&mut self, scales: &Scales, rows: &Rows) -> Covariance {
        let known = self.covariance.take().filter(|known| known.begins(scales, rows));
        let covariance = match known {
            Some(mut known) => {
                known.extend(rows);
                known
            }
            None => Covariance::new(scales, rows),
        };
        self.covariance.insert(covariance).clone()
    }
}

fn rows(cube: &Cube<'_>, history: &History, trials: impl Iterator<Item = u64>) -> Rows {
    let mut rows = Rows::new(cube.features());
    trials.for_each(|trial| rows.push(&described(cube, history.point(trial))));
    rows
}

fn is_close(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(x, y)| (x - y).abs() < CLOSE || x.is_nan() && y.is_nan())
}

fn described(cube: &Cube<'_>, point: &[f64]) -> Vec<f64> {
    let mut features = vec![0.0; cube.features().len()];
    cube.describe(point, &mut features);
    features
}

#[cfg(test)]
#[path = "gp_test.rs"]
mod gp_test;
#[cfg(test)]
#[path = "quality_test.rs"]
mod quality_test;
