//! A sweep's parameters as names of an expression.

use super::{Field, Kind, Names, Place};
use crate::domain::{Parameter, ParameterKind, Value};
use std::collections::BTreeMap;

/// The parameters of a space and nothing else: what a constraint may name.
#[derive(Debug, Clone, Copy)]
pub struct ParameterNames<'a>(pub &'a BTreeMap<String, Parameter>);

impl Names for ParameterNames<'_> {
    fn field(&self, name: &str) -> Option<Field> {
        self.0.get(name).map(|parameter| Field { kind: Kind::of(&parameter.kind), place: Place::Param })
    }

    fn all(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl Kind {
    /// What a parameter can hold.
    #[must_use]
    pub fn of(kind: &ParameterKind) -> Self {
        let of = |value: &Value| match value {
            Value::Int(_) | Value::Float(_) => Self::Number,
            Value::Text(_) => Self::Text,
            Value::Bool(_) => Self::Flag,
            Value::List(_) => Self::Any,
        };
        match kind {
            ParameterKind::Float { .. } | ParameterKind::Int { .. } => Self::Number,
            ParameterKind::Fixed { value } => of(value),
            ParameterKind::Choice { values } => {
                let mut kinds = values.iter().map(of);
                let first = kinds.next().unwrap_or(Self::Any);
                if kinds.all(|kind| kind == first) { first } else { Self::Any }
            }
        }
    }
}
