//! Back to text, with no more parentheses than it needs.

use super::Expr;
use super::term::{Operator, Term};
use crate::domain::Value;
use std::fmt;

/// How tightly a term binds, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Negative,
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_term(&self.term, Level::Or, f)
    }
}

/// Writes a term where only those that bind at least as tightly as `loosest` can stand without parentheses.
fn write_term(term: &Term, loosest: Level, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if level(term) < loosest {
        f.write_str("(")?;
        write_bare(term, f)?;
        f.write_str(")")
    } else {
        write_bare(term, f)
    }
}

fn level(term: &Term) -> Level {
    match term {
        Term::Or(_) => Level::Or,
        Term::And(_) => Level::And,
        // Written as `not in` and `is not null`, which are comparisons.
        Term::Not(of) if matches!(**of, Term::In(..) | Term::IsNull(_)) => Level::Comparison,
        Term::Not(_) => Level::Not,
        Term::Compare(..) | Term::In(..) | Term::IsNull(_) | Term::Has(..) => Level::Comparison,
        Term::Arithmetic(_, operator, _) => operator_level(*operator).0,
        Term::Literal(_) | Term::Field(..) | Term::Negative(_) => Level::Negative,
    }
}

/// An operator's own level, and the loosest of its right operand: `a - (b - c)` is not `a - b - c`.
fn operator_level(operator: Operator) -> (Level, Level) {
    if operator.is_product() { (Level::Product, Level::Negative) } else { (Level::Sum, Level::Product) }
}

fn write_bare(term: &Term, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match term {
        Term::Literal(value) => write_literal(value, f),
        Term::Field(name, _) => f.write_str(name),
        Term::And(parts) => write_joined(parts, " and ", Level::Not, f),
        Term::Or(parts) => write_joined(parts, " or ", Level::And, f),
        Term::Not(of) => match &**of {
            Term::In(of, list) => write_in(of, " not in ", list, f),
            Term::IsNull(of) => {
                write_term(of, Level::Sum, f)?;
                f.write_str(" is not null")
            }
            _ => {
                f.write_str("not ")?;
                write_term(of, Level::Not, f)
            }
        },
        Term::Compare(left, how, right) => {
            write_term(left, Level::Sum, f)?;
            write!(f, " {} ", how.sign())?;
            write_term(right, Level::Sum, f)
        }
        Term::In(of, list) => write_in(of, " in ", list, f),
        Term::Has(name, field, list) => match list.as_slice() {
            [word] => {
                write!(f, "{name} = ")?;
                write_literal(word, f)
            }
            several => write_in(&Term::Field(name.clone(), *field), " in ", several, f),
        },
        Term::IsNull(of) => {
            write_term(of, Level::Sum, f)?;
            f.write_str(" is null")
        }
        Term::Arithmetic(left, operator, right) => {
            let (own, of_right) = operator_level(*operator);
            write_term(left, own, f)?;
            write!(f, " {} ", operator.sign())?;
            write_term(right, of_right, f)
        }
        Term::Negative(of) => {
            f.write_str("-")?;
            write_term(of, Level::Negative, f)
        }
    }
}

fn write_joined(parts: &[Term], by: &str, loosest: Level, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { by })?;
        write_term(part, loosest, f)?;
    }
    Ok(())
}

fn write_in(of: &Term, word: &str, list: &[Value], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_term(of, Level::Sum, f)?;
    write!(f, "{word}[")?;
    for (i, value) in list.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        write_literal(value, f)?;
    }
    f.write_str("]")
}

/// A literal as it reads back: floats keep a point or an exponent, and all their digits.
fn write_literal(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Float(x) => write!(f, "{x:?}"),
        Value::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        other => write!(f, "{other}"),
    }
}
