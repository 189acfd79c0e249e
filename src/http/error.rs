//! One error shape with a stable code for every failure.

use crate::scheduler::Refusal;
use crate::scheduler::shell::DispatchError;
use crate::store::StoreError;
use crate::worker::protocol::{ErrorBody, ErrorDetail};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A failed call.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    problems: Vec<String>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), problems: Vec::new() }
    }

    pub fn with_problems(mut self, problems: Vec<String>) -> Self {
        self.problems = problems;
        self
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} {name}"))
    }

    /// An internal failure.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let chain = crate::error_chain(error);
        tracing::error!(error = chain, "a call failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", chain)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            let chain = crate::error_chain(&error);
            let message =
                format!("the disk is full: free some space, and sweepd goes on by itself ({chain})");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk_full", message);
        }
        Self::internal(&error)
    }
}

impl From<DispatchError> for ApiError {
    fn from(error: DispatchError) -> Self {
        let message = error.to_string();
        match error {
            DispatchError::Refused(refusal) => {
                let (status, code) = match refusal {
                    Refusal::SweepOver => (StatusCode::GONE, "sweep_over"),
                    Refusal::NotExternal => (StatusCode::CONFLICT, "not_external"),
                    Refusal::NotOpen => (StatusCode::CONFLICT, "not_open"),
                    Refusal::RequestEnded { .. } => (StatusCode::CONFLICT, "request_ended"),
                    Refusal::StaleAttempt { .. } => (StatusCode::CONFLICT, "stale_attempt"),
                    // Not a conflict: the attempt is still its trial's open one.
                    Refusal::NoBlob { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_blob"),
                    Refusal::StepDiffers { .. } => (StatusCode::CONFLICT, "step_differs"),
                    Refusal::StepBackwards { .. } => (StatusCode::CONFLICT, "step_backwards"),
                    Refusal::BadConfiguration(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_configuration"),
                    Refusal::TooFewTrials { .. } => (StatusCode::CONFLICT, "too_few_trials"),
                    Refusal::StillEnding => (StatusCode::CONFLICT, "still_ending"),
                    Refusal::WrongState(_) => (StatusCode::CONFLICT, "wrong_state"),
                };
                Self::new(status, code, message)
            }
            DispatchError::NotPersisted(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_persisted", message)
            }
            DispatchError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = ErrorDetail { code: self.code.into(), message: self.message, problems: self.problems };
        (self.status, Json(ErrorBody { error })).into_response()
    }
}

pub(super) async fn no_such_route(uri: axum::http::Uri) -> ApiError {
    ApiError::not_found("route", uri.path())
}
