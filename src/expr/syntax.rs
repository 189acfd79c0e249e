//! An expression as it was written: names not yet looked up, every part with its place in the text.

use super::term::{Comparison, Operator};
use crate::domain::Value;
use std::ops::Range;

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// The bytes of the text that it stands on.
    pub(super) at: Range<usize>,
    /// How many parts stand below each other in it, itself included.
    pub(super) height: usize,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Literal(Value),
    Name(String),
    /// Joined by `and`; no part is one of those itself.
    And(Vec<Node>),
    /// Joined by `or`; no part is one of those itself.
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare(Box<Node>, Comparison, Box<Node>),
    /// The list has literals and names.
    In(Box<Node>, Vec<Node>),
    IsNull(Box<Node>),
    Arithmetic(Box<Node>, Operator, Box<Node>),
    Negative(Box<Node>),
}

impl Node {
    pub(super) fn new(shape: Shape, at: Range<usize>) -> Self {
        let below = match &shape {
            Shape::Literal(_) | Shape::Name(_) => 0,
            Shape::And(parts) | Shape::Or(parts) => parts.iter().map(|p| p.height).max().unwrap_or(0),
            Shape::Not(of) | Shape::In(of, _) | Shape::IsNull(of) | Shape::Negative(of) => of.height,
            Shape::Compare(left, _, right) | Shape::Arithmetic(left, _, right) => {
                left.height.max(right.height)
            }
        };
        Self { shape, at, height: below + 1 }
    }
}
