//! A running trial ends when it will hardly come to be the best: its curve goes on, in expectation, as those of
//! completed trials went on from the same step (Chandrashekaran and Lane, "Speeding up Hyper-parameter Optimization
//! by Extrapolation of Learning Curves using Previous Builds", ECML 2017; the question asked of the forecast is that
//! of Domhan, Springenberg and Hutter, IJCAI 2015).
//!
//! Each completed curve is stretched and moved until it fits what the trial has reported, late steps more than early
//! ones, by Bayesian linear regression: a stretch of about 1 is expected, and what remains is noise. The forecasts
//! are the parts of one mixture. No shape of curves is assumed, so schedules that make all of them fall late are
//! no hindrance; but trials that learn unlike any before are misjudged.

use super::ranking::{Ranking, loss, value};
use super::{Judged, Stopper, Verdict};
use crate::domain::{Direction, Reason};
use statrs::function::erf::erfc;
use std::collections::BTreeMap;

/// Curves beyond these, from the best on, are left out: a hundred say as much.
const MOST_CURVES: usize = 100;
/// Steps before the trial's last so many are not fitted.
const MOST_STEPS: usize = 32;
/// How much less each step counts than the one after it.
const MEMORY: f64 = 0.9;
/// How far stretches are from 1, as a standard deviation, before anything is seen.
const STRETCH: f64 = 0.3;
/// Deviations are in units of that of all curves' steps: what is expected at first, and the least that is believed.
const FIRST_NOISE: f64 = 0.1;
const LEAST_NOISE: f64 = 0.02;

/// Ends what has hardly a chance of becoming the best.
#[derive(Debug)]
pub(super) struct Extrapolation {
    pub startup_trials: u64,
    pub warmup_steps: u64,
    /// The least chance with which a trial goes on.
    pub chance: f64,
    pub direction: Direction,
    /// Finite losses of completed trials by step, by leg.
    curves: BTreeMap<u64, Curve>,
    /// Their least losses, by leg.
    best: Ranking,
}

type Curve = Vec<(u64, f64)>;

/// What a trial's least loss to come will be, going by one other curve.
struct Forecast {
    mean: f64,
    deviation: f64,
}

impl Extrapolation {
    pub fn new(startup_trials: u64, warmup_steps: u64, chance: f64, direction: Direction) -> Self {
        let (curves, best) = (BTreeMap::new(), Ranking::default());
        Self { startup_trials, warmup_steps, chance, direction, curves, best }
    }

    /// The finite losses of what was reported.
    fn losses(&self, curve: &[(u64, f64)]) -> Curve {
        let finite = curve.iter().filter(|(_, value)| value.is_finite());
        finite.map(|(step, value)| (*step, loss(self.direction, Some(*value)))).collect()
    }
}

impl Stopper for Extrapolation {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let curve = self.losses(judged.curve);
        let (Some((step, _)), Some((last, _))) = (judged.now(), curve.last()) else {
            return Verdict::Nothing;
        };
        let enough = usize::try_from(self.startup_trials).unwrap_or(usize::MAX);
        let startup = self.curves.range(..judged.sees_below).take(enough).count();
        if judged.at_its_end || *last != step || step <= self.warmup_steps || startup < enough {
            return Verdict::Nothing;
        }
        let visible = self.best.iter().filter(|(_, leg)| *leg < judged.sees_below).take(MOST_CURVES);
        let mut visible = visible.peekable();
        let Some((best, _)) = visible.peek().copied() else { return Verdict::Nothing };
        let own = least(&curve);
        let curve = &curve[curve.len().saturating_sub(MOST_STEPS)..];
        if own <= best {
            return Verdict::Nothing;
        }
        let others: Vec<&Curve> = visible.filter_map(|(_, leg)| self.curves.get(&leg)).collect();
        let forecasts = forecasts(curve, &others);
        if forecasts.is_empty() {
            return Verdict::Nothing;
        }
        let of = forecasts.len() as f64;
        let chance = forecasts.iter().map(|one| one.chance_below(best)).sum::<f64>() / of;
        if chance >= self.chance {
            return Verdict::Nothing;
        }
        let expected = forecasts.iter().map(|one| one.mean.min(own)).sum::<f64>() / of;
        Verdict::Stop(Reason::UnlikelyToWin {
            step,
            value: value(self.direction, own),
            expected: value(self.direction, expected),
            best: value(self.direction, best),
            chance,
            of: forecasts.len() as u64,
            curve: curve.iter().map(|(step, loss)| (*step, self.direction.signed(*loss))).collect(),
        })
    }

    fn completed(&mut self, leg: u64, curve: &[(u64, f64)]) {
        let curve = self.losses(curve);
        if !curve.is_empty() && !self.curves.contains_key(&leg) {
            self.best.insert((least(&curve), leg));
            self.curves.insert(leg, curve);
        }
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        format!("{:?}", self.curves)
    }
}

