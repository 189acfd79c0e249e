//! What is done to a sweep: pause, resume, cancel, remove, reorder; trials that are enqueued or asked for.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::known::find;
use crate::domain::{ObjectiveKind, Params};
use crate::scheduler::{Command, Input, Reply, Seeker};
use crate::worker::protocol::{Ask, Asked};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(remove))
        .routes(routes!(priority))
        .routes(routes!(ask))
        .routes(routes!(enqueue))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

/// Which sweep goes first.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Priority {
    /// The sweep with the largest number gets the next free slot.
    priority: i64,
}

/// Gives a sweep another priority; it counts from the next free slot on.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/priority",
    operation_id = "prioritise_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Priority,
    responses((status = 204, description = "Done")),
)]
async fn priority(
    app: State<App>,
    word: Path<String>,
    Body(Priority { priority }): Body<Priority>,
) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Prioritise(priority)).await
}

/// A trial to work on; 204 when there is nothing now, 410 when the sweep is over.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/ask",
    operation_id = "ask",
    tag = "ask and tell",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Ask,
    responses((status = 200, description = "The answer", body = Asked), (status = 204, description = "There is nothing now")),
)]
async fn ask(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    let sweep = find(&app, &word).await?;
    let is_new = ask.request_id.is_none();
    let request_id = match ask.request_id {
        Some(id) => id,
        None => crate::home::random_word(20).map_err(|e| ApiError::internal(&e))?,
    };
    let seeker = Seeker {
        worker: format!("client {request_id}"),
        slot: "client".into(),
        request_id,
        is_new,
        kinds: vec![ObjectiveKind::External],
        environment: BTreeMap::new(),
        beside: None,
    };
    let lease_ms = ask.lease_s.map(|s| i64::from(s) * 1000);
    match app.dispatcher.handle(Input::Ask { sweep, seeker, lease_ms }).await? {
        Reply::Work(claimed) => Ok(Json(Asked {
            trial_id: claimed.leg.trial,
            number: claimed.number,
            attempt: claimed.attempt,
            params: claimed.params,
            fold: claimed.leg.fold,
            from_step: claimed.leg.from_step,
            until_step: claimed.leg.until_step,
            parent: claimed.descent.map(Into::into),
        })
        .into_response()),
        _ => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// A configuration to try next: parameters by name.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/enqueue",
    operation_id = "enqueue",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Params,
    responses((status = 204, description = "Done")),
)]
async fn enqueue(
    app: State<App>,
    word: Path<String>,
    Body(params): Body<Params>,
) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Enqueue(params)).await
}

/// Hands out no new trials; running ones finish.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/pause",
    operation_id = "pause_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn pause(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Pause).await
}

/// Hands out trials again.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/resume",
    operation_id = "resume_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn resume(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Resume).await
}

/// Ends a sweep; running trials are stopped.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/cancel",
    operation_id = "cancel_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn cancel(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Cancel).await
}

/// Deletes a sweep that is over, with its trials and weights.
#[utoipa::path(
    delete,
    path = "/api/v1/sweeps/{sweep}",
    operation_id = "remove_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn remove(State(app): State<App>, Path(word): Path<String>) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    let uid = app.reader.sweep(sweep).await?.map(|sweep| sweep.id);
    app.dispatcher.handle(Input::Command { sweep, command: Command::Remove }).await?;
    app.known.forget(sweep);
    // The record goes with the sweep: it does not say so.
    app.live.touch(sweep, &uid.unwrap_or(word));
    Ok(StatusCode::NO_CONTENT)
}

async fn command(
    State(app): State<App>,
    Path(word): Path<String>,
    command: Command,
) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    app.dispatcher.handle(Input::Command { sweep, command }).await?;
    Ok(StatusCode::NO_CONTENT)
}
