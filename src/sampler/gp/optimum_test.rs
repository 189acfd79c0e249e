use super::*;
use crate::domain::stream::stream;
use crate::domain::{Parameter, ParameterKind, Value};
use crate::sampler::gp::kernel::{Rows, Scales};
use crate::sampler::gp::model::Covariance;
use crate::space::Space;
use std::collections::BTreeMap;

fn space() -> Space {
    let words = ["a", "b", "c"].map(Value::from).to_vec();
    let float = ParameterKind::Float { low: 0.0, high: 1.0, log: false, step: None };
    Space::new(&BTreeMap::from([
        (
            "word".into(),
            Parameter { kind: ParameterKind::Choice { values: words }, when: None, default: None },
        ),
        ("x".into(), Parameter { kind: float, when: None, default: None }),
    ]))
    .unwrap()
}

/// A parabola in x, lowest at 0.6, with an offset for each word.
fn search(is_open: &dyn Fn(&[f64]) -> bool) -> Vec<Spot> {
    let space = space();
    let cube = Cube::new(&space);
    let mut rows = Rows::new(cube.features());
    let (mut points, mut targets) = (Vec::new(), Vec::new());
    for i in 0..12 {
        let raw = [f64::from(i % 3) / 3.0 + 0.1, f64::from(i) / 11.0];
        let (mut point, mut features) = ([0.0; 2], [0.0; 2]);
        cube.settle(&raw, &mut point);
        cube.describe(&point, &mut features);
        rows.push(&features);
        points.push(point);
        targets.push(4.0 * (raw[1] - 0.6).powi(2) + 0.5 * f64::from((i + 1) % 3) - 1.0);
    }
    let scales = Scales { log_lengths: vec![0.0, -0.5], signal: 1.0, noise: 1e-6 };
    let model = Model::new(Covariance::new(&scales, &rows), &targets, &[], &mut stream(1, "test", &[]));
    let optimum = Optimum { cube: &cube, model, rng: stream(2, "test", &[]), is_open };
    optimum.search(&[&points[8], &points[5]], 64)
}

#[test]
fn it_climbs_and_chooses() {
    let spots = search(&|_| true);
    assert!(spots.windows(2).all(|pair| pair[0].value >= pair[1].value));
    assert_eq!(spots[0].point[0], 2.5 / 3.0, "the best word");
    assert!((spots[0].point[1] - 0.6).abs() < 0.1, "{:?}", spots[0]);
}

#[test]
fn what_is_closed_is_not_proposed() {
    let spots = search(&|point| point[0] < 0.6);
    assert!(!spots.is_empty() && spots.iter().all(|spot| spot.point[0] < 0.6));
    assert!(search(&|_| false).is_empty());
}
