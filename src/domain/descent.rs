//! Trials that go on from where another one stood: what they take over, and what is different in them.

use super::value::Value;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an heir comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Descent {
    /// The number of the trial whose checkpoint it goes on from.
    pub parent: u64,
    /// The step of that checkpoint: its own steps begin after it.
    pub step: u64,
    /// The number of the trial whose place it takes.
    pub replaces: u64,
}

/// A parameter that an heir has otherwise than its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// The parent's value; `None` where it does not exist there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The heir's value; `None` where it does not exist there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// `learning_rate 0.002 -> 0.0024`.
impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        write!(f, "{} {} -> {}", self.name, shown(&self.from), shown(&self.to))
    }
}
