//! Whether a configuration can exist, by the kind of objective that it is for.

use crate::domain::{ObjectiveKind, Params, Value};
use crate::model::{self, Plan};

/// The built-in trainer's plan of a configuration; `None` for objectives that are not trained here.
///
/// # Errors
/// What is wrong with the configuration, as one sentence per mistake.
pub fn plan_of(kind: ObjectiveKind, params: &Params) -> Result<Option<Plan>, String> {
    match kind {
        ObjectiveKind::Keypoints => match Plan::from_params(params) {
            Ok(plan) => Ok(Some(plan)),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        },
        ObjectiveKind::Toy | ObjectiveKind::Command | ObjectiveKind::External => Ok(None),
    }
}

/// Whether the built-in trainer knows a parameter and accepts one value of it.
///
/// # Errors
/// What is wrong, and what was expected.
pub fn check_parameter(name: &str, value: &Value) -> Result<(), String> {
    model::check_value(name, value)
}
