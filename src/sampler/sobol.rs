//! Sobol's low-discrepancy sequence, Owen-scrambled: trial number k is its point number k.
//!
//! The direction numbers are those of Joe and Kuo ("Constructing Sobol sequences with better two-dimensional
//! projections", SIAM J. Sci. Comput. 30, 2008). The scrambling is Owen's nested one ("Randomly permuted
//! (t,m,s)-nets and (t,s)-sequences", 1995): each binary digit is flipped or not by a hash of the digits before
//! it, so every point is uniform, and the first 2^m points keep their even spread.

use super::Ask;
use super::axes::{Axis, axes};
use super::propose::Propose;
use super::random::Random;
use crate::domain::stream::{Key, seed_for, stream, uniform};
use sobol_burley::parts::sobol_rev;

/// The sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sobol;

/// So many dimensions have direction numbers; any more are drawn independently.
const DIMENSIONS: u32 = 256;
/// The sequence repeats after so many points, and is scrambled anew from there.
const LENGTH: u64 = 1 << 16;

impl Propose for Sobol {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "sobol"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        // The place in the sequence is taken by what will not do; what stands in for it is drawn.
        if round > 0 {
            return Random.propose(ask, round);
        }
        vec![point(ask)]
    }
}

/// Point number `ask.number`: a dimension of the sequence for every entry that varies.
pub(super) fn point(ask: &Ask<'_>) -> Vec<f64> {
    let block = ask.number / LENGTH;
    let index = (ask.number % LENGTH) as u32;
    let mut place = 0..DIMENSIONS;
    let coordinate = |(entry, axis): (&crate::space::Entry, Axis)| {
        if axis == Axis::Still {
            return 0.5;
        }
        let keys = [Key::Name(&entry.name), Key::Number(block)];
        match place.next() {
            Some(place) => {
                let digits = sobol_rev(index.reverse_bits(), place).reverse_bits();
                scrambled(digits, seed_for(ask.seed, "sobol", &keys))
            }
            None => {
                let keys = [Key::Name(&entry.name), Key::Number(ask.number)];
                uniform(&mut stream(ask.seed, "sobol beyond", &keys))
            }
        }
    };
    ask.space.entries().iter().zip(axes(ask.space)).map(coordinate).collect()
}

/// The number in `[0, 1)` with these binary digits, scrambled; its digits beyond them are random.
fn scrambled(digits: u32, key: u64) -> f64 {
    let flip = |place: u32| {
        // A one before the digits tells "0" from "00".
        let before = (1u64 << place) | (u64::from(digits) >> (32 - place));
        (mixed(key ^ mixed(before)) >> 63) as u32
    };
    let scrambled = (0..32).fold(0, |sum, place| sum | flip(place) << (31 - place)) ^ digits;
    let rest = mixed(key ^ mixed((1 << 32) | u64::from(digits))) >> 43;
    (u64::from(scrambled) << 21 | rest) as f64 / (1u64 << 53) as f64
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
#[path = "sobol_test.rs"]
mod sobol_test;
