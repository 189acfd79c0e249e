//! Parameters and values of trials as a table of numbers and words, for parallel coordinates, slices and contours.

use crate::domain::{ParameterKind, Params, Sweep, Value};
use crate::space::Space;
use serde::Serialize;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Float,
    /// Whole numbers.
    Int,
    /// One of some values.
    Choice,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Column {
    /// The parameter's name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether the search goes by factors.
    pub log: bool,
    /// The values of a choice.
    pub choices: Option<Vec<Value>>,
}

/// The columns of the parameters that are asked for; of all that vary where none are.
///
/// # Errors
/// The first name that no parameter has.
pub fn columns(sweep: &Sweep, names: &[String]) -> Result<Vec<Column>, String> {
    let wanted: Vec<String> = if names.is_empty() {
        let space = Space::new(&sweep.space).map_err(|_| "the sweep's space is damaged".to_owned())?;
        space.varying().map(str::to_owned).collect()
    } else {
        names.to_vec()
    };
    let column = |name: String| {
        let parameter = sweep.space.get(&name).ok_or_else(|| format!("the sweep has no parameter {name}"))?;
        let (kind, log, choices) = match &parameter.kind {
            ParameterKind::Float { log, .. } => (ColumnKind::Float, *log, None),
            ParameterKind::Int { log, .. } => (ColumnKind::Int, *log, None),
            ParameterKind::Choice { values } => (ColumnKind::Choice, false, Some(values.clone())),
            ParameterKind::Fixed { value } => (ColumnKind::Choice, false, Some(vec![value.clone()])),
        };
        Ok(Column { name, kind, log, choices })
    };
    wanted.into_iter().map(column).collect()
}

/// A trial's row; `None` where a parameter does not exist in it.
#[must_use]
pub fn row(columns: &[Column], params: &Params) -> Vec<Option<Value>> {
    columns.iter().map(|column| params.get(&column.name).cloned()).collect()
}
