use super::*;
use crate::domain::stream::{stream, uniform};

/// A covariance matrix of some points on a line, in full.
fn matrix(count: usize) -> Vec<Vec<f64>> {
    let mut rng = stream(1, "test", &[]);
    let x: Vec<f64> = (0..count).map(|_| uniform(&mut rng)).collect();
    let k = |i: usize, j: usize| (-20.0 * (x[i] - x[j]).powi(2)).exp() + if i == j { 1e-3 } else { 0.0 };
    (0..count).map(|i| (0..count).map(|j| k(i, j)).collect()).collect()
}

fn factor(matrix: &[Vec<f64>]) -> Factor {
    let mut factor = Factor::default();
    for (i, row) in matrix.iter().enumerate() {
        assert!(factor.push(&row[..i], row[i]));
    }
    factor
}

#[test]
fn it_solves() {
    let matrix = matrix(37);
    let factor = factor(&matrix);
    let wanted: Vec<f64> = (0..37).map(|i| f64::from(i).sin()).collect();
    let mut b: Vec<f64> = matrix.iter().map(|row| dot(row, &wanted)).collect();
    let mut lanes: Vec<Lanes> = b.iter().map(|x| [*x; LANES]).collect();
    factor.solve(&mut b);
    factor.solve_transposed(&mut b);
    factor.solve_lanes(&mut lanes);
    factor.solve_transposed_lanes(&mut lanes);
    for i in 0..37 {
        assert!((b[i] - wanted[i]).abs() < 1e-9);
        assert!(lanes[i].iter().all(|x| (x - wanted[i]).abs() < 1e-9));
    }
}

#[test]
fn the_inverse_is_one() {
    let matrix = matrix(23);
    let inverse = factor(&matrix).inverse();
    let at = |i: usize, j: usize| inverse[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)];
    for (i, row) in matrix.iter().enumerate() {
        for j in 0..23 {
            let product: f64 = (0..23).map(|k| row[k] * at(k, j)).sum();
            let unit = if i == j { 1.0 } else { 0.0 };
            assert!((product - unit).abs() < 1e-8, "{i} {j} {product}");
        }
    }
}

#[test]
fn what_is_not_positive_definite_is_refused() {
    let mut factor = Factor::default();
    assert!(factor.push(&[], 1.0));
    assert!(!factor.push(&[1.0], 1.0), "the same point twice");
    assert!(!factor.push(&[f64::NAN], 1.0));
    assert_eq!((factor.len(), factor.row(0)), (1, &[1.0][..]));
    assert!(factor.push(&[0.5], 1.0));
}
