//! A worker's log: its own file, and beside it the logs of the trials it works on.

use super::protocol::Work;
use crate::home::TRIAL_LOG;
use std::fs;
use std::sync::{Arc, Mutex};

/// Where log lines go beside the worker's own file.
static LOGS: Mutex<Logs> = Mutex::new(Logs { open: Vec::new(), entered: None });

struct Logs {
    /// Those of all trials that are worked on.
    open: Vec<Arc<fs::File>>,
    /// That of the trial that something is done for now. While there is none, lines concern all.
    entered: Option<Arc<fs::File>>,
}

/// The log of one trial, which is worked on while it lives.
pub(super) struct TrialLog(Option<Arc<fs::File>>);

impl TrialLog {
    /// Opens the trial's log, where it has a folder on this machine.
    pub fn attach(work: &Work) -> Self {
        let file = work.folder.as_ref().and_then(|folder| {
            fs::create_dir_all(folder)
                .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(folder.join(TRIAL_LOG)))
                .inspect_err(|error| tracing::warn!(%error, folder = %folder.display(), "no log of its own"))
                .ok()
        });
        let file = file.map(Arc::new);
        if let (Some(file), Ok(mut logs)) = (&file, LOGS.lock()) {
            logs.open.push(Arc::clone(file));
        }
        Self(file)
    }

    /// Log lines concern this trial for as long as what is returned lives.
    pub fn enter(&self) -> Entered {
        Entered(enter(self.0.clone()))
    }
}

impl Drop for TrialLog {
    fn drop(&mut self) {
        if let (Some(file), Ok(mut logs)) = (&self.0, LOGS.lock()) {
            logs.open.retain(|open| !Arc::ptr_eq(open, file));
        }
    }
}

/// While it lives, log lines concern one trial; then whom they did before.
pub(super) struct Entered(Option<Arc<fs::File>>);

impl Drop for Entered {
    fn drop(&mut self) {
        enter(self.0.take());
    }
}

/// Replaces the log that lines go to.
fn enter(log: Option<Arc<fs::File>>) -> Option<Arc<fs::File>> {
    LOGS.lock().map_or(None, |mut logs| std::mem::replace(&mut logs.entered, log))
}

/// Where a worker's log lines go: standard error (the worker's own file), and the log of the trial that they concern, or
/// of all that it works on.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLog;

impl std::io::Write for WorkerLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Ok(logs) = LOGS.lock() {
            let files = logs.entered.as_ref().map_or(logs.open.as_slice(), std::slice::from_ref);
            for mut file in files.iter().map(AsRef::as_ref) {
                // A full disk must not end the training.
                let _ = file.write_all(bytes);
            }
        }
        std::io::stderr().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
