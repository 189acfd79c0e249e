//! Halton's low-discrepancy sequence with random digits: trial number k is its point number k.
//!
//! A dimension counts in the base of its own prime; every digit's place has a random permutation of its own (Owen,
//! "A randomized Halton algorithm in R", 2017), which takes away the stripes of the plain sequence in high bases
//! and makes every point uniform.

use super::Ask;
use super::axes::{Axis, axes, below};
use super::propose::Propose;
use super::random::Random;
use crate::domain::stream::{Key, stream};

/// The sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halton;

impl Propose for Halton {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "halton"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        // The place in the sequence is taken by what will not do; what stands in for it is drawn.
        if round > 0 {
            return Random.propose(ask, round);
        }
        let mut bases = primes();
        let coordinate = |(entry, axis): (&crate::space::Entry, Axis)| match axis {
            Axis::Still => 0.5,
            _ => inverse(ask.number, bases.next().unwrap_or(2), ask.seed, &entry.name),
        };
        vec![ask.space.entries().iter().zip(axes(ask.space)).map(coordinate).collect()]
    }
}

/// The number whose digits after the point are those of `number`, the lowest first, permuted.
fn inverse(mut number: u64, base: u64, seed: u64, name: &str) -> f64 {
    let (mut sum, mut unit) = (0.0, 1.0);
    // The zeros beyond the highest digit are permuted too, as far as the precision goes.
    for place in 0.. {
        unit /= base as f64;
        if unit < f64::EPSILON / 2.0 {
            break;
        }
        let digit = permuted(number % base, base, seed, &[Key::Name(name), Key::Number(place)]);
        sum += digit as f64 * unit;
        number /= base;
    }
    f64::min(sum, 1.0 - f64::EPSILON / 2.0)
}

/// Where a random permutation takes a digit (shuffled after Fisher and Yates).
fn permuted(digit: u64, base: u64, seed: u64, keys: &[Key<'_>]) -> u64 {
    let mut rng = stream(seed, "halton", keys);
    let mut images: Vec<u64> = (0..base).collect();
    for last in (1..images.len()).rev() {
        images.swap(last, below(&mut rng, last + 1));
    }
    images[digit as usize]
}

fn primes() -> impl Iterator<Item = u64> {
    (2u64..).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d)))
}

#[cfg(test)]
#[path = "halton_test.rs"]
mod halton_test;
