//! Names and kinds: from the tree as written to the tree that can be relied on.

use super::error::quoted;
use super::near::near;
use super::syntax::{Node, Shape};
use super::term::{Comparison, Term, kind_of};
use super::{ExprError, Field, Kind, Names, Problem};
use crate::domain::Value;

/// Most known names that a message lists when none is near.
const FEW: usize = 12;

/// Checks a tree that has to be true or false.
pub(super) fn check_condition(text: &str, node: &Node, names: &dyn Names) -> Result<Term, ExprError> {
    Checker { text, names }.condition(node)
}

/// Checks a tree that may be of any kind.
pub(super) fn check_value(text: &str, node: &Node, names: &dyn Names) -> Result<Term, ExprError> {
    let checker = Checker { text, names };
    let (term, kind) = checker.any(node)?;
    if kind == Kind::Words { Err(checker.expected("a single value", node, kind)) } else { Ok(term) }
}

struct Checker<'a> {
    text: &'a str,
    names: &'a dyn Names,
}

impl Checker<'_> {
    fn any(&self, node: &Node) -> Result<(Term, Kind), ExprError> {
        Ok(match &node.shape {
            Shape::Literal(value) => (Term::Literal(value.clone()), kind_of(value)),
            Shape::Name(name) => match self.names.field(name) {
                Some(field) => (Term::Field(name.clone(), field), field.kind),
                None => return Err(self.unknown(name, node)),
            },
            Shape::And(parts) => (Term::And(self.conditions(parts)?), Kind::Flag),
            Shape::Or(parts) => (Term::Or(self.conditions(parts)?), Kind::Flag),
            Shape::Not(of) => (Term::Not(Box::new(self.condition(of)?)), Kind::Flag),
            Shape::Compare(left, how, right) => (self.comparison(left, *how, right)?, Kind::Flag),
            Shape::In(of, list) => (self.membership(of, list)?, Kind::Flag),
            Shape::IsNull(of) => (Term::IsNull(Box::new(self.any(of)?.0)), Kind::Flag),
            Shape::Arithmetic(left, operator, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                (Term::Arithmetic(Box::new(left), *operator, Box::new(right)), Kind::Number)
            }
            Shape::Negative(of) => (Term::Negative(Box::new(self.number(of)?)), Kind::Number),
        })
    }

    fn condition(&self, node: &Node) -> Result<Term, ExprError> {
        let (term, kind) = self.any(node)?;
        if kind.fits(Kind::Flag) { Ok(term) } else { Err(self.expected("a condition", node, kind)) }
    }

    fn conditions(&self, nodes: &[Node]) -> Result<Vec<Term>, ExprError> {
        nodes.iter().map(|node| self.condition(node)).collect()
    }

    fn number(&self, node: &Node) -> Result<Term, ExprError> {
        let (term, kind) = self.any(node)?;
        if kind.fits(Kind::Number) { Ok(term) } else { Err(self.expected("a number", node, kind)) }
    }

    fn comparison(&self, left: &Node, how: Comparison, right: &Node) -> Result<Term, ExprError> {
        let (left_term, left_kind) = self.any(left)?;
        if left_kind == Kind::Words {
            if how.is_order() {
                return Err(self.expected("a number or a text, which have an order", left, left_kind));
            }
            let has = self.membership(left, std::slice::from_ref(right))?;
            return Ok(if how == Comparison::Equal { has } else { Term::Not(Box::new(has)) });
        }
        let (right_term, right_kind) = match word(right) {
            Some(word) if !how.is_order() && self.takes_words(&left_term, word) => {
                (Term::Literal(Value::Text(word.to_owned())), Kind::Text)
            }
            _ => self.any(right)?,
        };
        if right_kind == Kind::Words {
            return Err(self.expected("a single value", right, right_kind));
        }
        for (node, kind) in [(left, left_kind), (right, right_kind)] {
            if how.is_order() && kind == Kind::Flag {
                return Err(self.expected("a number or a text, which have an order", node, kind));
            }
        }
        if !left_kind.fits(right_kind) {
            return Err(self.expected(left_kind.to_string(), right, right_kind));
        }
        Ok(Term::Compare(Box::new(left_term), how, Box::new(right_term)))
    }

    fn membership(&self, of: &Node, list: &[Node]) -> Result<Term, ExprError> {
        let (term, kind) = self.any(of)?;
        let kind = if kind == Kind::Words { Kind::Text } else { kind };
        let mut values = Vec::with_capacity(list.len());
        for item in list {
            let value = match &item.shape {
                Shape::Literal(value) => value.clone(),
                Shape::Name(word) if self.takes_words(&term, word) => Value::Text(word.clone()),
                Shape::Name(name) if self.names.field(name).is_none() => return Err(self.unknown(name, item)),
                _ => {
                    let found = format!("{} (a field)", self.quoted(item));
                    return Err(ExprError::expected(self.text, item.at.start, "a value in quotes", found));
                }
            };
            if !kind.fits(kind_of(&value)) {
                return Err(self.expected(kind.to_string(), item, kind_of(&value)));
            }
            values.push(value);
        }
        Ok(match term {
            Term::Field(name, field @ Field { kind: Kind::Words, .. }) => Term::Has(name, field, values),
            single => Term::In(Box::new(single), values),
        })
    }

    /// Whether a word beside `term` is a text: `state = failed`.
    fn takes_words(&self, term: &Term, word: &str) -> bool {
        matches!(term, Term::Field(_, field) if matches!(field.kind, Kind::Text | Kind::Words | Kind::Any))
            && self.names.field(word).is_none()
    }

    fn unknown(&self, name: &str, node: &Node) -> ExprError {
        let mut known = near(name, self.names.all());
        let is_near = !known.is_empty();
        if !is_near {
            known = self.names.all();
            known.sort_unstable();
            if known.len() > FEW {
                known.clear();
            }
        }
        let problem = Problem::Unknown { name: name.to_owned(), known, near: is_near };
        ExprError::new(self.text, node.at.start, problem)
    }

    fn expected(&self, what: impl Into<String>, node: &Node, kind: Kind) -> ExprError {
        let found = format!("{} ({kind})", self.quoted(node));
        ExprError::expected(self.text, node.at.start, what, found)
    }

    fn quoted(&self, node: &Node) -> String {
        quoted(&self.text[node.at.clone()])
    }
}

fn word(node: &Node) -> Option<&str> {
    match &node.shape {
        Shape::Name(word) => Some(word),
        _ => None,
    }
}
