//! What people say of sweeps and trials: notes and tags.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::known::find;
use crate::domain::{Remark, Subject, TrialId};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use serde::Deserialize;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/sweeps/{sweep}/note", put(note_sweep))
        .route("/api/v1/trials/{trial_id}/note", put(note_trial))
        .route("/api/v1/trials/{trial_id}/tags", put(tag_trial))
}

/// A note, in the place of the one before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it says; nothing takes the note away.
    text: String,
}

/// All tags of a trial.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tags {
    /// Words without spaces.
    tags: Vec<String>,
}

async fn note_sweep(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(note): Body<Note>,
) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    write(&app, Remark::note(Subject::Sweep(sweep), &note.text), || ApiError::not_found("sweep", word)).await
}

async fn note_trial(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(note): Body<Note>,
) -> Result<StatusCode, ApiError> {
    write(&app, Remark::note(Subject::Trial(trial), &note.text), || ApiError::not_found("trial", trial)).await
}

async fn tag_trial(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(tags): Body<Tags>,
) -> Result<StatusCode, ApiError> {
    write(&app, Remark::tags(trial, tags.tags), || ApiError::not_found("trial", trial)).await
}

async fn write(
    app: &App,
    remark: Result<Remark, String>,
    none: impl FnOnce() -> ApiError,
) -> Result<StatusCode, ApiError> {
    let bad = |message| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_note", message);
    match app.dispatcher.remark(remark.map_err(bad)?).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(none()),
    }
}
