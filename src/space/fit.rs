//! What a configuration of another space is in this one: of the same sweep before its space was changed, or of an
//! earlier sweep.

use super::{Space, exists};
use crate::domain::{Parameter, ParameterKind, Params, Value};
use std::collections::{BTreeMap, BTreeSet};

impl Space {
    /// The configuration of this space that one of another space stands for.
    ///
    /// A parameter that it lacks takes its default; without one it does not fit, nor where a value is outside its
    /// range. A parameter that does not exist here must be one of `constant`: as it never varied, nothing that is known
    /// of the configuration is due to its value.
    ///
    /// # Errors
    /// Why it does not fit, as a sentence.
    pub fn fit(&self, params: &Params, constant: &BTreeSet<String>) -> Result<Params, String> {
        let mut fitted = Params::new();
        for entry in &self.entries {
            if exists(entry, &fitted) {
                let Some(value) = params.get(&entry.name).or(entry.default.as_ref()) else {
                    return Err(format!("{} is missing, and has no default", entry.name));
                };
                if !entry.dimension.contains(value) {
                    return Err(format!("{} = {value} is outside its range", entry.name));
                }
                fitted.insert(entry.name.clone(), value.clone());
            }
        }
        let is_left = |name: &&String| !fitted.contains_key(*name) && !constant.contains(*name);
        match params.keys().find(is_left) {
            Some(left) => Err(format!("{left} varied there and does not exist here")),
            None => Ok(fitted),
        }
    }
}

/// The parameters that have one and the same value in every space that has them.
#[must_use]
pub fn constants<'a>(spaces: impl IntoIterator<Item = &'a BTreeMap<String, Parameter>>) -> BTreeSet<String> {
    let mut values: BTreeMap<&String, Option<&Value>> = BTreeMap::new();
    for (name, parameter) in spaces.into_iter().flatten() {
        let fixed = match &parameter.kind {
            ParameterKind::Fixed { value } => Some(value),
            _ => None,
        };
        let known = values.entry(name).or_insert(fixed);
        if !matches!((*known, fixed), (Some(a), Some(b)) if a.same(b)) {
            *known = None;
        }
    }
    values.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
#[path = "fit_test.rs"]
mod fit_test;
