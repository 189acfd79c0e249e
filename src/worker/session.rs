//! What a trainer sees of its daemon while it works on one leg.

use super::client::Client;
use super::line::{Line, now};
use super::protocol::{CheckpointRef, Work};
use super::run::WorkerArgs;
use crate::domain::{Decision, Metrics};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A trainer's line to the daemon while it works on one leg. Nothing here waits long for a daemon that is
/// away.
pub struct Session {
    client: Client,
    line: Arc<Line>,
    checkpoints: Vec<CheckpointRef>,
    pace: Pace,
}

impl Session {
    pub(super) fn new(client: &Client, work: &Work, line: Arc<Line>, pace: Pace) -> Self {
        Self { client: client.clone(), line, checkpoints: work.checkpoints.clone(), pace }
    }

    /// What to do now: cheap, for every batch. `Pause` also where the process is asked to end, or the daemon
    /// has been away for longer than the grace period.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.line.decision()
    }

    /// Reports a step and learns what to do. While the daemon is there, this waits for its answer; while it
    /// is away, the report waits for it, and this returns what was said last.
    pub fn report(&mut self, step: u64, metrics: &Metrics) -> Decision {
        self.line.report(step, metrics);
        self.line.decision()
    }

    /// What the work can go on from, the newest first: only those that are intact, each fetched when it is
    /// asked for. None for the beginning.
    #[must_use]
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints { client: self.client.clone(), left: self.checkpoints.clone().into_iter() }
    }

    /// Whether it is time for a checkpoint, with so many steps done: not while an earlier one is on its way.
    /// Cheap, for every batch.
    pub fn checkpoint_due(&mut self, step: u64) -> bool {
        self.pace.due(step) && !self.line.is_storing()
    }

    /// Stores a checkpoint, with so many steps done, in the background. It may be in the middle of the next
    /// step. An earlier one that still waits gives way to it; the last is stored before the end is told.
    pub fn checkpoint(&mut self, step: u64, bytes: Vec<u8>) {
        self.pace.made(step);
        self.line.checkpoint(step, bytes);
    }
}

/// Intact checkpoints, the newest first.
pub struct Checkpoints {
    client: Client,
    left: std::vec::IntoIter<CheckpointRef>,
}

/// A checkpoint to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpointed {
    /// Steps that are done in it.
    pub step: u64,
    /// Its bytes, as they were stored.
    pub bytes: Vec<u8>,
}

impl Iterator for Checkpoints {
    type Item = Checkpointed;

    fn next(&mut self) -> Option<Checkpointed> {
        for known in self.left.by_ref() {
            if let Some(bytes) = local(&known) {
                return Some(Checkpointed { step: known.step, bytes });
            }
            match self.client.get_blob(&known.hash) {
                Ok(bytes) => return Some(Checkpointed { step: known.step, bytes }),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, step = known.step, "a checkpoint is lost: trying the one before");
                }
            }
        }
        None
    }
}

/// The bytes at the checkpoint's local path, if they are there and intact.
fn local(known: &CheckpointRef) -> Option<Vec<u8>> {
    let path = known.path.as_ref()?;
    // Another machine's path, or a lost file: the daemon may still have it.
    let bytes = std::fs::read(path).ok()?;
    let found = blake3::hash(&bytes).to_hex();
    if found.as_str() == known.hash {
        return Some(bytes);
    }
    tracing::warn!(path = %path.display(), step = known.step, "a checkpoint's file is damaged");
    None
}

/// How often checkpoints are made.
pub(super) struct Pace {
    every: Duration,
    every_steps: Option<u64>,
    last: Instant,
    last_step: Option<u64>,
}

impl Pace {
    /// The pace that a worker's flags ask for, from now on.
    pub fn new(args: &WorkerArgs) -> Self {
        let every = Duration::from_secs(args.checkpoint_s);
        Self { every, every_steps: args.checkpoint_steps, last: now(), last_step: None }
    }

    fn due(&mut self, step: u64) -> bool {
        let first = *self.last_step.get_or_insert(step);
        self.last.elapsed() >= self.every
            || self.every_steps.is_some_and(|steps| step.saturating_sub(first) >= steps.max(1))
    }

    fn made(&mut self, step: u64) {
        self.last = now();
        self.last_step = Some(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_between_checkpoints_are_counted_from_where_the_work_began() {
        let every = Duration::from_secs(3600);
        let mut pace = Pace { every, every_steps: Some(3), last: now(), last_step: None };
        let mut due = Vec::new();
        for step in 7..20 {
            if pace.due(step) {
                due.push(step);
                pace.made(step);
            }
        }
        assert_eq!(due, [10, 13, 16, 19]);
        pace.every_steps = None;
        assert!(!pace.due(1000));
        pace.every = Duration::ZERO;
        assert!(pace.due(1000));
    }
}
