use super::*;
use proptest::prelude::*;

fn parameter(kind: ParameterKind) -> Parameter {
    Parameter { kind, when: None, default: None }
}

fn choice(words: &[&str]) -> ParameterKind {
    ParameterKind::Choice { values: words.iter().map(|w| Value::from(*w)).collect() }
}

fn when(param: &str, word: &str) -> Option<When> {
    Some(When { param: param.into(), values: vec![word.into()] })
}

fn nested() -> BTreeMap<String, Parameter> {
    BTreeMap::from([
        // "a_child" sorts before its parent, so order by name alone would fail.
        (
            "a_child".into(),
            Parameter { kind: choice(&["x", "y", "z"]), when: when("family", "cnn"), default: None },
        ),
        (
            "a_grandchild".into(),
            Parameter { kind: choice(&["p", "q"]), when: when("a_child", "x"), default: None },
        ),
        ("family".into(), parameter(choice(&["cnn", "dense"]))),
        ("width".into(), parameter(ParameterKind::Int { low: 1, high: 3, log: false, step: None })),
    ])
}

#[test]
fn parents_come_first_and_only_what_exists_is_asked_for() {
    let space = Space::new(&nested()).unwrap();
    let dense = space.build(|entry| match entry.name.as_str() {
        "family" => "dense".into(),
        "width" => 2.into(),
        other => panic!("{other} does not exist under dense"),
    });
    assert_eq!(dense.keys().collect::<Vec<_>>(), ["family", "width"]);
    space.contains(&dense).unwrap();
    assert_eq!(space.contains(&Params::new()).unwrap_err(), "family is missing");
}

#[test]
fn size_counts_conditions() {
    // cnn: x with 2, y, z; dense: 1; times 3 widths.
    assert_eq!(Space::new(&nested()).unwrap().size(), Some((2 + 1 + 1 + 1) * 3));
    let float = ParameterKind::Float { low: 0.0, high: 1.0, log: false, step: None };
    let mut infinite = nested();
    infinite.insert("rate".into(), parameter(float));
    assert_eq!(Space::new(&infinite).unwrap().size(), None);
}

#[test]
fn a_canonical_point_is_that_of_its_configuration() {
    let space = Space::new(&nested()).unwrap();
    for i in 0..1000 {
        let point: Vec<f64> =
            (0..space.len()).map(|d| (f64::from(i) * 0.618 + d as f64 * 0.417).fract()).collect();
        let bits = |point: Vec<f64>| point.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(space.canonical(&point)), bits(space.point(&space.decode(&point))));
    }
}

#[test]
fn mistakes_are_named_all_at_once() {
    let bad = BTreeMap::from([
        ("a".into(), Parameter { kind: choice(&["x"]), when: when("b", "x"), default: None }),
        ("b".into(), Parameter { kind: choice(&["x"]), when: when("a", "x"), default: None }),
        ("c".into(), parameter(ParameterKind::Int { low: 5, high: 1, log: false, step: None })),
        ("d".into(), Parameter { kind: choice(&["x"]), when: when("nobody", "x"), default: None }),
        ("e".into(), Parameter { kind: choice(&["x"]), when: when("b", "never"), default: None }),
    ]);
    let problems: Vec<String> = Space::new(&bad).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @r"
    c: low = 5 is above high = 1
    d: its condition names nobody, which is not a parameter
    e: its condition names b = never, which b never is
    a: its condition depends on itself, through a circle of conditions
    b: its condition depends on itself, through a circle of conditions
    e: its condition depends on itself, through a circle of conditions
    ");
}

fn kinds() -> impl Strategy<Value = ParameterKind> {
    let floats = (-1e6..1e6f64, 0.0..1e6f64, proptest::option::of(1e-3..10.0f64))
        .prop_map(|(low, span, step)| ParameterKind::Float { low, high: low + span, log: false, step });
    let log_floats = (1e-9..1.0f64, 1.0..1e6f64).prop_map(|(low, factor)| ParameterKind::Float {
        low,
        high: low * factor,
        log: true,
        step: None,
    });
    let ints = (any::<i32>(), 0..1000i64, 1..7i64).prop_map(|(low, span, step)| ParameterKind::Int {
        low: low.into(),
        high: i64::from(low) + span,
        log: false,
        step: Some(step),
    });
    let log_ints = (1..100i64, 0..10_000i64).prop_map(|(low, span)| ParameterKind::Int {
        low,
        high: low + span,
        log: true,
        step: None,
    });
    let choices = (1..9usize).prop_map(|n| ParameterKind::Choice {
        values: (0..n).map(|i| Value::from(vec![i as i64, 7])).collect(),
    });
    prop_oneof![floats, log_floats, ints, log_ints, choices]
}

proptest! {
    #[test]
    fn what_is_decoded_lies_inside_and_survives_encoding(kind in kinds(), unit in -0.1..1.1f64) {
        let dimension = Dimension::new(&kind).unwrap();
        let value = dimension.decode(unit);
        prop_assert!(dimension.contains(&value), "{kind:?} gave {value:?}");
        let again = dimension.decode(dimension.encode(&value));
        match (&value, &again, &kind) {
            (Value::Float(a), Value::Float(b), ParameterKind::Float { low, high, step: None, .. }) => {
                let tolerance = 1e-9 * (a.abs() + low.abs() + high.abs());
                prop_assert!((a - b).abs() <= tolerance, "{a} {b}");
            }
            _ => prop_assert!(value.same(&again), "{kind:?}: {value:?} became {again:?}"),
        }
    }

    #[test]
    fn a_snapped_coordinate_is_that_of_its_value(kind in kinds(), unit in -0.1..1.1f64) {
        let dimension = Dimension::new(&kind).unwrap();
        let (snapped, encoded) = (dimension.snap(unit), dimension.encode(&dimension.decode(unit)));
        match dimension.size() {
            None => prop_assert!((snapped - encoded).abs() < 1e-9, "{kind:?}: {snapped} {encoded}"),
            Some(_) => prop_assert_eq!(snapped, encoded, "{:?}", kind),
        }
    }

    #[test]
    fn every_value_of_an_int_can_be_reached(low in -50..50i64, span in 0..30i64, step in 1..5i64) {
        let kind = ParameterKind::Int { low, high: low + span, log: false, step: Some(step) };
        let dimension = Dimension::new(&kind).unwrap();
        let mut value = low;
        while value <= low + span {
            prop_assert_eq!(dimension.decode(dimension.encode(&Value::Int(value))), Value::Int(value));
            value += step;
        }
    }
}

#[test]
fn extreme_ranges_stay_inside() {
    let widest = ParameterKind::Int { low: i64::MIN, high: i64::MAX, log: false, step: None };
    let dimension = Dimension::new(&widest).unwrap();
    for unit in [0.0, 0.5, 1.0, f64::NAN] {
        assert!(dimension.contains(&dimension.decode(unit)));
    }
    let floats = ParameterKind::Float { low: -f64::MAX, high: f64::MAX, log: false, step: None };
    let dimension = Dimension::new(&floats).unwrap();
    for unit in [0.0, 0.25, 1.0] {
        let value = dimension.decode(unit);
        assert!(dimension.contains(&value));
        assert!((dimension.encode(&value) - unit).abs() < 1e-9);
    }
}
