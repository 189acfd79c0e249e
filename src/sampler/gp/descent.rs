//! Descent within bounds: L-BFGS on the coordinates that are free to move (Liu and Nocedal, Mathematical
//! Programming 45, 1989), with steps projected onto the box (Bertsekas, SIAM J. Control and Optimization 20, 1982).
//!
//! It asks for a point and is told its value, so that many descents can be evaluated side by side (decoupled
//! updates, as in Watanabe, arXiv 2511.13625). No crate at hand gives that: argmin runs the loop itself and its
//! L-BFGS knows no bounds.

use super::factor::dot;
use std::collections::VecDeque;

const MEMORY: usize = 8;
/// Share of the promised decrease that a step must bring (Armijo).
const ENOUGH: f64 = 1e-4;
const MOST_HALVINGS: u32 = 12;

/// Where it stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many values at most.
    pub evaluations: u32,
    /// A step that gains less is the last.
    pub gain: f64,
    /// No coordinate moves further in the first step.
    pub first_step: f64,
}

/// A descent from one point.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    bounds: Vec<(f64, f64)>,
    limits: Limits,
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    step: f64,
    trial: Vec<f64>,
    /// Moves with their changes of the gradient.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
    halvings: u32,
    evaluations: u32,
    is_done: bool,
}

impl Descent {
    pub fn new(start: Vec<f64>, bounds: Vec<(f64, f64)>, limits: Limits) -> Self {
        let mut trial = start;
        trial.iter_mut().zip(&bounds).for_each(|(x, (low, high))| *x = x.clamp(*low, *high));
        Self {
            limits,
            x: trial.clone(),
            value: f64::INFINITY,
            gradient: vec![0.0; trial.len()],
            direction: vec![0.0; trial.len()],
            step: 1.0,
            pairs: VecDeque::new(),
            halvings: 0,
            evaluations: 0,
            is_done: trial.is_empty(),
            trial,
            bounds,
        }
    }

    /// The point whose value and gradient it wants; `None` once it is done.
    pub fn wanted(&self) -> Option<&[f64]> {
        (!self.is_done).then_some(&self.trial)
    }

    /// The best point and its value.
    pub fn best(&self) -> (&[f64], f64) {
        (&self.x, self.value)
    }

    /// Tells the value and gradient at the wanted point. A value that is not finite counts as worse than all.
    pub fn tell(&mut self, value: f64, gradient: &[f64]) {
        self.evaluations += 1;
        let is_first = self.evaluations == 1;
        let is_finite = value.is_finite() && gradient.iter().all(|g| g.is_finite());
        if is_first && !is_finite {
            self.is_done = true;
            return;
        }
        let promised: f64 = self.moved().zip(&self.gradient).map(|(s, g)| s * g).sum();
        let is_enough = is_finite && value <= self.value + ENOUGH * promised;
        if !(is_first || is_enough) {
            self.shorten(value, promised);
            return;
        }
        let gained = self.value - value;
        if !is_first {
            let s: Vec<f64> = self.moved().collect();
            let y: Vec<f64> = gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
            // Armijo alone does not keep the curvature positive.
            if dot(&s, &y) > 1e-10 * (dot(&s, &s) * dot(&y, &y)).sqrt() {
                if self.pairs.len() == MEMORY {
                    self.pairs.pop_front();
                }
                self.pairs.push_back((s, y));
            }
        }
        self.x.clone_from(&self.trial);
        self.gradient.copy_from_slice(gradient);
        self.value = value;
        self.is_done = !is_first && gained < self.limits.gain;
        self.aim();
    }

    fn moved(&self) -> impl Iterator<Item = f64> + '_ {
        self.trial.iter().zip(&self.x).map(|(new, old)| new - old)
    }

    /// Chooses a direction and its first step.
    fn aim(&mut self) {
        let is_free: Vec<bool> = (0..self.x.len())
            .map(|i| {
                let (low, high) = self.bounds[i];
                !(self.x[i] <= low && self.gradient[i] > 0.0 || self.x[i] >= high && self.gradient[i] < 0.0)
            })
            .collect();
        let masked = |v: &mut Vec<f64>| {
            v.iter_mut().zip(&is_free).for_each(|(v, f)| {
                if !f {
                    *v = 0.0
                }
            })
        };
        let mut steepest: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        masked(&mut steepest);
        let mut direction = steepest.clone();
        self.precondition(&mut direction);
        masked(&mut direction);
        if dot(&direction, &steepest) <= 1e-12 * dot(&steepest, &steepest) {
            self.pairs.clear();
            direction = steepest;
        }
        let largest = direction.iter().fold(0.0f64, |most, d| most.max(d.abs()));
        self.step = if self.pairs.is_empty() { (self.limits.first_step / largest).min(1.0) } else { 1.0 };
        self.direction = direction;
        self.halvings = 0;
        self.is_done |= largest.is_nan() || largest < 1e-9;
        self.place();
    }

    /// The two loops of L-BFGS: the direction times an estimate of the inverse curvature.
    fn precondition(&self, direction: &mut [f64]) {
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let share = dot(s, direction) / dot(s, y);
            direction.iter_mut().zip(y).for_each(|(d, y)| *d -= share * y);
            shares.push(share);
        }
        if let Some((s, y)) = self.pairs.back() {
            let scale = dot(s, y) / dot(y, y);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for ((s, y), share) in self.pairs.iter().zip(shares.iter().rev()) {
            let back = dot(y, direction) / dot(s, y);
            direction.iter_mut().zip(s).for_each(|(d, s)| *d += (share - back) * s);
        }
    }

    /// The last step was too long.
    fn shorten(&mut self, value: f64, promised: f64) {
        self.halvings += 1;
        let bend = value - self.value - promised;
        // The lowest point of the parabola through what is known.
        let factor = if bend.is_finite() && bend > 0.0 { -promised / (2.0 * bend) } else { 0.1 };
        self.step *= factor.clamp(0.1, 0.5);
        self.is_done = self.halvings > MOST_HALVINGS;
        self.place();
    }

    fn place(&mut self) {
        for i in 0..self.x.len() {
            let (low, high) = self.bounds[i];
            self.trial[i] = (self.x[i] + self.step * self.direction[i]).clamp(low, high);
        }
        self.is_done |= self.evaluations >= self.limits.evaluations || self.trial == self.x;
    }
}

#[cfg(test)]
#[path = "descent_test.rs"]
mod descent_test;
