use super::*;
use crate::domain::Value;
use crate::domain::stream::stream;

fn dimension(kind: ParameterKind) -> Dimension {
    Dimension::new(&kind).unwrap()
}

#[test]
fn a_cell_holds_just_the_coordinates_of_its_value() {
    let kinds = [
        ParameterKind::Int { low: 1, high: 9, log: true, step: None },
        ParameterKind::Int { low: -3, high: 8, log: false, step: Some(2) },
        ParameterKind::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) },
        ParameterKind::Choice { values: ["a", "b", "c"].map(Value::from).to_vec() },
    ];
    for kind in kinds {
        let dimension = dimension(kind);
        for i in 0..=1000 {
            let unit = f64::from(i) / 1000.0;
            let value = dimension.decode(unit);
            let (low, high) = cell(&dimension, unit).unwrap();
            assert!(low <= unit + 1e-12 && unit - 1e-12 <= high, "{unit} in {low}..{high}");
            for inside in [low + 1e-9, (low + high) / 2.0, high - 1e-9] {
                assert!(dimension.decode(inside).same(&value), "{value} at {inside}");
            }
            assert!(low < 1e-9 || !dimension.decode(low - 1e-9).same(&value));
            assert!(high > 1.0 - 1e-9 || !dimension.decode(high + 1e-9).same(&value));
        }
    }
}

#[test]
fn an_axis_is_told_from_the_range() {
    let float = |high, step| ParameterKind::Float { low: 0.0, high, log: false, step };
    let int = |high| ParameterKind::Int { low: 0, high, log: false, step: None };
    assert_eq!(axis(&dimension(float(1.0, None))), Axis::Line);
    assert_eq!(axis(&dimension(float(0.0, None))), Axis::Still);
    assert_eq!(axis(&dimension(float(1.0, Some(0.5)))), Axis::Steps(3));
    assert_eq!(axis(&dimension(int(4))), Axis::Steps(5));
    assert_eq!(axis(&dimension(int(i64::MAX))), Axis::Line);
    assert_eq!(axis(&dimension(ParameterKind::Fixed { value: 1.into() })), Axis::Still);
    assert_eq!(axis(&dimension(ParameterKind::Choice { values: vec![1.into(), 2.into()] })), Axis::Words(2));
}

#[test]
fn normal_numbers_have_mean_0_and_variance_1() {
    let mut rng = stream(1, "test", &[]);
    let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
    let mean = draws.iter().sum::<f64>() / 20_000.0;
    let variance = draws.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
}
