//! The covariance: Matern 5/2 with a length scale per feature (Snoek, Larochelle and Adams, "Practical Bayesian
//! Optimization of Machine Learning Algorithms", NIPS 2012).

use super::cube::{Feature, Metric};
use super::factor::{LANES, Lanes};

/// What is learned of the function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scales {
    /// The length scale of every group of features, by its logarithm.
    pub log_lengths: Vec<f64>,
    /// The variance of the function.
    pub signal: f64,
    /// The variance of what is measured about it.
    pub noise: f64,
}

/// Matern 5/2 and its derivative by the squared distance.
pub(super) fn matern(squared: f64) -> (f64, f64) {
    let a = (5.0 * squared).sqrt();
    let e = (-a).exp();
    ((1.0 + a + a * a / 3.0) * e, (-5.0 / 6.0) * (1.0 + a) * e)
}

/// The features of many points, and how they are compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    features: Vec<Feature>,
    /// One column per feature, so that a loop over points is one over neighbours.
    columns: Vec<Vec<f64>>,
    len: usize,
}

impl Rows {
    pub fn new(features: &[Feature]) -> Self {
        Self { features: features.to_vec(), columns: vec![Vec::new(); features.len()], len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// How many length scales there are.
    pub fn groups(&self) -> usize {
        self.features.iter().map(|feature| feature.group + 1).max().unwrap_or(0)
    }

    pub fn push(&mut self, point: &[f64]) {
        self.columns.iter_mut().zip(point).for_each(|(column, x)| column.push(*x));
        self.len += 1;
    }

    /// Keeps the first rows.
    pub fn truncate(&mut self, len: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(len));
        self.len = self.len.min(len);
    }

    /// The features of one point.
    pub fn point(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// Whether these are the first of the others, bit for bit.
    pub fn begin(&self, others: &Self) -> bool {
        let mut columns = self.columns.iter().zip(&others.columns);
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        self.features == others.features
            && self.len <= others.len
            && columns.all(|(own, other)| own.iter().zip(other).all(same))
    }

    /// The inverse squares of the length scales, by feature.
    pub fn weights(&self, scales: &Scales) -> Vec<f64> {
        self.features.iter().map(|feature| (-2.0 * scales.log_lengths[feature.group]).exp()).collect()
    }

    /// The unscaled squared distances between all pairs, the earlier row within the later: a list per group.
    pub fn pairs(&self) -> Vec<Vec<f64>> {
        let mut groups = vec![vec![0.0; self.len * self.len.saturating_sub(1) / 2]; self.groups()];
        for (feature, column) in self.features.iter().zip(&self.columns) {
            let pairs = (1..self.len).flat_map(|i| column[..i].iter().map(move |y| (column[i], *y)));
            match feature.metric {
                Metric::Line => {
                    groups[feature.group]
                        .iter_mut()
                        .zip(pairs)
                        .for_each(|(d, (x, y))| *d += (x - y) * (x - y));
                }
                Metric::Equality => {
                    groups[feature.group].iter_mut().zip(pairs).for_each(|(d, (x, y))| *d += apart(x, y));
                }
            }
        }
        groups
    }

    /// The squared distances of one point from the first `out.len()` rows.
    pub fn distances(&self, point: &[f64], weights: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (f, column) in self.columns.iter().enumerate() {
            let (x, weight) = (point[f], weights[f]);
            match self.features[f].metric {
                Metric::Line => {
                    out.iter_mut().zip(column).for_each(|(d, y)| *d += weight * ((x - y) * (x - y)));
                }
                Metric::Equality => {
                    out.iter_mut().zip(column).for_each(|(d, y)| *d += weight * apart(x, *y));
                }
            }
        }
    }

    /// As [`Rows::distances`], for many points at once: one lane each, by feature.
    pub fn distances_lanes(&self, points: &[Lanes], weights: &[f64], out: &mut [Lanes]) {
        out.fill([0.0; LANES]);
        for (f, column) in self.columns.iter().enumerate() {
            let (x, weight) = (points[f], weights[f]);
            match self.features[f].metric {
                Metric::Line => {
                    for (d, y) in out.iter_mut().zip(column) {
                        (0..LANES).for_each(|lane| d[lane] += weight * ((x[lane] - y) * (x[lane] - y)));
                    }
                }
                Metric::Equality => {
                    for (d, y) in out.iter_mut().zip(column) {
                        (0..LANES).for_each(|lane| d[lane] += weight * apart(x[lane], *y));
                    }
                }
            }
        }
    }

    /// The derivative of a sum over rows of `by_squared` times the squared distance, by a feature on a line.
    pub fn slope_lanes(&self, feature: usize, x: &Lanes, weight: f64, by_squared: &[Lanes]) -> Lanes {
        let mut slope = [0.0; LANES];
        for (d, y) in by_squared.iter().zip(&self.columns[feature]) {
            (0..LANES).for_each(|lane| slope[lane] += d[lane] * (x[lane] - y));
        }
        slope.map(|sum| 2.0 * weight * sum)
    }
}

fn apart(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { 1.0 }
}

#[cfg(test)]
#[path = "kernel_test.rs"]
mod kernel_test;
