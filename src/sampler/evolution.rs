//! Regularised evolution: the youngest trials live, the best of a few of them has a child that differs a little, and
//! the oldest dies (Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019).

use super::axes::{Axis, axes, below, cell, normal, unit_of, word};
use super::propose::Propose;
use super::random::Random;
use super::{Ask, sobol};
use crate::domain::stream::{Key, stream, uniform};
use crate::space::Dimension;
use rand_chacha::rand_core::Rng;

/// The sampler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evolution {
    population: usize,
    tournament: usize,
}

/// So many trials come first that have no parents, unless fewer live.
const STARTUP: usize = 10;
/// So many parameters change on average besides the one that always does. The paper changes one alone; with a hundred
/// trials and ten parameters that is too slow. But no other changes more often than the second number says.
const MORE: (f64, f64) = (1.5, 0.25);
/// The longest and the shortest usual step of a number, in units of its range.
const STEPS: (f64, f64) = (0.3, 0.015);
/// So many candidates at a time.
const CANDIDATES: usize = 4;

impl Evolution {
    /// So many trials live, and the best of so many of them becomes a parent.
    pub(super) fn new(population: u32, tournament: u32) -> Self {
        Self { population: population.max(1) as usize, tournament: tournament.max(1) as usize }
    }
}

impl Propose for Evolution {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "evolution"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        // The first ones are spread out.
        if ask.number < STARTUP.min(self.population) as u64 {
            return if round == 0 { vec![sobol::point(ask)] } else { Random.propose(ask, round) };
        }
        let level = ask.history.level(STARTUP.min(self.population));
        let ends = ask.history.ends().iter().enumerate().rev();
        // Trials that failed are dead at once.
        let is_alive = |end: usize| ask.history.losses(end).first().is_some_and(|loss| loss.is_finite());
        let living: Vec<(u64, f64)> = ends
            .filter(|(place, end)| Some(end.level) == level && is_alive(*place))
            .take(self.population)
            .map(|(place, end)| (end.trial, ask.history.losses(place)[0]))
            .collect();
        if living.is_empty() {
            return Random.propose(ask, round);
        }
        let axes = axes(ask.space);
        let mut rng = stream(ask.seed, "evolution", &[Key::Number(ask.number), Key::Number(round.into())]);
        let child = |_| {
            let few = (0..self.tournament).map(|_| living[below(&mut rng, living.len())]);
            let best = few.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            let parent = best.map_or(&[][..], |(trial, _)| ask.history.point(trial));
            mutant(ask, &axes, parent, &mut rng)
        };
        (0..CANDIDATES).map(child).collect()
    }
}

/// A child that differs from its parent in one parameter or a few.
fn mutant(ask: &Ask<'_>, axes: &[Axis], parent: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let is_open = |i: &usize| axes[*i] != Axis::Still && parent.get(*i).is_some_and(|x| !x.is_nan());
    let places: Vec<usize> = (0..axes.len()).filter(is_open).collect();
    // What does not exist in the parent but in the child is drawn.
    let mut child: Vec<f64> = parent.iter().map(|x| if x.is_nan() { uniform(rng) } else { *x }).collect();
    if places.is_empty() {
        return child;
    }
    let always = below(rng, places.len());
    let chance = f64::min(MORE.0 / places.len() as f64, MORE.1);
    for (k, i) in places.into_iter().enumerate() {
        if uniform(rng) < chance || k == always {
            child[i] = moved(axes[i], &ask.space.entries()[i].dimension, child[i], rng);
        }
    }
    child
}

/// Another value: any other of a choice, one nearby of a number.
pub(super) fn moved(axis: Axis, dimension: &Dimension, x: f64, rng: &mut impl Rng) -> f64 {
    let cell = cell(dimension, x);
    match (axis, cell) {
        (Axis::Still, _) => x,
        (Axis::Words(count), _) => {
            let other = below(rng, count - 1);
            unit_of(if other >= word(x, count) { other + 1 } else { other }, count)
        }
        (_, None) => reflected(x + scale(rng) * normal(rng)),
        (_, Some((low, high))) => {
            // At least over the border of its cell, on a side where there is another.
            let up = if low <= 0.0 { true } else { high < 1.0 && uniform(rng) < 0.5 };
            let step = (scale(rng) * normal(rng)).abs() + 1e-9;
            let to = if up { high + step } else { low - step };
            to.clamp(0.0, 1.0)
        }
    }
}

/// How long a step is: mostly short, at times across the range.
fn scale(rng: &mut impl Rng) -> f64 {
    STEPS.0 * (STEPS.1 / STEPS.0).powf(uniform(rng))
}

/// Inside the cube, thrown back by its walls.
fn reflected(x: f64) -> f64 {
    let x = x.abs() % 2.0;
    if x > 1.0 { 2.0 - x } else { x }
}

#[cfg(test)]
#[path = "evolution_test.rs"]
mod evolution_test;
