//! The checked expression, as the other rooms see it.

use super::check::{check_condition, check_value};
use super::parse::parse;
use super::term::Term;
use super::{ExprError, Names};

/// An expression whose names are known and whose parts fit each other. Printed, it is its canonical text,
/// which reads back as the same expression (unless it grew past what is read, for it may be the longer one).
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub(super) term: Term,
    /// Whether it was read as a condition: then its SQL has a truth, not just a value.
    pub(super) is_condition: bool,
}

impl Expr {
    /// Reads a condition: `rmse < 2.5 and kernel_size = 3`.
    ///
    /// # Errors
    /// The first mistake: in its writing, in a name, or in what is joined or compared.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Self, ExprError> {
        let term = check_condition(text, &parse(text)?, names)?;
        Ok(Self { term, is_condition: true })
    }

    /// Reads a value of whatever kind, such as a sort key: `rmse`, `params / epochs`.
    ///
    /// # Errors
    /// The first mistake, as for a condition.
    pub fn parse_value(text: &str, names: &dyn Names) -> Result<Self, ExprError> {
        let term = check_value(text, &parse(text)?, names)?;
        Ok(Self { term, is_condition: false })
    }
}
