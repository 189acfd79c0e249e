//! Exit codes: documented constants, so that scripts can tell what happened.

use crate::worker::client::ClientError;

/// It worked.
pub const OK: u8 = 0;
/// It did not; the message says why.
pub const FAILED: u8 = 1;
/// The command line was not understood (clap's own code).
pub const USAGE: u8 = 2;
/// A sweep file has mistakes.
pub const BAD_SWEEP: u8 = 3;
/// There is no such sweep, trial or dataset.
pub const NOT_FOUND: u8 = 4;
/// No daemon answers.
pub const NO_DAEMON: u8 = 5;
/// The sweep ended, and not one of its trials completed.
pub const NO_RESULT: u8 = 6;

/// `sweepd replay`: a stored decision is not what is derived.
pub const DIFFERS: u8 = 7;

/// An error that carries its own exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What people read.
    pub message: String,
}

impl Failure {
    /// An error that ends the process with `code`.
    #[must_use]
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(NOT_FOUND, message)
    }
}

/// The exit code that an error stands for.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.code;
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::NoDaemon { .. } | ClientError::Unreachable { .. }) => NO_DAEMON,
        Some(ClientError::Refused { status: 404, .. }) => NOT_FOUND,
        Some(ClientError::Refused { code, .. }) if code == "bad_sweep" => BAD_SWEEP,
        _ => FAILED,
    }
}
