//! What a worker has in hand: a leg of a trial from its claim to its end, and several of them where they are trained in
//! one step.
//!
//! Each is spoken of on a line of its own; the daemon knows nothing of the others. What they are is the trainer's business.

use super::client::{Client, ClientError};
use super::line::{Left, Line};
use super::log::TrialLog;
use super::protocol::{Claim, Tell, Work};
use super::run::{Outcome, Trainer, WorkerArgs, is_ending, patiently};
use super::session::{Pace, Session};
use super::unsaid::Unsaid;
use crate::domain::{AttemptId, Decision, ObjectiveKind, TellState};
use crate::home::random_word;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a further trial is asked for: the others wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is the same in all of a worker's claims.
pub(super) struct Asker {
    worker: String,
    slot: String,
    kinds: Vec<ObjectiveKind>,
    environment: BTreeMap<String, String>,
}

impl Asker {
    pub fn of(args: &WorkerArgs, trainer: &dyn Trainer) -> Self {
        Self {
            worker: args.worker.clone(),
            slot: args.slot.clone(),
            kinds: trainer.kinds(),
            environment: trainer.environment(),
        }
    }

    /// A claim of any work, or of some beside an attempt that it works on.
    pub fn claim(&self, beside: Option<AttemptId>) -> std::io::Result<Claim> {
        Ok(Claim {
            worker: self.worker.clone(),
            slot: self.slot.clone(),
            request_id: random_word(20)?,
            kinds: self.kinds.clone(),
            environment: self.environment.clone(),
            beside,
        })
    }
}

/// A leg that a worker has claimed, and its line to the daemon.
pub struct Assignment {
    work: Work,
    session: Session,
    line: Arc<Line>,
    span: tracing::Span,
    log: TrialLog,
}

impl Assignment {
    fn begin(client: &Client, work: Work, args: &WorkerArgs) -> Self {
        let span = tracing::info_span!(
            "trial",
            sweep = work.sweep_name,
            trial = work.number,
            attempt = work.attempt.0
        );
        let log = TrialLog::attach(&work);
        let line = Line::open(client, &work, Duration::from_secs(args.grace_s));
        let session = Session::new(client, &work, line.clone(), Pace::new(args));
        let mut begun = Self { work, session, line, span, log };
        begun.in_its_log(|work, _| {
            tracing::info!(params = %serde_json::to_string(&work.params).unwrap_or_default(), "started");
        });
        begun
    }

    /// What is to be done.
    #[must_use]
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// What to do now: see [`Session::decision`].
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.session.decision()
    }

    /// Whether it is time for a checkpoint: see [`Session::checkpoint_due`].
    pub fn checkpoint_due(&mut self, step: u64) -> bool {
        self.session.checkpoint_due(step)
    }

    /// Does something for it: what is logged meanwhile is in its own log, and says whose it is.
    pub fn in_its_log<T>(&mut self, act: impl FnOnce(&Work, &mut Session) -> T) -> T {
        let _entered = self.span.clone().entered();
        let _log = self.log.enter();
        act(&self.work, &mut self.session)
    }
}

/// What a worker's trainer takes assignments from and hands them back to.
pub struct Crew<'a> {
    client: &'a Client,
    args: &'a WorkerArgs,
    asker: &'a Asker,
    /// Whether a daemon was there to hear of every end.
    heard: bool,
}

