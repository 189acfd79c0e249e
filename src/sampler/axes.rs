//! What a coordinate of the unit cube stands for, and the draws that several samplers share.

use crate::domain::ParameterKind;
use crate::domain::stream::uniform;
use crate::space::{Dimension, Space};
use rand_chacha::rand_core::Rng;
use statrs::function::erf::erfc_inv;
use std::f64::consts::SQRT_2;

/// How a coordinate may be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// Not at all: it has one value.
    Still,
    /// By any amount.
    Line,
    /// From one cell to the next: so many values in order.
    Steps(usize),
    /// From one value to any other: so many without order.
    Words(usize),
}

/// More values in order than this are taken for a line: a cell is then thinner than any step that matters.
const MOST_CELLS: u128 = 10_000;

/// The axis of each entry.
pub(super) fn axes(space: &Space) -> Vec<Axis> {
    space.entries().iter().map(|entry| axis(&entry.dimension)).collect()
}

fn axis(dimension: &Dimension) -> Axis {
    match (dimension.size(), dimension.kind()) {
        (Some(1), _) => Axis::Still,
        (Some(size), ParameterKind::Choice { .. }) => Axis::Words(size as usize),
        (Some(size), _) if size <= MOST_CELLS => Axis::Steps(size as usize),
        _ => Axis::Line,
    }
}

/// The interval of coordinates around `unit` that mean the same value; `None` on a line.
pub(super) fn cell(dimension: &Dimension, unit: f64) -> Option<(f64, f64)> {
    let (Axis::Steps(count) | Axis::Words(count)) = axis(dimension) else { return None };
    if let ParameterKind::Int { low, high, log: true, .. } = dimension.kind() {
        let (a, b) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
        let value = dimension.decode(unit).as_f64()?;
        let edge = |x: f64| ((x.ln() - a) / (b - a)).clamp(0.0, 1.0);
        return Some((edge(value - 0.5), edge(value + 0.5)));
    }
    let k = word(unit, count) as f64;
    Some((k / count as f64, (k + 1.0) / count as f64))
}

/// Which of `count` values a coordinate means.
pub(super) fn word(unit: f64, count: usize) -> usize {
    ((unit * count as f64) as usize).min(count.saturating_sub(1))
}

/// The coordinate of one of `count` values.
pub(super) fn unit_of(word: usize, count: usize) -> f64 {
    (word as f64 + 0.5) / count as f64
}

/// A standard normal number (Box and Muller, 1958).
pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// The point below which a standard normal number lies with this chance.
pub(super) fn quantile(chance: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * chance)
}

/// A number below `count`, each as likely.
pub(super) fn below(rng: &mut impl Rng, count: usize) -> usize {
    word(uniform(rng), count)
}

#[cfg(test)]
#[path = "axes_test.rs"]
mod axes_test;
