//! The daemon put together: database, dispatcher, HTTP, worker processes, signals.
//!
//! Decides nothing about trials: that is the scheduler's.

mod gpus;
mod history;
mod left;
mod letters;
mod lock;
mod program;
mod serve;
mod share;
mod slots;
mod supervise;
mod watch;
mod web;

pub use gpus::{Devices, Driver, Gpu, find as find_gpus};
pub use program::WorkerProgram;
pub use serve::{ServeError, ServeOptions, serve};
pub use share::{PerGpu, Share};
pub use slots::{Machine, Slot};
pub use web::reachable;

use crate::domain::Millis;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Keeps daemons off a home folder for as long as what is returned lives.
///
/// # Errors
/// Where a daemon serves the folder, or the lock cannot be taken.
pub fn hold(home: &Path) -> Result<lock::HomeLock, ServeError> {
    let held = lock::take(home).map_err(|source| ServeError::Home { path: home.to_owned(), source })?;
    held.ok_or_else(|| ServeError::Locked { home: home.to_owned() })
}

/// The wall clock.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the daemon's one clock")]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
