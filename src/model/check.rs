//! Whether one value suits one parameter, whatever the others are.

use super::nearest::nearest;
use super::parameters::{Accepts, Item, Lists, PARAMETERS, known};
use crate::domain::Value;

/// Whether a parameter can be set to this value at all.
///
/// # Errors
/// A sentence, without the parameter's name, that says what is wrong and what was expected.
pub fn check_value(name: &str, value: &Value) -> Result<(), String> {
    match known(name) {
        None => Err(unknown(name)),
        Some(known) => check(&known.accepts, value),
    }
}

fn unknown(name: &str) -> String {
    let near = nearest(name, PARAMETERS.iter().map(|p| p.name));
    if near.is_empty() {
        "the trainer has no such parameter".to_owned()
    } else {
        let near: Vec<String> = near.iter().map(|n| format!("`{n}`")).collect();
        format!("the trainer has no such parameter; did you mean {}?", near.join(" or "))
    }
}

fn check(accepts: &Accepts, value: &Value) -> Result<(), String> {
    let wrong = |what: &Value| Err(format!("expected {accepts}, not {}", shown(what)));
    match value {
        Value::List(items) => {
            if accepts.lists == Lists::Never || (items.is_empty() && accepts.lists == Lists::PerBlock) {
                return wrong(value);
            }
            match items.iter().find(|item| !suits(&accepts.item, item)) {
                Some(item) => wrong(item),
                None => Ok(()),
            }
        }
        Value::Text(text) if accepts.or_word == Some(text) => Ok(()),
        _ if suits(&accepts.item, value) => Ok(()),
        _ => wrong(value),
    }
}

fn suits(item: &Item, value: &Value) -> bool {
    match *item {
        Item::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Item::Path => value.as_str().is_some_and(|path| path.starts_with('/')),
        Item::Column => value.as_str().is_some_and(|name| !name.is_empty()),
        Item::Flag => value.as_bool().is_some(),
        Item::Whole { low, high, odd } => {
            value.as_i64().is_some_and(|n| (low..=high).contains(&n) && (!odd || n % 2 == 1))
        }
        Item::Number { low, high, above, below } => value.as_f64().is_some_and(|x| {
            let from = if above { x > low } else { x >= low };
            let to = if below { x < high } else { x <= high };
            x.is_finite() && from && to
        }),
    }
}

/// A value as it stands in a file.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Float(x) => x.to_string(),
        Value::List(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: impl Into<Value>) -> String {
        check_value(name, &value.into()).unwrap_err()
    }

    #[test]
    fn says_what_was_expected() {
        assert_eq!(
            refused("kernel_size", 4i64),
            "expected an odd whole number from 1 to 31, or a list with one per block, not 4"
        );
        assert_eq!(
            refused("kernel_sizes", 3i64),
            "the trainer has no such parameter; did you mean `kernel_size`?"
        );
        assert_eq!(
            refused("pooling", "maximum"),
            "expected one of \"max\", \"average\", \"stride\", not \"maximum\""
        );
        assert!(refused("dropout", 1.0f64).contains("not 1"));
        assert!(refused("filters", vec![16i64, -3]).ends_with("not -3"));
        assert!(refused("filters", Vec::<i64>::new()).ends_with("not []"));
        assert!(refused("epochs", vec![3i64]).ends_with("not [3]"));
        assert!(refused("batch_size", "some").ends_with("not \"some\""));
    }

    #[test]
    fn takes_what_it_should() {
        for (name, value) in [
            ("kernel_size", Value::Float(3.0)),
            ("batch_size", "all".into()),
            ("patience", "none".into()),
            ("dense", Vec::<i64>::new().into()),
            ("filters", vec![32i64, 64].into()),
            ("dropout", vec![0.5, 0.0].into()),
            ("batch_norm", false.into()),
        ] {
            assert_eq!(check_value(name, &value), Ok(()), "{name}");
        }
    }
}
