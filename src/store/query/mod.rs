//! Questions to the database, answered in shapes that people and programs are shown.
//!
//! These shapes are the output of `--json` and of the HTTP API: rows never are.

mod completed;
mod curves;
mod decisions;
mod files;
mod find;
mod front;
mod health;
mod leaderboard;
mod memory;
mod names;
mod news;
mod points;
mod search;
mod stints;
mod sweeps;
mod terms;
mod trials;
mod workers;

pub use completed::Completed;
pub use curves::CurvePoints;
pub use files::CheckpointSummary;
pub use front::{Front, FrontMember, FrontShape};
pub use leaderboard::{Leaderboard, Ranked};
pub use names::TrialNames;
pub use news::{News, Page, Place, What};
pub use points::TrialPoint;
pub(super) use search::Bench;
pub use search::{Mark, Sort, TrialPage};
pub use stints::Stint;
pub use sweeps::{Counts, SweepSummary, WarmStart};
pub use terms::Edit;
pub use trials::{AttemptDetail, FoldSummary, StepRow, TrialDetail, TrialSummary};
pub use workers::{CurrentWork, DeviceSummary, KnownFrom, WorkerState, WorkerSummary, Workers};
