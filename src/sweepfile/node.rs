//! The tree that TOML and JSON share: values with the line they stand on.

use crate::domain::Value;
use std::fmt;

/// Deepest nesting of lists and tables: far more than any sweep needs, far less than a stack holds.
pub(super) const MOST_DEPTH: usize = 32;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub line: Option<usize>,
    pub kind: Kind,
}

/// What kind of value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A TOML date, time or both, as text. JSON has texts instead.
    Date(String),
    /// What a sweep has no use for, in words: `null`, `a number too large`.
    Other(&'static str),
}

impl Node {
    /// The parameter value that it stands for; `None` for tables and the like, or non-finite numbers.
    pub fn value(&self) -> Option<Value> {
        Some(match &self.kind {
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Int(i) => Value::Int(*i),
            Kind::Float(x) if x.is_finite() => Value::Float(*x),
            Kind::Text(s) => Value::Text(s.clone()),
            Kind::List(items) => Value::List(items.iter().map(Self::value).collect::<Option<_>>()?),
            Kind::Float(_) | Kind::Table(_) | Kind::Date(_) | Kind::Other(_) => return None,
        })
    }
}

/// As in a message: `"three"`, `3`, `a list`.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bool(b) => b.fmt(f),
            Kind::Int(i) => i.fmt(f),
            Kind::Float(x) => x.fmt(f),
            Kind::Text(s) if s.chars().count() <= 40 => write!(f, "{s:?}"),
            Kind::Text(_) => f.write_str("a long text"),
            Kind::List(_) => f.write_str("a list"),
            Kind::Table(_) => f.write_str("a table"),
            Kind::Date(text) => write!(f, "the date {text}"),
            Kind::Other(what) => f.write_str(what),
        }
    }
}
