//! A local worker process, as noted so that a later daemon finds it; and what workers say of themselves.

use super::time::Millis;
use serde::Serialize;

/// What a worker's environment says of steps where it trains several trials in one.
pub const STEPS: &str = "steps";
/// See [`STEPS`].
pub const SHARED_STEPS: &str = "shared";

/// One worker process that the daemon started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerProcess {
    /// Its name.
    pub name: String,
    /// The slot it serves.
    pub slot: String,
    /// Its process id.
    pub pid: i32,
    /// Start time of the process, in clock ticks since boot.
    pub pid_started: i64,
    /// The file its output goes to.
    pub log: String,
    /// When it was started.
    pub started_ms: Millis,
}
