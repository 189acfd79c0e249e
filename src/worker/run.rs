//! A worker's life: claim, work, tell, again, until it is told to end or its daemon stays away.
//!
//! What the work is, is the trainer's business: this loop knows only how to speak of it.

use super::client::{Client, ClientError};
use super::crew::{Asker, work_on};
use super::line::now;
use super::memory::resident_bytes;
use crate::domain::{Metrics, ObjectiveKind, Reason, TellState};
use crate::telemetry::LogFormat;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

pub use super::crew::{Assignment, Crew};
pub use super::log::WorkerLog;
pub use super::session::{Checkpointed, Checkpoints, Session};

/// How a worker is started: by flags that both worker programs share.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkerArgs {
    /// The daemon's home folder, where its address and token stand.
    #[arg(long)]
    pub home: PathBuf,
    /// The worker's name.
    #[arg(long)]
    pub worker: String,
    /// The slot it serves: cpu:0, cuda:0 ...
    #[arg(long)]
    pub slot: String,
    /// Threads of its own for computing, where the trial does not say.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Seconds to go on without a daemon before saving a checkpoint and ending, with exit code 0.
    #[arg(long, default_value_t = 120)]
    pub grace_s: u64,
    /// Seconds between checkpoints.
    #[arg(long, default_value_t = 60)]
    pub checkpoint_s: u64,
    /// Make a checkpoint after so many steps (epochs) too.
    #[arg(long)]
    pub checkpoint_steps: Option<u64>,
    /// Megabytes of memory, beyond those before its first trial, with which to end after a trial, with exit
    /// code 0: the daemon starts a fresh worker.
    #[arg(long, default_value_t = 2048)]
    pub recycle_mb: u64,
    /// How log lines look; RUST_LOG sets their level.
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// What a finished piece of work says of itself.
pub struct Outcome {
    /// How it ended.
    pub state: TellState,
    /// Why.
    pub reason: Option<Reason>,
    /// Metrics of the end, where no steps were reported.
    pub metrics: Metrics,
    /// The best weights, as bytes to be stored.
    pub weights: Option<Vec<u8>>,
}

impl Outcome {
    /// An end by an error.
    #[must_use]
    pub fn failed(reason: Reason) -> Self {
        Self { state: TellState::Failed, reason: Some(reason), metrics: Metrics::default(), weights: None }
    }
}

/// Does the work that a worker claims.
pub trait Trainer {
    /// The kinds of objective it can work on.
    fn kinds(&self) -> Vec<ObjectiveKind>;
    /// Versions, device, threads, host: recorded with every attempt.
    fn environment(&self) -> BTreeMap<String, String>;
    /// Works on an assignment until it has ended, and on what the crew finds to be done in one step with it; most do no
    /// more than [`Crew::alone`]. For each it calls [`Session::report`] after every step, and [`Session::decision`] as
    /// often as it likes in between, and does what they say. It goes on from one of [`Session::checkpoints`] if there is
    /// any, makes one now and then ([`Session::checkpoint`]), and always before it pauses.
    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>);
}

/// Set when the process was asked to end (SIGTERM): by a signal handler, so it is global.
static END: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: nix::libc::c_int) {
    END.store(true, Ordering::SeqCst);
}

/// Whether the process was asked to end.
pub(super) fn is_ending() -> bool {
    END.load(Ordering::SeqCst)
}

/// Runs until the process is told to end, or no daemon has answered for the grace period, or too much memory
/// did not come back: all these are a good end (exit code 0).
///
/// # Errors
/// Where the daemon refuses the worker's claims.
pub fn run(args: &WorkerArgs, trainer: &mut dyn Trainer) -> anyhow::Result<()> {
    end_on_sigterm()?;
    let client = Client::of_worker(&args.home);
    let grace = Duration::from_secs(args.grace_s);
    let asker = Asker::of(args, trainer);
    let fresh = resident_bytes();
    tracing::info!(worker = args.worker, slot = args.slot, threads = args.threads, "ready");
    while !is_ending() {
        let claim = asker.claim(None)?;
        let work = match patiently(grace, || client.claim(&claim)) {
            Ok(Some(work)) => work,
            Ok(None) => continue,
            // It was answered, the answer was lost on its way, and the trial was taken back meanwhile.
            Err(ClientError::Refused { code, .. }) if code == "request_ended" => continue,
            Err(error) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no daemon: ending");
                break;
            }
            Err(error) => return Err(error.into()),
        };
        if !work_on(&client, &asker, work, args, trainer) {
            tracing::warn!(grace_s = args.grace_s, "no daemon came back: ending");
            break;
        }
        if has_outgrown(fresh, args.recycle_mb) {
            break;
        }
    }
    tracing::info!(worker = args.worker, "ended");
    Ok(())
}

/// Whether the process holds on to more memory than it may.
fn has_outgrown(fresh: Option<u64>, limit_mb: u64) -> bool {
    let (Some(fresh), Some(now)) = (fresh, resident_bytes()) else { return false };
    let grown_mb = now.saturating_sub(fresh) >> 20;
    let outgrown = grown_mb > limit_mb;
    if outgrown {
        tracing::warn!(
            grown_mb,
            limit_mb,
            "memory did not come back: ending, for a fresh worker to take over"
        );
    }
    outgrown
}

/// Repeats a call that may pass, with growing pauses, for the grace period at most.
pub(super) fn patiently<T>(
    grace: Duration,
    mut call: impl FnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let started = now();
    let mut pause = Duration::from_millis(50);
    loop {
        match call() {
            Err(error) if error.may_pass() && started.elapsed() < grace && !is_ending() => {
                tracing::debug!(error = &error as &dyn std::error::Error, "trying again");
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            answer => return answer,
        }
    }
}

fn end_on_sigterm() -> nix::Result<()> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
    let action = SigAction::new(SigHandler::Handler(on_signal), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        // SAFETY: the handler only stores to an atomic, which is safe in a signal handler.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_grew_past_its_limit_is_known() {
        assert!(has_outgrown(Some(0), 0));
        assert!(!has_outgrown(Some(0), u64::MAX));
        assert!(!has_outgrown(Some(u64::MAX), 0), "it shrank");
        assert!(!has_outgrown(None, 0), "where nobody knows, nothing is done");
    }
}
