//! CMA-ES: a normal distribution over the numbers that moves towards the better half of what was tried, and
//! probabilities for the choices that move with it.
//!
//! Numbers follow Hansen's tutorial (see [`super::gaussian`]). Ints and stepped floats have a margin: the chance to
//! leave the mean's own cell stays above a floor (Hamano et al., "CMA-ES with Margin", GECCO 2022). Choices have
//! independent probabilities with a floor (Hamano et al., "CatCMA", GECCO 2024), moved by the same weights at a
//! fixed rate. When a run is spent, the next starts elsewhere with twice the population (Auger and Hansen, "A
//! Restart CMA Evolution Strategy With Increasing Population Size", CEC 2005).
//!
//! A generation is so many ends in the order in which they became known, whichever distribution they were drawn
//! from: with many workers nothing waits and nothing is wasted. The draws are those of a scrambled Sobol sequence,
//! turned normal, which spread a generation more evenly (Teytaud and Gelly, "DCMA: Yet Another Derandomization in
//! Covariance-Matrix-Adaptation", GECCO 2007). Points outside the cube are drawn again, and in the end moved to its
//! surface; what is learned from is the point that was tried. What a trial does not tell about a coordinate (it did
//! not exist, or only a cell is known) is made up from the distribution, so that it neither widens nor narrows it.

use super::axes::{Axis, axes, cell, normal, quantile, unit_of, word};
use super::gaussian::{Gaussian, Step, weights};
use super::propose::Propose;
use super::{Ask, End, Level, sobol};
use crate::domain::stream::{Key, stream, uniform};
use nalgebra::DVector;
use rand_chacha::rand_core::Rng;
use statrs::function::erf::erfc;
use std::f64::consts::SQRT_2;
use std::sync::{Mutex, PoisonError};

/// The sampler.
#[derive(Debug)]
pub(super) struct CmaEs {
    population: Option<u32>,
    /// Where the last answer left off: rebuilt from the start when it does not fit.
    kept: Mutex<Option<Search>>,
}

/// How wide the first distribution is, in units of the cube: most of it lies inside.
const SIGMA: f64 = 1.0 / 6.0;
/// How much of the tutorial's population is used. Sweeps have some hundred trials: more and smaller generations got
/// further in that time on nearly every function that was tried.
const SHARE: f64 = 0.7;
/// The least population: with fewer the better half is a single point.
const LEAST: usize = 4;
/// How far a generation moves the choices' probabilities.
const RATE: f64 = 0.4;
/// So many draws in the hope of one inside the cube, per coordinate.
const REDRAWS: usize = 10;
/// So many candidates at a time.
const CANDIDATES: usize = 4;
/// A run is spent when no direction is wider than this.
const SMALLEST: f64 = 1e-6;
/// A run is spent after so many generations in a row without any difference.
const MOST_FLAT: u32 = 5;

impl CmaEs {
    pub(super) fn new(population: Option<u32>) -> Self {
        Self { population, kept: Mutex::new(None) }
    }
}

impl Propose for CmaEs {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "cmaes"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        let axes = axes(ask.space);
        let varying = axes.iter().filter(|axis| **axis != Axis::Still).count();
        let usual = SHARE * (4.0 + 3.0 * (varying.max(1) as f64).ln());
        let population = self.population.map_or(usual as usize, |n| n as usize).max(LEAST);
        let level = ask.history.level(population);
        let mut slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &Search| kept.seed == ask.seed && kept.level == level && kept.follows(ask);
        let mut search =
            slot.take().filter(fits).unwrap_or_else(|| Search::new(ask, axes, level, population));
        search.catch_up(ask);
        let keys = [Key::Number(ask.number), Key::Number(round.into())];
        let mut rng = stream(ask.seed, "cmaes", &keys);
        let mut points = Vec::with_capacity(CANDIDATES);
        if round == 0 {
            points.push(search.draw(&sobol::point(ask), &mut rng));
        }
        while points.len() < CANDIDATES {
            let even: Vec<f64> = search.axes.iter().map(|_| uniform(&mut rng)).collect();
            points.push(search.draw(&even, &mut rng));
        }
        *slot = Some(search);
        points
    }
}

/// What follows from the ends up to some place.
#[derive(Debug)]
struct Search {
    seed: u64,
    level: Option<Level>,
    axes: Vec<Axis>,
    population: usize,
    restarts: u64,
    /// Over the coordinates that are numbers, in order; `None` where there is none.
    gaussian: Option<Gaussian>,
    /// The probabilities of each choice's values, in order.
    words: Vec<Vec<f64>>,
    /// How many ends it has seen, and the last of them.
    seen: usize,
    last: Option<End>,
    /// The ends that wait for their generation to be complete.
    waiting: Vec<usize>,
    flat: u32,
}

