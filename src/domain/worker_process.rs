//! A local worker process, as noted so that a later daemon finds it.

use super::time::Millis;
use serde::Serialize;

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
