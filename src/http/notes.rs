//! What people say of sweeps and trials: notes and tags.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::listing::sweep_called;
use super::trial_files::trial_and_sweep;
use crate::domain::{Remark, Subject, TrialId};
use crate::store::query::SweepSummary;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(note_sweep))
        .routes(routes!(note_trial))
        .routes(routes!(tag_sweep))
        .routes(routes!(tag_trial))
}

/// A note, in the place of the one before.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it says; nothing takes the note away.
    text: String,
}

/// All tags, in the place of those before.
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
    let sweep = sweep_called(&app, &word).await?;
    write(&app, Remark::note(Subject::Sweep(sweep.sweep), &note.text), &sweep).await
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
    let (_, sweep) = trial_and_sweep(&app, trial).await?;
    write(&app, Remark::note(Subject::Trial(trial), &note.text), &sweep).await
}

/// All tags of a sweep.
#[utoipa::path(
    put,
    path = "/api/v1/sweeps/{sweep}/tags",
    operation_id = "tag_sweep",
    tag = "notes",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Tags,
    responses((status = 204, description = "Done")),
)]
async fn tag_sweep(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(tags): Body<Tags>,
) -> Result<StatusCode, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    write(&app, Remark::tags(Subject::Sweep(sweep.sweep), tags.tags), &sweep).await
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
    let (_, sweep) = trial_and_sweep(&app, trial).await?;
    write(&app, Remark::tags(Subject::Trial(trial), tags.tags), &sweep).await
}

/// Writes it down, and tells those who look at the sweep, since the record says nothing of it.
async fn write(
    app: &App,
    remark: Result<Remark, String>,
    sweep: &SweepSummary,
) -> Result<StatusCode, ApiError> {
    let bad = |message| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_note", message);
    if !app.dispatcher.remark(remark.map_err(bad)?).await? {
        return Err(ApiError::not_found("sweep", &sweep.id));
    }
    app.live.touch(sweep.sweep, &sweep.id);
    Ok(StatusCode::NO_CONTENT)
}
