//! What people say of sweeps and trials: notes and tags.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::known::find;
use crate::domain::{Remark, Subject, TrialId};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(note_sweep)).routes(routes!(note_trial)).routes(routes!(tag_trial))
}

/// A note, in the place of the one before.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it says; nothing takes the note away.
    text: String,
}

/// All tags of a trial.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Tags {
    /// Words without spaces.
    tags: Vec<String>,
}

/// A note on a sweep.
#[utoipa::path(
    put,
    path = "/api/v1/sweeps/{sweep}/note",
    operation_id = "note_sweep",
    tag = "notes",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Note,
    responses((status = 204, description = "Done")),
)]
async fn note_sweep(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(note): Body<Note>,
) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    write(&app, Remark::note(Subject::Sweep(sweep), &note.text), || ApiError::not_found("sweep", word)).await
}

/// A note on a trial.
#[utoipa::path(
    put,
    path = "/api/v1/trials/{trial_id}/note",
    operation_id = "note_trial",
    tag = "notes",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    request_body = Note,
    responses((status = 204, description = "Done")),
)]
async fn note_trial(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(note): Body<Note>,
) -> Result<StatusCode, ApiError> {
    write(&app, Remark::note(Subject::Trial(trial), &note.text), || ApiError::not_found("trial", trial)).await
}

/// All tags of a trial.
#[utoipa::path(
    put,
    path = "/api/v1/trials/{trial_id}/tags",
    operation_id = "tag_trial",
    tag = "notes",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    request_body = Tags,
    responses((status = 204, description = "Done")),
)]
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
