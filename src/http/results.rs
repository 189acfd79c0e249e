//! What came of a sweep: its best trials, its front, what mattered, and whether its decisions can be derived again.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use super::known::find;
use crate::report;
use crate::scheduler::{self, Difference};
use crate::store::query::{Front, Leaderboard};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(best))
        .routes(routes!(front))
        .routes(routes!(importance))
        .routes(routes!(replay))
}

/// What came of deriving a sweep's decisions again.
#[derive(Serialize, utoipa::ToSchema)]
struct Replayed {
    /// Whether all decisions agree with what is stored.
    agrees: bool,
    /// How many were derived; null where one differs.
    decisions: Option<u64>,
    /// The first that differs.
    difference: Option<Difference>,
}

/// Derives every decision of a sweep again and compares it with what is stored.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/replay",
    operation_id = "replay_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = Replayed)),
)]
async fn replay(State(app): State<App>, Path(word): Path<String>) -> Result<Json<Replayed>, ApiError> {
    let sweep = find(&app, &word).await?;
    let none = || ApiError::not_found("sweep", &word);
    let stored = app.reader.stored_decisions(sweep).await?.ok_or_else(none)?;
    let outcome = tokio::task::spawn_blocking(move || scheduler::replay(&stored));
    let outcome = outcome.await.map_err(|e| ApiError::internal(&e))?;
    Ok(Json(Replayed {
        agrees: outcome.is_ok(),
        decisions: outcome.as_ref().ok().copied(),
        difference: outcome.err().map(|difference| *difference),
    }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HowMany {
    #[serde(default = "ten")]
    n: u64,
}

fn ten() -> u64 {
    10
}

/// The best completed trials.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/best",
    operation_id = "best_trials",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), HowMany),
    responses((status = 200, description = "The answer", body = Leaderboard)),
)]
async fn best(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(HowMany { n }): Query<HowMany>,
) -> Result<Json<Leaderboard>, ApiError> {
    let sweep = find(&app, &word).await?;
    let board = app.reader.leaderboard(sweep, n.min(MOST_TRIALS)).await?;
    board.map(Json).ok_or_else(|| ApiError::not_found("sweep", word))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HowManyOfFront {
    #[serde(default = "all_that_fit")]
    n: u64,
}

/// The most trials that one answer holds.
const MOST_TRIALS: u64 = 10_000;

fn all_that_fit() -> u64 {
    MOST_TRIALS
}

/// The completed trials that no other one dominates.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/front",
    operation_id = "front",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), HowManyOfFront),
    responses((status = 200, description = "The answer", body = Front)),
)]
async fn front(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(HowManyOfFront { n }): Query<HowManyOfFront>,
) -> Result<Json<Front>, ApiError> {
    let sweep = find(&app, &word).await?;
    let front = app.reader.front(sweep, n.min(MOST_TRIALS)).await?;
    front.map(Json).ok_or_else(|| ApiError::not_found("sweep", word))
}

/// How much each parameter mattered, by the completed trials, of very many by some; 409 while there are too few.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/importance",
    operation_id = "importance",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = report::Importances)),
)]
async fn importance(
    State(app): State<App>,
    Path(word): Path<String>,
) -> Result<Json<report::Importances>, ApiError> {
    let id = find(&app, &word).await?;
    let sweep = app.reader.sweep(id).await?.ok_or_else(|| ApiError::not_found("sweep", word))?;
    let completed = app.reader.completed(id, report::MOST_RESULTS).await?;
    // Growing trees is no work for an async thread.
    let derived = tokio::task::spawn_blocking(move || report::importances(&sweep.spec, &completed));
    let found = derived.await.map_err(|e| ApiError::internal(&e))?;
    let too_few = || {
        let message = format!("fewer than {} trials have completed", report::LEAST_RESULTS);
        ApiError::new(StatusCode::CONFLICT, "too_few_results", message)
    };
    found.map(Json).ok_or_else(too_few)
}
