//! Three-valued logic, numbers and their kinds, by example. That it is SQLite's own is tested with SQL.

use super::Expr;
use super::samples_test::Sample;
use crate::domain::Value;

fn lookup(name: &str) -> Option<Value> {
    Some(match name {
        "state" => "completed".into(),
        "steps" => Value::Int(10),
        "rmse" => Value::Float(2.25),
        "activation" => "relu".into(),
        "batch_norm" => Value::Bool(true),
        "filters" => vec![32_i64, 64].into(),
        "tag" => r#"["keep","say \"x\""]"#.into(),
        "weights" => Value::Float(f64::NAN),
        _ => return None,
    })
}

fn holds(text: &str) -> Option<bool> {
    Expr::parse(text, &Sample).unwrap().holds(&lookup)
}

fn value(text: &str) -> Option<Value> {
    Expr::parse_value(text, &Sample).unwrap().value(&lookup)
}

#[test]
fn conditions_hold_or_do_not() {
    for text in [
        "rmse < 2.5 and steps = 10",
        "steps = 10.0",
        "state in [failed, completed]",
        "batch_norm",
        "batch_norm = true and not batch_norm = false",
        "activation > 'elu'",
        "steps / 4 = 2.5",
        "filters = '[32,64]'",
        "tag = keep",
        "tag != other and tag in [other, keep] and tag not in [other] and tag is not null",
        "tag = 'say \"x\"' and tag != x",
    ] {
        assert_eq!(holds(text), Some(true), "{text}");
        assert_eq!(holds(&format!("not ({text})")), Some(false), "{text}");
    }
}

#[test]
fn what_is_missing_is_null_and_spreads() {
    for text in [
        "dropout = 1",
        "dropout != 1",
        "not dropout > 1",
        "dropout in [1]",
        "dropout + 1 < 2",
        "dropout",
        "dropout = 1 or steps = 1",
        "dropout = 1 and steps = 10",
        "steps / 0 = 1",
        "weights = 1",
    ] {
        assert_eq!(holds(text), None, "{text}");
    }
    assert_eq!(holds("dropout = 1 or steps = 10"), Some(true));
    assert_eq!(holds("dropout = 1 and steps = 1"), Some(false));
    assert_eq!(holds("dropout is null and weights is null and (dropout = 1) is null"), Some(true));
    assert_eq!(holds("dropout is not null"), Some(false));
}

#[test]
fn numbers_and_texts_differ_and_have_no_order() {
    assert_eq!(holds("filters = 1"), Some(false));
    assert_eq!(holds("filters != 1"), Some(true));
    assert_eq!(holds("filters > 1"), None);
    assert_eq!(value("filters + 1"), None);
    assert_eq!(holds("filters"), None);
}

#[test]
fn whole_numbers_stay_whole_while_they_fit() {
    assert_eq!(value("steps * 2 - 1"), Some(Value::Int(19)));
    assert_eq!(value("steps * 2.0"), Some(Value::Float(20.0)));
    assert_eq!(value("steps / 5"), Some(Value::Float(2.0)));
    assert_eq!(value("steps + 9223372036854775807"), Some(Value::Float(9_223_372_036_854_775_817.0)));
    assert_eq!(value("1e308 * 10 - 1e308 * 10"), None);
    assert_eq!(holds("9007199254740993 = 9007199254740992.0"), Some(false));
    assert_eq!(holds("9223372036854775807 < 9223372036854775808.0"), Some(true));
    assert_eq!(holds("-1 > -1.5 and 1 < 1.5"), Some(true));
}

#[test]
fn values_keep_their_kind() {
    assert_eq!(value("batch_norm"), Some(Value::Bool(true)));
    assert_eq!(value("filters"), lookup("filters"));
    assert_eq!(value("rmse < 2"), Some(Value::Bool(false)));
}
