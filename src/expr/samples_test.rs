//! Names, values and random expressions for the tests.

use super::{Field, Kind, Names, Place};
use crate::domain::Value;
use proptest::prelude::*;
use proptest::sample::select;

/// Columns of every kind and parameters that promise one, or nothing.
pub(super) const FIELDS: [(&str, Kind, Place); 12] = [
    ("state", Kind::Text, Place::Column("trial.state")),
    ("steps", Kind::Number, Place::Column("trial.steps")),
    ("rmse", Kind::Number, Place::Column("trial.best_value")),
    ("is_over", Kind::Flag, Place::Column("(trial.state = 'completed')")),
    ("tag", Kind::Words, Place::Column("trial.tags")),
    ("weights", Kind::Any, Place::Column("trial.weights")),
    ("best_step", Kind::Any, Place::Column("trial.best_step")),
    ("kernel_size", Kind::Number, Place::Param),
    ("activation", Kind::Text, Place::Param),
    ("batch_norm", Kind::Flag, Place::Param),
    ("dropout", Kind::Any, Place::Param),
    ("filters", Kind::Any, Place::Param),
];

/// The names of [`FIELDS`].
pub(super) struct Sample;

impl Names for Sample {
    fn field(&self, name: &str) -> Option<Field> {
        let (_, kind, place) = FIELDS.into_iter().find(|(known, ..)| *known == name)?;
        Some(Field { kind, place })
    }

    fn all(&self) -> Vec<String> {
        FIELDS.iter().map(|(name, ..)| (*name).to_owned()).collect()
    }
}

/// Numbers where whole ones, floats, their borders and their comparison are at odds.
pub(super) fn number() -> impl Strategy<Value = Value> {
    const TWO_53: i64 = 1 << 53;
    prop_oneof![
        4 => (-2..4_i64).prop_map(Value::Int),
        4 => select(vec![0.0, -0.0, 0.5, 1.0, 2.0, -1.0, 3.0, 2.5]).prop_map(Value::Float),
        1 => select(vec![i64::MIN, i64::MAX, TWO_53, TWO_53 + 1, -TWO_53 - 1]).prop_map(Value::Int),
        1 => select(vec![1e308, -1e308, 5e-324, 9_007_199_254_740_992.0, 9_223_372_036_854_775_808.0,
                         -9_223_372_036_854_775_808.0, 0.1, 1e20]).prop_map(Value::Float),
        1 => any::<i64>().prop_map(Value::Int),
    ]
}

/// Texts that look like other things.
pub(super) fn text() -> impl Strategy<Value = String> {
    let words = ["", "relu", "elu", "1", "1.0", "0", "true", "[1,2]", "it's", "\"", "é", "Relu", "completed"];
    prop_oneof![8 => select(words.map(String::from).to_vec()), 1 => "[ -~]{0,6}"]
}

/// What a parameter may hold.
pub(super) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => number(),
        2 => text().prop_map(Value::Text),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::List(vec![Value::Int(1), Value::Int(2)])),
        1 => Just(Value::List(vec![Value::Float(0.5), Value::Text("x".into())])),
    ]
}

fn number_literal() -> impl Strategy<Value = String> {
    number().prop_map(|value| match value {
        Value::Float(x) => format!("{x:?}"),
        other => other.to_string(),
    })
}

fn text_literal() -> impl Strategy<Value = String> {
    (text(), any::<bool>()).prop_map(|(text, is_double)| {
        let quote = if is_double { "\"" } else { "'" };
        format!("{quote}{}{quote}", text.replace(quote, &quote.repeat(2)))
    })
}

fn flag_literal() -> impl Strategy<Value = String> {
    select(vec!["true", "FALSE"]).prop_map(String::from)
}

fn names_of(kinds: &'static [Kind]) -> impl Strategy<Value = String> {
    let names: Vec<_> = FIELDS.iter().filter(|(_, kind, _)| kinds.contains(kind)).collect();
    select(names).prop_map(|(name, ..)| (*name).to_owned())
}

/// Something that counts as a number.
pub(super) fn arithmetic() -> BoxedStrategy<String> {
    let leaf = prop_oneof![2 => names_of(&[Kind::Number, Kind::Any]), 1 => number_literal()];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            6 => (inner.clone(), select(vec!["+", "-", "*", "/"]), inner.clone(), 0..4)
                .prop_map(|(a, sign, b, form)| match form {
                    0 => format!("({a}) {sign} {b}"),
                    1 => format!("{a}{sign}({b})"),
                    _ => format!("{a} {sign} {b}"),
                }),
            1 => inner.prop_map(|a| format!("-{a}")),
        ]
    })
    .boxed()
}

fn ordered(of: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let signs = vec!["=", "==", "!=", "<>", "<", "<=", ">", ">="];
    (of.clone(), select(signs), of).prop_map(|(a, sign, b)| format!("{a} {sign} {b}"))
}

fn membership() -> impl Strategy<Value = String> {
    let list = |items: BoxedStrategy<String>| prop::collection::vec(items, 1..4).prop_map(|v| v.join(", "));
    let anything = prop_oneof![number_literal(), text_literal(), flag_literal()].boxed();
    let pairs = prop_oneof![
        (arithmetic(), list(number_literal().boxed())),
        (names_of(&[Kind::Text]), list(text_literal().boxed())),
        (names_of(&[Kind::Any]), list(anything)),
        (names_of(&[Kind::Words]), list(text_literal().boxed())),
    ];
    (pairs, select(vec!["in", "not in", "NOT  In"]))
        .prop_map(|((of, list), word)| format!("{of} {word} [{list}]"))
}

/// Something that counts as true or false.
pub(super) fn condition() -> BoxedStrategy<String> {
    let texts = prop_oneof![names_of(&[Kind::Text, Kind::Any]), text_literal()].boxed();
    let flags = prop_oneof![names_of(&[Kind::Flag, Kind::Any]), flag_literal()].boxed();
    let anything = names_of(&[Kind::Text, Kind::Number, Kind::Flag, Kind::Words, Kind::Any]);
    let leaf = prop_oneof![
        3 => ordered(arithmetic()),
        3 => ordered(texts),
        1 => ordered(names_of(&[Kind::Any]).boxed()),
        1 => (flags.clone(), flags.clone()).prop_map(|(a, b)| format!("{a} = {b}")),
        1 => flags,
        1 => (names_of(&[Kind::Words]), select(vec!["=", "!="]), text_literal())
            .prop_map(|(set, sign, word)| format!("{set} {sign} {word}")),
        2 => membership(),
        1 => (anything, select(vec!["is null", "is not null"])).prop_map(|(a, is)| format!("{a} {is}")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b}) and ({b} and {a})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) != ({b})")),
            2 => inner.clone().prop_map(|a| format!("not ({a})")),
            1 => inner.prop_map(|a| format!("({a}) is null")),
        ]
    })
    .boxed()
}
