//! Typed reading of parameters that remembers every problem, and every parameter that was looked at.

use super::check::check_value;
use super::problem::Problem;
use crate::domain::{Params, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Reads a set of parameters. A getter gives `None` where the parameter is not set or was refused: the
/// refusal is then among the problems already, and a default serves for finding further ones.
pub(crate) struct Reader<'a> {
    params: &'a Params,
    refused: BTreeSet<&'a str>,
    looked_at: RefCell<BTreeSet<&'static str>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(params: &'a Params) -> Self {
        let mut refused = BTreeSet::new();
        let mut problems = Vec::new();
        for (name, value) in params {
            if let Err(message) = check_value(name, value) {
                refused.insert(name.as_str());
                problems.push(Problem::new(name, message));
            }
        }
        Self { params, refused, looked_at: RefCell::default(), problems: RefCell::new(problems) }
    }

    /// Notes a problem between parameters.
    pub(crate) fn problem(&self, parameter: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(parameter, message));
    }

    pub(crate) fn value(&self, name: &'static str) -> Option<&'a Value> {
        debug_assert!(super::parameters::known(name).is_some(), "`{name}` is not in the table");
        self.looked_at.borrow_mut().insert(name);
        self.params.get(name).filter(|_| !self.refused.contains(name))
    }

    pub(crate) fn number(&self, name: &'static str, default: f64) -> f64 {
        self.value(name).and_then(Value::as_f64).unwrap_or(default)
    }

    pub(crate) fn whole(&self, name: &'static str) -> Option<usize> {
        self.value(name).and_then(as_usize)
    }

    pub(crate) fn flag(&self, name: &'static str, default: bool) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(default)
    }

    pub(crate) fn word<T>(&self, name: &'static str, parse: fn(&str) -> Option<T>, default: T) -> T {
        self.value(name).and_then(Value::as_str).and_then(parse).unwrap_or(default)
    }

    /// `count` items: the list's, or one value so many times. A list of another length is a problem.
    pub(crate) fn per<T: Clone>(
        &self,
        name: &'static str,
        what: &str,
        count: usize,
        read: impl Fn(&Value) -> Option<T>,
        default: T,
    ) -> Vec<T> {
        match self.value(name) {
            Some(Value::List(items)) => {
                if items.len() != count {
                    let (n, s) = (items.len(), if count == 1 { "" } else { "s" });
                    self.problem(name, format!("lists {n} values for {count} {what}{s}"));
                }
                let mut all: Vec<T> = items.iter().filter_map(read).collect();
                all.resize(count, default);
                all
            }
            single => vec![single.and_then(read).unwrap_or(default); count],
        }
    }

    /// The problems found, and the parameters that are set but were never looked at: they have no effect.
    pub(crate) fn finish(self) -> (Vec<Problem>, Vec<String>) {
        let looked_at = self.looked_at.into_inner();
        let unused = self.params.keys().filter(|name| !looked_at.contains(name.as_str())).cloned();
        (self.problems.into_inner(), unused.collect())
    }
}

pub(crate) fn as_usize(value: &Value) -> Option<usize> {
    value.as_i64().and_then(|n| usize::try_from(n).ok())
}
