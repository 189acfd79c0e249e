use super::*;

#[test]
fn known_values() {
    // From 50 digits of phi(z) + z Phi(z).
    for (z, expected) in [
        (0.0, -0.918_938_533_204_672_7),
        (2.0, 0.697_383_545_788_228_3),
        (-5.0, -16.744_301_162_660_95),
        (-2.0, -4.768_783_523_917_114),
    ] {
        assert!((log_h(z).0 - expected).abs() < 1e-9 * expected.abs(), "{z}: {}", log_h(z).0);
    }
    // Far out, -z^2/2 - ln(sqrt(2 pi)) - 2 ln|z|, to the order 3 / z^2.
    for z in [-50.0, -1e3, -1e8] {
        let expected = -0.5 * z * z - 0.918_938_533_204_672_7 - 2.0 * f64::ln(-z) - 3.0 / (z * z);
        assert!((log_h(z).0 - expected).abs() < 1e-6 * expected.abs());
    }
}

#[test]
fn the_two_ways_meet() {
    let (near, far) = (log_h(-3.0 + 1e-9), log_h(-3.0 - 1e-9));
    assert!((near.0 - far.0).abs() < 1e-7 && (near.1 - far.1).abs() < 1e-7, "{near:?} {far:?}");
}

#[test]
fn slopes_are_those_of_the_value() {
    let by = 1e-6;
    for mean in [-3.0, 0.0, 0.5, 4.0, 30.0] {
        for variance in [0.01, 1.0, 4.0] {
            let at = |m: f64, v: f64| log_improvement(m, v, 0.2)[0];
            let [_, by_mean, by_variance] = log_improvement(mean, variance, 0.2);
            let numeric = (at(mean + by, variance) - at(mean - by, variance)) / (2.0 * by);
            assert!((by_mean - numeric).abs() < 1e-4 * (1.0 + numeric.abs()), "{mean} {variance}");
            let step = by * variance;
            let numeric = (at(mean, variance + step) - at(mean, variance - step)) / (2.0 * step);
            assert!((by_variance - numeric).abs() < 1e-4 * (1.0 + numeric.abs()), "{mean} {variance}");
        }
    }
}
