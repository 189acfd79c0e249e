//! A worker's log: its own file, and beside it the log of the trial it works on.

use super::protocol::Work;
use crate::home::TRIAL_LOG;
use std::fs;
use std::sync::Mutex;

/// The file that the trial's log lines go to now.
static CURRENT_LOG: Mutex<Option<fs::File>> = Mutex::new(None);

/// While it lives, log lines also go to the trial's own log.
pub(super) struct TrialLog;

impl TrialLog {
    /// Opens the trial's log, where it has a folder on this machine.
    pub fn attach(work: &Work) -> Self {
        let file = work.folder.as_ref().and_then(|folder| {
            fs::create_dir_all(folder)
                .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(folder.join(TRIAL_LOG)))
                .inspect_err(|error| tracing::warn!(%error, folder = %folder.display(), "no log of its own"))
                .ok()
        });
        if let Ok(mut current) = CURRENT_LOG.lock() {
            *current = file;
        }
        Self
    }
}

impl Drop for TrialLog {
    fn drop(&mut self) {
        if let Ok(mut current) = CURRENT_LOG.lock() {
            *current = None;
        }
    }
}

/// Where a worker's log lines go: standard error (the worker's own file), and the trial's log while it
/// works on one.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLog;

impl std::io::Write for WorkerLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Ok(mut current) = CURRENT_LOG.lock()
            && let Some(file) = current.as_mut()
        {
            // A full disk must not end the training.
            let _ = file.write_all(bytes);
        }
        std::io::stderr().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
