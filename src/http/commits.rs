//! What the dispatcher has just committed, told to those who look on.

use super::metrics::{Metrics, Waiting};
use crate::scheduler::shell::Commit;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// How many commits may wait to be told; beyond that they are not.
pub const ROOM: usize = 1024;

/// Who is told of commits.
#[derive(Debug)]
pub struct Commits {
    commits: mpsc::Receiver<Commit>,
    metrics: Arc<Metrics>,
    /// Grows with every commit.
    moved: watch::Sender<u64>,
    /// Grows when a worker process was started or has ended.
    workers: watch::Sender<u64>,
}

impl Commits {
    /// Those who are told of what comes from `commits`, which `metrics` counts.
    #[must_use]
    pub fn new(commits: mpsc::Receiver<Commit>, metrics: Arc<Metrics>) -> Self {
        Self { commits, metrics, moved: watch::Sender::new(0), workers: watch::Sender::new(0) }
    }

    /// Changes with every commit.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Changes when a worker process was started or has ended.
    #[must_use]
    pub fn workers(&self) -> watch::Receiver<u64> {
        self.workers.subscribe()
    }

    /// Runs until the dispatcher has ended.
    pub async fn tell(mut self) {
        let mut waiting = Waiting::default();
        while let Some(commit) = self.commits.recv().await {
            waiting.count(&commit, &self.metrics);
            if commit.workers {
                self.workers.send_modify(|version| *version += 1);
            }
            if !commit.changes.is_empty() {
                self.moved.send_modify(|version| *version += 1);
            }
        }
    }
}
