//! One parameter's kernels: the density around a trial's coordinate, on `[0, 1]`, as Optuna and Hyperopt truncate
//! it.
//!
//! Numbers have a truncated normal; of whole numbers (and steps, and choices among numbers) the mass of their
//! interval counts. Choices among words have the kernel of Aitchison and Aitken (Biometrika 63, 1976): the trial's own
//! word, and an equal share for every other.

use crate::domain::ParameterKind;
use crate::domain::stream::uniform;
use crate::sampler::axes::{unit_of, word};
use crate::space::Entry;
use rand_chacha::ChaCha8Rng;
use statrs::function::erf::{erf, erf_inv};
use std::f64::consts::SQRT_2;
use std::rc::Rc;

/// What a parameter's kernels are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    /// It has one value.
    Fixed,
    /// Any number.
    Continuous,
    /// So many values in an order.
    Ordered(usize),
    /// So many values without any order.
    Unordered(usize),
}

/// More values than this are as good as any number.
const MOST_VALUES: u128 = 512;

impl Dimension {
    pub fn of(entry: &Entry) -> Self {
        let size = entry.dimension.size();
        let count = |size: u128| size as usize;
        match (entry.dimension.kind(), size) {
            (_, Some(1)) => Self::Fixed,
            (ParameterKind::Choice { values }, Some(size)) => {
                let numbers: Option<Vec<f64>> = values.iter().map(|value| value.as_f64()).collect();
                match numbers {
                    Some(numbers) if size > 2 && numbers.is_sorted() => Self::Ordered(count(size)),
                    _ => Self::Unordered(count(size)),
                }
            }
            (ParameterKind::Int { log: true, .. }, _) => Self::Continuous,
            (_, Some(size)) if size <= MOST_VALUES => Self::Ordered(count(size)),
            _ => Self::Continuous,
        }
    }
}

/// The kernels of one parameter in one density: what does not depend on the trial.
#[derive(Debug)]
pub(super) enum Kernel {
    Fixed,
    /// Standard deviation, and the logarithm of what truncation leaves, by the coordinate of the centre.
    Continuous {
        sigma: f64,
        log_mass: Rc<[f64]>,
    },
    /// By the difference of two values' indexes from `1 - values`: the logarithm of the mass; and as above by the
    /// centre's index.
    Ordered {
        sigma: f64,
        values: usize,
        log_by_difference: Vec<f64>,
        log_mass: Vec<f64>,
    },
    /// The logarithm of the density at the trial's own value, and at any other.
    Unordered {
        values: usize,
        log_own: f64,
        log_other: f64,
    },
}

/// Places of the table of masses, between which is interpolated.
const PLACES: usize = 64;

/// What truncation leaves of a normal of this width, as a logarithm, by the coordinate of its centre: the same for all
/// parameters that are any number. An empty table where there are too few trials to be worth one.
pub(super) fn log_masses(sigma: f64, trials: usize) -> Rc<[f64]> {
    let mass = |place| truncated(place as f64 / PLACES as f64, sigma).ln();
    if trials > PLACES { (0..=PLACES).map(mass).collect() } else { Rc::default() }
}

impl Kernel {
    /// Kernels of a width for numbers, with their [`log_masses`], and of a chance of another value for words.
    pub fn new(dimension: Dimension, sigma: f64, log_mass: &Rc<[f64]>, other: f64) -> Self {
        match dimension {
            Dimension::Fixed => Self::Fixed,
            Dimension::Continuous => Self::Continuous { sigma, log_mass: Rc::clone(log_mass) },
            Dimension::Ordered(values) => {
                // Never so narrow that a neighbour is out of reach.
                let sigma = sigma.max(0.5 / values as f64);
                let width = 1.0 / values as f64;
                let edge = |half: usize| cumulative((half as f64 - values as f64 + 0.5) * width / sigma);
                let edges: Vec<f64> = (0..2 * values).map(edge).collect();
                // As densities: a mass divided by the interval's width.
                let density = |pair: &[f64]| ((pair[1] - pair[0]) / width).max(f64::MIN_POSITIVE).ln();
                let mass = |index| truncated((index as f64 + 0.5) * width, sigma).ln();
                Self::Ordered {
                    sigma,
                    values,
                    log_by_difference: edges.windows(2).map(density).collect(),
                    log_mass: (0..values).map(mass).collect(),
                }
            }
            Dimension::Unordered(values) => {
                let values_f = values as f64;
                let share = other / (values_f - 1.0).max(1.0);
                let (own, share) = (((1.0 - other) * values_f).ln(), (share * values_f).ln());
                Self::Unordered { values, log_own: own, log_other: share }
            }
        }
    }

