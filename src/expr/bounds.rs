//! What an index can answer of an expression: comparisons of one field with fixed values that must hold for
//! the whole to hold; what is left without them; and which fields it names.

use super::term::{Comparison, Term};
use super::{Expr, Kind, Place};
use crate::domain::Value;

/// A comparison of one field with fixed values. Where the field has a value, SQLite's answer is the language's.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound<'a> {
    /// The field's name.
    pub name: &'a str,
    /// Where SQL finds it.
    pub place: Place,
    /// SQL with `@` for the field and a `?` for each value: `@ < ?`, `@ in (?, ?)`.
    test: String,
    /// The values of the `?`.
    pub binds: &'a [Value],
}

impl Bound<'_> {
    /// The test in SQL, on a column that holds the field.
    #[must_use]
    pub fn on(&self, column: &str) -> String {
        self.test.replace('@', column)
    }
}

impl Expr {
    /// Takes a condition apart: the bounds that `is_wanted` picks, in the order in which they stand in it, and
    /// the rest. The condition holds just where all of those and the rest hold.
    pub fn split(&self, is_wanted: impl Fn(&Bound<'_>) -> bool) -> (Vec<Bound<'_>>, Option<Self>) {
        let (mut bounds, mut rest) = (Vec::new(), Vec::new());
        let mut parts = vec![&self.term];
        while let Some(part) = parts.pop() {
            match (part, bound(part).filter(|bound| self.is_condition && is_wanted(bound))) {
                (Term::And(inner), _) => parts.extend(inner.iter().rev()),
                (_, Some(bound)) => bounds.push(bound),
                (other, None) => rest.push(other.clone()),
            }
        }
        let rest = match rest.len() {
            0 | 1 => rest.pop(),
            _ => Some(Term::And(rest)),
        };
        (bounds, rest.map(|term| Self { term, is_condition: self.is_condition }))
    }

    /// The field that the expression is, where it is nothing else.
    #[must_use]
    pub fn field(&self) -> Option<(&str, Place)> {
        match &self.term {
            Term::Field(name, field) => Some((name, field.place)),
            _ => None,
        }
    }

    /// Every field that it names, once.
    #[must_use]
    pub fn fields(&self) -> Vec<(&str, Place)> {
        let (mut fields, mut parts) = (Vec::new(), vec![&self.term]);
        while let Some(part) = parts.pop() {
            match part {
                Term::Literal(_) => {}
                Term::Field(name, field) | Term::Has(name, field, _)
                    if !fields.contains(&(name.as_str(), field.place)) =>
                {
                    fields.push((name.as_str(), field.place));
                }
                Term::Field(..) | Term::Has(..) => {}
                Term::And(of) | Term::Or(of) => parts.extend(of),
                Term::Not(of) | Term::In(of, _) | Term::IsNull(of) | Term::Negative(of) => parts.push(of),
                Term::Compare(left, _, right) | Term::Arithmetic(left, _, right) => {
                    parts.extend([&**left, &**right]);
                }
            }
        }
        fields
    }
}

fn bound(term: &Term) -> Option<Bound<'_>> {
    let (name, field, test, binds) = match term {
        Term::Compare(left, how, right) if *how != Comparison::NotEqual => {
            let (name, field, value, how) = match (&**left, &**right) {
                (Term::Field(name, field), Term::Literal(value)) => (name, field, value, *how),
                (Term::Literal(value), Term::Field(name, field)) => (name, field, value, how.flipped()),
                _ => return None,
            };
            // To SQLite any text is larger than any number; to the language neither is.
            let fence = match (how, value) {
                (Comparison::Less | Comparison::AtMost, Value::Text(_)) => " and @ >= ''",
                (Comparison::Greater | Comparison::AtLeast, Value::Int(_) | Value::Float(_)) => " and @ < ''",
                _ => "",
            };
            (name, field, format!("@ {} ?{fence}", how.sign()), std::slice::from_ref(value))
        }
        Term::In(of, list) => match &**of {
            Term::Field(name, field) => (name, field, format!("@ in ({})", marks(list)), &list[..]),
            _ => return None,
        },
        Term::Has(name, field, list) => {
            let test =
                format!("exists (select 1 from json_each(@) word where word.value in ({}))", marks(list));
            (name, field, test, &list[..])
        }
        _ => return None,
    };
    // A column of no known kind would convert what it is compared with.
    let is_exact = field.place == Place::Param || field.kind != Kind::Any;
    is_exact.then_some(Bound { name, place: field.place, test, binds })
}

/// A `?` for each value.
fn marks(list: &[Value]) -> String {
    vec!["?"; list.len()].join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::samples_test::Sample;
    use super::*;

    /// The bounds, then what is left.
    fn split(text: &str) -> (Vec<String>, Option<String>) {
        let expr = Expr::parse(text, &Sample).unwrap();
        let shown = |bound: &Bound<'_>| format!("{} {:?}", bound.on(bound.name), bound.binds);
        let (bounds, rest) = expr.split(|_| true);
        (bounds.iter().map(shown).collect(), rest.map(|rest| rest.to_string()))
    }

    fn bounds(text: &str) -> Vec<String> {
        split(text).0
    }

    #[test]
    fn what_must_hold_is_found_and_nothing_else() {
        assert_eq!(
            bounds("rmse < 2.5 and 3 <= kernel_size"),
            ["rmse < ? [Float(2.5)]", "kernel_size >= ? and kernel_size < '' [Int(3)]"]
        );
        assert_eq!(
            bounds("state in [failed, running]"),
            [r#"state in (?, ?) [Text("failed"), Text("running")]"#]
        );
        assert_eq!(bounds("rmse < 2.5 or kernel_size = 3"), [""; 0]);
        assert_eq!(bounds("not rmse < 2.5"), [""; 0]);
        assert_eq!(bounds("kernel_size != 3 and steps * 2 < 8"), [""; 0]);
        // A column of texts would make a text of the number.
        assert_eq!(bounds("weights > 5"), [""; 0]);
    }

    #[test]
    fn what_is_left_is_all_the_rest() {
        let rest = |text: &str| split(text).1;
        assert_eq!(rest("rmse < 2.5 and kernel_size = 3"), None);
        assert_eq!(rest("rmse < 2.5 and (steps < 3 or steps > 4)"), Some("steps < 3 or steps > 4".into()));
        let text = "kernel_size != 3 and (rmse < 2 and steps * 2 < 8)";
        assert_eq!(rest(text), Some("kernel_size != 3 and steps * 2 < 8".into()));
    }

    #[test]
    fn every_field_is_named_once() {
        let text = "not (rmse < 2 and -steps * 2 < rmse) or activation in [relu, elu] or dropout is null";
        let expr = Expr::parse(text, &Sample).unwrap();
        let mut names: Vec<&str> = expr.fields().iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, ["activation", "dropout", "rmse", "steps"]);
    }

    #[test]
    fn only_a_lone_field_is_a_field() {
        let field =
            |text: &str| Expr::parse_value(text, &Sample).unwrap().field().map(|(name, _)| name.to_owned());
        assert_eq!(field("rmse"), Some("rmse".into()));
        assert_eq!(field("rmse * 1"), None);
    }
}
