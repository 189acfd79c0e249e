//! The trainer's program, for questions that need libtorch: a few at a time, in a process of their own, beside the
//! training that goes on.

use super::error::ApiError;
use axum::http::StatusCode;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Processes at once.
const AT_ONCE: usize = 1;
/// How long a question waits for its turn, and how long its process may take.
const TURN: Duration = Duration::from_secs(30);
const TIME: Duration = Duration::from_secs(120);
/// Answers that are remembered.
const KEPT: usize = 32;

/// What the program answered with.
pub(super) type Answer = Arc<Vec<u8>>;

/// Asks the program, and remembers what it said.
#[derive(Debug)]
pub struct Trainer {
    program: Option<PathBuf>,
    turns: Semaphore,
    answers: Mutex<VecDeque<(String, Answer)>>,
}

impl Trainer {
    /// Of a program that trains; without one every question is refused.
    #[must_use]
    pub fn new(program: Option<PathBuf>) -> Self {
        Self { program, turns: Semaphore::new(AT_ONCE), answers: Mutex::default() }
    }

    /// Whether there is a program.
    pub(super) fn is_there(&self) -> bool {
        self.program.is_some()
    }

    /// The bytes that the program writes to a file. The arguments are made by `args` from the paths of a scratch
    /// folder and of that file. `key` names the question: the same one is answered from memory.
    pub(super) async fn ask(
        &self,
        key: String,
        args: impl FnOnce(&Path, PathBuf) -> std::io::Result<Vec<OsString>> + Send + 'static,
    ) -> Result<Answer, ApiError> {
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let turn = self.turn(TURN).await?;
        // Somebody may have asked the same meanwhile.
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let answer = turn.run(TIME, args).await?;
        Ok(self.remember(key, Arc::new(answer)))
    }

    /// Waits so long until the program may be run.
    pub(super) async fn turn(&self, patience: Duration) -> Result<Turn<'_>, ApiError> {
        let Some(program) = &self.program else {
            let message =
                "this needs sweepd-worker beside sweepd: `make setup`, then `cargo build --release`";
            return Err(unavailable("no_trainer", message.into()));
        };
        match timeout(patience, self.turns.acquire()).await {
            Ok(Ok(permit)) => Ok(Turn { program, _permit: permit }),
            _ => Err(unavailable("busy", "others ask the trainer too: try again in a moment".into())),
        }
    }

    fn known(&self, key: &str) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().find(|(known, _)| known == key).map(|(_, answer)| Arc::clone(answer))
    }

    fn remember(&self, key: String, answer: Answer) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.truncate(KEPT - 1);
        answers.push_front((key, Arc::clone(&answer)));
        answer
    }
}

/// The right to run the program once.
pub(super) struct Turn<'a> {
    program: &'a Path,
    _permit: SemaphorePermit<'a>,
}

impl Turn<'_> {
    /// The bytes that the program writes to a file within a time. The arguments are made by `args` from the paths of a
    /// scratch folder and of that file.
    pub async fn run(
        self,
        time: Duration,
        args: impl FnOnce(&Path, PathBuf) -> std::io::Result<Vec<OsString>> + Send + 'static,
    ) -> Result<Vec<u8>, ApiError> {
        let scratch = tempfile::tempdir().map_err(|e| ApiError::internal(&e))?;
        let (folder, out) = (scratch.path().to_owned(), scratch.path().join("out"));
        let file = out.clone();
        let args = tokio::task::spawn_blocking(move || args(&folder, file));
        let args = args.await.map_err(|e| ApiError::internal(&e))?.map_err(|e| ApiError::internal(&e))?;
        let child = Command::new(self.program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Whoever asked may go away.
            .kill_on_drop(true)
            .spawn();
        let said = async { child?.wait_with_output().await };
        let said = match timeout(time, said).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                let message = format!("{} cannot be started: {error}", self.program.display());
                return Err(unavailable("no_trainer", message));
            }
            Err(_) => {
                let message = format!("the trainer took longer than {} s", time.as_secs());
                return Err(unavailable("trainer_failed", message));
            }
        };
        if !said.status.success() {
            let why = String::from_utf8_lossy(&said.stderr);
            let why = why.trim().trim_start_matches("error: ");
            return Err(unavailable(
                "trainer_failed",
                format!("the trainer ended with {}: {why}", said.status),
            ));
        }
        tokio::fs::read(&out).await.map_err(|e| ApiError::internal(&e))
    }
}

fn unavailable(code: &'static str, message: String) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
}
