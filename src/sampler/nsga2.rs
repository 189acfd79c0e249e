//! NSGA-II: parents are chosen by fronts and by the room around them, and have children by crossover and mutation
//! (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002). With one loss it is a genetic
//! algorithm that keeps the best.
//!
//! Each end enters the population as it becomes known and the worst leaves: no generation is waited for, and with few
//! trials a child is at once of use (Durillo et al., "On the Effect of the Steady-State Selection Scheme in
//! Multi-Objective Genetic Algorithms", EMO 2009). What failed has no children: all others dominate it.

use super::axes::{Axis, axes, below};
use super::evolution::moved;
use super::propose::Propose;
use super::random::Random;
use super::{Ask, End, Level, sobol};
use crate::domain::pareto::{crowding, fronts};
use crate::domain::stream::{Key, stream, uniform};
use rand_chacha::rand_core::Rng;
use std::sync::{Mutex, PoisonError};

/// The sampler.
#[derive(Debug)]
pub(super) struct Nsga2 {
    population: Option<u32>,
    /// Where the last answer left off: rebuilt from the start when it does not fit.
    kept: Mutex<Option<Population>>,
}

impl Nsga2 {
    pub(super) fn new(population: Option<u32>) -> Self {
        Self { population, kept: Mutex::new(None) }
    }

    /// How many live: the paper's usual number, less where a sweep is too short for many generations of them.
    fn size(&self, ask: &Ask<'_>) -> usize {
        // A front has to be held by more than what leads to one point.
        let generations = if ask.history.objectives() > 1 { 4 } else { 8 };
        let usual = ask.trials.map_or(MOST, |trials| trials / generations).clamp(LEAST, MOST);
        self.population.map_or(usual as usize, |n| n as usize).max(2)
    }
}

/// The population of a long sweep.
const MOST: u64 = 50;
/// The population of a short one.
const LEAST: u64 = 8;
/// So many candidates at a time.
const CANDIDATES: usize = 4;
/// How often a child has two parents, by the paper.
const CROSSOVER: f64 = 0.9;
/// So many parameters of a child mutate on average: one more than in the paper, which has thousands of trials.
const MUTATIONS: f64 = 2.0;
/// How near children lie to their parents: the distribution index of simulated binary crossover, by the paper.
const NEARNESS: f64 = 20.0;

impl Propose for Nsga2 {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "nsga2"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        let size = self.size(ask);
        // The first ones are spread out.
        if ask.number < size as u64 {
            return if round == 0 { vec![sobol::point(ask)] } else { Random.propose(ask, round) };
        }
        let level = ask.history.level(size);
        let mut slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &Population| kept.size == size && kept.level == level && kept.follows(ask);
        let mut population = slot.take().filter(fits).unwrap_or_else(|| Population::new(size, level));
        population.catch_up(ask);
        let parents = population.living.clone();
        *slot = Some(population);
        drop(slot);
        if parents.is_empty() {
            return Random.propose(ask, round);
        }
        let axes = axes(ask.space);
        let mut rng = stream(ask.seed, "nsga2", &[Key::Number(ask.number), Key::Number(round.into())]);
        (0..CANDIDATES).map(|_| child(ask, &axes, &parents, &mut rng)).collect()
    }
}

/// A trial that lives.
#[derive(Debug, Clone)]
struct Member {
    trial: u64,
    losses: Vec<f64>,
    front: usize,
    room: f64,
}

/// What follows from the ends up to some place.
#[derive(Debug)]
struct Population {
    size: usize,
    level: Option<Level>,
    /// How many ends it has seen, and the last of them.
    seen: usize,
    last: Option<End>,
    living: Vec<Member>,
}

impl Population {
    fn new(size: usize, level: Option<Level>) -> Self {
        Self { size, level, seen: 0, last: None, living: Vec::new() }
    }

    /// Whether it has seen nothing but the first ends of this history.
    fn follows(&self, ask: &Ask<'_>) -> bool {
        let seen = self.seen.checked_sub(1).map(|last| ask.history.ends().get(last));
        seen.is_none_or(|end| end == self.last.as_ref())
    }

