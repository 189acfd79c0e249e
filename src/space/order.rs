//! Conditions: whether they can hold, and an order in which parents come before children.

use super::{Dimension, Problem};
use crate::domain::Parameter;
use std::collections::{BTreeMap, BTreeSet};

/// Conditions on missing parents, and on values that the parent cannot have.
pub(super) fn bad_conditions(
    parameters: &BTreeMap<String, Parameter>,
    dimensions: &BTreeMap<&str, Dimension>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, parameter) in parameters {
        let Some(when) = &parameter.when else { continue };
        let mut complain = |message| problems.push(Problem { param: name.clone(), message });
        if when.values.is_empty() {
            complain("its condition names no value, so it never exists".into());
        }
        if !parameters.contains_key(&when.param) {
            complain(format!("its condition names {}, which is not a parameter", when.param));
        }
        let Some(parent) = dimensions.get(when.param.as_str()) else { continue };
        for value in when.values.iter().filter(|value| !parent.contains(value)) {
            complain(format!("its condition names {} = {value}, which {} never is", when.param, when.param));
        }
    }
    problems
}

/// The names, parents before children, by name otherwise.
pub(super) fn parents_first(parameters: &BTreeMap<String, Parameter>) -> Result<Vec<&str>, Vec<Problem>> {
    let mut ordered: Vec<&str> = Vec::with_capacity(parameters.len());
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let is_ready = |parameter: &Parameter, placed: &BTreeSet<&str>| match &parameter.when {
        // A missing parent is another mistake, reported elsewhere.
        Some(when) => placed.contains(when.param.as_str()) || !parameters.contains_key(&when.param),
        None => true,
    };
    while ordered.len() < parameters.len() {
        let ready: Vec<&str> = parameters
            .iter()
            .filter(|(name, parameter)| !placed.contains(name.as_str()) && is_ready(parameter, &placed))
            .map(|(name, _)| name.as_str())
            .collect();
        if ready.is_empty() {
            let stuck = parameters.keys().filter(|name| !placed.contains(name.as_str()));
            let message = "its condition depends on itself, through a circle of conditions";
            return Err(stuck.map(|name| Problem { param: name.clone(), message: message.into() }).collect());
        }
        placed.extend(&ready);
        ordered.extend(ready);
    }
    Ok(ordered)
}
