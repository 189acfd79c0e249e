//! One task per slot keeps one worker process alive, adopting one that outlived an earlier daemon.

use super::now;
use super::program::WorkerProgram;
use super::slots::Slot;
use crate::domain::WorkerProcess;
use crate::scheduler::shell::Dispatcher;
use crate::scheduler::{Input, Reply};
use crate::worker::process::{describe, is_alive, signal_group, started_at};
use nix::sys::signal::Signal;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How long a worker that is asked to end may take to hand back what it has.
const DRAIN: Duration = Duration::from_secs(20);
/// A worker that lived shorter than this failed to start: the next start waits longer.
const SHORT_LIFE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the supervisors are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Keep the workers alive.
    Run,
    /// End the workers, politely first.
    Drain,
    /// End the workers at once.
    Kill,
}

/// Keeps one slot's worker alive until the phase says otherwise.
pub(super) struct Supervisor {
    pub home: PathBuf,
    pub slot: Slot,
    pub program: WorkerProgram,
    pub dispatcher: Dispatcher,
    pub phase: watch::Receiver<Phase>,
}

/// A worker process that is watched.
enum Watched {
    /// Started by this daemon.
    Child(Box<Child>),
    /// Left by an earlier one: only its disappearance can be seen.
    Adopted,
}

impl Supervisor {
    /// Runs until the workers are to end. `left` is what an earlier daemon noted for this slot.
    pub async fn run(mut self, left: Option<WorkerProcess>) {
        let mut adopted = left;
        let mut pause = Duration::from_secs(1);
        while *self.phase.borrow() == Phase::Run {
            let started = Instant::now();
            let (process, watched) = match adopted.take() {
                Some(process) => {
                    tracing::info!(worker = process.name, pid = process.pid, "found again");
                    (process, Watched::Adopted)
                }
                None => match self.start().await {
                    Ok((process, child)) => (process, Watched::Child(Box::new(child))),
                    Err(error) => {
                        let program = self.program.path.display();
                        tracing::error!(%error, slot = self.slot.name, %program, "no worker could be started");
                        self.rest(&mut pause).await;
                        continue;
                    }
                },
            };
            let how = self.watch(&process, watched).await;
            let had_work = self.report_end(&process, how).await;
            if *self.phase.borrow() != Phase::Run {
                return;
            }
            // One that ended in the middle of its work did start: its trial may be to blame.
            if started.elapsed() < SHORT_LIFE && !had_work {
                self.rest(&mut pause).await;
            } else {
                pause = Duration::from_secs(1);
            }
        }
    }

    async fn start(&self) -> std::io::Result<(WorkerProcess, Child)> {
        let name = self.slot.worker();
        let log = Slot::log_of(&self.home, &name);
        let output = open_log(&log)?;
        let child = Command::new(&self.program.path)
            .arg(self.program.subcommand)
            .arg("--home")
            .arg(&self.home)
            .args(["--worker", &name, "--slot", &self.slot.name])
            .args(["--threads", &self.slot.threads.to_string()])
            // GPUs are counted as the management library counts them.
            .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Its own group: Ctrl-C at a terminal reaches the daemon alone, which then ends its workers.
            .process_group(0)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
        let process = WorkerProcess {
            name,
            slot: self.slot.name.clone(),
            pid,
            pid_started: started_at(pid).unwrap_or(0),
            log: log.display().to_string(),
            started_ms: now(),
        };
        if let Err(error) = self.dispatcher.note_worker(process.clone()).await {
            tracing::warn!(%error, worker = process.name, "a restarted daemon would not find this worker");
        }
        tracing::info!(worker = process.name, pid, threads = self.slot.threads, "started");
        Ok((process, child))
    }

    /// Waits for the process to end, or ends it when the phase says so; says how it ended.
    async fn watch(&mut self, process: &WorkerProcess, mut watched: Watched) -> String {
        let mut phase = self.phase.clone();
        loop {
            tokio::select! {
                how = end_of(&mut watched, process) => return how,
                changed = phase.changed() => {
                    // A daemon whose phase is gone has ended without draining: the worker stays.
                    if changed.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
            let now = *phase.borrow_and_update();
            match now {
                Phase::Run => {}
                Phase::Drain => {
                    signal_group(process.pid, process.pid_started, Signal::SIGTERM);
                    let mut second = phase.clone();
                    tokio::select! {
                        ended = timeout(DRAIN, end_of(&mut watched, process)) => if let Ok(how) = ended {
                            return how;
                        },
                        _ = second.wait_for(|phase| *phase == Phase::Kill) => {}
                    }
                    signal_group(process.pid, process.pid_started, Signal::SIGKILL);
                }
                Phase::Kill => signal_group(process.pid, process.pid_started, Signal::SIGKILL),
            }
        }
    }

    /// Tells the scheduler; whether the worker had work.
    async fn report_end(&self, process: &WorkerProcess, how: String) -> bool {
        if *self.phase.borrow() == Phase::Run {
            tracing::warn!(worker = process.name, pid = process.pid, how, "ended");
        }
        let gone = Input::WorkerGone { worker: process.name.clone(), how };
        let had_work = match self.dispatcher.handle(gone).await {
            Ok(reply) => reply == Reply::HadWork(true),
            Err(error) => {
                // Its lease will run out instead.
                tracing::warn!(%error, worker = process.name, "its end was not noted");
                false
            }
        };
        self.dispatcher.forget_worker(process.name.clone()).await;
        had_work
    }

    async fn rest(&self, pause: &mut Duration) {
        let mut phase = self.phase.clone();
        tokio::select! {
            () = sleep(*pause) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Run) => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}

async fn end_of(watched: &mut Watched, process: &WorkerProcess) -> String {
    match watched {
        Watched::Child(child) => match child.wait().await {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        },
        Watched::Adopted => {
            while is_alive(process.pid, process.pid_started) {
                sleep(Duration::from_millis(200)).await;
            }
            "it ended (how is not known: an earlier daemon had started it)".to_owned()
        }
    }
}

fn open_log(path: &Path) -> std::io::Result<std::fs::File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).open(path)
}
