use super::*;
use crate::sampler::trial_runs_test::{self, check_oddities, check_pure, float, space};
use crate::space::Space;

fn points(space: &Space, seed: u64, numbers: impl Iterator<Item = u64>) -> Vec<Vec<f64>> {
    trial_runs_test::points(&Sobol, space, seed, numbers)
}

fn square() -> Space {
    space([("a", float(0.0, 1.0)), ("b", float(2.0, 3.0))])
}

#[test]
fn every_block_of_powers_of_two_is_evenly_spread() {
    // The first two dimensions are a (0, 2)-sequence: 64 points in a row that start at a multiple of 64 fall one
    // into each of the boxes of every shape with 1/64 of the area. Scrambling must keep that.
    for seed in 0..4 {
        for start in [0, 64, 320, LENGTH] {
            let points = points(&square(), seed, start..start + 64);
            for wide in 0..=6 {
                let (columns, rows) = (f64::from(1 << wide), f64::from(64 >> wide));
                let mut boxes: Vec<_> =
                    points.iter().map(|p| ((p[0] * columns) as u32, (p[1] * rows) as u32)).collect();
                boxes.sort_unstable();
                boxes.dedup();
                assert_eq!(boxes.len(), 64, "{columns} x {rows} at {start}");
            }
        }
    }
}

#[test]
fn each_point_is_uniform_over_seeds() {
    let mean = |number: u64, axis: usize| {
        (0..2000).map(|seed| points(&square(), seed, number..number + 1)[0][axis]).sum::<f64>() / 2000.0
    };
    for (number, axis) in [(0, 0), (0, 1), (5, 1)] {
        let mean = mean(number, axis);
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }
}

#[test]
fn seeds_and_dimensions_differ() {
    let first = points(&square(), 1, 0..16);
    assert_ne!(first, points(&square(), 2, 0..16));
    assert!(first.iter().all(|p| p[0] != p[1]));
}

#[test]
fn more_dimensions_than_there_are_direction_numbers_are_drawn() {
    let names: Vec<&'static str> = (0..300).map(|i| &*format!("x{i:03}").leak()).collect();
    let wide = space(names.into_iter().map(|name| (name, float(0.0, 1.0))));
    let points = points(&wide, 1, 0..64);
    for axis in 0..300 {
        let mean = points.iter().map(|p| p[axis]).sum::<f64>() / 64.0;
        assert!((mean - 0.5).abs() < if axis < 256 { 0.01 } else { 0.2 }, "{mean} on {axis}");
    }
}

#[test]
fn it_is_pure_and_knows_odd_spaces() {
    check_pure(&|| Sobol);
    check_oddities(&|| Sobol);
}
