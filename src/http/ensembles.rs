//! Ensembles of a sweep: those that are kept, and another one.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::known::find;
use super::listing::sweep_called;
use crate::domain::ensemble::{Ensemble, is_name};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, keep))
}

/// The ensembles of a sweep, the best first.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/ensembles",
    operation_id = "list_ensembles",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep")),
    responses((status = 200, description = "The answer", body = Vec<Ensemble>)),
)]
async fn list(State(app): State<App>, Path(word): Path<String>) -> Result<Json<Vec<Ensemble>>, ApiError> {
    let sweep = find(&app, &word).await?;
    Ok(Json(app.reader.ensembles(sweep).await?))
}

/// Keeps an ensemble, in the place of the one that has had its name.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/ensembles",
    operation_id = "keep_ensemble",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep")),
    request_body = Ensemble,
    responses((status = 204, description = "Done")),
)]
async fn keep(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(ensemble): Body<Ensemble>,
) -> Result<StatusCode, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let refuse = |message: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_ensemble", message);
    if !is_name(&ensemble.name) {
        let message = "a name has up to 64 letters, digits, `-` and `_`, and is no number";
        return Err(refuse(format!("`{}` cannot be an ensemble's name: {message}", ensemble.name)));
    }
    if !ensemble.rmse.is_finite() || ensemble.members.iter().all(|member| member.weight == 0) {
        return Err(refuse("an ensemble has members that count, and an RMSE".to_owned()));
    }
    for member in &ensemble.members {
        if app.reader.trial_state(member.trial_id).await?.is_none() {
            return Err(ApiError::not_found("trial", member.trial_id));
        }
    }
    app.dispatcher.keep_ensemble(sweep.sweep, ensemble).await?;
    // The record says nothing of it.
    app.live.touch(sweep.sweep, &sweep.id);
    Ok(StatusCode::NO_CONTENT)
}
