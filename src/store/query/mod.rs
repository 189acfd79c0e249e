//! Questions to the database, answered in shapes that people and programs are shown.
//!
//! These shapes are the output of `--json` and of the HTTP API: rows never are.

mod find;
mod health;
mod leaderboard;
mod sweeps;
mod trials;

pub use leaderboard::{Leaderboard, Ranked};
pub use sweeps::{Counts, SweepSummary};
pub use trials::{AttemptDetail, Filter, Sort, StepRow, TrialDetail, TrialSummary};
