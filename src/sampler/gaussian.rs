//! The search distribution of CMA-ES and how a generation moves it (Hansen, "The CMA Evolution Strategy: A
//! Tutorial", 2016: the default parameters of its table 1, negative weights included).
//!
//! The points of a generation need not be drawn from the distribution that they move. Steps that are longer than
//! its own would be are shortened (Hansen, "Injecting external solutions into CMA-ES", INRIA RR-7748, 2011), so
//! that a late or foreign point cannot blow it up.

use super::axes::normal;
use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rand_chacha::rand_core::Rng;

/// A normal distribution over some coordinates, and what its adaptation remembers.
#[derive(Debug, Clone)]
pub(super) struct Gaussian {
    pub mean: DVector<f64>,
    pub sigma: f64,
    covariance: DMatrix<f64>,
    /// The eigenvectors of the covariance, and the roots of its eigenvalues.
    basis: DMatrix<f64>,
    spread: DVector<f64>,
    path: DVector<f64>,
    path_sigma: DVector<f64>,
    generation: i32,
    strategy: Strategy,
}

/// What one point of a generation says.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// From the mean to the point, in units of sigma; what is unknown of it is made up.
    pub full: DVector<f64>,
    /// The same with nothing made up: no step where it is unknown.
    pub known: DVector<f64>,
}

/// The parameters of the adaptation, which follow from the number of coordinates and of points.
#[derive(Debug, Clone)]
struct Strategy {
    weights: Vec<f64>,
    mass: f64,
    c_sigma: f64,
    d_sigma: f64,
    c_path: f64,
    c_one: f64,
    c_mu: f64,
    /// How long a standard normal vector is on average.
    length: f64,
}

/// The weight of each place in a generation's order: those of the better half are positive and sum up to 1.
pub(super) fn weights(dimensions: usize, population: usize) -> Vec<f64> {
    Strategy::new(dimensions, population).weights
}

