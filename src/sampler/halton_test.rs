use super::*;
use crate::sampler::trial_runs_test::{self, check_oddities, check_pure, float, space};

fn points(seed: u64, numbers: impl Iterator<Item = u64>) -> Vec<Vec<f64>> {
    let square = space([("a", float(0.0, 1.0)), ("b", float(2.0, 3.0))]);
    trial_runs_test::points(&Halton, &square, seed, numbers)
}

#[test]
fn every_block_is_evenly_spread() {
    // 8 * 9 points in a row: one in each of 8 columns by 9 rows.
    for seed in 0..4 {
        for start in [0, 72, 720] {
            let mut boxes: Vec<_> = points(seed, start..start + 72)
                .iter()
                .map(|p| ((p[0] * 8.0) as u32, (p[1] * 9.0) as u32))
                .collect();
            boxes.sort_unstable();
            boxes.dedup();
            assert_eq!(boxes.len(), 72);
        }
    }
}

#[test]
fn each_point_is_uniform_over_seeds_and_seeds_differ() {
    for (number, axis) in [(0, 0), (0, 1), (5, 1)] {
        let sum: f64 = (0..2000).map(|seed| points(seed, number..number + 1)[0][axis]).sum();
        assert!((sum / 2000.0 - 0.5).abs() < 0.03, "{sum}");
    }
    assert_ne!(points(1, 0..16), points(2, 0..16));
}

#[test]
fn bases_are_primes() {
    assert_eq!(primes().take(8).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13, 17, 19]);
}

#[test]
fn it_is_pure_and_knows_odd_spaces() {
    check_pure(&|| Halton);
    check_oddities(&|| Halton);
}
