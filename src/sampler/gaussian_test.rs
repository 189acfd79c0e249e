use super::*;
use crate::domain::stream::{Key, stream};

#[test]
fn weights_are_those_of_the_tutorial() {
    // n = 10, lambda = 10: the values of the table, worked out by hand from its formulas.
    let strategy = Strategy::new(10, 10);
    let positive: f64 = strategy.weights.iter().filter(|w| **w > 0.0).sum();
    assert!((positive - 1.0).abs() < 1e-12);
    assert!((strategy.mass - 3.167_299).abs() < 1e-3, "{}", strategy.mass);
    assert!((strategy.c_one - 2.0 / (11.3f64.powi(2) + strategy.mass)).abs() < 1e-15);
    assert!(strategy.weights.windows(2).all(|w| w[0] > w[1]));
}

#[test]
fn it_finds_the_axes_of_an_ellipsoid() {
    let loss = |x: &DVector<f64>| (0..6).map(|i| 10f64.powi(i as i32) * (x[i] - 0.7).powi(2)).sum::<f64>();
    let mut gaussian = Gaussian::new(DVector::zeros(6), 0.3, 9);
    for generation in 0..400 {
        let mut rng = stream(1, "test", &[Key::Number(generation)]);
        let mut points: Vec<_> = (0..9).map(|_| gaussian.draw(&mut rng)).collect();
        points.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        let step = |x: &DVector<f64>| {
            let y = (x - &gaussian.mean) / gaussian.sigma;
            Step { full: y.clone(), known: y }
        };
        let steps: Vec<_> = points.iter().map(step).zip(weights(6, 9)).collect();
        gaussian.update(&steps);
    }
    assert!(loss(&gaussian.mean) < 1e-10, "{}", loss(&gaussian.mean));
    assert!(gaussian.deviation(0) > 30.0 * gaussian.deviation(5));
}

#[test]
fn without_selection_it_keeps_its_size() {
    let mut gaussian = Gaussian::new(DVector::zeros(4), 0.3, 8);
    for generation in 0..200 {
        let mut rng = stream(2, "test", &[Key::Number(generation)]);
        let steps: Vec<_> = (0..8)
            .map(|_| (gaussian.draw(&mut rng) - &gaussian.mean) / gaussian.sigma)
            .map(|y| Step { full: y.clone(), known: y })
            .zip(weights(4, 8))
            .collect();
        gaussian.update(&steps);
    }
    assert!((0.03..3.0).contains(&gaussian.sigma), "{}", gaussian.sigma);
}

#[test]
fn a_far_point_does_not_blow_it_up() {
    let mut gaussian = Gaussian::new(DVector::zeros(3), 0.1, 6);
    let steps: Vec<_> = weights(3, 6)
        .into_iter()
        .map(|weight| {
            (Step { full: DVector::from_element(3, 1e9), known: DVector::from_element(3, 1e9) }, weight)
        })
        .collect();
    gaussian.update(&steps);
    assert!(gaussian.sigma < 0.3 && gaussian.mean.norm() < 1.0, "{gaussian:?}");
}

#[test]
fn a_coordinate_is_widened_to_the_floor() {
    let mut gaussian = Gaussian::new(DVector::zeros(3), 0.1, 6);
    assert!(gaussian.widen(1, 0.5) && !gaussian.widen(0, 0.05));
    assert!((gaussian.deviation(1) - 0.5).abs() < 1e-12 && (gaussian.deviation(0) - 0.1).abs() < 1e-12);
}