    fn catch_up(&mut self, ask: &Ask<'_>) {
        while let Some(end) = ask.history.ends().get(self.seen) {
            let losses = ask.history.losses(self.seen);
            // A failure in one respect is a failure: it has nothing to pass on.
            if Some(end.level) == self.level && losses.iter().all(|loss| loss.is_finite()) {
                self.living.retain(|member| member.trial != end.trial);
                self.living.push(Member { trial: end.trial, losses: losses.to_vec(), front: 0, room: 0.0 });
                self.select();
            }
            self.last = Some(*end);
            self.seen += 1;
        }
    }

    /// Ranks all, and lets those go that are too many.
    fn select(&mut self) {
        loop {
            let losses: Vec<&[f64]> = self.living.iter().map(|member| member.losses.as_slice()).collect();
            let mut places = vec![(0, 0.0); losses.len()];
            for (front, members) in fronts(&losses).iter().enumerate() {
                let of_front: Vec<&[f64]> = members.iter().map(|i| losses[*i]).collect();
                for (i, room) in members.iter().zip(crowding(&of_front)) {
                    places[*i] = (front, room);
                }
            }
            for (member, (front, room)) in self.living.iter_mut().zip(places) {
                (member.front, member.room) = (front, room);
            }
            if self.living.len() <= self.size {
                return;
            }
            let worst = self.living.iter().enumerate().max_by(|a, b| order(a.1, b.1)).map(|(i, _)| i);
            let Some(worst) = worst else { return };
            self.living.remove(worst);
        }
    }
}

/// The better first: by front, then the one with more room, then the older.
fn order(a: &Member, b: &Member) -> std::cmp::Ordering {
    a.front.cmp(&b.front).then(b.room.total_cmp(&a.room)).then(a.trial.cmp(&b.trial))
}

fn child(ask: &Ask<'_>, axes: &[Axis], living: &[Member], rng: &mut impl Rng) -> Vec<f64> {
    let mut parent = || {
        let pair = [below(rng, living.len()), below(rng, living.len())];
        let best = pair.into_iter().min_by(|a, b| order(&living[*a], &living[*b])).unwrap_or(0);
        ask.history.point(living[best].trial)
    };
    let (first, second) = (parent(), parent());
    let crossed = uniform(rng) < CROSSOVER;
    let exist = axes.iter().zip(first).filter(|(axis, x)| **axis != Axis::Still && !x.is_nan()).count();
    let chance = MUTATIONS / exist.max(1) as f64;
    let mut child = Vec::with_capacity(axes.len());
    for (((axis, entry), x), y) in axes.iter().zip(ask.space.entries()).zip(first).zip(second) {
        let inherited = match (x.is_nan(), y.is_nan()) {
            (true, true) => uniform(rng),
            (true, false) => *y,
            (false, true) => *x,
            _ if !crossed => *x,
            (false, false) => match axis {
                Axis::Line | Axis::Steps(_) => between(*x, *y, rng),
                _ if uniform(rng) < 0.5 => *y,
                _ => *x,
            },
        };
        let mutates = uniform(rng) < chance;
        child.push(if mutates { moved(*axis, &entry.dimension, inherited, rng) } else { inherited });
    }
    child
}

/// A coordinate around one of two, spread by how far they lie apart (Deb and Agrawal, "Simulated Binary Crossover for
/// Continuous Search Space", 1995); in half the cases just one of them.
fn between(x: f64, y: f64, rng: &mut impl Rng) -> f64 {
    let (x, y) = if uniform(rng) < 0.5 { (x, y) } else { (y, x) };
    if uniform(rng) < 0.5 {
        return x;
    }
    let u = uniform(rng);
    let power = 1.0 / (NEARNESS + 1.0);
    let spread = if u < 0.5 { (2.0 * u).powf(power) } else { (0.5 / (1.0 - u)).powf(power) };
    (0.5 * ((1.0 + spread) * x + (1.0 - spread) * y)).clamp(0.0, 1.0)
}

#[cfg(test)]
#[path = "nsga2_test.rs"]
mod nsga2_test;
