//! A worker's life: claim, work, tell, again, until it is told to end or its daemon stays away.
//!
//! What the work is, is the trainer's business: this loop knows only how to speak of it.

use super::client::{Client, ClientError};
use super::protocol::{Claim, Report, Tell, Work};
use crate::domain::{Decision, Metrics, ObjectiveKind, Reason, TellState};
use crate::home::{TRIAL_LOG, random_word};
use crate::telemetry::LogFormat;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

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
    /// Threads of its own for computing.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Seconds to go on without a daemon before giving up.
    #[arg(long, default_value_t = 120)]
    pub grace_s: u64,
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
    /// Works on one leg. It calls [`Session::report`] after every step, and [`Session::decision`] as often
    /// as it likes in between, and does what they say.
    fn work(&mut self, work: &Work, session: &mut Session) -> Outcome;
}

/// A trainer's line to the daemon while it works on one leg.
pub struct Session {
    client: Client,
    work: Work,
    shared: Arc<Shared>,
    grace: Duration,
}

/// What the heartbeat's thread and the trainer share.
struct Shared {
    decision: AtomicU8,
    over: AtomicBool,
    /// The attempt is not ours any more: nothing said about it counts.
    fenced: AtomicBool,
}

const CONTINUE: u8 = 0;
const STOP: u8 = 1;
const PAUSE: u8 = 2;

impl Shared {
    fn decide(&self, decision: Decision) {
        let code = match decision {
            Decision::Continue => return,
            Decision::Stop => STOP,
            Decision::Pause => PAUSE,
        };
        self.decision.store(code, Ordering::SeqCst);
    }

    fn decision(&self) -> Decision {
        if self.fenced.load(Ordering::SeqCst) {
            return Decision::Stop;
        }
        match self.decision.load(Ordering::SeqCst) {
            _ if END.load(Ordering::SeqCst) => Decision::Pause,
            STOP => Decision::Stop,
            PAUSE => Decision::Pause,
            _ => Decision::Continue,
        }
    }
}

/// Set when the process was asked to end (SIGTERM): by a signal handler, so it is global.
static END: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: nix::libc::c_int) {
    END.store(true, Ordering::SeqCst);
}

impl Session {
    /// What to do now: cheap, for every batch.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.shared.decision()
    }

    /// Reports a step and learns what to do. Waits out a daemon that is away, up to the grace period.
    pub fn report(&mut self, step: u64, metrics: &Metrics) -> Decision {
        let report = Report { attempt: self.work.attempt, step, metrics: metrics.clone() };
        match patiently(self.grace, || self.client.report(self.work.trial_id, &report)) {
            Ok(verdict) => self.shared.decide(verdict.decision),
            Err(error) => self.give_up(&error),
        }
        self.shared.decision()
    }

    fn give_up(&self, error: &ClientError) {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "the daemon does not want this attempt any more"
        );
        self.shared.fenced.store(true, Ordering::SeqCst);
    }
}

/// Runs until the process is told to end, or no daemon has answered for the grace period.
///
/// # Errors
/// Where the daemon refuses the worker's claims.
pub fn run(args: &WorkerArgs, trainer: &mut dyn Trainer) -> anyhow::Result<()> {
    end_on_sigterm()?;
    let client = Client::new(&args.home);
    let grace = Duration::from_secs(args.grace_s);
    let environment = trainer.environment();
    tracing::info!(worker = args.worker, slot = args.slot, threads = args.threads, "ready");
    while !END.load(Ordering::SeqCst) {
        let claim = Claim {
            worker: args.worker.clone(),
            slot: args.slot.clone(),
            request_id: random_word(20)?,
            kinds: trainer.kinds(),
            environment: environment.clone(),
        };
        let Some(work) = patiently(grace, || client.claim(&claim))? else { continue };
        work_on(&client, work, grace, trainer);
    }
    tracing::info!(worker = args.worker, "ended");
    Ok(())
}

