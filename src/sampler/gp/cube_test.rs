use super::*;
use crate::domain::{Parameter, When};
use std::collections::BTreeMap;

fn space() -> Space {
    let plain = |kind| Parameter { kind, when: None, default: None };
    let under = |kind, family: &str| {
        let when = When { param: "family".into(), values: vec![family.into()] };
        Parameter { kind, when: Some(when), default: None }
    };
    let words = ["cnn", "mlp", "tree"].map(Value::from).to_vec();
    let float = || ParameterKind::Float { low: 0.0, high: 2.0, log: false, step: None };
    let int = |low, high, log| ParameterKind::Int { low, high, log, step: None };
    Space::new(&BTreeMap::from([
        ("family".into(), plain(ParameterKind::Choice { values: words })),
        (
            "batch".into(),
            plain(ParameterKind::Choice { values: [256i64, 64, 128].map(Value::from).to_vec() }),
        ),
        ("fixed".into(), plain(ParameterKind::Fixed { value: 3.into() })),
        ("steps".into(), plain(int(1, 1000, true))),
        ("layers".into(), under(int(1, 5, true), "mlp")),
        ("drop".into(), under(float(), "mlp")),
        ("eta".into(), under(float(), "tree")),
    ]))
    .unwrap()
}

/// The coordinates in the order of the space.
fn raw(space: &Space, of: &[(&str, f64)]) -> Vec<f64> {
    let coordinate = |name: &str| of.iter().find(|(n, _)| *n == name).map_or(0.3, |(_, x)| *x);
    space.entries().iter().map(|entry| coordinate(&entry.name)).collect()
}

fn settled(space: &Space, raw: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let cube = Cube::new(space);
    let mut point = vec![0.0; raw.len()];
    cube.settle(raw, &mut point);
    let mut features = vec![0.0; cube.features().len()];
    cube.describe(&point, &mut features);
    (point, features)
}

#[test]
fn settling_is_decoding_and_encoding() {
    let space = space();
    for k in 0..200 {
        let raw: Vec<f64> = (0..space.len()).map(|i| (k * (i + 3)) as f64 * 0.0617 % 1.0).collect();
        let (point, features) = settled(&space, &raw);
        let expected = space.point(&space.decode(&raw));
        for (a, b) in point.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12 || a.is_nan() && b.is_nan(), "{point:?} {expected:?}");
        }
        assert!(features.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn every_value_has_its_coordinate() {
    let space = space();
    let cube = Cube::new(&space);
    for (axis, entry) in space.entries().iter().enumerate() {
        let values: Vec<Value> = cube.values(axis).iter().map(|x| entry.dimension.decode(*x)).collect();
        let count = match entry.name.as_str() {
            "family" | "batch" => 3,
            "layers" => 5,
            _ => 0,
        };
        assert_eq!(values.len(), count, "{}", entry.name);
        assert!(values.windows(2).all(|pair| !pair[0].same(&pair[1])));
    }
    assert_eq!(
        cube.features().len(),
        6 + 2,
        "no feature for the fixed one, one for each of the two conditions"
    );
}

#[test]
fn numbers_stand_in_their_order_and_words_in_none() {
    let space = space();
    let cube = Cube::new(&space);
    let place = |name: &str| space.entries().iter().position(|entry| entry.name == name).unwrap();
    let batch = cube.feature(place("batch")).unwrap();
    let at = |x| settled(&space, &raw(&space, &[("batch", x)])).1[batch];
    assert_eq!([at(0.1), at(0.5), at(0.9)], [1.0, 0.0, 0.5]);
    let family = cube.feature(place("family")).unwrap();
    assert_eq!(cube.features()[family].metric, Metric::Equality);
}

#[test]
fn what_does_not_exist_makes_no_difference() {
    let space = space();
    let cnn = |drop| settled(&space, &raw(&space, &[("family", 0.1), ("drop", drop)])).1;
    let mlp = |drop| settled(&space, &raw(&space, &[("family", 0.5), ("drop", drop)])).1;
    assert_eq!(cnn(0.2), cnn(0.9));
    assert_ne!(mlp(0.2), mlp(0.9));
    let apart = cnn(0.2).iter().zip(&mlp(0.5)).filter(|(a, b)| a != b).count();
    assert!(apart >= 2, "the family and the condition");
}
