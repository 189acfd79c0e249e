//! The posterior given the data and what the running trials may bring, and the acquisition on it.
//!
//! Running trials take part as fantasies: a few joint draws of their losses, over which the expected improvement
//! is averaged (Snoek et al., NIPS 2012, section 3.2). Their points thereby hold little to gain, and workers do
//! not crowd.

use super::factor::{Factor, LANES, Lanes, dot};
use super::improvement::log_improvement;
use super::kernel::{Rows, Scales, matern};
use crate::domain::stream::uniform;
use rand_chacha::ChaCha8Rng;

/// So many draws of what the running trials bring, half of them mirrored.
const FANTASIES: usize = 8;
/// Added to the diagonal, as a share of the signal, in this order until the matrix can be factored.
const JITTERS: [f64; 7] = [0.0, 1e-9, 1e-7, 1e-5, 1e-3, 1e-1, 10.0];

/// The factored covariance of rows.
#[derive(Debug, Clone)]
pub(super) struct Covariance {
    scales: Scales,
    weights: Vec<f64>,
    rows: Rows,
    factor: Factor,
    jitter: usize,
}

impl Covariance {
    pub fn new(scales: &Scales, rows: &Rows) -> Self {
        let weights = rows.weights(scales);
        let mut new = Self {
            scales: scales.clone(),
            weights,
            rows: rows.clone(),
            factor: Factor::default(),
            jitter: 0,
        };
        new.extend(rows);
        new
    }

    /// Whether it can grow to that of these rows.
    pub fn begins(&self, scales: &Scales, rows: &Rows) -> bool {
        self.scales == *scales && self.factor.len() == self.rows.len() && self.rows.begin(rows)
    }

    /// Grows to these rows, which begin with its own; the same as one built anew, bit for bit: the least jitter
    /// that serves all rows serves the first ones, and a lesser one that failed them fails all.
    pub fn extend(&mut self, rows: &Rows) {
        self.rows = rows.clone();
        while self.factor.len() < rows.len() {
            let row = self.factor.len();
            let point = rows.point(row);
            if self.push(&point, row) {
                continue;
            }
            if self.jitter + 1 == JITTERS.len() {
                // Nothing finite gets here; without the rest there is still a posterior.
                self.rows.truncate(row);
                break;
            }
            self.jitter += 1;
            self.factor = Factor::default();
        }
    }

    fn push(&mut self, point: &[f64], row: usize) -> bool {
        let covariances = self.covariances(point, row);
        self.factor.push(&covariances, self.variance())
    }

    fn covariances(&self, point: &[f64], rows: usize) -> Vec<f64> {
        let mut out = vec![0.0; rows];
        self.rows.distances(point, &self.weights, &mut out);
        out.iter_mut().for_each(|k| *k = self.scales.signal * matern(*k).0);
        out
    }

    fn variance(&self) -> f64 {
        self.scales.signal * (1.0 + JITTERS[self.jitter]) + self.scales.noise
    }
}

/// The posterior.
pub(super) struct Model {
    covariance: Covariance,
    /// The targets of every fantasy, solved by the factor: a mean is an inner product with them.
    solved: Vec<Vec<f64>>,
    /// The least mean so far in every fantasy.
    best: Vec<f64>,
    cross: Vec<Lanes>,
    by_squared: Vec<Lanes>,
}

/// The logarithm of expected improvement for a lane's point.
pub(super) type Values = Lanes;

impl Model {
    pub fn new(covariance: Covariance, targets: &[f64], running: &[Vec<f64>], rng: &mut ChaCha8Rng) -> Self {
        let count = covariance.factor.len();
        let mut mean = targets[..count].to_vec();
        covariance.factor.solve(&mut mean);
        let fantasies = if running.is_empty() { 1 } else { FANTASIES };
        let mut model = Self {
            covariance,
            solved: vec![mean; fantasies],
            best: vec![f64::INFINITY; fantasies],
            cross: Vec::new(),
            by_squared: Vec::new(),
        };
        let least = model.least_mean(&targets[..count]);
        model.best.fill(least);
        running.iter().for_each(|point| model.imagine(point, rng));
        let count = model.covariance.factor.len();
        model.cross = vec![[0.0; LANES]; count];
        model.by_squared = vec![[0.0; LANES]; count];
        model
    }

    /// The least posterior mean at the data: what is compared with, since a measured loss may be lucky.
    fn least_mean(&self, targets: &[f64]) -> f64 {
        let mut weights = self.solved[0].clone();
        self.covariance.factor.solve_transposed(&mut weights);
        let noise = self.covariance.variance() - self.covariance.scales.signal;
        // K (K + noise)^-1 y = y - noise (K + noise)^-1 y.
        let means = targets.iter().zip(&weights).map(|(y, weight)| y - noise * weight);
        means.fold(f64::INFINITY, f64::min)
    }

