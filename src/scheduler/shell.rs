//! The dispatcher: one thread that owns the core and the only writing connection.
//!
//! Inputs queue up in a channel; all that wait are handled together, their changes committed in one transaction, and
//! only then is anybody answered. While a commit waits for the disk, the next inputs gather: the busier the daemon,
//! the more of them share a commit. A commit that fails (a full disk) is answered as such,
//! and the core is recovered from what the database really holds: the dispatcher outlives whatever the disk
//! does, so that questions are answered meanwhile and work goes on when there is space again.

use super::core::{Core, RecoverError};
use super::dispatcher::Request;
use super::input::{Input, Refusal, Reply};
use crate::domain::{Change, Millis};
use crate::store::{Durability, StoreError, Writer, blob};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::{mpsc as queue, oneshot, watch};

pub use super::dispatcher::{Commit, DispatchError, Dispatcher, Pulse};

/// How many inputs are committed together at most.
const GROUP: usize = 256;

/// Of so many waiting requests it is remembered that they were looked up.
const MOST_UNANSWERED: usize = 8192;

/// After a failed commit, time waits so long before it tries again; requests do not.
const REST_MS: i64 = 1000;

/// Why the dispatcher could not start, or not close the database.
#[derive(Debug, Error)]
pub enum ShellError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored sweep that cannot be continued.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

/// The dispatcher itself.
pub struct Shell {
    home: PathBuf,
    writer: Writer,
    core: Core,
    grace_ms: i64,
    checkpoint_budget_bytes: u64,
    /// It has been said that the budget is not kept.
    over_budget: bool,
    trouble: Option<Trouble>,
    /// Requests for work that wait and have never been answered with any: they need not be looked up again.
    unanswered: HashSet<String>,
    clock: fn() -> Millis,
    requests: mpsc::Receiver<Request>,
    pulse: watch::Sender<Pulse>,
    /// Who wants to know of commits. Its thread is not waited for: what it has no room for, it does not hear of.
    commits: Option<queue::Sender<Commit>>,
}

/// The database cannot be written.
struct Trouble {
    /// The core is ahead of the database and must be recovered before it handles anything.
    core_is_ahead: bool,
    /// Deadlines wait until then.
    rest_until: Millis,
}

type ReplyTo = Option<oneshot::Sender<Result<Reply, DispatchError>>>;

impl Shell {
    /// Recovers the core from the database and readies the thread's work. `clock` tells the time;
    /// checkpoints together take at most `checkpoint_budget_bytes`.
    ///
    /// # Errors
    /// [`ShellError`] where the database cannot be read or holds a sweep that cannot be continued.
    pub fn start(
        home: PathBuf,
        mut writer: Writer,
        grace_ms: i64,
        checkpoint_budget_bytes: u64,
        clock: fn() -> Millis,
    ) -> Result<(Self, Dispatcher), ShellError> {
        let core = Core::recover(writer.recover()?, clock(), grace_ms)?;
        let (sender, requests) = mpsc::channel();
        let (pulse, pulse_receiver) = watch::channel(Pulse { version: 0, idle: core.is_idle() });
        let shell = Self {
            home,
            writer,
            core,
            grace_ms,
            checkpoint_budget_bytes,
            over_budget: false,
            trouble: None,
            unanswered: HashSet::new(),
            clock,
            requests,
            pulse,
            commits: None,
        };
        Ok((shell, Dispatcher { requests: sender, pulse: pulse_receiver }))
    }

    /// Has every commit sent to `commits` once it is made; what finds no room there is not sent.
    pub fn announce_to(&mut self, commits: queue::Sender<Commit>) {
        self.commits = Some(commits);
    }

