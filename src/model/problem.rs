//! What is wrong with a set of parameters.

use std::fmt;

/// One thing wrong with one parameter. Shown as a sentence that begins with the parameter's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The parameter's name.
    pub parameter: String,
    /// What is wrong with it and what was expected.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(parameter: &str, message: impl Into<String>) -> Self {
        Self { parameter: parameter.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.parameter, self.message)
    }
}

impl std::error::Error for Problem {}