impl Forecast {
    /// The chance that the least loss to come is below a bound.
    fn chance_below(&self, bound: f64) -> f64 {
        0.5 * erfc((self.mean - bound) / self.deviation / std::f64::consts::SQRT_2)
    }
}

fn least(curve: &[(u64, f64)]) -> f64 {
    curve.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min)
}

/// How a curve goes on by each of the others that is longer and has steps in common with it.
fn forecasts(curve: &[(u64, f64)], others: &[&Curve]) -> Vec<Forecast> {
    let Some(now) = curve.last().map(|(step, _)| *step) else { return Vec::new() };
    let unit = deviation(others.iter().flat_map(|other| other.iter().filter(|(step, _)| *step <= now)));
    // Curves that are all the same say nothing of how far one may be from another.
    if !(unit > 0.0 && unit.is_finite()) {
        return Vec::new();
    }
    others.iter().filter_map(|other| forecast(curve, other, now, unit)).collect()
}

fn deviation<'a>(points: impl Iterator<Item = &'a (u64, f64)> + Clone) -> f64 {
    let count = points.clone().count() as f64;
    let mean = points.clone().map(|(_, loss)| loss).sum::<f64>() / count;
    (points.map(|(_, loss)| (loss - mean).powi(2)).sum::<f64>() / count).sqrt()
}

/// Fits `curve = stretch * other + shift` up to now, and follows the other one from there.
fn forecast(curve: &[(u64, f64)], other: &Curve, now: u64, unit: f64) -> Option<Forecast> {
    let (seen, to_come) = other.split_at(other.partition_point(|(step, _)| *step <= now));
    let at = |step: u64| seen.binary_search_by_key(&step, |(step, _)| *step).ok().map(|place| seen[place].1);
    let pairs: Vec<(f64, f64)> = curve.iter().filter_map(|(step, loss)| Some((at(*step)?, *loss))).collect();
    if pairs.is_empty() || to_come.is_empty() {
        return None;
    }
    let weights = || (0..pairs.len()).rev().map(|age| MEMORY.powi(i32::try_from(age).unwrap_or(i32::MAX)));
    let total: f64 = weights().sum();
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| {
        weights().zip(&pairs).map(|(weight, pair)| weight * of(pair)).sum::<f64>() / total
    };
    let (x, y) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
    let xx = total * mean(&|pair| (pair.0 - x).powi(2));
    let xy = total * mean(&|pair| (pair.0 - x) * (pair.1 - y));
    let yy = total * mean(&|pair| (pair.1 - y).powi(2));
    let precision = 1.0 / STRETCH.powi(2);
    let mut noise = (FIRST_NOISE * unit).powi(2);
    let mut stretch = 1.0;
    // The noise says how far the stretch is believed, and the stretch what is noise: three rounds are enough.
    for _ in 0..3 {
        stretch = (xy / noise + precision) / (xx / noise + precision);
        let rest = yy - 2.0 * stretch * xy + stretch * stretch * xx;
        noise = (rest.max(0.0) + (LEAST_NOISE * unit).powi(2)) / total;
    }
    let doubt = 1.0 / (xx / noise + precision);
    let after = to_come.iter().map(|(_, loss)| (stretch * (loss - x) + y, loss - x));
    let (mean, way) = after.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let variance = noise * (1.0 + 1.0 / total) + way * way * doubt;
    Some(Forecast { mean, deviation: variance.sqrt() })
        .filter(|one| one.mean.is_finite() && one.deviation > 0.0)
}

#[cfg(test)]
#[path = "extrapolation_test.rs"]
mod extrapolation_test;