impl Search {
    fn new(ask: &Ask<'_>, axes: Vec<Axis>, level: Option<Level>, population: usize) -> Self {
        let mut search = Self {
            seed: ask.seed,
            level,
            axes,
            population,
            restarts: 0,
            gaussian: None,
            words: Vec::new(),
            seen: 0,
            last: None,
            waiting: Vec::new(),
            flat: 0,
        };
        search.start();
        search
    }

    /// Forgets the distribution and begins with another: the first in the middle, the next anywhere.
    fn start(&mut self) {
        let mut rng = stream(self.seed, "cmaes start", &[Key::Number(self.restarts)]);
        let numbers = self.axes.iter().filter(|axis| is_number(axis)).count();
        let mut middle = || if self.restarts == 0 { 0.5 } else { uniform(&mut rng) };
        let mean = DVector::from_fn(numbers, |_, _| middle());
        self.gaussian = (numbers > 0).then(|| Gaussian::new(mean, SIGMA, self.population));
        let even = |axis: &Axis| match axis {
            Axis::Words(count) => Some(vec![1.0 / *count as f64; *count]),
            _ => None,
        };
        self.words = self.axes.iter().filter_map(even).collect();
        self.flat = 0;
    }

    /// Whether it has seen nothing but the first ends of this history.
    fn follows(&self, ask: &Ask<'_>) -> bool {
        let seen = self.seen.checked_sub(1).map(|last| ask.history.ends().get(last));
        seen.is_none_or(|end| end == self.last.as_ref())
    }

    fn catch_up(&mut self, ask: &Ask<'_>) {
        while let Some(end) = ask.history.ends().get(self.seen) {
            if Some(end.level) == self.level {
                self.waiting.push(self.seen);
            }
            self.last = Some(*end);
            self.seen += 1;
            if self.waiting.len() >= self.population {
                let ends = std::mem::take(&mut self.waiting);
                self.learn(ask, &ends);
            }
        }
    }