    /// Runs until every [`Dispatcher`] is gone, then closes the database. It waits for the disk, on whichever thread
    /// calls it: that is to be one of its own.
    ///
    /// # Errors
    /// [`ShellError`] where closing fails.
    pub fn run(mut self) -> Result<(), ShellError> {
        let mut waiting = Vec::with_capacity(GROUP);
        loop {
            let first = match self.until_deadline() {
                Some(wait) => self.requests.recv_timeout(wait),
                None => self.requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match first {
                Ok(first) => waiting.push(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // However many requests there are, time passes.
            if self.until_deadline().is_some_and(|wait| wait.is_zero()) {
                self.handle_group(vec![(Input::Tick, None)]);
            }
            waiting.extend(self.requests.try_iter().take(GROUP - waiting.len()));
            self.serve(&mut waiting);
        }
        Ok(self.writer.close()?)
    }

    /// How long until the next lease runs out; `None` where there is none. A core that is ahead of the database has
    /// deadlines that mean nothing.
    fn until_deadline(&self) -> Option<Duration> {
        let deadline = match &self.trouble {
            None => self.core.next_deadline(),
            Some(trouble) if trouble.core_is_ahead => Some(trouble.rest_until),
            Some(trouble) => self.core.next_deadline().map(|deadline| deadline.max(trouble.rest_until)),
        };
        let wait_ms = deadline?.since_ms((self.clock)());
        Some(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
    }

    fn serve(&mut self, waiting: &mut Vec<Request>) {
        let mut group: Vec<(Input, ReplyTo)> = Vec::with_capacity(waiting.len());
        let mut asked = HashSet::new();
        for request in waiting.drain(..) {
            match request {
                Request::Handle { input, reply } => {
                    let repeated = input.request_id().is_some_and(|id| !asked.insert(id.to_owned()));
                    if repeated {
                        // What it was answered the first time is looked up in the database.
                        self.handle_group(std::mem::take(&mut group));
                    }
                    group.push((*input, Some(reply)));
                }
                Request::Retry { trial, reply } => {
                    // What came before it may be about the same trial.
                    self.handle_group(std::mem::take(&mut group));
                    match self.writer.stored_trial(trial) {
                        Ok(Some(stored)) => group.push((Input::Retry(Box::new(stored)), Some(reply))),
                        // Whoever asked may be gone.
                        Ok(None) => drop(reply.send(Err(Refusal::NotOpen.into()))),
                        Err(error) => drop(reply.send(Err(not_persisted(&error)))),
                    }
                }
                Request::Edit { sweep, terms, source, reply } => {
                    // What came before it may be about the same sweep.
                    self.handle_group(std::mem::take(&mut group));
                    match self.writer.stored_sweep(sweep, &terms) {
                        Ok(Some(stored)) => {
                            let input = Input::Edit { stored: Box::new(stored), terms, source };
                            group.push((input, Some(reply)));
                        }
                        // Whoever asked may be gone.
                        Ok(None) => drop(reply.send(Err(Refusal::SweepOver.into()))),
                        Err(error) => drop(reply.send(Err(not_persisted(&error)))),
                    }
                }
                Request::MayEdit { sweep, terms, reply } => {
                    // What came before it may be about the same sweep.
                    self.handle_group(std::mem::take(&mut group));
                    let answer = match self.writer.sweep_and_trials(sweep) {
                        Ok(Some((row, trials))) => {
                            let may = self.core.may_edit((self.clock)(), &row, trials, &terms);
                            may.map_err(DispatchError::Refused)
                        }
                        Ok(None) => Err(Refusal::SweepOver.into()),
                        Err(error) => Err(not_persisted(&error)),
                    };
                    // Whoever asked may be gone.
                    let _ = reply.send(answer);
                }
                Request::ClearUp { reply } => {
                    // What came before it may refer to a blob.
                    self.handle_group(std::mem::take(&mut group));
                    let cleared = self.writer.clear_up(&self.home).map_err(|e| not_persisted(&e));
                    // Whoever asked may be gone.
                    let _ = reply.send(cleared);
                }
                Request::Overview { reply } => {
                    // Whoever asked may be gone.
                    let _ = reply.send(self.core.overview((self.clock)()));
                }
                Request::KeepEnsemble { sweep, ensemble, reply } => {
                    let kept = self.writer.keep_ensemble(sweep, &ensemble).map_err(|e| not_persisted(&e));
                    // Whoever asked may be gone; the row is what matters.
                    let _ = reply.send(kept);
                }
                Request::Remark { remark, reply } => {
                    // It may be about what came before it.
                    self.handle_group(std::mem::take(&mut group));
                    let written = self.writer.remark(&remark).map_err(|e| not_persisted(&e));
                    // Whoever asked may be gone; the row is what matters.
                    let _ = reply.send(written);
                }
                Request::NoteWorker { worker, reply } => {
                    let noted = self.writer.note_worker(&worker).map_err(|e| not_persisted(&e));
                    self.announce(Commit { workers: true, ..Commit::default() });
                    // Whoever asked may be gone; the row is what matters.
                    let _ = reply.send(noted);
                }
                Request::ForgetWorker { name } => {
                    if let Err(error) = self.writer.forget_worker(&name) {
                        tracing::warn!(
                            worker = name,
                            error = &error as &dyn std::error::Error,
                            "not forgotten"
                        );
                    }
                    self.announce(Commit { workers: true, ..Commit::default() });
                }
            }
        }
        self.handle_group(group);
    }

    fn handle_group(&mut self, group: Vec<(Input, ReplyTo)>) {
        if group.is_empty() {
            return;
        }
        let now = (self.clock)();
        if let Err(error) = self.catch_up(now) {
            for (_, reply) in group {
                // Whoever asked may be gone.
                let _ = reply.map(|reply| reply.send(Err(DispatchError::NotPersisted(Arc::clone(&error)))));
            }
            return;
        }
        let (mut changes, mut replies, mut durability) = (Vec::new(), Vec::new(), Durability::Batched);
        let mut wakes = false;
        for (input, reply) in group {
            if let Some(refusal) = self.missing_blob(&input) {
                replies.push((reply, Err(refusal)));
                continue;
            }
            let request_id = input.request_id().map(str::to_owned);
            if let Some(request_id) = &request_id {
                match self.ended_request(request_id) {
                    Ok(None) => {}
                    Ok(Some(refusal)) => {
                        replies.push((reply, Err(refusal)));
                        continue;
                    }
                    Err(error) => {
                        let error = not_persisted(&error);
                        // Whoever asked may be gone.
                        let _ = reply.map(|reply| reply.send(Err(error)));
                        continue;
                    }
                }
            }
            let mut handled = self.core.handle(input, now);
            if let (Some(request_id), Ok(Reply::Work(_))) = (&request_id, &handled.reply) {
                self.unanswered.remove(request_id);
            }
            if handled.synced && !handled.changes.is_empty() {
                durability = Durability::Synced;
            }
            wakes |= handled.wakes;
            changes.append(&mut handled.changes);
            replies.push((reply, handled.reply));
        }
        let droppable = self.droppable_blobs(&changes);
        let began = clock_of_durations();
        let committed = self.commit(&changes, durability);
        let took = began.elapsed();
        match &committed {
            Ok(()) => {
                if !changes.is_empty() && self.trouble.take().is_some() {
                    tracing::info!("the database can be written again");
                }
                self.remove_blobs(&droppable);
                if changes.iter().any(|change| matches!(change, Change::CheckpointStored(_))) {
                    self.keep_checkpoint_budget();
                }
            }
            Err(error) => {
                if self.trouble.is_none() {
                    let error = error as &dyn std::error::Error;
                    tracing::error!(error, "the database cannot be written: nothing is stored for now");
                }
                self.trouble = Some(Trouble { core_is_ahead: true, rest_until: now.plus_ms(REST_MS) });
            }
        }
        for (reply, answer) in replies {
            let answer = match &committed {
                Ok(()) => answer.map_err(DispatchError::Refused),
                Err(error) => Err(not_persisted(error)),
            };
            if let Some(reply) = reply {
                // A caller that hung up has lost its answer, not its change.
                let _ = reply.send(answer);
            }
        }
        let makes_work = |change: &Change| {
            matches!(change, Change::Recorded(_) | Change::SweepRemoved { .. } | Change::TrialHeld { .. })
        };
        // A core that is ahead of the database may think that all is done.
        if committed.is_ok() && (wakes || changes.iter().any(makes_work)) {
            let idle = self.core.is_idle();
            self.pulse.send_modify(|pulse| *pulse = Pulse { version: pulse.version + 1, idle });
        }
        if committed.is_ok() && !changes.is_empty() {
            self.announce(Commit { changes, took, workers: false });
        }
    }

    fn announce(&self, commit: Commit) {
        // Nobody listens, or not fast enough: whoever counts, counts the less.
        let _ = self.commits.as_ref().map(|commits| commits.try_send(commit));
    }

    /// After a commit that failed, the core is ahead of the database: starts again from what is really there.
    fn catch_up(&mut self, now: Millis) -> Result<(), Arc<str>> {
        let Some(trouble) = self.trouble.as_mut().filter(|trouble| trouble.core_is_ahead) else {
            return Ok(());
        };
        trouble.rest_until = now.plus_ms(REST_MS);
        let recovered = match self.writer.recover() {
            Ok(stored) => Core::recover(stored, now, self.grace_ms).map_err(ShellError::from),
            Err(error) => Err(error.into()),
        };
        match recovered {
            Ok(core) => {
                self.core = core;
                trouble.core_is_ahead = false;
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the database cannot be read");
                Err(crate::error_chain(&error).into())
            }
        }
    }

    /// Why a request for work gets none: it was answered before, and that attempt has ended.
    fn ended_request(&mut self, request_id: &str) -> Result<Option<Refusal>, StoreError> {
        if self.unanswered.contains(request_id) || self.core.knows_request(request_id) {
            return Ok(None);
        }
        if let Some(attempt) = self.writer.attempt_of_request(request_id)? {
            return Ok(Some(Refusal::RequestEnded { attempt }));
        }
        if self.unanswered.len() >= MOST_UNANSWERED {
            self.unanswered.clear();
        }
        self.unanswered.insert(request_id.to_owned());
        Ok(None)
    }

    /// Why an input that names a blob cannot be handled: it is not there.
    fn missing_blob(&self, input: &Input) -> Option<Refusal> {
        let (Input::Checkpoint { hash, .. } | Input::Tell { weights: Some(hash), .. }) = input else {
            return None;
        };
        let stored = blob::path(&self.home, hash).is_some_and(|path| path.exists());
        (!stored).then(|| Refusal::NoBlob { hash: hash.clone() })
    }

    fn commit(&mut self, changes: &[Change], durability: Durability) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.writer.apply(changes, self.core_seq(), durability)
    }

    fn core_seq(&self) -> i64 {
        self.core.seq
    }

    /// The blobs that nothing may refer to after these changes.
    fn droppable_blobs(&mut self, changes: &[Change]) -> Vec<String> {
        let mut hashes = Vec::new();
        for change in changes {
            match change {
                Change::CheckpointDropped(checkpoint) | Change::HeirloomDropped(checkpoint) => {
                    hashes.push(checkpoint.hash.clone());
                }
                Change::SweepRemoved { sweep } => match self.writer.blobs_of_sweep(*sweep) {
                    Ok(found) => hashes.extend(found),
                    Err(error) => stay_behind(&error),
                },
                _ => {}
            }
        }
        hashes
    }

    /// Keeps checkpoints within the budget, at the cost of those of trials that have ended.
    fn keep_checkpoint_budget(&mut self) {
        match self.writer.keep_checkpoint_budget(self.checkpoint_budget_bytes) {
            Ok((dropped, kept)) => {
                self.remove_blobs(&dropped);
                if !kept && !std::mem::replace(&mut self.over_budget, true) {
                    let budget_mb = self.checkpoint_budget_bytes >> 20;
                    tracing::warn!(
                        budget_mb,
                        "the checkpoints of open trials alone take more than their budget"
                    );
                }
                self.over_budget &= !kept;
            }
            Err(error) => stay_behind(&error),
        }
    }

    /// Deletes those of the blobs that nothing refers to. Nobody can begin to in between: whether a named
    /// blob is there is looked at by this thread too.
    fn remove_blobs(&mut self, hashes: &[String]) {
        for hash in hashes {
            let removed = match self.writer.is_unreferenced(hash) {
                Ok(true) => blob::remove(&self.home, hash),
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                stay_behind(&error);
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a commit took, for people: nothing is decided by it")]
fn clock_of_durations() -> Instant {
    Instant::now()
}

fn stay_behind(error: &StoreError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "files that nothing refers to stay behind: `sweepd gc` removes them"
    );
}

fn not_persisted(error: &StoreError) -> DispatchError {
    DispatchError::NotPersisted(crate::error_chain(error).into())
}