impl Strategy {
    fn new(dimensions: usize, population: usize) -> Self {
        let n = dimensions as f64;
        let raw: Vec<f64> =
            (1..=population).map(|i| ((population as f64 + 1.0) / 2.0).ln() - (i as f64).ln()).collect();
        let part = |positive: bool| {
            let of = raw.iter().filter(|w| (**w > 0.0) == positive);
            let (sum, squares) = of.fold((0.0, 0.0), |(sum, squares), w| (sum + w.abs(), squares + w * w));
            (f64::max(sum, f64::MIN_POSITIVE), f64::max(squares, f64::MIN_POSITIVE))
        };
        let ((sum, squares), (minus, minus_squares)) = (part(true), part(false));
        let (mass, minus_mass) = (sum * sum / squares, minus * minus / minus_squares);
        let c_sigma = (mass + 2.0) / (n + mass + 5.0);
        let c_one = 2.0 / ((n + 1.3).powi(2) + mass);
        let c_mu = f64::min(1.0 - c_one, 2.0 * (0.25 + mass + 1.0 / mass - 2.0) / ((n + 2.0).powi(2) + mass));
        let scale = f64::min(
            f64::min(1.0 + c_one / c_mu, 1.0 + 2.0 * minus_mass / (mass + 2.0)),
            (1.0 - c_one - c_mu) / (n * c_mu),
        );
        let weight = |w: &f64| if *w > 0.0 { w / sum } else { scale * w / minus };
        Self {
            weights: raw.iter().map(weight).collect(),
            mass,
            c_sigma,
            d_sigma: 1.0 + 2.0 * f64::max(0.0, ((mass - 1.0) / (n + 1.0)).sqrt() - 1.0) + c_sigma,
            c_path: (4.0 + mass / n) / (n + 4.0 + 2.0 * mass / n),
            c_one,
            c_mu,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

impl Gaussian {
    /// A round one, to be moved by so many points at a time (at least 2).
    pub fn new(mean: DVector<f64>, sigma: f64, population: usize) -> Self {
        let n = mean.len();
        Self {
            mean,
            sigma,
            covariance: DMatrix::identity(n, n),
            basis: DMatrix::identity(n, n),
            spread: DVector::from_element(n, 1.0),
            path: DVector::zeros(n),
            path_sigma: DVector::zeros(n),
            generation: 0,
            strategy: Strategy::new(n, population),
        }
    }

    /// A point.
    pub fn draw(&self, rng: &mut impl Rng) -> DVector<f64> {
        let z = DVector::from_fn(self.mean.len(), |_, _| normal(rng));
        self.at(&z)
    }

    /// The point that a standard normal vector stands for.
    pub fn at(&self, z: &DVector<f64>) -> DVector<f64> {
        &self.mean + &self.basis * z.component_mul(&self.spread) * self.sigma
    }

    /// The standard deviation of one coordinate.
    pub fn deviation(&self, i: usize) -> f64 {
        self.sigma * self.covariance[(i, i)].sqrt()
    }

    /// How many coordinates it has.
    pub fn len(&self) -> usize {
        self.mean.len()
    }

    /// Learns from a generation: each point's step with the weight of its place.
    pub fn update(&mut self, steps: &[(Step, f64)]) {
        let n = self.mean.len() as f64;
        let s = self.strategy.clone();
        let longest = n.sqrt() + 2.0 * n / (n + 2.0);
        let whole = |y: &DVector<f64>| self.whitened(y).norm();
        let shortened: Vec<(Step, f64)> = steps
            .iter()
            .map(|(step, weight)| {
                let scale = f64::min(1.0, longest / f64::max(whole(&step.full), f64::MIN_POSITIVE));
                (Step { full: &step.full * scale, known: &step.known * scale }, *weight)
            })
            .collect();
        let zero = || DVector::zeros(self.mean.len());
        let chosen = || shortened.iter().filter(|(_, weight)| *weight > 0.0);
        let mean_step = chosen().fold(zero(), |sum, (step, weight)| sum + &step.known * *weight);
        let path_step = chosen().fold(zero(), |sum, (step, weight)| sum + &step.full * *weight);
        let pull = (s.c_sigma * (2.0 - s.c_sigma) * s.mass).sqrt();
        self.path_sigma = &self.path_sigma * (1.0 - s.c_sigma) + self.whitened(&path_step) * pull;
        self.mean += mean_step * self.sigma;
        self.generation += 1;
        let length = self.path_sigma.norm();
        let fresh = (1.0 - (1.0 - s.c_sigma).powi(2 * self.generation)).sqrt();
        let stalls = length / fresh >= (1.4 + 2.0 / (n + 1.0)) * s.length;
        self.path *= 1.0 - s.c_path;
        if !stalls {
            self.path += path_step * (s.c_path * (2.0 - s.c_path) * s.mass).sqrt();
        }
        let kept = if stalls { s.c_one * s.c_path * (2.0 - s.c_path) } else { 0.0 };
        let sum: f64 = shortened.iter().map(|(_, weight)| weight).sum();
        self.covariance *= 1.0 + kept - s.c_one - s.c_mu * sum;
        self.covariance.ger(s.c_one, &self.path, &self.path, 1.0);
        for (step, weight) in &shortened {
            // A negative weight takes no more away than there is.
            let weight = if *weight >= 0.0 {
                *weight
            } else {
                weight * n / f64::max(self.whitened(&step.full).norm_squared(), f64::MIN_POSITIVE)
            };
            self.covariance.ger(s.c_mu * weight, &step.full, &step.full, 1.0);
        }
        let growth = s.c_sigma / s.d_sigma * (length / s.length - 1.0);
        self.sigma *= growth.min(1.0).exp();
        self.settle();
    }

    /// Widens coordinate `i` to at least this standard deviation; its correlations stay. Where it says that it did,
    /// the distribution is to be settled.
    pub fn widen(&mut self, i: usize, least: f64) -> bool {
        let factor = least / self.deviation(i);
        let widens = factor > 1.0 && factor.is_finite();
        if widens {
            self.covariance.row_mut(i).scale_mut(factor);
            self.covariance.column_mut(i).scale_mut(factor);
        }
        widens
    }

    /// Whether there is nothing left to adapt: it is a point, or numerically degenerate.
    pub fn is_spent(&self, smallest: f64) -> bool {
        let (widest, narrowest) = (self.spread.max(), self.spread.min());
        let sane = widest.is_finite() && self.sigma.is_finite() && self.mean.iter().all(|x| x.is_finite());
        !sane || self.sigma * widest < smallest || narrowest <= 0.0 || widest / narrowest > 1e7
    }

    /// A step in the units in which the distribution is round and its deviation 1.
    fn whitened(&self, y: &DVector<f64>) -> DVector<f64> {
        let along = (self.basis.transpose() * y).zip_map(&self.spread, |a, s| a / f64::max(s, 1e-300));
        &self.basis * along
    }

    /// Finds the axes of a covariance that has changed.
    pub fn settle(&mut self) {
        let symmetric = (&self.covariance + self.covariance.transpose()) * 0.5;
        self.covariance = symmetric;
        let finite = self.covariance.iter().all(|x| x.is_finite());
        let Some(eigen) = Some(())
            .filter(|()| finite)
            .and_then(|()| SymmetricEigen::try_new(self.covariance.clone(), 1e-15, 0))
        else {
            self.spread.fill(f64::NAN);
            return;
        };
        self.spread = eigen.eigenvalues.map(|x| x.max(0.0).sqrt());
        self.basis = eigen.eigenvectors;
    }
}

#[cfg(test)]
#[path = "gaussian_test.rs"]
mod gaussian_test;
