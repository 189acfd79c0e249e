use super::*;
use crate::domain::stream::stream;
use crate::sampler::gp::cube::{Feature, Metric};

fn rows(count: usize) -> Rows {
    let line = |group| Feature { metric: Metric::Line, group };
    let mut rows = Rows::new(&[line(0), Feature { metric: Metric::Equality, group: 1 }]);
    (0..count).for_each(|i| rows.push(&[i as f64 * 0.377 % 1.0, (i % 2) as f64]));
    rows
}

fn scales() -> Scales {
    Scales { log_lengths: vec![-1.0, 0.5], signal: 1.3, noise: 1e-4 }
}

fn model(count: usize, running: &[Vec<f64>]) -> Model {
    let targets: Vec<f64> = (0..count).map(|i| (i as f64).sin()).collect();
    Model::new(Covariance::new(&scales(), &rows(count)), &targets, running, &mut stream(1, "test", &[]))
}

#[test]
fn a_factor_that_grew_is_one_built_at_once() {
    let mut grown = Covariance::new(&scales(), &rows(3));
    for count in 4..40 {
        assert!(grown.begins(&scales(), &rows(count)));
        grown.extend(&rows(count));
    }
    let built = Covariance::new(&scales(), &rows(39));
    for i in 0..39 {
        assert!(grown.factor.row(i).iter().zip(built.factor.row(i)).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    assert!(!grown.begins(&Scales { noise: 2e-4, ..scales() }, &rows(40)));
    assert!(!grown.begins(&scales(), &rows(38)));
}

#[test]
fn the_same_point_many_times_is_borne() {
    let exact = Scales { noise: 0.0, ..scales() };
    let mut same = rows(1);
    (0..20).for_each(|_| same.push(&[0.0, 0.0]));
    let covariance = Covariance::new(&exact, &same);
    assert_eq!(covariance.factor.len(), 21);
    assert!(covariance.jitter > 0);
}

#[test]
fn slopes_are_those_of_the_value() {
    for running in [vec![], vec![vec![0.31, 0.0], vec![0.8, 1.0], vec![0.8, 1.0]]] {
        let mut model = model(12, &running);
        let x: Lanes = std::array::from_fn(|lane| 0.07 + 0.11 * lane as f64);
        let at = |x: Lanes| [x, std::array::from_fn(|lane| (lane % 2) as f64)];
        let (value, slopes) = model.slopes(&at(x), &[true, false]);
        assert_eq!(value, model.values(&at(x)));
        let (above, below) = (model.values(&at(x.map(|x| x + 1e-6))), model.values(&at(x.map(|x| x - 1e-6))));
        for lane in 0..LANES {
            let numeric = (above[lane] - below[lane]) / 2e-6;
            let slope = slopes[0][lane];
            assert!((slope - numeric).abs() < 1e-3 * (1.0 + numeric.abs()), "{lane}: {slope} {numeric}");
        }
    }
}

#[test]
fn a_running_trial_takes_the_promise_from_its_place() {
    let at = |model: &mut Model, x: f64| model.values(&[[x; LANES], [0.0; LANES]])[0];
    let mut free = model(6, &[]);
    let best =
        (0..100).map(|i| f64::from(i) / 100.0).max_by(|a, b| at(&mut free, *a).total_cmp(&at(&mut free, *b)));
    let best = best.unwrap();
    let mut busy = model(6, &[vec![best, 0.0]]);
    assert!(at(&mut busy, best) < at(&mut free, best) - 2.0);
}
