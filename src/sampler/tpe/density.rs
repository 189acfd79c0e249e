//! A density over the space: a mixture with one product of kernels per trial, and a uniform prior.

use super::kernel::{Centre, Dimension, Kernel, log_masses};
use crate::domain::stream::uniform;
use crate::sampler::ABSENT;
use crate::space::Space;
use rand_chacha::ChaCha8Rng;

/// The width of one trial's kernel in a space of width 1; it shrinks with their number by Scott's rule. Narrower
/// than a density for its own sake would want: the prior explores, the kernels need not.
const WIDTH: f64 = 0.07;
/// The logarithm of a share of the largest summand that a sum does not feel, in double precision.
const NOTHING: f64 = -40.0;

/// A mixture of kernels.
pub(super) struct Density {
    kernels: Vec<Kernel>,
    /// By parameter, then by trial.
    centres: Vec<Vec<Centre>>,
    /// By trial: its point.
    points: Vec<Vec<f64>>,
    /// By trial: the logarithm of its share; the prior's comes last.
    log_shares: Vec<f64>,
    /// Sums of the shares up to and with each trial.
    cumulative: Vec<f64>,
}

impl Density {
    /// Of trials that weigh so much, and a uniform prior that weighs `prior`.
    pub fn new(dimensions: &[Dimension], points: &[&[f64]], weights: &[f64], prior: f64) -> Self {
        let varying = dimensions.iter().filter(|dimension| **dimension != Dimension::Fixed).count();
        let sigma = WIDTH * (points.len().max(1) as f64).powf(-1.0 / (varying as f64 + 4.0));
        Self::of_width(dimensions, points, weights, prior, sigma)
    }

    /// The same with kernels of a standard deviation.
    pub fn of_width(
        dimensions: &[Dimension],
        points: &[&[f64]],
        weights: &[f64],
        prior: f64,
        sigma: f64,
    ) -> Self {
        let n = points.len().max(1) as f64;
        let log_mass = log_masses(sigma, points.len());
        let kernel = |dimension: &Dimension| {
            let other = match dimension {
                // The share of the others that a flat prior of one trial leaves.
                Dimension::Unordered(values) => (*values as f64 - 1.0) / (*values as f64 * (1.0 + n)),
                _ => 0.0,
            };
            Kernel::new(*dimension, sigma, &log_mass, other.clamp(1e-3, 0.5))
        };
        let kernels: Vec<Kernel> = dimensions.iter().map(kernel).collect();
        let column =
            |(d, kernel): (usize, &Kernel)| points.iter().map(|point| kernel.centre(point[d])).collect();
        let centres = kernels.iter().enumerate().map(column).collect();
        let total = weights.iter().sum::<f64>() + prior;
        let shares: Vec<f64> = weights.iter().chain([&prior]).map(|weight| weight / total).collect();
        let cumulative = shares
            .iter()
            .scan(0.0, |sum, share| {
                *sum += share;
                Some(*sum)
            })
            .collect();
        Self {
            kernels,
            centres,
            points: points.iter().map(|point| point.to_vec()).collect(),
            log_shares: shares.iter().map(|share| share.ln()).collect(),
            cumulative,
        }
    }

    /// The logarithm of the density at a point of the space; what does not exist there does not count.
    pub fn log_density(&self, point: &[f64]) -> f64 {
        let mut sums = self.log_shares.clone();
        let prior = sums.len() - 1;
        for (x, (kernel, centres)) in point.iter().zip(self.kernels.iter().zip(&self.centres)) {
            if !x.is_nan() {
                kernel.add(*x, centres, &mut sums[..prior]);
            }
        }
        let largest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative = sums.iter().map(|sum| sum - largest);
        largest + relative.filter(|log| *log > NOTHING).map(f64::exp).sum::<f64>().ln()
    }

    /// A draw, with the coordinates that exist in it.
    pub fn draw(&self, space: &Space, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let u = uniform(rng);
        let at = self.cumulative.partition_point(|sum| *sum <= u);
        // Behind the last trial stands the prior.
        let centre = self.points.get(at);
        let drawn: Vec<f64> = self
            .kernels
            .iter()
            .enumerate()
            .map(|(d, kernel)| kernel.draw(centre.map_or(ABSENT, |point| point[d]), rng))
            .collect();
        space.canonical(&drawn)
    }
}
