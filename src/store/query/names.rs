//! What a condition or a sort key on trials may name: a trial's own columns, the sweep's objectives, and its
//! parameters.

use crate::domain::Sweep;
use crate::expr::{Expr, ExprError, Field, Kind, Names, Place};
use std::collections::BTreeMap;

/// A trial's own columns: what people call them, their kind, and where they stand in the table `trial`.
const COLUMNS: [(&str, Kind, &str); 14] = [
    ("number", Kind::Number, "trial.number"),
    ("state", Kind::Text, "trial.state"),
    ("value", Kind::Number, "trial.best_value"),
    ("best_step", Kind::Number, "trial.best_step"),
    ("steps", Kind::Number, "trial.steps"),
    ("parameter_count", Kind::Number, "trial.parameter_count"),
    ("budget_steps", Kind::Number, "trial.budget_steps"),
    ("reason", Kind::Text, "json_extract(trial.ended, '$.kind')"),
    ("seconds", Kind::Number, "((trial.finished_ms - trial.started_ms) / 1000.0)"),
    ("note", Kind::Text, "trial.note"),
    ("tag", Kind::Words, "trial.tags"),
    ("created_ms", Kind::Number, "trial.created_ms"),
    ("started_ms", Kind::Number, "trial.started_ms"),
    ("finished_ms", Kind::Number, "trial.finished_ms"),
];

/// Where the values by the further objectives stand, in their order: as many as a sweep can have.
const FURTHER: [&str; 3] = [
    "json_extract(trial.further, '$[0]')",
    "json_extract(trial.further, '$[1]')",
    "json_extract(trial.further, '$[2]')",
];

/// The names of one sweep's trials. A parameter goes before a column of the same name.
#[derive(Debug, Clone)]
pub struct TrialNames {
    fields: BTreeMap<String, Field>,
}

impl TrialNames {
    /// The names of a sweep's trials.
    #[must_use]
    pub fn of(sweep: &Sweep) -> Self {
        let Self { mut fields } = Self::of_columns();
        let value = Field { kind: Kind::Number, place: Place::Column("trial.best_value") };
        fields.insert(sweep.objective.metric.clone(), value);
        for (target, sql) in sweep.objective.further.iter().zip(FURTHER) {
            let field = Field { kind: Kind::Number, place: Place::Column(sql) };
            fields.insert(target.name.clone(), field);
        }
        for (name, parameter) in sweep.parameters() {
            fields.insert(name.clone(), Field { kind: Kind::of(&parameter.kind), place: Place::Param });
        }
        Self { fields }
    }

    /// What ranks trials, as a sort key: also where a parameter has taken the name.
    pub(super) fn of_value() -> Result<Expr, ExprError> {
        Self::of_columns().value("value")
    }

    fn of_columns() -> Self {
        let column = |(name, kind, sql): (&str, Kind, &'static str)| {
            (name.to_owned(), Field { kind, place: Place::Column(sql) })
        };
        Self { fields: COLUMNS.into_iter().map(column).collect() }
    }

    /// Reads a condition: `rmse < 2.5 and kernel_size = 3`.
    ///
    /// # Errors
    /// Where it is not understood, with the place.
    pub fn condition(&self, text: &str) -> Result<Expr, ExprError> {
        Expr::parse(text, self)
    }

    /// Reads a sort key: `rmse`, `filters * kernel_size`.
    ///
    /// # Errors
    /// Where it is not understood, with the place.
    pub fn value(&self, text: &str) -> Result<Expr, ExprError> {
        Expr::parse_value(text, self)
    }
}

impl Names for TrialNames {
    fn field(&self, name: &str) -> Option<Field> {
        self.fields.get(name).cloned()
    }

    fn all(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }
}
