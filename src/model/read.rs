//! Typed reading of parameters that remembers every problem, and the value of every setting that was asked
//! for, given or default: together these say all of what is trained.

use super::check::check_value;
use super::choices::Word;
use super::problem::Problem;
use crate::domain::{Params, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Reads a set of parameters. A getter gives the default where the parameter is not set or was refused:
/// the refusal is then among the problems already, and the default serves for finding further ones.
pub(crate) struct Reader<'a> {
    params: &'a Params,
    refused: BTreeSet<&'a str>,
    looked_at: RefCell<BTreeSet<&'static str>>,
    settings: RefCell<Params>,
    problems: RefCell<Vec<Problem>>,
}

/// What reading found.
pub(crate) struct Read {
    pub problems: Vec<Problem>,
    /// Every setting that has an effect, given or default.
    pub settings: Params,
    /// Parameters that are set but have no effect.
    pub unused: Vec<String>,
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
        Self {
            params,
            refused,
            looked_at: RefCell::default(),
            settings: RefCell::default(),
            problems: RefCell::new(problems),
        }
    }

    /// Notes a problem between parameters.
    pub(crate) fn problem(&self, parameter: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(parameter, message));
    }

    /// The value that was given, if it is one the parameter can have.
    pub(crate) fn given(&self, name: &'static str) -> Option<&'a Value> {
        debug_assert!(super::parameters::known(name).is_some(), "`{name}` is not in the table");
        self.looked_at.borrow_mut().insert(name);
        self.params.get(name).filter(|_| !self.refused.contains(name))
    }

    /// Notes what a setting is.
    pub(crate) fn settle(&self, name: &'static str, value: impl Into<Value>) {
        self.settings.borrow_mut().insert(name.to_owned(), value.into());
    }

    pub(crate) fn number(&self, name: &'static str, default: f64) -> f64 {
        let number = self.given(name).and_then(Value::as_f64).unwrap_or(default);
        self.settle(name, number);
        number
    }

    /// A number whose 0 means that there is none of it, and is not among the settings.
    pub(crate) fn number_unless_zero(&self, name: &'static str) -> f64 {
        let number = self.given(name).and_then(Value::as_f64).unwrap_or(0.0);
        if number != 0.0 {
            self.settle(name, number);
        }
        number
    }

    pub(crate) fn whole(&self, name: &'static str, default: i64) -> i64 {
        let number = self.given(name).and_then(Value::as_i64).unwrap_or(default);
        self.settle(name, number);
        number
    }

    pub(crate) fn flag(&self, name: &'static str, default: bool) -> bool {
        let flag = self.given(name).and_then(Value::as_bool).unwrap_or(default);
        self.settle(name, flag);
        flag
    }

    pub(crate) fn word<T: Word>(&self, name: &'static str, default: T) -> T {
        let choice = self.given(name).and_then(Value::as_str).and_then(T::parse).unwrap_or(default);
        self.settle(name, choice.word());
        choice
    }

    /// `count` values: the list's, or one value so many times. A list of another length is a problem.
    pub(crate) fn per(&self, name: &'static str, what: &str, count: usize, default: &Value) -> Vec<Value> {
        let values = match self.given(name) {
            Some(Value::List(items)) => {
                if items.len() != count {
                    let (n, s) = (items.len(), if count == 1 { "" } else { "s" });
                    self.problem(name, format!("lists {n} values for {count} {what}{s}"));
                }
                let mut all = items.clone();
                all.resize(count, default.clone());
                all
            }
            single => vec![single.unwrap_or(default).clone(); count],
        };
        self.settle(name, Value::List(values.clone()));
        values
    }

    pub(crate) fn finish(self) -> Read {
        let looked_at = self.looked_at.into_inner();
        let unused = self.params.keys().filter(|name| !looked_at.contains(name.as_str())).cloned();
        Read {
            problems: self.problems.into_inner(),
            unused: unused.collect(),
            settings: self.settings.into_inner(),
        }
    }
}

pub(crate) fn as_usize(value: &Value) -> Option<usize> {
    value.as_i64().and_then(|n| usize::try_from(n).ok())
}
