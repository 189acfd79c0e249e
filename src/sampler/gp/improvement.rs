//! The logarithm of expected improvement, which neither vanishes nor loses its slope far from the best (Ament et
//! al., "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023).

use statrs::function::erf::erfc;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// `ln(phi(z) + z Phi(z))` and its derivative.
///
/// With `t = -z` and Mills' ratio `R(t) = 1 / (t + q)`, it is `ln phi(t) + ln(1 - t R(t)) = ln phi(t) + ln(q / (t +
/// q))`, and the derivative is `1 / q`. The continued fraction of `q` takes the place of the scaled error function
/// in the paper, and has no cancellation at any `t`.
pub(super) fn log_h(z: f64) -> (f64, f64) {
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    if z > -3.0 {
        let above = 0.5 * erfc(-z * FRAC_1_SQRT_2);
        let h = log_density.exp() + z * above;
        return (h.ln(), above / h);
    }
    let t = -z;
    // 1 / (t + 2 / (t + 3 / (t + ...))), from the inside.
    let q = (2..=TERMS).rev().fold(t, |inner, k| t + f64::from(k) / inner).recip();
    (log_density + (q / (t + q)).ln(), q.recip())
}

/// Enough for 12 digits at `t = 3`.
const TERMS: u32 = 60;

/// How much below `best` a normal variable falls on average, by the logarithm, with the derivatives by mean and by
/// variance.
pub(super) fn log_improvement(mean: f64, variance: f64, best: f64) -> [f64; 3] {
    let deviation = variance.sqrt();
    let z = (best - mean) / deviation;
    let (log_h, slope) = log_h(z);
    let by_deviation = (1.0 - slope * z) / deviation;
    [log_h + deviation.ln(), -slope / deviation, by_deviation / (2.0 * deviation)]
}

#[cfg(test)]
#[path = "improvement_test.rs"]
mod improvement_test;