    /// Moves by a generation.
    fn learn(&mut self, ask: &Ask<'_>, ends: &[usize]) {
        let loss = |end: &usize| ask.history.losses(*end).first().copied().unwrap_or(f64::INFINITY);
        let mut ends = ends.to_vec();
        ends.sort_by(|a, b| loss(a).total_cmp(&loss(b)).then(a.cmp(b)));
        let losses: Vec<f64> = ends.iter().map(loss).collect();
        if losses.first() == losses.last() {
            // Nothing is better than anything: no reason to move.
            self.flat += 1;
            if self.flat >= MOST_FLAT {
                self.restart();
            }
            return;
        }
        self.flat = 0;
        let trials: Vec<u64> =
            ends.iter().filter_map(|end| ask.history.ends().get(*end)).map(|end| end.trial).collect();
        let weights =
            shared(&weights(self.gaussian.as_ref().map_or(1, Gaussian::len), self.population), &losses);
        self.learn_words(ask, &trials, &weights);
        let Some(mut gaussian) = self.gaussian.take() else { return };
        let step = |trial: &u64| self.step(ask, &gaussian, *trial);
        let steps: Vec<(Step, f64)> = trials.iter().map(step).zip(weights).collect();
        gaussian.update(&steps);
        self.keep_margin(ask, &mut gaussian);
        let spent = gaussian.is_spent(SMALLEST);
        self.gaussian = Some(gaussian);
        if spent {
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.population *= 2;
        self.start();
    }

    /// From the mean to a trial's point.
    fn step(&self, ask: &Ask<'_>, gaussian: &Gaussian, trial: u64) -> Step {
        let mut rng = stream(self.seed, "cmaes fill", &[Key::Number(trial)]);
        let (mut full, mut known) = (Vec::new(), Vec::new());
        let coordinates = self.axes.iter().zip(ask.space.entries()).zip(ask.history.point(trial));
        for ((axis, entry), x) in coordinates {
            let i = full.len();
            if !is_number(axis) {
                continue;
            }
            let (mean, deviation) = (gaussian.mean[i], gaussian.deviation(i));
            let cell = if x.is_nan() { None } else { cell(&entry.dimension, *x) };
            let at = match cell {
                Some((low, high)) => within(low, high, mean, deviation, uniform(&mut rng)),
                None if x.is_nan() => mean + deviation * normal(&mut rng),
                None => *x,
            };
            let step = (at - mean) / gaussian.sigma;
            full.push(step);
            known.push(if x.is_nan() { 0.0 } else { step });
        }
        Step { full: DVector::from_vec(full), known: DVector::from_vec(known) }
    }

    /// Keeps the mean inside the cube and each stepped coordinate's chance to leave the mean's cell above a floor.
    fn keep_margin(&self, ask: &Ask<'_>, gaussian: &mut Gaussian) {
        let numbers = self.axes.iter().zip(ask.space.entries());
        let numbers: Vec<_> = numbers.filter(|(axis, _)| is_number(axis)).collect();
        let floor = 1.0 / (numbers.len() * self.population) as f64;
        // So many deviations from the mean the nearest border may be.
        let far = -quantile(floor.min(0.4));
        let mut is_wider = false;
        for (i, (_, entry)) in numbers.into_iter().enumerate() {
            gaussian.mean[i] = gaussian.mean[i].clamp(0.0, 1.0);
            let Some((low, high)) = cell(&entry.dimension, gaussian.mean[i]) else { continue };
            let down = if low > 0.0 { gaussian.mean[i] - low } else { f64::INFINITY };
            let up = if high < 1.0 { high - gaussian.mean[i] } else { f64::INFINITY };
            is_wider |= gaussian.widen(i, down.min(up) / far);
        }
        if is_wider {
            gaussian.settle();
        }
    }

    fn learn_words(&mut self, ask: &Ask<'_>, trials: &[u64], weights: &[f64]) {
        let places = self.axes.iter().enumerate().filter_map(|(i, axis)| match axis {
            Axis::Words(count) => Some((i, *count)),
            _ => None,
        });
        for (odds, (i, count)) in self.words.iter_mut().zip(places) {
            let mut target = vec![0.0; count];
            for (trial, weight) in trials.iter().zip(weights) {
                let known = ask.history.point(*trial).get(i).filter(|x| !x.is_nan());
                if let Some(x) = known {
                    target[word(*x, count)] += RATE * weight.max(0.0);
                }
            }
            let taken: f64 = target.iter().sum();
            let floor = 1.0 / (self.population * count) as f64;
            odds.iter_mut().zip(target).for_each(|(p, t)| *p = f64::max(*p * (1.0 - taken) + t, floor));
            let sum: f64 = odds.iter().sum();
            odds.iter_mut().for_each(|p| *p /= sum);
        }
    }

    /// The point of the cube that a uniform one stands for; where that lies outside, another.
    fn draw(&self, even: &[f64], rng: &mut impl Rng) -> Vec<f64> {
        let is_inside = |x: &DVector<f64>| x.iter().all(|x| (0.0..=1.0).contains(x));
        let of_numbers = self.axes.iter().zip(even).filter(|(axis, _)| is_number(axis));
        let z: Vec<f64> = of_numbers.map(|(_, u)| quantile(u.clamp(1e-15, 1.0 - 1e-15))).collect();
        let numbers = self.gaussian.as_ref().map_or(DVector::zeros(0), |gaussian| {
            let mut point = gaussian.at(&DVector::from_vec(z));
            for _ in 0..REDRAWS * self.axes.len() {
                if is_inside(&point) {
                    break;
                }
                point = gaussian.draw(rng);
            }
            point.map(|x| if x.is_nan() { 0.5 } else { x.clamp(0.0, 1.0) })
        });
        let (mut numbers, mut words) = (numbers.iter(), self.words.iter());
        let coordinate = |(axis, u): (&Axis, &f64)| match axis {
            Axis::Still => 0.5,
            Axis::Line | Axis::Steps(_) => numbers.next().copied().unwrap_or(0.5),
            Axis::Words(count) => unit_of(picked(words.next().map_or(&[], Vec::as_slice), *u), *count),
        };
        self.axes.iter().zip(even).map(coordinate).collect()
    }
}

fn is_number(axis: &Axis) -> bool {
    matches!(axis, Axis::Line | Axis::Steps(_))
}

/// The place in a list of probabilities at which their sum passes `u`.
fn picked(odds: &[f64], mut u: f64) -> usize {
    for (i, p) in odds.iter().enumerate() {
        u -= p;
        if u < 0.0 {
            return i;
        }
    }
    odds.len().saturating_sub(1)
}

/// The weights of the places; who shares a loss shares their weights.
fn shared(weights: &[f64], losses: &[f64]) -> Vec<f64> {
    let mut all = Vec::with_capacity(losses.len());
    for tied in losses.chunk_by(|a, b| a == b) {
        let of = weights.iter().skip(all.len()).take(tied.len());
        let mean = of.sum::<f64>() / tied.len() as f64;
        all.extend(std::iter::repeat_n(mean, tied.len()));
    }
    all
}

/// The `u`-quantile of a normal distribution that is cut off outside `low..high`.
fn within(low: f64, high: f64, mean: f64, deviation: f64, u: f64) -> f64 {
    let below = |x: f64| 0.5 * erfc((mean - x) / deviation / SQRT_2);
    let (a, b) = (below(low), below(high));
    let z = quantile(a + u * (b - a));
    let x = mean + deviation * z;
    // Far out in the tails the chances are all 0 or 1: the border next to the mean stands for the cell.
    if x.is_finite() && b > a { x.clamp(low, high) } else { mean.clamp(low, high) }
}

#[cfg(test)]
#[path = "cmaes_test.rs"]
mod cmaes_test;
