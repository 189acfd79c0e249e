//! Several trials that predict together.

use super::ids::TrialId;
use super::time::Millis;
use serde::{Deserialize, Serialize};

/// An ensemble: the weighted mean of its members' predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ensemble {
    /// What it is called within its sweep: letters, digits, `-` and `_`, not digits alone.
    pub name: String,
    /// Who is in it, the heaviest first.
    pub members: Vec<Member>,
    /// RMSE of the mean on the validation rows, in pixels. Where members were chosen by these rows, those that were
    /// lucky there were: expect a little more elsewhere.
    pub rmse: f64,
    /// How many validation rows there were.
    pub rows: u64,
    /// When it was put together.
    pub created_ms: Millis,
}

/// One of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Member {
    /// The trial, whose best weights predict.
    pub trial_id: TrialId,
    /// The sweep's name and the trial's number in it, for people.
    pub trial: String,
    /// How often it counts.
    pub weight: u32,
    /// Its own RMSE on the same rows, in pixels.
    pub rmse: f64,
}

/// Whether an ensemble may be called so: `SWEEP/NAME` must not look like a trial.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && !name.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_look_like_numbers_or_paths() {
        assert!(is_name("top8") && is_name("greedy") && is_name("a-b_c"));
        assert!(!is_name("8") && !is_name("") && !is_name("a/b") && !is_name(&"x".repeat(65)));
    }
}