    /// Adds a running trial, with a draw of its loss in every fantasy given those before it.
    fn imagine(&mut self, point: &[f64], rng: &mut ChaCha8Rng) {
        let count = self.covariance.factor.len();
        let covariances = self.covariance.covariances(point, count);
        // A point that is known to within rounding brings nothing.
        if !self.covariance.factor.push(&covariances, self.covariance.variance()) {
            return;
        }
        self.covariance.rows.push(point);
        let row = self.covariance.factor.row(count);
        let signal = self.covariance.scales.signal;
        let deviation = (signal - dot(&row[..count], &row[..count])).max(0.0).sqrt();
        let mut draw = 0.0;
        for (i, (solved, best)) in self.solved.iter_mut().zip(&mut self.best).enumerate() {
            // Every second fantasy mirrors the one before it.
            draw = if i % 2 == 0 { normal(rng) } else { -draw };
            let mean = dot(&row[..count], &solved[..count]);
            *best = best.min(mean + deviation * draw);
            solved.push(deviation * draw / row[count]);
        }
    }

    /// The acquisition at points given by feature, a lane each.
    pub fn values(&mut self, points: &[Lanes]) -> Values {
        self.look(points);
        let (value, _, _) = self.acquisition();
        value
    }

    /// As [`Model::values`], with the derivatives by those features that are marked, else 0.
    pub fn slopes(&mut self, points: &[Lanes], wanted: &[bool]) -> (Values, Vec<Lanes>) {
        self.look(points);
        let (value, by_mean, by_variance) = self.acquisition();
        // Mean and variance are m = b'v and s - v'v with v = L^-1 k: one solve serves the slope of both.
        for (i, v) in self.cross.iter_mut().enumerate() {
            let mut sum: Lanes = std::array::from_fn(|lane| -2.0 * by_variance[lane] * v[lane]);
            for (solved, share) in self.solved.iter().zip(&by_mean) {
                (0..LANES).for_each(|lane| sum[lane] += share[lane] * solved[i]);
            }
            *v = sum;
        }
        self.covariance.factor.solve_transposed_lanes(&mut self.cross);
        for (d, k) in self.by_squared.iter_mut().zip(&self.cross) {
            (0..LANES).for_each(|lane| d[lane] *= k[lane]);
        }
        let rows = &self.covariance.rows;
        let slope = |f: usize| {
            let weight = self.covariance.weights[f];
            if wanted[f] { rows.slope_lanes(f, &points[f], weight, &self.by_squared) } else { [0.0; LANES] }
        };
        (value, (0..points.len()).map(slope).collect())
    }

    /// Covariances with the data, solved by the factor, and their derivatives by squared distance.
    fn look(&mut self, points: &[Lanes]) {
        let signal = self.covariance.scales.signal;
        self.covariance.rows.distances_lanes(points, &self.covariance.weights, &mut self.cross);
        for (k, d) in self.cross.iter_mut().zip(&mut self.by_squared) {
            for lane in 0..LANES {
                let (value, slope) = matern(k[lane]);
                (k[lane], d[lane]) = (signal * value, signal * slope);
            }
        }
        self.covariance.factor.solve_lanes(&mut self.cross);
    }

    /// The value, its derivative by the mean in every fantasy, and by the variance.
    fn acquisition(&self) -> (Values, Vec<Lanes>, Lanes) {
        let signal = self.covariance.scales.signal;
        let mut explained = [0.0; LANES];
        let mut means = vec![[0.0; LANES]; self.solved.len()];
        for (i, v) in self.cross.iter().enumerate() {
            (0..LANES).for_each(|lane| explained[lane] += v[lane] * v[lane]);
            for (mean, solved) in means.iter_mut().zip(&self.solved) {
                (0..LANES).for_each(|lane| mean[lane] += v[lane] * solved[i]);
            }
        }
        let (mut value, mut by_variance) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let floor = 1e-12 * signal;
            let variance = (signal - explained[lane]).max(floor);
            let each: Vec<[f64; 3]> = means
                .iter()
                .zip(&self.best)
                .map(|(mean, best)| log_improvement(mean[lane], variance, *best))
                .collect();
            let most = each.iter().fold(f64::NEG_INFINITY, |most, e| most.max(e[0]));
            let total: f64 = each.iter().map(|e| (e[0] - most).exp()).sum();
            value[lane] = most + (total / each.len() as f64).ln();
            for (e, mean) in each.iter().zip(&mut means) {
                let share = (e[0] - most).exp() / total;
                mean[lane] = share * e[1];
                by_variance[lane] += if variance > floor { share * e[2] } else { 0.0 };
            }
        }
        (value, means, by_variance)
    }
}

/// A standard normal number (Box and Muller, 1958).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (2.0 * std::f64::consts::PI * uniform(rng)).cos()
}

#[cfg(test)]
#[path = "model_test.rs"]
mod model_test;
