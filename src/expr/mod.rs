//! The one small expression language of sweepd: filters, sort keys, constraints between parameters.
//!
//! ```text
//! rmse < 2.5 and kernel_size = 3
//! state = failed or activation in [relu, elu]
//! blocks * 2 <= 12 and dropout is not null
//! ```
//!
//! The way of a text: `lex` cuts it into tokens; `parse` builds the tree as written, with places; `check`
//! looks every name up and gives every part its kind, or says what does not fit; the checked tree is an
//! [`Expr`], which can be [evaluated](Expr::holds), turned [into SQL](Expr::to_sql) and printed.
//!
//! From loosest to tightest: `or`; `and`; `not`; one comparison (`= == != <> < <= > >=`, `in [..]`,
//! `not in [..]`, `is null`, `is not null`); `+ -`; `* /`; unary `-`; parentheses. Texts are quoted with `'`
//! or `"`, a doubled quote stands for itself. A word that is no name is taken for a text to the right of
//! `=`, `!=` and `in`, where a field that can hold text is compared.
//!
//! A set of words, such as a trial's tags, is asked whether it has one: `tag = keep`, `tag in [keep, again]` (one of
//! them), `tag != keep`. It is null while it is empty, and those conditions never are.
//!
//! Three values, as in SQL: what is missing is null, and a condition over null is null unless it is decided
//! without it. Numbers compare as numbers (`1 = 1.0`). A number and a text are unequal; which of them is
//! larger is null, as is arithmetic with a text. `/` divides as real numbers do, and by zero gives null.
//!
//! Invariants: an [`Expr`] evaluates to what its SQL gives in SQLite; SQL text never contains a part of the
//! user's text; the tree is at most [`DEEPEST`] high, so walking it cannot exhaust a stack (nor SQLite's
//! own limit).
//! What is absent: a database, functions, variables, any parameter's meaning.

mod bounds;
mod check;
mod error;
mod evaluate;
mod expression;
mod lex;
mod names;
mod near;
mod parameters;
mod parse;
mod render;
mod sql;
mod syntax;
mod term;

pub use bounds::Bound;
pub use error::{ExprError, Problem};
pub use evaluate::sort_order;
pub use expression::Expr;
pub use names::{Field, Kind, Names, Place};
pub use parameters::ParameterNames;
pub use sql::{Joins, Sql};

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 4096;
/// The highest tree that is built, and how deep parentheses nest. `and` and `or` are one level, however
/// many parts they join.
pub const DEEPEST: usize = 64;

#[cfg(test)]
mod evaluate_test;
#[cfg(test)]
mod expr_test;
#[cfg(test)]
mod samples_test;
#[cfg(test)]
mod sql_test;
