//! What of a sweep its user may change while it goes on, and what that means in words.

use super::sweep::{Parameter, ParameterKind, Sweep, When};
use super::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a sweep searches, and how long: all of it that may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// How many trials it runs; `None` for as many as the sampler has.
    pub trials: Option<u64>,
    /// Conditions between parameters.
    pub constraints: Vec<String>,
    /// The parameters by name.
    pub space: BTreeMap<String, Parameter>,
}

/// Terms that others have taken the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct PastTerms {
    /// What they were.
    pub terms: Terms,
    /// The first leg that was decided by those after them.
    pub until_leg: u64,
    /// The input that changed them.
    pub seq: i64,
}

/// One difference between two terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alteration {
    /// A parameter's name, `trials`, or `constraints`.
    pub what: String,
    /// What it was; null for a parameter that is new.
    pub before: Option<String>,
    /// What it is; null for a parameter that is gone.
    pub after: Option<String>,
}

impl Sweep {
    /// What of it may change.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let (trials, constraints) = (self.search.trials, self.search.constraints.clone());
        Terms { trials, constraints, space: self.space.clone() }
    }

    /// The same sweep on other terms.
    #[must_use]
    pub fn with_terms(&self, terms: Terms) -> Self {
        let mut sweep = self.clone();
        sweep.gone.append(&mut sweep.space);
        sweep.gone.retain(|name, _| !terms.space.contains_key(name));
        sweep.space = terms.space;
        (sweep.search.trials, sweep.search.constraints) = (terms.trials, terms.constraints);
        sweep
    }

    /// What of another sweep differs besides the terms, each with both values: `objective.metric: "rmse" -> "loss"`.
    /// The priority and what was to be tried first are not looked at: they have had their effect, or have a command
    /// of their own.
    #[must_use]
    pub fn lasting_differences(&self, other: &Self) -> Vec<String> {
        let lasting = |sweep: &Self| {
            let terms = Terms { trials: None, constraints: Vec::new(), space: BTreeMap::new() };
            let sweep = sweep.with_terms(terms);
            serde_json::to_value(Self { priority: 0, gone: BTreeMap::new(), enqueue: Vec::new(), ..sweep })
        };
        let mut found = Vec::new();
        // Sweeps are stored as JSON: this cannot fail for one that exists.
        if let (Ok(before), Ok(after)) = (lasting(self), lasting(other)) {
            collect("", &before, &after, &mut found);
        }
        found
    }
}

/// The places at which two values differ.
fn collect(path: &str, before: &serde_json::Value, after: &serde_json::Value, found: &mut Vec<String>) {
    use serde_json::Value::{Null, Object};
    match (before, after) {
        (Object(a), Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(&path, a.get(name).unwrap_or(&Null), b.get(name).unwrap_or(&Null), found);
            }
        }
        (a, b) if a != b => {
            let word = |value: &serde_json::Value| match value {
                Null => "none".to_owned(),
                value => value.to_string(),
            };
            found.push(format!("{path}: {} -> {}", word(a), word(b)));
        }
        _ => {}
    }
}

impl Terms {
    /// Whether others differ in nothing but the number of trials.
    #[must_use]
    pub fn differ_in_trials_alone(&self, to: &Self) -> bool {
        self.space == to.space && self.constraints == to.constraints
    }

    /// What is different in others.
    #[must_use]
    pub fn alterations(&self, to: &Self) -> Vec<Alteration> {
        let names: BTreeSet<&String> = self.space.keys().chain(to.space.keys()).collect();
        let spaces = names.into_iter().filter_map(|name| {
            let (before, after) = (self.space.get(name), to.space.get(name));
            (before != after).then(|| Alteration {
                what: name.clone(),
                before: before.map(ToString::to_string),
                after: after.map(ToString::to_string),
            })
        });
        let mut all: Vec<Alteration> = spaces.collect();
        let mut compare = |what: &str, before: String, after: String| {
            if before != after {
                all.push(Alteration { what: what.into(), before: Some(before), after: Some(after) });
            }
        };
        let none_or = |list: &[String]| if list.is_empty() { "none".into() } else { list.join(", ") };
        compare("constraints", none_or(&self.constraints), none_or(&to.constraints));
        let count = |trials: Option<u64>| trials.map_or_else(|| "all".to_owned(), |n| n.to_string());
        compare("trials", count(self.trials), count(to.trials));
        all
    }
}

/// One line for people.
impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "{what}: new, {after}"),
            (Some(before), None) => write!(f, "{what}: gone, was {before}"),
            (Some(before), Some(after)) => write!(f, "{what}: {before} -> {after}"),
            (None, None) => f.write_str(what),
        }
    }
}

/// Range, condition and default in one line.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(when) = &self.when {
            write!(f, ", when {when}")?;
        }
        match &self.default {
            Some(default) => write!(f, ", {default} for trials without it"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float { low, high, log, step } => {
                write!(f, "{low} to {high}{}", Spaced(*log, step.as_ref()))
            }
            Self::Int { low, high, log, step } => write!(f, "{low} to {high}{}", Spaced(*log, step.as_ref())),
            Self::Choice { values } => f.write_str(&joined(values)),
            Self::Fixed { value } => write!(f, "{value} (fixed)"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.param, joined(&self.values))
    }
}

/// How a range's values lie: by factors, or in steps.
struct Spaced<'a, T>(bool, Option<&'a T>);

impl<T: fmt::Display> fmt::Display for Spaced<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (true, _) => f.write_str(", by factors"),
            (false, Some(step)) => write!(f, " in steps of {step}"),
            (false, None) => Ok(()),
        }
    }
}

fn joined(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
#[path = "terms_test.rs"]
mod terms_test;
