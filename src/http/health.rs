//! Whether the daemon lives, what it is, and how to end it.

use super::App;
use super::error::ApiError;
use super::extract::Body;
use crate::domain::Millis;
use crate::store::Cleared;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn open_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz))
}

pub(super) fn guarded_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(daemon)).routes(routes!(stop)).routes(routes!(clear_up))
}

#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    status: &'static str,
}

/// Whether the daemon lives; no token is needed.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "daemon",
    responses((status = 200, description = "The answer", body = Health)),
)]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[derive(Serialize, utoipa::ToSchema)]
struct Daemon {
    version: &'static str,
    pid: u32,
    started_ms: Millis,
    idle: bool,
}

/// What the daemon is.
#[utoipa::path(
    get,
    path = "/api/v1/daemon",
    operation_id = "daemon",
    tag = "daemon",
    responses((status = 200, description = "The answer", body = Daemon)),
)]
async fn daemon(State(app): State<App>) -> Json<Daemon> {
    Json(Daemon {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        started_ms: app.started,
        idle: app.dispatcher.pulse().borrow().idle,
    })
}

/// Removes checkpoints of ended trials, and files that nothing refers to.
#[utoipa::path(
    post,
    path = "/api/v1/daemon/gc",
    operation_id = "clear_up",
    tag = "daemon",
    responses((status = 200, description = "The answer", body = Cleared)),
)]
async fn clear_up(State(app): State<App>) -> Result<Json<Cleared>, ApiError> {
    Ok(Json(app.dispatcher.clear_up().await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Stop {
    /// End the workers too, after they have handed back what they have.
    drain: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Stopping {
    stopping: bool,
}

/// Ends the daemon.
#[utoipa::path(
    post,
    path = "/api/v1/daemon/stop",
    operation_id = "stop",
    tag = "daemon",
    request_body = Stop,
    responses((status = 200, description = "The answer", body = Stopping)),
)]
async fn stop(State(app): State<App>, Body(stop): Body<Stop>) -> Json<Stopping> {
    app.stop.drain.store(stop.drain, Ordering::SeqCst);
    app.stop.asked.notify_one();
    Json(Stopping { stopping: true })
}