    /// Adds the logarithm of each kernel's density at `x` to `sums`. `centres` are the trials' coordinates, `NaN`
    /// where the parameter does not exist: there the density is uniform.
    pub fn add(&self, x: f64, centres: &[Centre], sums: &mut [f64]) {
        match self {
            Self::Fixed => {}
            Self::Continuous { .. } => {
                for (sum, centre) in sums.iter_mut().zip(centres) {
                    let z = (x - centre.at) * centre.inverse;
                    *sum -= 0.5 * z * z + centre.norm;
                }
            }
            Self::Ordered { values, log_by_difference, .. } => {
                let index = word(x, *values) + values - 1;
                for (sum, centre) in sums.iter_mut().zip(centres) {
                    if centre.exists {
                        *sum += log_by_difference[index - centre.index] - centre.norm;
                    }
                }
            }
            Self::Unordered { values, log_own, log_other } => {
                let index = word(x, *values);
                for (sum, centre) in sums.iter_mut().zip(centres) {
                    if centre.exists {
                        *sum += if centre.index == index { *log_own } else { *log_other };
                    }
                }
            }
        }
    }

    /// What of a trial's coordinate its kernel needs.
    pub fn centre(&self, x: f64) -> Centre {
        if x.is_nan() {
            return Centre::default();
        }
        match self {
            Self::Fixed => Centre::default(),
            Self::Continuous { sigma, log_mass } => {
                let place = x.clamp(0.0, 1.0) * PLACES as f64;
                let below = (place as usize).min(PLACES - 1);
                let share = place - below as f64;
                let log_mass = match log_mass.get(below..below + 2) {
                    Some(table) => table[0] * (1.0 - share) + table[1] * share,
                    None => truncated(x, *sigma).ln(),
                };
                let norm = log_mass + sigma.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln();
                Centre { at: x, inverse: 1.0 / sigma, norm, index: 0, exists: true }
            }
            Self::Ordered { values, log_mass, .. } => {
                let index = word(x, *values);
                Centre { at: x, inverse: 0.0, norm: log_mass[index], index, exists: true }
            }
            Self::Unordered { values, .. } => {
                Centre { at: x, inverse: 0.0, norm: 0.0, index: word(x, *values), exists: true }
            }
        }
    }

    /// A draw from the kernel around `x`; `NaN` stands for the uniform one.
    pub fn draw(&self, x: f64, rng: &mut ChaCha8Rng) -> f64 {
        let u = uniform(rng);
        if x.is_nan() {
            return u;
        }
        match self {
            Self::Fixed => x,
            Self::Continuous { sigma, .. } | Self::Ordered { sigma, .. } => {
                let (low, high) = (cumulative(-x / sigma), cumulative((1.0 - x) / sigma));
                let p = low + u * (high - low);
                (x + sigma * SQRT_2 * erf_inv(2.0 * p - 1.0)).clamp(0.0, 1.0)
            }
            Self::Unordered { values, log_own, .. } => {
                let n = *values as f64;
                let own = log_own.exp() / n;
                if u < own || *values < 2 {
                    return x;
                }
                // One of the others, evenly: the trial's own value is passed over.
                let other = ((u - own) / (1.0 - own) * (n - 1.0)) as usize;
                let other = other.min(values - 2);
                let other = if other >= word(x, *values) { other + 1 } else { other };
                unit_of(other, *values)
            }
        }
    }
}

/// A trial's coordinate, ready for its kernel.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Centre {
    at: f64,
    /// One over the standard deviation; 0 where there is no such parameter.
    inverse: f64,
    /// The logarithm of the kernel's normalisation.
    norm: f64,
    index: usize,
    exists: bool,
}

/// The standard normal's distribution function.
fn cumulative(z: f64) -> f64 {
    0.5 * (1.0 + erf(z / SQRT_2))
}

/// The mass of a normal around `x` that lies in `[0, 1]`.
fn truncated(x: f64, sigma: f64) -> f64 {
    cumulative((1.0 - x) / sigma) - cumulative(-x / sigma)
}
