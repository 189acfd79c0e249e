//! A parameter's value, and a set of them by name.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

/// What a parameter can be set to. In JSON and TOML it is the plain value: `3`, `0.1`, `"relu"`, `[32, 64]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction.
    Float(f64),
    /// A word.
    Text(String),
    /// A list, such as the filters of each block.
    List(Vec<Value>),
}

/// In a description of the API: any of its kinds. (A type within generic ones is described by this trait alone, and the
/// derive macro would describe the variants as excluding each other, which whole numbers and others do not.)
impl utoipa::__dev::ComposeSchema for Value {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let kinds = [Type::Boolean, Type::Integer, Type::Number, Type::String, Type::Array];
        let schema = ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds));
        schema
            .description(Some("A parameter's value: true or false, a number, a word, or a list of them"))
            .into()
    }
}

impl ToSchema for Value {}

/// A trial's configuration: every parameter that exists under its conditions, by name.
pub type Params = BTreeMap<String, Value>;

impl Value {
    /// The number in an `Int` or `Float`.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The whole number in an `Int`, or in a `Float` without a fraction.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            // The bounds keep the cast exact.
            Self::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(*x as i64),
            _ => None,
        }
    }

    /// The word in a `Text`.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            _ => None,
        }
    }

    /// The flag in a `Bool`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The items of a `List`.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// What kind of value this is, for messages: `a number`, `a list` ...
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "a word",
            Self::List(_) => "a list",
        }
    }

    /// Equal as a user means it: `1` and `1.0` are the same value.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }

    /// Order between two numbers, two words, two flags or two lists; `None` between different kinds.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::List(a), Self::List(b)) => {
                for (x, y) in a.iter().zip(b) {
                    match x.order(y)? {
                        Ordering::Equal => {}
                        unequal => return Some(unequal),
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            _ => self.as_f64()?.partial_cmp(&other.as_f64()?),
        }
    }
}

/// As people read it: `0.00231`, `relu`, `32-64-128`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => b.fmt(f),
            Self::Int(i) => i.fmt(f),
            Self::Float(x) => write_float(*x, f),
            Self::Text(s) => s.fmt(f),
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str("-")?;
                    }
                    item.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

/// Three significant digits: enough to tell two trials apart in a table.
fn write_float(x: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if x == 0.0 {
        return f.write_str("0");
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-4..6).contains(&magnitude) {
        return write!(f, "{x:.2e}");
    }
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    if text.contains('.') {
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        f.write_str(&text)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}
impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}
impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::Text(s.to_owned())
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(i) => serializer.serialize_i64(*i),
            Self::Float(x) => serializer.serialize_f64(*x),
            Self::Text(s) => serializer.serialize_str(s),
            Self::List(items) => items.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a word, true, false, or a list of them")
            }
            fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_i64<E: Error>(self, i: i64) -> Result<Value, E> {
                Ok(Value::Int(i))
            }
            fn visit_u64<E: Error>(self, u: u64) -> Result<Value, E> {
                i64::try_from(u).map(Value::Int).map_err(|_| E::custom("the number is too large"))
            }
            fn visit_f64<E: Error>(self, x: f64) -> Result<Value, E> {
                if x.is_finite() { Ok(Value::Float(x)) } else { Err(E::custom("the number must be finite")) }
            }
            fn visit_str<E: Error>(self, s: &str) -> Result<Value, E> {
                Ok(Value::Text(s.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_round_trip_keeps_the_kind() {
        let text = r#"{"a":1,"b":1.5,"c":"relu","d":true,"e":[3,5.5]}"#;
        let params: Params = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&params).unwrap(), text);
        assert_eq!(params["a"], Value::Int(1));
    }

    #[test]
    fn whole_floats_and_ints_are_the_same_value() {
        assert!(Value::Int(2).same(&Value::Float(2.0)));
        assert!(!Value::Int(2).same(&Value::Text("2".into())));
    }

    #[test]
    fn floats_print_three_digits() {
        let shown = |x: f64| Value::Float(x).to_string();
        assert_eq!(shown(0.002_314_9), "0.00231");
        assert_eq!(shown(0.5), "0.5");
        assert_eq!(shown(123.456), "123");
        assert_eq!(shown(0.000_012_3), "1.23e-5");
    }
}
