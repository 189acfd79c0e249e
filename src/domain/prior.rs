//! What a sweep takes over from earlier ones when it begins (`warm_start`).

use super::value::Params;
use serde::{Deserialize, Serialize};

/// Results of an earlier sweep, as they were when the new one was submitted; they never change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The earlier sweep's public id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many of its trials had completed.
    pub completed: u64,
    /// Whether its values mean what the new sweep's mean: the same objective on the same data. If not, they count by
    /// their rank alone.
    pub comparable: bool,
    /// What of that was taken: results whose configuration is of the new sweep's space, by number.
    pub results: Vec<PriorResult>,
}

/// What came of one trial of an earlier sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriorResult {
    /// Its number there.
    pub trial: u64,
    /// Its configuration in the new sweep's space.
    pub params: Params,
    /// Its value by the first objective, with the sign changed where more was better.
    pub loss: f64,
}
