//! Any program as a trial: started, listened to, and ended with everything that it started.
//!
//! One thread does it all, so that nothing is left behind in another: it waits for output, a tenth of a
//! second at most, and looks in between whether the program is to end. What users may rely on is described
//! in `docs/command.md`.

mod group;
mod heritage;
mod launch;
mod lines;
mod listener;
mod output;
mod steps;

use super::process::describe;
use super::protocol::Work;
use super::run::{Assignment, Crew, Outcome, Session, Trainer, WorkerArgs};
use crate::domain::{Decision, Metrics, ObjectiveKind, Reason, TellState};
use group::Group;
use listener::Listener;
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// Longest time without a look at what is to be done, in milliseconds.
const TICK_MS: u16 = 100;
/// How long a program that was told to stop may write its checkpoint. Less than the 20 seconds after which a
/// daemon that drains kills its workers: the end must still be told.
const STOP_GRACE: Duration = Duration::from_secs(15);
/// How long one that took too long may.
const TIMEOUT_GRACE: Duration = Duration::from_secs(10);
/// How long output is still read after everything was killed: only a process that left the group can hold
/// the pipes open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Evaluates [`ObjectiveKind::Command`].
#[derive(Debug)]
pub struct CommandTrainer {
    slot: String,
    threads: usize,
}

impl CommandTrainer {
    /// One for the worker's slot; its programs are told of slot and threads.
    #[must_use]
    pub fn new(args: &WorkerArgs) -> Self {
        Self { slot: args.slot.clone(), threads: args.threads }
    }
}

impl Trainer for CommandTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Command]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("sweepd".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
    }

    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>) {
        crew.alone(lead, |work, session| {
            let threads = work.threads.unwrap_or(self.threads);
            if let Err(reason) = heritage::take_over(work, session) {
                return Outcome::failed(reason);
            }
            match launch::launch(work, &self.slot, threads) {
                Ok(group) => accompany(work, group, session),
                Err(reason) => Outcome::failed(reason),
            }
        });
    }
}

/// Why a program is made to end, where it does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Stop,
    Pause,
    LegEnd { step: u64 },
    Timeout { after_s: u64 },
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Stop => "it is to stop",
            Self::Pause => "it is to pause",
            Self::LegEnd { .. } => "it is to pause at this step",
            Self::Timeout { .. } => "it took too long",
        }
    }

    fn grace(self) -> Duration {
        match self {
            Self::Stop | Self::Pause | Self::LegEnd { .. } => STOP_GRACE,
            Self::Timeout { .. } => TIMEOUT_GRACE,
        }
    }
}

/// Listens to a program until nothing of it is left, and says how the attempt ended.
fn accompany(work: &Work, mut group: Group, session: &mut Session) -> Outcome {
    let mut listener = Listener::new(group.child(), work, session);
    let started = now();
    // Set once it is made to end: why, and since when.
    let mut ending: Option<(Why, Instant)> = None;
    loop {
        listener.listen(TICK_MS, ending.is_none());
        match ending {
            None if group.has_exited() => break,
            None => {
                if let Some(why) = why_end(work, &listener, started.elapsed()) {
                    tracing::info!(why = why.words(), "asked to end");
                    group.signal(Signal::SIGTERM);
                    ending = Some((why, now()));
                }
            }
            // Its children may still write the checkpoint when it has ended itself.
            Some((why, since)) if group.is_gone() || since.elapsed() > why.grace() => break,
            Some(_) => {}
        }
    }
    let status = group.end();
    let until = now();
    while listener.is_open() && until.elapsed() < LAST_WORDS {
        listener.listen(TICK_MS, ending.is_none());
    }
    listener.finish(ending.is_none());
    let why = ending.map(|(why, _)| why).or_else(|| why_ended(&listener, status));
    let outcome = outcome(why, status, &listener.last_errors());
    if let Some(Why::LegEnd { step }) = why {
        heritage::leave(work, step, listener.session());
    }
    let completed = outcome.state == TellState::Completed;
    Outcome { metrics: if completed { listener.last().clone() } else { Metrics::default() }, ..outcome }
}

fn why_end(work: &Work, listener: &Listener<'_>, elapsed: Duration) -> Option<Why> {
    match (listener.decision(), listener.reached()) {
        (Decision::Stop, _) => Some(Why::Stop),
        (_, Some(step)) => Some(Why::LegEnd { step }),
        (Decision::Pause, None) => Some(Why::Pause),
        (Decision::Continue, None) => {
            let after_s = work.objective.timeout_s?;
            (elapsed > Duration::from_secs(after_s)).then_some(Why::Timeout { after_s })
        }
    }
}

/// Why a program that ended by itself had to end with its last step anyway.
fn why_ended(listener: &Listener<'_>, status: Option<ExitStatus>) -> Option<Why> {
    let ended_well = status.is_some_and(|status| status.success());
    match (listener.decision(), listener.reached()) {
        (Decision::Stop, _) => Some(Why::Stop),
        (_, Some(step)) if ended_well => Some(Why::LegEnd { step }),
        // A pause is for programs that have not come to their end.
        _ => None,
    }
}

fn outcome(why: Option<Why>, status: Option<ExitStatus>, last_errors: &str) -> Outcome {
    let ended = |state, reason| Outcome { state, reason, metrics: Metrics::default(), weights: None };
    match (why, status) {
        (Some(Why::Stop), _) => ended(TellState::Stopped, None),
        (Some(Why::Pause), _) => ended(TellState::Paused, Some(Reason::DaemonStopped)),
        (Some(Why::LegEnd { step }), _) => ended(TellState::Paused, Some(Reason::LegEnded { step })),
        (Some(Why::Timeout { after_s }), _) => {
            failed(format!("it took longer than {after_s} s"), last_errors)
        }
        (None, Some(status)) if status.success() => ended(TellState::Completed, Some(Reason::BudgetSpent)),
        (None, Some(status)) => failed(format!("the command ended with {}", describe(status)), last_errors),
        (None, None) => failed("the command cannot be killed".to_owned(), last_errors),
    }
}

fn failed(what: String, last_errors: &str) -> Outcome {
    let message = if last_errors.is_empty() { what } else { format!("{what}: {last_errors}") };
    Outcome::failed(Reason::Error { message })
}

#[allow(clippy::disallowed_methods, reason = "how long a program has run is real time")]
fn now() -> Instant {
    Instant::now()
}
