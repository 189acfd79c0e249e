//! The daemon without its tasks and sockets: the same core, the real store, and what shell and HTTP layer do
//! around them.

use super::faults::Fate;
use super::wire::{Answer, Call};
use crate::domain::{Change, Decision, Millis, SweepId};
use crate::scheduler::core::Core;
use crate::scheduler::{Input, Refusal, Reply};
use crate::store::{Durability, Reader, Writer};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

/// How long after a start workers of an earlier daemon are waited for.
pub const GRACE_MS: i64 = 20_000;

pub struct Daemon {
    home: TempDir,
    writer: Option<Writer>,
    pub reader: Reader,
    /// `None` while no daemon runs.
    pub core: Option<Core>,
}

/// What became of a group of calls.
pub struct Served {
    /// One per call; `None` where nobody was answered.
    pub answers: Vec<Option<Answer>>,
    /// What was committed.
    pub changes: Vec<Change>,
}

impl Daemon {
    pub async fn new(now: Millis) -> Self {
        // In memory where that is possible: what is tested is the logic, not the disk.
        let memory = Path::new("/dev/shm");
        let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let writer = Writer::open(home.path()).await.unwrap();
        let reader = Reader::open(home.path(), 1).await.unwrap();
        let mut daemon = Self { home, writer: Some(writer), reader, core: None };
        daemon.start(now).await;
        daemon
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A new core from what is stored.
    pub async fn start(&mut self, now: Millis) {
        if self.writer.is_none() {
            self.writer = Some(Writer::open(self.home.path()).await.unwrap());
        }
        self.core = Some(self.recovered(now).await);
    }

    /// The core that a start now would make.
    pub async fn recovered(&mut self, now: Millis) -> Core {
        let stored = self.writer.as_mut().unwrap().recover().unwrap();
        Core::recover(stored, now, GRACE_MS).unwrap()
    }

    /// Ends without a word; with `hard`, without closing the database either.
    pub fn crash(&mut self, hard: bool) {
        self.core = None;
        if hard {
            self.writer = None;
        }
    }

    /// Handles a group of calls as the shell does: together, in one commit, answered afterwards.
    pub async fn serve(&mut self, calls: &[Call], now: Millis, fate: Fate) -> Served {
        let (mut changes, mut answers) = (Vec::new(), Vec::new());
        let commands = calls.iter().any(|call| matches!(call, Call::Input(Input::Command { .. })));
        let known = if commands { self.known_sweeps().await } else { BTreeSet::new() };
        for call in calls {
            let input = match call {
                // The HTTP layer looks for the sweep before the call is queued.
                Call::Input(Input::Command { sweep, .. }) if !known.contains(sweep) => {
                    answers.push(Answer::Refused(Refusal::SweepOver));
                    continue;
                }
                Call::Input(input) => input.clone(),
                Call::Edit(sweep, terms) => {
                    assert_eq!(calls.len(), 1, "an edit is a group of its own");
                    match self.writer.as_mut().unwrap().stored_sweep(*sweep, terms).unwrap() {
                        Some(stored) => {
                            let stored = Box::new(stored);
                            Input::Edit { stored, terms: terms.clone(), source: "edited".into() }
                        }
                        None => {
                            answers.push(Answer::Refused(Refusal::SweepOver));
                            continue;
                        }
                    }
                }
                Call::Retry(trial) => {
                    assert_eq!(calls.len(), 1, "a retry is a group of its own");
                    match self.writer.as_mut().unwrap().stored_trial(*trial).unwrap() {
                        Some(stored) => Input::Retry(Box::new(stored)),
                        None => {
                            answers.push(Answer::Refused(Refusal::NotOpen));
                            continue;
                        }
                    }
                }
            };
            if let Some(refusal) = self.ended_request(&input, &changes).await {
                answers.push(Answer::Refused(refusal));
                continue;
            }
            let mut handled = self.core.as_mut().unwrap().handle(input, now);
            // The question that finds a sweep at its end ends it.
            if !matches!(handled.reply, Ok(_) | Err(Refusal::SweepOver)) {
                assert!(
                    handled.changes.is_empty(),
                    "a refused input changed something: {:?}",
                    handled.changes
                );
            }
            changes.append(&mut handled.changes);
            answers.push(handled.reply.map_or_else(Answer::Refused, Answer::Reply));
        }
        let nobody = || vec![None; calls.len()];
        match fate {
            Fate::CrashBeforeCommit => return Served { answers: nobody(), changes: Vec::new() },
            Fate::DiskFull if !changes.is_empty() => {
                self.start(now).await;
                let answers = vec![Some(Answer::NotPersisted); calls.len()];
                return Served { answers, changes: Vec::new() };
            }
            _ => {}
        }
        if !changes.is_empty() {
            let seq = self.core.as_ref().unwrap().seq;
            let stored = self.writer.as_mut().unwrap().apply(&changes, seq, Durability::Batched);
            stored.unwrap_or_else(|error| {
                panic!("the database refused {changes:#?}: {}", crate::error_chain(&error))
            });
        }
        if fate == Fate::CrashAfterCommit {
            return Served { answers: nobody(), changes };
        }
        let mut given = Vec::new();
        for (call, answer) in calls.iter().zip(answers) {
            given.push(Some(self.second_look(call, answer).await));
        }
        Served { answers: given, changes }
    }

    /// What the shell does with a request for work that was answered before.
    async fn ended_request(&mut self, input: &Input, changes: &[Change]) -> Option<Refusal> {
        let request_id = input.request_id()?;
        if self.core.as_ref().unwrap().knows_request(request_id) {
            return None;
        }
        let opened = changes.iter().find_map(|change| match change {
            Change::AttemptOpened(row) if row.request_id == request_id => Some(row.id),
            _ => None,
        });
        let stored = self.writer.as_mut().unwrap().attempt_of_request(request_id).unwrap();
        stored.or(opened).map(|attempt| Refusal::RequestEnded { attempt })
    }

    async fn known_sweeps(&self) -> BTreeSet<SweepId> {
        self.reader.sweeps(None).await.unwrap().into_iter().map(|sweep| sweep.sweep).collect()
    }

    /// What the HTTP layer does with a refusal: a repeat of what is stored gets the first answer.
    async fn second_look(&self, call: &Call, answer: Answer) -> Answer {
        if !matches!(answer, Answer::Refused(Refusal::NotOpen | Refusal::StaleAttempt { .. })) {
            return answer;
        }
        match call {
            Call::Input(Input::Report { trial, attempt, step, metrics }) => {
                let ended = self.reader.attempt_end(*trial, *attempt).await.unwrap();
                let stored = self.reader.step(*trial, *attempt, *step).await.unwrap();
                match (ended, stored) {
                    (Some((state, _)), Some(stored)) if state != "open" && stored.metrics.same(metrics) => {
                        let ends = self.reader.was_told_to_end(*trial, *attempt, *step).await.unwrap();
                        let decision = if ends { Decision::Stop } else { Decision::Continue };
                        Answer::Reply(Reply::Decision(decision))
                    }
                    _ => answer,
                }
            }
            Call::Input(Input::Tell { trial, attempt, text, .. }) => {
                match self.reader.attempt_end(*trial, *attempt).await.unwrap() {
                    Some((_, Some(first))) if first == *text => Answer::Reply(Reply::Done),
                    _ => answer,
                }
            }
            _ => answer,
        }
    }
}
