//! Whether a configuration can exist: by the kind of objective that it is for, and by the sweep's constraints.

use super::explore::Explorer;
use crate::domain::{ObjectiveKind, Params, Sweep, Value};
use crate::expr::{Expr, ParameterNames};
use crate::model::{self, Plan};
use crate::space::Space;

/// What every configuration of a sweep must meet.
pub struct Feasible {
    kind: ObjectiveKind,
    constraints: Vec<Expr>,
}

impl Feasible {
    /// The conditions of a sweep.
    ///
    /// # Errors
    /// The first constraint that cannot be read, as a sentence.
    pub fn of(spec: &Sweep) -> Result<Self, String> {
        let names = ParameterNames(&spec.space);
        let read = |text: &String| Expr::parse(text, &names).map_err(|error| format!("{text}: {error}"));
        let constraints = spec.search.constraints.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { kind: spec.objective.kind, constraints })
    }

    /// Whether a configuration can exist. A constraint on a parameter that does not exist in it is met.
    ///
    /// # Errors
    /// Why not, as a sentence.
    pub fn check(&self, params: &Params) -> Result<(), String> {
        self.plan(params).map(|_| ())
    }

    /// The same, with the built-in trainer's plan of it; `None` for objectives that are not trained here.
    ///
    /// # Errors
    /// Why it cannot exist, as a sentence.
    pub fn plan(&self, params: &Params) -> Result<Option<Plan>, String> {
        let broken = |constraint: &&Expr| constraint.holds(&|name| params.get(name).cloned()) == Some(false);
        if let Some(constraint) = self.constraints.iter().find(broken) {
            return Err(format!("{constraint} does not hold"));
        }
        plan_of(self.kind, params)
    }
}

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

/// Whether a sweep that trains a population has something that its heirs may have otherwise than their parents.
///
/// # Errors
/// What is wrong, as a sentence. Mistakes of the space itself are not looked for.
pub fn check_population(spec: &Sweep) -> Result<(), String> {
    match (spec.population(), Space::new(&spec.space)) {
        (Some(population), Ok(space)) => Explorer::of(spec, population, &space).map(drop),
        _ => Ok(()),
    }
}

/// Whether the built-in trainer knows a parameter and accepts one value of it.
///
/// # Errors
/// What is wrong, and what was expected.
pub fn check_parameter(name: &str, value: &Value) -> Result<(), String> {
    model::check_value(name, value)
}
