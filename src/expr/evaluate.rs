//! The value of an expression for one trial, just as SQLite would compute it.

use super::Expr;
use super::term::{Operator, Term};
use crate::domain::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// What is known of a trial, by name; `None` is null.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

impl Expr {
    /// Whether it holds; `None` for null, which a filter counts as "no".
    #[must_use]
    pub fn holds(&self, lookup: &dyn Fn(&str) -> Option<Value>) -> Option<bool> {
        truth(&self.term, lookup)
    }

    /// Its value; `None` for null.
    #[must_use]
    pub fn value(&self, lookup: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
        if self.is_condition { self.holds(lookup).map(Value::Bool) } else { value(&self.term, lookup) }
    }
}

/// The order in which SQLite sorts: numbers before texts, and nothing last whichever the direction.
#[must_use]
pub fn sort_order(left: Option<&Value>, right: Option<&Value>, descending: bool) -> Ordering {
    let (Some(left), Some(right)) = (left, right) else { return left.is_none().cmp(&right.is_none()) };
    let order =
        order(left, right).unwrap_or_else(|| Number::of(left).is_none().cmp(&Number::of(right).is_none()));
    if descending { order.reverse() } else { order }
}

fn value(term: &Term, lookup: Lookup<'_>) -> Option<Value> {
    match term {
        Term::Literal(value) => Some(value.clone()),
        // SQLite has no NaN: what is stored as one is null.
        Term::Field(name, _) => lookup(name).filter(|v| !matches!(v, Value::Float(x) if x.is_nan())),
        Term::Arithmetic(left, operator, right) => {
            arithmetic(number(left, lookup)?, *operator, number(right, lookup)?)
        }
        Term::Negative(of) => arithmetic(Number::Int(0), Operator::Subtract, number(of, lookup)?),
        Term::And(_)
        | Term::Or(_)
        | Term::Not(_)
        | Term::Compare(..)
        | Term::In(..)
        | Term::IsNull(_)
        | Term::Has(..) => truth(term, lookup).map(Value::Bool),
    }
}

fn truth(term: &Term, lookup: Lookup<'_>) -> Option<bool> {
    match term {
        Term::And(parts) => joined(parts, false, lookup),
        Term::Or(parts) => joined(parts, true, lookup),
        Term::Not(of) => truth(of, lookup).map(|holds| !holds),
        Term::Compare(left, how, right) => {
            match order(&value(left, lookup)?, &value(right, lookup)?) {
                Some(order) => Some(how.holds(order)),
                // A number and a text: neither is larger, but they do differ.
                None if how.is_order() => None,
                None => Some(how.holds(Ordering::Less)),
            }
        }
        Term::In(of, list) => {
            let value = value(of, lookup)?;
            Some(list.iter().any(|item| order(&value, item) == Some(Ordering::Equal)))
        }
        Term::IsNull(of) => Some(value(of, lookup).is_none()),
        Term::Has(name, _, list) => {
            let words = lookup(name).as_ref().map(words).unwrap_or_default();
            Some(list.iter().any(|item| words.contains(item)))
        }
        Term::Literal(_) | Term::Field(..) | Term::Arithmetic(..) | Term::Negative(_) => {
            Some(match number(term, lookup)? {
                Number::Int(i) => i != 0,
                Number::Float(x) => x != 0.0,
            })
        }
    }
}

/// One part that is `decisive` decides (false among `and`, true among `or`); else null is what is left.
fn joined(parts: &[Term], decisive: bool, lookup: Lookup<'_>) -> Option<bool> {
    let mut is_null = false;
    for part in parts {
        match truth(part, lookup) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => is_null = true,
        }
    }
    (!is_null).then_some(!decisive)
}

/// What SQLite keeps as a number: flags are 1 and 0.
#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Int(i64::from(*b))),
            Value::Int(i) => Some(Self::Int(*i)),
            Value::Float(x) => Some(Self::Float(*x)),
            Value::Text(_) | Value::List(_) => None,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Int(i) => i as f64,
            Self::Float(x) => x,
        }
    }
}

fn number(term: &Term, lookup: Lookup<'_>) -> Option<Number> {
    Number::of(&value(term, lookup)?)
}

/// Whole numbers stay whole while they fit; a result that is no number is null.
fn arithmetic(left: Number, operator: Operator, right: Number) -> Option<Value> {
    if let (Number::Int(a), Number::Int(b)) = (left, right) {
        let whole = match operator {
            Operator::Add => a.checked_add(b),
            Operator::Subtract => a.checked_sub(b),
            Operator::Multiply => a.checked_mul(b),
            Operator::Divide => None,
        };
        if let Some(whole) = whole {
            return Some(Value::Int(whole));
        }
    }
    let (a, b) = (left.as_f64(), right.as_f64());
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return None,
        Operator::Divide => a / b,
    };
    (!result.is_nan()).then_some(Value::Float(result))
}

/// The order of two numbers or two texts; `None` between a number and a text.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Int(a)), Some(Number::Int(b))) => Some(a.cmp(&b)),
        (Some(Number::Float(a)), Some(Number::Float(b))) => a.partial_cmp(&b),
        (Some(Number::Int(a)), Some(Number::Float(b))) => Some(int_with_float(a, b)),
        (Some(Number::Float(a)), Some(Number::Int(b))) => Some(int_with_float(b, a).reverse()),
        (None, None) => Some(text(left)?.cmp(&text(right)?)),
        _ => None,
    }
}

/// Exact, also where the whole number has more digits than a float keeps.
fn int_with_float(int: i64, float: f64) -> Ordering {
    // 2^63, the first float above every i64; its negative is the smallest i64 itself.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if float >= ABOVE {
        Ordering::Less
    } else if float < -ABOVE {
        Ordering::Greater
    } else {
        // Within the bounds the cast only drops the fraction, which decides when all else is equal.
        int.cmp(&(float as i64)).then(0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
    }
}

/// The words of a set, of which SQLite keeps the JSON.
fn words(set: &Value) -> Vec<Value> {
    text(set).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

/// What SQLite keeps as text: a list is its JSON.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::List(_) => serde_json::to_string(value).ok().map(Cow::Owned),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => None,
    }
}
