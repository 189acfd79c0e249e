//! Workers that an earlier daemon has left: found again, or known to be gone.

use super::{Slot, now};
use crate::domain::WorkerProcess;
use crate::scheduler::Input;
use crate::scheduler::shell::Dispatcher;
use crate::worker::process::{SeenWorker, signal_group, workers_of};
use nix::sys::signal::Signal;
use std::path::Path;

/// The living workers of this home, at most one of a name; what the others had worked on is free again at
/// once. `noted` is what earlier daemons wrote down.
pub(super) async fn find(
    noted: Vec<WorkerProcess>,
    home: &Path,
    dispatcher: &Dispatcher,
) -> Vec<WorkerProcess> {
    // In a copy of a home folder, the noted workers may live and serve the original: their arguments tell.
    let mut alive = workers_of(home);
    let mut ours = Vec::new();
    for worker in noted {
        let is_it = |seen: &SeenWorker| (seen.pid, seen.started) == (worker.pid, worker.pid_started);
        if let Some(at) = alive.iter().position(is_it) {
            alive.remove(at);
            ours.push(worker);
            continue;
        }
        let how = "it ended while no daemon ran".to_owned();
        let gone = Input::WorkerGone { worker: worker.name.clone(), how };
        if let Err(error) = dispatcher.handle(gone).await {
            tracing::warn!(%error, worker = worker.name, "its end was not noted");
        }
        dispatcher.forget_worker(worker.name).await;
    }
    for seen in alive {
        if let Some(worker) = unnoted(seen, &ours, home, dispatcher).await {
            ours.push(worker);
        }
    }
    ours
}

/// A daemon that was killed between starting a worker and writing it down has left one that nobody knows. Two
/// of one name would take each other's trials away.
async fn unnoted(
    seen: SeenWorker,
    ours: &[WorkerProcess],
    home: &Path,
    dispatcher: &Dispatcher,
) -> Option<WorkerProcess> {
    // A worker that the user has started by hand has a name of its own.
    if seen.name != Slot::worker_of(&seen.slot) {
        return None;
    }
    if ours.iter().any(|worker| worker.name == seen.name) {
        tracing::warn!(worker = seen.name, pid = seen.pid, "a second worker of one name is ended");
        signal_group(seen.pid, seen.started, Signal::SIGKILL);
        return None;
    }
    let worker = WorkerProcess {
        log: Slot::log_of(home, &seen.name).display().to_string(),
        name: seen.name,
        slot: seen.slot,
        pid: seen.pid,
        pid_started: seen.started,
        started_ms: now(),
    };
    if let Err(error) = dispatcher.note_worker(worker.clone()).await {
        tracing::warn!(%error, worker = worker.name, "a restarted daemon would not find this worker");
    }
    Some(worker)
}
