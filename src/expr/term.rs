//! An expression that was checked: every name stands for a field, and what is joined fits.

use super::{Field, Kind};
use crate::domain::Value;
use std::cmp::Ordering;

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// A number, a text, or `true` and `false`; never a list.
    Literal(Value),
    Field(String, Field),
    And(Vec<Term>),
    Or(Vec<Term>),
    Not(Box<Term>),
    Compare(Box<Term>, Comparison, Box<Term>),
    /// The list has at least one value.
    In(Box<Term>, Vec<Value>),
    IsNull(Box<Term>),
    /// A set of words has at least one of these texts.
    Has(String, Field, Vec<Value>),
    Arithmetic(Box<Term>, Operator, Box<Term>),
    Negative(Box<Term>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// How two numbers are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Comparison {
    const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::AtMost, Self::Greater, Self::AtLeast];

    /// Its sign, in the language as in SQL.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    pub(super) fn from_sign(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.sign() == sign)
    }

    /// Whether it asks which of the two is larger, and not only whether they are the same.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The same comparison with its sides exchanged.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::Equal | Self::NotEqual => self,
        }
    }

    /// Whether it holds between two values in that order.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

impl Operator {
    const ALL: [Self; 4] = [Self::Add, Self::Subtract, Self::Multiply, Self::Divide];

    /// Its sign in the language.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    pub(super) fn from_sign(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.sign() == sign)
    }

    /// Whether it binds as `*` does, tighter than `+`.
    pub(super) fn is_product(self) -> bool {
        matches!(self, Self::Multiply | Self::Divide)
    }
}

/// What kind of value a literal is.
pub(super) fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Flag,
        Value::Int(_) | Value::Float(_) => Kind::Number,
        Value::Text(_) | Value::List(_) => Kind::Text,
    }
}
