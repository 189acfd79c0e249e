//! A worker's line to the daemon while it works on one leg: what is to be said waits here, and three threads
//! say it, so that the work goes on while the daemon is away.
//!
//! Invariants: every report is said until it is answered, in order, so it counts exactly once (the daemon
//! answers a repeat like the first); a checkpoint is announced only after the reports of all its steps, so
//! the daemon never knows a checkpoint that is ahead of what it was told; of checkpoints that wait, only the
//! newest is kept.

use super::client::{Client, ClientError};
use super::protocol::{Checkpoint, Report, Work};
use super::run::is_ending;
use crate::domain::{AttemptId, Decision, Metrics, TrialId};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a report waits for its answer before the work goes on without it.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Reports that may wait; with more, the work waits.
const MOST_REPORTS: usize = 4096;
/// Pauses between tries grow from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A worker that is asked to end must be gone before the daemon loses patience and kills it.
const LAST_WORDS: Duration = Duration::from_secs(10);

const CONTINUE: u8 = 0;
const STOP: u8 = 1;
const PAUSE: u8 = 2;

/// A checkpoint on its way to the daemon.
pub(super) struct Saved {
    /// Steps that are done in it.
    pub step: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What was not said when the line was closed.
pub(super) struct Left {
    /// Unanswered reports, the oldest first.
    pub reports: Vec<Report>,
    /// The last checkpoint, if it was not stored.
    pub checkpoint: Option<Arc<Saved>>,
}

/// What waits to be said.
#[derive(Default)]
struct Post {
    /// Unanswered reports, the oldest first; that one is being said.
    reports: VecDeque<Report>,
    /// The newest checkpoint that nobody has taken up yet.
    waiting: Option<Arc<Saved>>,
    /// The checkpoint that is being stored.
    in_flight: Option<Arc<Saved>>,
    /// Since when calls have failed for want of a daemon.
    away_since: Option<Instant>,
    /// Nothing more will be said: the threads end.
    closed: bool,
}

/// The line; shared between the trainer and the threads.
pub(super) struct Line {
    client: Client,
    trial: TrialId,
    attempt: AttemptId,
    lease: Duration,
    grace: Duration,
    decision: AtomicU8,
    /// The attempt is not ours any more: nothing said about it counts.
    fenced: AtomicBool,
    /// The daemon has been away for longer than the grace period.
    abandoned: AtomicBool,
    post: Mutex<Post>,
    changed: Condvar,
}

impl Line {
    /// A line for one attempt, with its threads at work until it is closed.
    pub fn open(client: &Client, work: &Work, grace: Duration) -> Arc<Self> {
        let line = Arc::new(Self {
            client: client.clone(),
            trial: work.trial_id,
            attempt: work.attempt,
            lease: Duration::from_millis(u64::try_from(work.lease_ms).unwrap_or(0)),
            grace,
            decision: AtomicU8::new(CONTINUE),
            fenced: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            post: Mutex::default(),
            changed: Condvar::new(),
        });
        for part in [Self::beat, Self::say_reports, Self::store_checkpoints] {
            let (line, span) = (Arc::clone(&line), tracing::Span::current());
            // They end soon after the line is closed; who hangs in a call meanwhile says nothing that counts.
            thread::spawn(move || span.in_scope(|| part(&line)));
        }
        line
    }

    /// What to do now: cheap.
    pub fn decision(&self) -> Decision {
        if self.is_fenced() {
            return Decision::Stop;
        }
        match self.decision.load(Ordering::SeqCst) {
            _ if is_ending() || self.is_abandoned() => Decision::Pause,
            STOP => Decision::Stop,
            PAUSE => Decision::Pause,
            _ => Decision::Continue,
        }
    }

