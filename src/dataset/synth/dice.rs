//! Chance and the few functions that the drawing needs, all from `+ - * /`, `sqrt` and `floor`.
//!
//! Those are exact by IEEE 754, so that a seed draws the same bytes on every machine; the sine and
//! cosine of the platform's library are not, and differ in the last bit between libraries.

use crate::domain::stream::{Key, stream, uniform};
use rand_chacha::ChaCha8Rng;

/// The random numbers of one face.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one row for one purpose.
    pub(super) fn new(seed: u64, purpose: &str, row: u64) -> Self {
        Self(stream(seed, purpose, &[Key::Number(row)]))
    }

    /// Uniform in `[low, high)`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * uniform(&mut self.0) as f32
    }

    /// About normal (a sum of six uniform numbers), cut off at `limit` standard deviations.
    pub(super) fn normal(&mut self, mean: f32, deviation: f32, limit: f32) -> f32 {
        let sum: f64 = (0..6).map(|_| uniform(&mut self.0)).sum();
        let standard = ((sum - 3.0) * std::f64::consts::SQRT_2) as f32;
        mean + deviation * standard.clamp(-limit, limit)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        uniform(&mut self.0) < f64::from(probability)
    }

    /// A whole number below `count`.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        ((uniform(&mut self.0) * f64::from(count)) as u32).min(count.saturating_sub(1))
    }
}

/// Sine and cosine, to about 1e-7, for angles within some turns of zero.
pub(super) fn sin_cos(radians: f32) -> (f32, f32) {
    use std::f64::consts::{FRAC_PI_2, PI, TAU};
    let x = f64::from(radians);
    let x = x - TAU * (x / TAU + 0.5).floor();
    // Folded to a quarter turn either side of zero.
    let (folded, sign) = match x {
        x if x > FRAC_PI_2 => (PI - x, -1.0),
        x if x < -FRAC_PI_2 => (-PI - x, -1.0),
        x => (x, 1.0),
    };
    let q = folded * folded;
    let sin = folded
        * (1.0
            - q / 6.0
                * (1.0
                    - q / 20.0
                        * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0 * (1.0 - q / 156.0))))));
    let cos = 1.0
        - q / 2.0
            * (1.0
                - q / 12.0
                    * (1.0
                        - q / 30.0
                            * (1.0 - q / 56.0 * (1.0 - q / 90.0 * (1.0 - q / 132.0 * (1.0 - q / 182.0))))));
    (sin as f32, (sign * cos) as f32)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Between `a` (at 0) and `b` (at 1).
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Smooth noise in `[0, 1]` with a grain of about one unit.
pub(super) fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (tx, ty) = (smooth(0.0, 1.0, x - fx), smooth(0.0, 1.0, y - fy));
    let at = |dx: i32, dy: i32| lattice(seed, ix.wrapping_add(dx), iy.wrapping_add(dy));
    mix(mix(at(0, 0), at(1, 0), tx), mix(at(0, 1), at(1, 1), tx), ty)
}

/// A number in `[0, 1)` for a place of the noise's grid.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    for (shift, factor) in [(15, 0x2c1b_3c6d), (12, 0x297a_2d39)] {
        h = (h ^ (h >> shift)).wrapping_mul(factor);
    }
    ((h ^ (h >> 15)) >> 8) as f32 / (1u32 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_are_right() {
        for i in -1000..1000 {
            let x = i as f32 * 0.01;
            let (sin, cos) = sin_cos(x);
            assert!((f64::from(sin) - f64::from(x).sin()).abs() < 3e-7, "{x}");
            assert!((f64::from(cos) - f64::from(x).cos()).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn normal_has_its_mean_and_deviation() {
        let mut dice = Dice::new(1, "test", 0);
        let draws: Vec<f32> = (0..20_000).map(|_| dice.normal(3.0, 2.0, 3.0)).collect();
        let mean = draws.iter().sum::<f32>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / 20_000.0;
        assert!((mean - 3.0).abs() < 0.05 && (variance - 4.0).abs() < 0.15, "{mean} {variance}");
    }
}