impl Crew<'_> {
    /// A further trial, to be trained in one step with another; nothing where none fits now.
    pub fn join(&mut self, beside: &Assignment) -> Option<Assignment> {
        if is_ending() || !self.heard || beside.line.is_away() || beside.line.is_fenced() {
            return None;
        }
        let claim = self.asker.claim(Some(beside.work.attempt)).ok()?;
        match patiently(PATIENCE, || self.client.claim(&claim)) {
            Ok(work) => work.map(|work| Assignment::begin(self.client, work, self.args)),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "nobody joins");
                None
            }
        }
    }

    /// Has an assignment done that shares its steps with no other, and tells how it ended.
    pub fn alone(&mut self, mut assignment: Assignment, act: impl FnOnce(&Work, &mut Session) -> Outcome) {
        let outcome = assignment.in_its_log(act);
        self.end(assignment, outcome);
    }

    /// Tells how an assignment ended.
    pub fn end(&mut self, mut assignment: Assignment, outcome: Outcome) {
        let (client, args, line) = (self.client, self.args, assignment.line.clone());
        self.heard &= assignment.in_its_log(|work, _| tell_end(client, work, args, &line, outcome));
    }
}

/// Has a trainer work on a leg, and on what comes beside it, and tells the ends. Returns `false` where no daemon was there
/// to hear one.
pub(super) fn work_on(
    client: &Client,
    asker: &Asker,
    work: Work,
    args: &WorkerArgs,
    trainer: &mut dyn Trainer,
) -> bool {
    let mut crew = Crew { client, args, asker, heard: true };
    trainer.work(Assignment::begin(client, work, args), &mut crew);
    crew.heard
}

/// Tells how a leg ended, once all before has been heard. Returns `false` where no daemon was there to hear it.
fn tell_end(client: &Client, work: &Work, args: &WorkerArgs, line: &Line, outcome: Outcome) -> bool {
    let grace = Duration::from_secs(args.grace_s);
    if outcome.state == TellState::Completed {
        // Nobody goes on from there.
        line.drop_waiting_checkpoint();
    }
    let all_heard = line.settle();
    let grace = if line.is_away() && line.is_abandoned() { Duration::ZERO } else { grace };
    // The line stays open while the weights travel: the worker is heard of meanwhile.
    let weights = match &outcome.weights {
        Some(bytes) if all_heard && !line.is_fenced() => {
            patiently(grace, || client.put_blob(bytes)).map(Some)
        }
        _ => Ok(None),
    };
    let left = line.close();
    if line.is_fenced() {
        tracing::warn!("ended unheard: another attempt took its place, or the sweep is gone");
        return true;
    }
    let told = Tell {
        attempt: work.attempt,
        state: outcome.state,
        metrics: outcome.metrics,
        reason: outcome.reason,
        weights: None,
    };
    if !all_heard && !line.is_away() {
        tracing::warn!("ended unheard: its last reports were not answered");
        return true;
    }
    if all_heard {
        let said = weights.and_then(|weights| {
            let told = Tell { weights, ..told.clone() };
            tell(client, work, &told, grace)
        });
        match said {
            Ok(()) => return true,
            Err(error) if error.may_pass() => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the end was not heard");
                return true;
            }
        }
    }
    leave(work, args, left, told, outcome.weights.as_deref());
    false
}

/// Leaves in writing what no daemon was there to hear.
fn leave(work: &Work, args: &WorkerArgs, left: Left, told: Tell, weights: Option<&[u8]>) {
    let saved = left.checkpoint.as_deref();
    let unsaid = Unsaid::new(work.trial_id, left.reports, saved, told, weights);
    let (reports, step) = (unsaid.reports.len(), saved.map(|saved| saved.step));
    match unsaid.leave(&args.home, saved, weights) {
        Ok(folder) => {
            let folder = folder.display();
            tracing::warn!(%folder, reports, checkpoint = step, "no daemon: its last words are left for the next one");
        }
        Err(error) => tracing::warn!(%error, reports, "no daemon, and the last words are lost"),
    }
}

fn tell(client: &Client, work: &Work, told: &Tell, grace: Duration) -> Result<(), ClientError> {
    patiently(grace, || client.tell(work.trial_id, told))?;
    let why = told.reason.as_ref().map_or_else(|| "as asked".to_owned(), ToString::to_string);
    tracing::info!(state = ?told.state, why, "ended");
    Ok(())
}
