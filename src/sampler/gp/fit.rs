//! Learning the scales: the most probable ones under weak priors (Rasmussen and Williams, "Gaussian Processes for
//! Machine Learning", 2006, section 5.4.1, with the derivative in equation 5.9).
//!
//! A length scale's prior is log-normal with a median that grows with the number of features, so that a function
//! of many parameters is not taken for rougher than one of few (Hvarfner, Hellsten and Nardi, "Vanilla Bayesian
//! Optimization Performs Great in High Dimensions", ICML 2024). Theirs is wider and longer, for hundreds of
//! parameters; with the few dozen trials of a sweep it let scales grow so long that the search settled too early,
//! and this one was best on functions of 2 to 20. The signal's variance is near 1, as the targets' is. The noise's
//! prior is flat down to nearly none: an objective may well be exact.

use super::descent::{Descent, Limits};
use super::factor::{Factor, dot};
use super::kernel::{Rows, Scales, matern};
use crate::domain::stream::{Key, stream, uniform};

const LOG_LENGTHS: (f64, f64) = (-4.0, 5.0);
const LOG_SIGNAL: (f64, f64) = (-3.0, 3.0);
const LOG_NOISE: (f64, f64) = (-18.0, 0.0);

/// The most probable scales for these rows and targets.
pub(super) fn fit(rows: &Rows, targets: &[f64], seed: u64) -> Scales {
    let groups = rows.groups();
    let mut bounds = vec![LOG_LENGTHS; groups];
    bounds.extend([LOG_SIGNAL, LOG_NOISE]);
    let prior = Prior::new(groups);
    let limits = Limits { evaluations: 40, gain: 1e-3, first_step: 0.5 };
    let restarts = if rows.len() <= 60 { 3 } else { 2 };
    let mut evidence = Evidence::new(rows, targets);
    let mut best: Option<(Vec<f64>, f64)> = None;
    for restart in 0..restarts {
        let mut descent = Descent::new(prior.start(seed, rows.len(), restart), bounds.clone(), limits);
        while let Some(theta) = descent.wanted() {
            let theta = theta.to_vec();
            let (value, gradient) = evidence.at(&theta, &prior);
            descent.tell(value, &gradient);
        }
        let (theta, value) = descent.best();
        if value.is_finite() && best.as_ref().is_none_or(|(_, least)| value < *least) {
            best = Some((theta.to_vec(), value));
        }
    }
    let theta = best.map_or_else(|| prior.start(seed, rows.len(), 0), |(theta, _)| theta);
    scales(&theta)
}

fn scales(theta: &[f64]) -> Scales {
    let (log_lengths, rest) = theta.split_at(theta.len() - 2);
    Scales { log_lengths: log_lengths.to_vec(), signal: rest[0].exp(), noise: rest[1].exp() }
}

struct Prior {
    groups: usize,
    /// The mean and variance of a length scale's logarithm.
    log_length: (f64, f64),
}

impl Prior {
    fn new(groups: usize) -> Self {
        Self { groups, log_length: (0.25 * (groups.max(1) as f64).ln(), 0.25) }
    }

    /// Where a descent starts: first at medium scales, then around them.
    fn start(&self, seed: u64, rows: usize, restart: u64) -> Vec<f64> {
        let medium = 0.5 * (self.groups.max(1) as f64).ln() - 0.7;
        let mut theta = vec![medium; self.groups];
        theta.extend([0.0, -6.0]);
        if restart > 0 {
            let mut rng = stream(seed, "gp fit", &[Key::Number(rows as u64), Key::Number(restart)]);
            theta[..self.groups].iter_mut().for_each(|x| *x += 3.0 * uniform(&mut rng) - 1.0);
            theta[self.groups + 1] -= 7.0 * uniform(&mut rng) - 3.0;
        }
        theta
    }

    /// Adds the negative logarithm of the density, and its derivatives by the logarithms of the scales, as they
    /// are searched. A length scale's density is that of its logarithm, the others are of the variances themselves.
    fn add(&self, theta: &[f64], value: &mut f64, gradient: &mut [f64]) {
        let (mean, variance) = self.log_length;
        for (x, slope) in theta[..self.groups].iter().zip(gradient.iter_mut()) {
            *value += (x - mean).powi(2) / (2.0 * variance);
            *slope += (x - mean) / variance;
        }
        // Gamma, of shape 2 and rate 1 for the signal, 1.1 and 30 for the noise, as in Optuna.
        for (i, (shape, rate)) in [(2.0, 1.0), (1.1, 30.0)].into_iter().enumerate() {
            let x = theta[self.groups + i];
            *value += rate * x.exp() - (shape - 1.0) * x;
            gradient[self.groups + i] += rate * x.exp() - (shape - 1.0);
        }
    }
}

/// The negative logarithm of the posterior density of the scales.
struct Evidence<'a> {
    targets: &'a [f64],
    pairs: Vec<Vec<f64>>,
    covariances: Vec<f64>,
    by_squared: Vec<f64>,
}

impl<'a> Evidence<'a> {
    fn new(rows: &Rows, targets: &'a [f64]) -> Self {
        let pairs = rows.pairs();
        let count = rows.len() * rows.len().saturating_sub(1) / 2;
        Self { targets, pairs, covariances: vec![0.0; count], by_squared: vec![0.0; count] }
    }

    fn at(&mut self, theta: &[f64], prior: &Prior) -> (f64, Vec<f64>) {
        let Scales { log_lengths, signal, noise } = scales(theta);
        let mut gradient = vec![0.0; theta.len()];
        self.covariances.fill(0.0);
        for (log_length, pairs) in log_lengths.iter().zip(&self.pairs) {
            let weight = (-2.0 * log_length).exp();
            self.covariances.iter_mut().zip(pairs).for_each(|(d, pair)| *d += weight * pair);
        }
        for (k, d) in self.covariances.iter_mut().zip(&mut self.by_squared) {
            let (value, slope) = matern(*k);
            (*k, *d) = (signal * value, signal * slope);
        }
        let count = self.targets.len();
        let mut factor = Factor::default();
        let mut start = 0;
        for i in 0..count {
            if !factor.push(&self.covariances[start..start + i], signal + noise) {
                return (f64::INFINITY, gradient);
            }
            start += i;
        }
        let mut alpha = self.targets.to_vec();
        factor.solve(&mut alpha);
        let mut value = 0.5 * dot(&alpha, &alpha) + factor.half_log_determinant();
        factor.solve_transposed(&mut alpha);

        // What a change of a covariance, and of the variance, does.
        let inverse = factor.inverse();
        let mut by_variance = 0.0;
        let mut by_signal = 0.0;
        let (mut pair, mut offset) = (0, 0);
        for i in 0..count {
            for j in 0..i {
                let share = inverse[offset + j] - alpha[i] * alpha[j];
                by_signal += share * self.covariances[pair];
                self.by_squared[pair] *= share;
                pair += 1;
            }
            by_variance += 0.5 * (inverse[offset + i] - alpha[i] * alpha[i]);
            offset += i + 1;
        }
        for ((slope, log_length), pairs) in gradient.iter_mut().zip(&log_lengths).zip(&self.pairs) {
            *slope = -2.0 * (-2.0 * log_length).exp() * dot(&self.by_squared, pairs);
        }
        gradient[log_lengths.len()] = by_signal + by_variance * signal;
        gradient[log_lengths.len() + 1] = by_variance * noise;
        prior.add(theta, &mut value, &mut gradient);
        (value, gradient)
    }
}

#[cfg(test)]
#[path = "fit_test.rs"]
mod fit_test;
