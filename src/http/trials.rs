//! A trial's own calls: report and tell, and what is known of it.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use crate::domain::{AttemptId, Decision, TrialId};
use crate::scheduler::shell::DispatchError;
use crate::scheduler::{Input, Refusal, Reply};
use crate::store::query::TrialDetail;
use crate::worker::protocol::{Checkpoint, Report, Tell, Verdict};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(report))
        .routes(routes!(checkpoint))
        .routes(routes!(tell))
}

/// All that is known of a trial.
#[utoipa::path(
    get,
    path = "/api/v1/trials/{trial_id}",
    operation_id = "show_trial",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    responses((status = 200, description = "The answer", body = TrialDetail)),
)]
async fn show(State(app): State<App>, Path(trial): Path<TrialId>) -> Result<Json<TrialDetail>, ApiError> {
    let found = app.reader.trial(trial).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found("trial", trial))
}

/// A trial that failed, was stopped or was cancelled is tried again.
#[utoipa::path(
    post,
    path = "/api/v1/trials/{trial_id}/retry",
    operation_id = "retry_trial",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    responses((status = 204, description = "Done")),
)]
async fn retry(State(app): State<App>, Path(trial): Path<TrialId>) -> Result<StatusCode, ApiError> {
    app.dispatcher.retry(trial).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The metrics of a step.
#[utoipa::path(
    post,
    path = "/api/v1/trials/{trial_id}/report",
    operation_id = "report",
    tag = "ask and tell",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    request_body = Report,
    responses((status = 200, description = "The answer", body = Verdict)),
)]
async fn report(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(report): Body<Report>,
) -> Result<Json<Verdict>, ApiError> {
    let Report { attempt, step, metrics } = report;
    let input = Input::Report { trial, attempt, step, metrics: metrics.clone() };
    match app.dispatcher.handle(input).await {
        Ok(reply) => verdict(reply),
        Err(error @ DispatchError::Refused(Refusal::NotOpen | Refusal::StaleAttempt { .. })) => {
            let ended = exists(&app, trial, attempt).await?;
            let stored = app.reader.step(trial, attempt, step).await?;
            match (ended, stored) {
                // The answer to the first was lost on its way, and the attempt has ended since.
                (true, Some(stored)) if stored.metrics.same(&metrics) => {
                    let ends = app.reader.was_told_to_end(trial, attempt, step).await?;
                    let decision = if ends { Decision::Stop } else { Decision::Continue };
                    Ok(Json(Verdict { decision }))
                }
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// A checkpoint, put beforehand as a blob, is there to go on from.
#[utoipa::path(
    post,
    path = "/api/v1/trials/{trial_id}/checkpoint",
    operation_id = "checkpoint",
    tag = "workers",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    request_body = Checkpoint,
    responses((status = 204, description = "Done")),
)]
async fn checkpoint(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(checkpoint): Body<Checkpoint>,
) -> Result<StatusCode, ApiError> {
    let Checkpoint { attempt, step, hash, bytes } = checkpoint;
    app.dispatcher.handle(Input::Checkpoint { trial, attempt, step, hash, bytes }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The end of an attempt.
#[utoipa::path(
    post,
    path = "/api/v1/trials/{trial_id}/tell",
    operation_id = "tell",
    tag = "ask and tell",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    request_body = Tell,
    responses((status = 204, description = "Done")),
)]
async fn tell(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Body(tell): Body<Tell>,
) -> Result<StatusCode, ApiError> {
    let text = serde_json::to_string(&tell).map_err(|e| ApiError::internal(&e))?;
    let Tell { attempt, state, metrics, reason, weights } = tell;
    let input = Input::Tell { trial, attempt, state, metrics, reason, weights, text: text.clone() };
    match app.dispatcher.handle(input).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(error @ DispatchError::Refused(Refusal::NotOpen | Refusal::StaleAttempt { .. })) => {
            exists(&app, trial, attempt).await?;
            match app.reader.attempt_end(trial, attempt).await? {
                Some((_, Some(first))) if first == text => Ok(StatusCode::NO_CONTENT),
                _ => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the attempt has ended; an attempt that never was is not found.
async fn exists(app: &App, trial: TrialId, attempt: AttemptId) -> Result<bool, ApiError> {
    match app.reader.attempt_end(trial, attempt).await? {
        Some((state, _)) => Ok(state != "open"),
        None => Err(ApiError::not_found("attempt", format!("{attempt} of trial {trial}"))),
    }
}

pub(super) fn verdict(reply: Reply) -> Result<Json<Verdict>, ApiError> {
    match reply {
        Reply::Decision(decision) => Ok(Json(Verdict { decision })),
        other => Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            format!("the scheduler answered {other:?} to a report"),
        )),
    }
}