fn work_on(client: &Client, work: Work, grace: Duration, trainer: &mut dyn Trainer) {
    let span =
        tracing::info_span!("trial", sweep = work.sweep_name, trial = work.number, attempt = work.attempt.0);
    let _entered = span.enter();
    let _log = TrialLog::attach(&work);
    let shared = Arc::new(Shared {
        decision: AtomicU8::new(CONTINUE),
        over: AtomicBool::new(false),
        fenced: AtomicBool::new(false),
    });
    let heart = beat(client.clone(), &work, Arc::clone(&shared));
    tracing::info!(params = %serde_json::to_string(&work.params).unwrap_or_default(), "started");
    let mut session =
        Session { client: client.clone(), work: work.clone(), shared: Arc::clone(&shared), grace };
    let outcome = trainer.work(&work, &mut session);
    shared.over.store(true, Ordering::SeqCst);
    heart.thread().unpark();
    // The heartbeat's thread has nothing to say.
    let _ = heart.join();
    if shared.fenced.load(Ordering::SeqCst) {
        tracing::warn!("ended unheard: another attempt took its place, or the sweep is gone");
        return;
    }
    if let Err(error) = tell(client, &work, outcome, grace) {
        tracing::warn!(error = &error as &dyn std::error::Error, "the end was not heard");
    }
}

fn tell(client: &Client, work: &Work, outcome: Outcome, grace: Duration) -> Result<(), ClientError> {
    let weights = match &outcome.weights {
        Some(bytes) => Some(patiently(grace, || client.put_blob(bytes))?),
        None => None,
    };
    let reason = outcome.reason.clone();
    let told = Tell {
        attempt: work.attempt,
        state: outcome.state,
        metrics: outcome.metrics,
        reason: outcome.reason,
        weights,
    };
    patiently(grace, || client.tell(work.trial_id, &told))?;
    let why = reason.map_or_else(|| "as asked".to_owned(), |reason| reason.to_string());
    tracing::info!(state = ?told.state, why, "ended");
    Ok(())
}

/// Says at a third of the lease that the worker lives, and passes on what the daemon answers.
fn beat(client: Client, work: &Work, shared: Arc<Shared>) -> thread::JoinHandle<()> {
    let (trial, attempt) = (work.trial_id, work.attempt);
    // At least every five seconds, so that a cancelled trial of long epochs ends soon.
    let pause = Duration::from_millis(u64::try_from(work.lease_ms / 3).unwrap_or(5000).min(5000));
    thread::spawn(move || {
        while !shared.over.load(Ordering::SeqCst) {
            thread::park_timeout(pause);
            if shared.over.load(Ordering::SeqCst) {
                return;
            }
            match client.heartbeat(trial, attempt) {
                Ok(verdict) => shared.decide(verdict.decision),
                // The next beat, or the next report, tries again.
                Err(error) if error.may_pass() => {}
                // The trial may just have ended; if it has not, its own report will hear the same.
                Err(_) if shared.over.load(Ordering::SeqCst) => {}
                Err(_) => shared.fenced.store(true, Ordering::SeqCst),
            }
        }
    })
}

/// Repeats a call that may pass, with growing pauses, for the grace period at most.
fn patiently<T>(grace: Duration, mut call: impl FnMut() -> Result<T, ClientError>) -> Result<T, ClientError> {
    #[allow(clippy::disallowed_methods, reason = "how long a daemon has been away is real time")]
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match call() {
            Err(error) if error.may_pass() && started.elapsed() < grace && !END.load(Ordering::SeqCst) => {
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

/// While it lives, log lines also go to the trial's own log.
struct TrialLog;

/// The file that the trial's log lines go to now.
pub(super) static CURRENT_LOG: Mutex<Option<fs::File>> = Mutex::new(None);

impl TrialLog {
    fn attach(work: &Work) -> Self {
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
        if let Ok(mut current) = CURRENT_LOG.lock() {
            if let Some(file) = current.as_mut() {
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