    /// Whether another attempt took this one's place.
    pub fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::SeqCst)
    }

    /// Whether the daemon has been away for longer than the grace period.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// Says a report. While the daemon is there this waits for the answer, so that a word to stop is heard
    /// at once; else the report waits for the daemon, and the work goes on.
    pub fn report(&self, step: u64, metrics: &Metrics) {
        let mut post = self.post();
        while post.reports.len() >= MOST_REPORTS && !self.is_fenced() && self.decision() == Decision::Continue
        {
            post = self.wait(post, LONGEST_PAUSE);
        }
        let first = post.reports.is_empty();
        post.reports.push_back(Report { attempt: self.attempt, step, metrics: metrics.clone() });
        self.changed.notify_all();
        if !first {
            return;
        }
        let asked = now();
        while !post.reports.is_empty() && post.away_since.is_none() && !self.is_fenced() {
            match ANSWER_WAIT.checked_sub(asked.elapsed()) {
                Some(left) => post = self.wait(post, left),
                None => return,
            }
        }
    }

    /// Stores a checkpoint and announces it, in the background. One that still waits gives way to it.
    pub fn checkpoint(&self, step: u64, bytes: Vec<u8>) {
        self.post().waiting = Some(Arc::new(Saved { step, bytes }));
        self.changed.notify_all();
    }

    /// Whether a checkpoint is on its way.
    pub fn is_storing(&self) -> bool {
        let post = self.post();
        post.waiting.is_some() || post.in_flight.is_some()
    }

    /// Waits until all that was to be said is said: for the grace period at most, not at all where the daemon
    /// has been away for so long already, and shorter when the process is to end. Returns whether all
    /// reports were answered.
    pub fn settle(&self) -> bool {
        let began = now();
        let mut post = self.post();
        loop {
            let silent = post.reports.is_empty();
            if silent && post.waiting.is_none() && post.in_flight.is_none() {
                return true;
            }
            let away = post.away_since.is_some();
            let hopeless = self.is_fenced()
                || began.elapsed() >= self.grace
                || away && (self.is_abandoned() || is_ending())
                || is_ending() && began.elapsed() >= LAST_WORDS;
            if hopeless {
                return silent;
            }
            post = self.wait(post, Duration::from_millis(100));
        }
    }

    /// Whether calls fail for want of a daemon.
    pub fn is_away(&self) -> bool {
        self.post().away_since.is_some()
    }

    /// Forgets a checkpoint that nobody has taken up yet.
    pub fn drop_waiting_checkpoint(&self) {
        self.post().waiting = None;
    }

    /// Ends the threads. Returns what was not said.
    pub fn close(&self) -> Left {
        let mut post = self.post();
        post.closed = true;
        self.changed.notify_all();
        let checkpoint = post.waiting.take().or_else(|| post.in_flight.take());
        Left { reports: std::mem::take(&mut post.reports).into(), checkpoint }
    }

    /// Says at a third of the lease that the worker lives, and passes on what the daemon answers.
    fn beat(&self) {
        // At least every five seconds, so that a cancelled trial of long epochs ends soon.
        let pause = (self.lease / 3).clamp(FIRST_PAUSE, Duration::from_secs(5));
        loop {
            let away = self.post().away_since.is_some();
            if !self.rest(if away { pause.min(Duration::from_secs(1)) } else { pause }) {
                return;
            }
            match self.client.heartbeat(self.trial, self.attempt) {
                Ok(verdict) => self.heard(verdict.decision),
                Err(error) if error.may_pass() => self.not_heard(&error),
                Err(error) => return self.fence(&error),
            }
        }
    }

    fn say_reports(&self) {
        let mut pause = FIRST_PAUSE;
        while let Some(report) = self.next(|post| post.reports.front().cloned()) {
            match self.client.report(self.trial, &report) {
                Ok(verdict) => {
                    self.heard(verdict.decision);
                    self.post().reports.pop_front();
                    self.changed.notify_all();
                    pause = FIRST_PAUSE;
                }
                Err(error) if error.may_pass() => {
                    self.not_heard(&error);
                    self.rest(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return self.fence(&error),
            }
        }
    }

    fn store_checkpoints(&self) {
        let take = |post: &mut Post| {
            post.in_flight = post.waiting.take();
            post.in_flight.clone()
        };
        while let Some(saved) = self.next(take) {
            self.store(&saved);
            self.post().in_flight = None;
            self.changed.notify_all();
        }
    }

    /// Tries until the checkpoint is announced, is refused, or has become pointless.
    fn store(&self, saved: &Saved) {
        let (mut pause, mut hash) = (FIRST_PAUSE, None);
        loop {
            match self.try_to_store(saved, &mut hash) {
                Ok(()) => return,
                Err(error) if error.may_pass() => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a checkpoint waits");
                }
                Err(error @ ClientError::Refused { status: 409, .. }) => return self.fence(&error),
                Err(error) => {
                    let (error, step) = (&error as &dyn std::error::Error, saved.step);
                    tracing::warn!(error, step, "a checkpoint was not stored: the work goes on without it");
                    return;
                }
            }
            if !self.rest(pause) || self.post().waiting.is_some() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn try_to_store(&self, saved: &Saved, stored: &mut Option<String>) -> Result<(), ClientError> {
        let hash = match stored {
            Some(hash) => hash.clone(),
            None => stored.insert(self.client.put_blob(&saved.bytes)?).clone(),
        };
        let told = |post: &mut Post| {
            post.reports.front().is_none_or(|report| report.step > saved.step).then_some(())
        };
        if self.next(told).is_none() {
            return Ok(());
        }
        let bytes = saved.bytes.len() as u64;
        let checkpoint = Checkpoint { attempt: self.attempt, step: saved.step, hash, bytes };
        self.client.checkpoint(self.trial, &checkpoint)?;
        tracing::debug!(step = saved.step, bytes, "checkpoint stored");
        Ok(())
    }

    /// The daemon answered.
    fn heard(&self, decision: Decision) {
        match decision {
            // An earlier word to end stands.
            Decision::Continue => {}
            Decision::Stop => self.decision.store(STOP, Ordering::SeqCst),
            Decision::Pause => self.decision.store(PAUSE, Ordering::SeqCst),
        }
        if self.post().away_since.take().is_some() {
            tracing::info!("the daemon is back");
        }
    }

    /// The daemon did not answer.
    fn not_heard(&self, error: &ClientError) {
        let mut post = self.post();
        if post.closed {
            return;
        }
        if post.away_since.is_none() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "the daemon is away: the work goes on, its reports wait");
        }
        let since = *post.away_since.get_or_insert_with(now);
        if since.elapsed() >= self.grace && !self.abandoned.swap(true, Ordering::SeqCst) {
            tracing::warn!(seconds = since.elapsed().as_secs(), "no daemon came back: pausing");
        }
        self.changed.notify_all();
    }

    /// The daemon does not want this attempt any more.
    fn fence(&self, error: &ClientError) {
        let post = self.post();
        // What is heard after the end is about the end.
        if !post.closed {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "the daemon does not want this attempt any more");
            self.fenced.store(true, Ordering::SeqCst);
        }
        self.changed.notify_all();
    }

    /// Waits until there is something to take; `None` when the line is closed or fenced.
    fn next<T>(&self, mut take: impl FnMut(&mut Post) -> Option<T>) -> Option<T> {
        let mut post = self.post();
        loop {
            if post.closed || self.is_fenced() {
                return None;
            }
            match take(&mut post) {
                Some(taken) => return Some(taken),
                None => post = self.changed.wait(post).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Rests for so long; `false` when the line was closed meanwhile.
    fn rest(&self, pause: Duration) -> bool {
        let began = now();
        let mut post = self.post();
        while !post.closed && !self.is_fenced() {
            match pause.checked_sub(began.elapsed()) {
                Some(left) if !left.is_zero() => post = self.wait(post, left),
                _ => return true,
            }
        }
        false
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        // A panic elsewhere leaves the post as it is: what waits is still to be said.
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, post: MutexGuard<'a, Post>, most: Duration) -> MutexGuard<'a, Post> {
        self.changed.wait_timeout(post, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a daemon has been away is real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}
