//! What an index can answer of an expression: comparisons of one field with fixed values that hold wherever
//! the whole holds, and whether the whole is one field.

use super::term::{Comparison, Term};
use super::{Expr, Place};
use crate::domain::Value;

/// A comparison of one field with fixed values. Whatever an expression lets through passes its bounds; the
/// reverse need not be so.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound<'a> {
    /// The field's name.
    pub name: &'a str,
    /// Where SQL finds it.
    pub place: Place,
    /// SQL that follows the field, with a `?` for each value: `< ?`, `in (?, ?)`.
    pub test: String,
    /// The values of the `?`.
    pub binds: &'a [Value],
}

impl Expr {
    /// The bounds of a condition, in the order in which they stand in it.
    #[must_use]
    pub fn bounds(&self) -> Vec<Bound<'_>> {
        let mut bounds = Vec::new();
        if self.is_condition {
            collect(&self.term, &mut bounds);
        }
        bounds
    }

    /// The field that the expression is, where it is nothing else.
    #[must_use]
    pub fn field(&self) -> Option<(&str, Place)> {
        match &self.term {
            Term::Field(name, field) => Some((name, field.place)),
            _ => None,
        }
    }
}

fn collect<'a>(term: &'a Term, bounds: &mut Vec<Bound<'a>>) {
    match term {
        Term::And(parts) => parts.iter().for_each(|part| collect(part, bounds)),
        Term::Compare(left, how, right) if *how != Comparison::NotEqual => {
            let sides = match (&**left, &**right) {
                (Term::Field(name, field), Term::Literal(value)) => Some((name, field, value, *how)),
                (Term::Literal(value), Term::Field(name, field)) => Some((name, field, value, how.flipped())),
                _ => None,
            };
            if let Some((name, field, value, how)) = sides {
                let (test, binds) = (format!("{} ?", how.sign()), std::slice::from_ref(value));
                bounds.push(Bound { name, place: field.place, test, binds });
            }
        }
        Term::In(of, list) => {
            if let Term::Field(name, field) = &**of {
                let test = format!("in ({})", vec!["?"; list.len()].join(", "));
                bounds.push(Bound { name, place: field.place, test, binds: list });
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples_test::Sample;
    use super::*;

    fn bounds(text: &str) -> Vec<String> {
        let expr = Expr::parse(text, &Sample).unwrap();
        let shown = |bound: &Bound<'_>| format!("{} {} {:?}", bound.name, bound.test, bound.binds);
        expr.bounds().iter().map(shown).collect()
    }

    #[test]
    fn what_must_hold_is_found_and_nothing_else() {
        assert_eq!(
            bounds("rmse < 2.5 and 3 <= kernel_size"),
            ["rmse < ? [Float(2.5)]", "kernel_size >= ? [Int(3)]"]
        );
        assert_eq!(
            bounds("state in [failed, running]"),
            [r#"state in (?, ?) [Text("failed"), Text("running")]"#]
        );
        assert_eq!(bounds("rmse < 2.5 or kernel_size = 3"), [""; 0]);
        assert_eq!(bounds("not rmse < 2.5"), [""; 0]);
        assert_eq!(bounds("kernel_size != 3 and steps * 2 < 8"), [""; 0]);
    }

    #[test]
    fn only_a_lone_field_is_a_field() {
        let field =
            |text: &str| Expr::parse_value(text, &Sample).unwrap().field().map(|(name, _)| name.to_owned());
        assert_eq!(field("rmse"), Some("rmse".into()));
        assert_eq!(field("rmse * 1"), None);
    }
}
