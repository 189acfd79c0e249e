use super::*;
use crate::sampler::gp::cube::{Feature, Metric};

fn data(count: u32, noise: f64) -> (Rows, Vec<f64>) {
    let line = |group| Feature { metric: Metric::Line, group };
    let mut rows = Rows::new(&[line(0), line(1), Feature { metric: Metric::Equality, group: 2 }]);
    let mut rng = stream(3, "test", &[]);
    let mut targets = Vec::new();
    for i in 0..count {
        let x = [uniform(&mut rng), uniform(&mut rng), f64::from(i % 3)];
        rows.push(&x);
        targets.push((6.0 * x[0]).sin() + 0.5 * x[2] - 0.5 + noise * (uniform(&mut rng) - 0.5));
    }
    (rows, targets)
}

#[test]
fn the_gradient_is_that_of_the_value() {
    let (rows, targets) = data(25, 0.1);
    let prior = Prior::new(3);
    let mut evidence = Evidence::new(&rows, &targets);
    let theta = [-0.4, 0.9, 0.1, 0.3, -4.0];
    let (_, gradient) = evidence.at(&theta, &prior);
    for i in 0..theta.len() {
        let mut value = |by: f64| {
            let mut moved = theta;
            moved[i] += by;
            evidence.at(&moved, &prior).0
        };
        let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
        assert!(
            (gradient[i] - numeric).abs() < 1e-5 * (1.0 + numeric.abs()),
            "{i}: {} {numeric}",
            gradient[i]
        );
    }
}

#[test]
fn what_does_not_matter_gets_a_long_scale() {
    let (rows, targets) = data(40, 0.0);
    let exact = fit(&rows, &targets, 1);
    assert!(exact.log_lengths[1] > exact.log_lengths[0] + 0.7, "{exact:?}");
    let (rows, targets) = data(40, 1.0);
    assert!(fit(&rows, &targets, 1).noise > 30.0 * exact.noise);
}

#[test]
fn little_or_odd_data_gives_finite_scales() {
    let finite = |scales: &Scales| {
        scales.log_lengths.iter().chain([&scales.signal, &scales.noise]).all(|x| x.is_finite())
    };
    let (rows, _) = data(1, 0.0);
    assert!(finite(&fit(&rows, &[0.0], 1)));
    assert!(finite(&fit(&Rows::new(&[]), &[], 1)));
    let (mut rows, _) = data(1, 0.0);
    let point = rows.point(0);
    (0..9).for_each(|_| rows.push(&point));
    assert!(finite(&fit(&rows, &[0.0; 10], 1)), "all points and targets the same");
}
