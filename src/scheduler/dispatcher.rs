//! A handle to the dispatcher's thread: whoever has one hands in inputs and waits for their commit.

use super::input::{Input, Refusal, Reply};
use super::presence::Overview;
use crate::domain::ensemble::Ensemble;
use crate::domain::{Change, Remark, SweepId, Terms, TrialId, WorkerProcess};
use crate::store::Cleared;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

/// Why an input was not carried out.
#[derive(Debug, Clone, Error)]
pub enum DispatchError {
    /// The core refused it; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be persisted; nothing changed.
    #[error("{0}")]
    NotPersisted(Arc<str>),
    /// The dispatcher has ended.
    #[error("the daemon is stopping")]
    Stopping,
}

/// What the dispatcher is asked to do.
pub(super) enum Request {
    Handle {
        input: Box<Input>,
        reply: oneshot::Sender<Result<Reply, DispatchError>>,
    },
    Retry {
        trial: TrialId,
        reply: oneshot::Sender<Result<Reply, DispatchError>>,
    },
    Edit {
        sweep: SweepId,
        terms: Box<Terms>,
        source: String,
        reply: oneshot::Sender<Result<Reply, DispatchError>>,
    },
    MayEdit {
        sweep: SweepId,
        terms: Box<Terms>,
        reply: oneshot::Sender<Result<(), DispatchError>>,
    },
    ClearUp {
        reply: oneshot::Sender<Result<Cleared, DispatchError>>,
    },
    KeepEnsemble {
        sweep: SweepId,
        ensemble: Ensemble,
        reply: oneshot::Sender<Result<(), DispatchError>>,
    },
    Remark {
        remark: Remark,
        reply: oneshot::Sender<Result<bool, DispatchError>>,
    },
    NoteWorker {
        worker: WorkerProcess,
        reply: oneshot::Sender<Result<(), DispatchError>>,
    },
    ForgetWorker {
        name: String,
    },
    Overview {
        reply: oneshot::Sender<Overview>,
    },
}

/// What anybody may know of the dispatcher without asking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Grows with every change that may have made work available.
    pub version: u64,
    /// Nothing is left to hand out or to wait for.
    pub idle: bool,
}

/// What was just committed, for those who count or look on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// What was written, in that order.
    pub changes: Vec<Change>,
    /// How long the transaction took.
    pub took: Duration,
    /// A worker process was started or has ended.
    pub workers: bool,
}

/// A handle to the dispatcher; clones speak to the same one.
#[derive(Clone)]
pub struct Dispatcher {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) pulse: watch::Receiver<Pulse>,
}

impl Dispatcher {
    /// Hands in an input and waits until it is committed.
    ///
    /// # Errors
    /// [`DispatchError`]: refused, not persisted, or the daemon is stopping.
    pub async fn handle(&self, input: Input) -> Result<Reply, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Handle { input: Box::new(input), reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Has a trial that ended badly tried again.
    ///
    /// # Errors
    /// [`DispatchError`]: there is no such trial, it did not end badly, or it could not be persisted.
    pub async fn retry(&self, trial: TrialId) -> Result<Reply, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Retry { trial, reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Has a sweep go on by other terms, which have been checked; `source` is the file that says so.
    ///
    /// # Errors
    /// [`DispatchError`]: there is no such sweep, its state does not allow it, or it could not be persisted.
    pub async fn edit(&self, sweep: SweepId, terms: Terms, source: String) -> Result<Reply, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Edit { sweep, terms: Box::new(terms), source, reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Whether [`edit`](Self::edit) would be done; changes nothing.
    ///
    /// # Errors
    /// [`DispatchError`]: what `edit` would say, as far as that can be told before.
    pub async fn may_edit(&self, sweep: SweepId, terms: Terms) -> Result<(), DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::MayEdit { sweep, terms: Box::new(terms), reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Clears up what is not needed: see [`Writer::clear_up`](crate::store::Writer::clear_up).
    ///
    /// # Errors
    /// [`DispatchError`]: the database or the disk failed, or the daemon is stopping.
    pub async fn clear_up(&self) -> Result<Cleared, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::ClearUp { reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Keeps an ensemble, in the place of the one that has had its name.
    ///
    /// # Errors
    /// [`DispatchError`]: not persisted, or the daemon is stopping.
    pub async fn keep_ensemble(&self, sweep: SweepId, ensemble: Ensemble) -> Result<(), DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::KeepEnsemble { sweep, ensemble, reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Writes down what somebody says of a sweep or a trial; whether there is such a one.
    ///
    /// # Errors
    /// [`DispatchError`]: not persisted, or the daemon is stopping.
    pub async fn remark(&self, remark: Remark) -> Result<bool, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Remark { remark, reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Notes a started worker process, so that a later daemon finds it.
    ///
    /// # Errors
    /// [`DispatchError`]: not persisted, or the daemon is stopping.
    pub async fn note_worker(&self, worker: WorkerProcess) -> Result<(), DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::NoteWorker { worker, reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)?
    }

    /// Forgets a worker process that has ended.
    pub async fn forget_worker(&self, name: String) {
        // A dispatcher that has ended leaves the row; the next daemon sees that the process is gone.
        let _ = self.send(Request::ForgetWorker { name });
    }

    /// What is known of workers and devices now.
    ///
    /// # Errors
    /// [`DispatchError`]: the daemon is stopping.
    pub async fn overview(&self) -> Result<Overview, DispatchError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Overview { reply })?;
        answer.await.map_err(|_| DispatchError::Stopping)
    }

    /// Changes whenever work may have become available.
    #[must_use]
    pub fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.clone()
    }

    fn send(&self, request: Request) -> Result<(), DispatchError> {
        self.requests.send(request).map_err(|_| DispatchError::Stopping)
    }
}
