//! What sets the best apart, parameter by parameter (Watanabe et al., "PED-ANOVA: Efficiently Quantifying
//! Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023): the Pearson divergence of the best results'
//! density from that of all results.

use super::Results;
use crate::space::Space;

/// One in so many results counts as one of the best.
const BEST_ONE_IN: usize = 10;
/// Where densities of numbers are compared.
const PLACES: usize = 50;
/// Never fewer than so many are compared with the others.
const LEAST_BEST: usize = 4;

/// Each parameter's share; all are 0 where the best differ in nothing.
pub(super) fn shares(results: &Results, space: &Space) -> Vec<f64> {
    let mut order: Vec<usize> = (0..results.losses.len()).collect();
    order.sort_by(|a, b| results.losses[*a].total_cmp(&results.losses[*b]).then(a.cmp(b)));
    let best = &order[..order.len().div_ceil(BEST_ONE_IN).max(LEAST_BEST).min(order.len())];
    let divergence = |d: usize| {
        let coordinates = |of: &[usize]| of.iter().map(|at| results.points[*at][d]).collect::<Vec<f64>>();
        let places = space.entries()[d].dimension.size().and_then(|size| usize::try_from(size).ok());
        divergence(&coordinates(best), &coordinates(&order), places)
    };
    let divergences: Vec<f64> = (0..space.len()).map(divergence).collect();
    let total: f64 = divergences.iter().sum();
    divergences.iter().map(|one| if total > 0.0 { one / total } else { 0.0 }).collect()
}

/// The Pearson divergence of some coordinates' density from that of all; not to exist is a value like any other.
fn divergence(best: &[f64], all: &[f64], values: Option<usize>) -> f64 {
    let (best, all) = (density(best, values), density(all, values));
    best.iter().zip(&all).map(|(p, q)| if *q > 0.0 { (p / q - 1.0).powi(2) * q } else { 0.0 }).sum()
}

/// Shares of the values, with that of "does not exist" at the end, each with one result spread over all of them.
fn density(coordinates: &[f64], values: Option<usize>) -> Vec<f64> {
    let present: Vec<f64> = coordinates.iter().copied().filter(|x| !x.is_nan()).collect();
    let few = values.filter(|values| *values <= PLACES);
    let places = few.unwrap_or(PLACES);
    let mut shares = vec![1.0 / places as f64; places];
    for x in &present {
        match few {
            Some(values) => shares[((x * values as f64) as usize).min(values - 1)] += 1.0,
            None => spread(&mut shares, *x, present.len()),
        }
    }
    shares.push((coordinates.len() - present.len()) as f64);
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
}

/// Adds one result's kernel: a normal by Scott's rule, with what lies outside put back.
fn spread(shares: &mut [f64], x: f64, results: usize) {
    let sigma = 0.3 * (results.max(1) as f64).powf(-0.2);
    let places = shares.len() as f64;
    let mut kernel = [0.0; PLACES];
    for (at, height) in kernel[..shares.len()].iter_mut().enumerate() {
        let z = ((at as f64 + 0.5) / places - x) / sigma;
        *height = (-0.5 * z * z).exp();
    }
    let total: f64 = kernel.iter().sum();
    shares.iter_mut().zip(kernel).for_each(|(share, height)| *share += height / total);
}
