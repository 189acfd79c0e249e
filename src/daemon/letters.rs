//! What workers have left in writing while no daemon ran is taken as if they said it now: before it is noted that
//! they are gone, since their attempts are still the open ones.

use crate::domain::AttemptId;
use crate::scheduler::Input;
use crate::scheduler::shell::{DispatchError, Dispatcher};
use crate::store::{StoreError, blob};
use crate::worker::unsaid::{Letter, letters};
use std::io;
use std::path::Path;
use thiserror::Error;

/// Why a letter was not taken as it stands.
#[derive(Debug, Error)]
enum LetterError {
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("a file beside the letter is damaged")]
    Damaged,
}

impl LetterError {
    /// Whether the same letter may be taken another time: the disk is full, say.
    fn may_pass(&self) -> bool {
        match self {
            Self::Dispatch(error) => !matches!(error, DispatchError::Refused(_)),
            Self::Store(_) => true,
            Self::File(_) | Self::Damaged => false,
        }
    }
}

/// Reads all letters. One that is refused, since its attempt was given away meanwhile, is thrown away; one that the
/// disk had no space for stays.
pub(super) async fn take(home: &Path, dispatcher: &Dispatcher) {
    let found = match letters(home) {
        Ok(found) => found,
        Err(error) => return tracing::warn!(%error, "what workers have left in writing cannot be read"),
    };
    for letter in found {
        let attempt = letter.unsaid.tell.attempt;
        let reports = letter.unsaid.reports.len();
        match deliver(home, dispatcher, &letter).await {
            Ok(()) => tracing::info!(attempt = attempt.0, reports, "a worker's last words were taken"),
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, attempt = attempt.0, "a worker's last words wait for the next start");
                continue;
            }
            Err(error) => tracing::warn!(%error, attempt = attempt.0, "a worker's last words count no more"),
        }
        if let Err(error) = letter.remove() {
            tracing::warn!(%error, folder = %letter.folder.display(), "a letter that was read stays");
        }
    }
}

async fn deliver(home: &Path, dispatcher: &Dispatcher, letter: &Letter) -> Result<(), LetterError> {
    let (unsaid, trial) = (&letter.unsaid, letter.unsaid.trial);
    for report in unsaid.reports.clone() {
        let (attempt, step, metrics) = (report.attempt, report.step, report.metrics);
        dispatcher.handle(Input::Report { trial, attempt, step, metrics }).await?;
    }
    if let Some(checkpoint) = unsaid.checkpoint.clone() {
        store(home, letter.checkpoint()?, &checkpoint.hash).await?;
        let (attempt, step) = (checkpoint.attempt, checkpoint.step);
        let (hash, bytes) = (checkpoint.hash, checkpoint.bytes);
        dispatcher.handle(Input::Checkpoint { trial, attempt, step, hash, bytes }).await?;
    }
    if let Some(hash) = &unsaid.tell.weights {
        store(home, letter.weights()?, hash).await?;
    }
    let told = unsaid.tell.clone();
    let text = serde_json::to_string(&told).map_err(io::Error::from)?;
    let attempt: AttemptId = told.attempt;
    let (state, metrics, reason, weights) = (told.state, told.metrics, told.reason, told.weights);
    dispatcher.handle(Input::Tell { trial, attempt, state, metrics, reason, weights, text }).await?;
    Ok(())
}

/// Stores a blob that must have this hash.
async fn store(home: &Path, bytes: Vec<u8>, hash: &str) -> Result<(), LetterError> {
    if blake3::hash(&bytes).to_hex().as_str() != hash {
        return Err(LetterError::Damaged);
    }
    let home = home.to_owned();
    let stored = tokio::task::spawn_blocking(move || blob::put(&home, &bytes));
    stored.await.map_err(io::Error::other)??;
    Ok(())
}
