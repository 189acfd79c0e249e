//! JSON text to nodes. serde_json limits the nesting itself.

use super::Parsed;
use super::node::{Kind, Node};
use super::problem::Problem;
use serde_json::Value;

pub(super) fn parse(text: &str) -> Parsed {
    match serde_json::from_str(text) {
        Ok(value) => Ok(node(value)),
        Err(error) => Err(vec![Problem::new(Some(error.line()), "", error.to_string())]),
    }
}

fn node(value: Value) -> Node {
    let kind = match value {
        Value::Null => Kind::Other("null"),
        Value::Bool(flag) => Kind::Bool(flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Kind::Int(whole),
            (None, Some(float)) if !number.is_u64() => Kind::Float(float),
            _ => Kind::Other("a number too large"),
        },
        Value::String(text) => Kind::Text(text),
        Value::Array(items) => Kind::List(items.into_iter().map(node).collect()),
        Value::Object(entries) => {
            Kind::Table(entries.into_iter().map(|(key, value)| (key, node(value))).collect())
        }
    };
    Node { line: None, kind }
}
