//! Whether the daemon lives, what it is, and how to end it.

use super::App;
use super::error::ApiError;
use super::extract::Body;
use crate::domain::Millis;
use crate::store::Cleared;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

pub(super) fn open_routes() -> Router<App> {
    Router::new().route("/healthz", get(healthz))
}

pub(super) fn guarded_routes() -> Router<App> {
    Router::new()
        .route("/api/v1/daemon", get(daemon))
        .route("/api/v1/daemon/stop", post(stop))
        .route("/api/v1/daemon/gc", post(clear_up))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[derive(Serialize)]
struct Daemon {
    version: &'static str,
    pid: u32,
    started_ms: Millis,
    idle: bool,
}

async fn daemon(State(app): State<App>) -> Json<Daemon> {
    Json(Daemon {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        started_ms: app.started,
        idle: app.dispatcher.pulse().borrow().idle,
    })
}

async fn clear_up(State(app): State<App>) -> Result<Json<Cleared>, ApiError> {
    Ok(Json(app.dispatcher.clear_up().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    /// End the workers too, after they have handed back what they have.
    drain: bool,
}

#[derive(Serialize)]
struct Stopping {
    stopping: bool,
}

async fn stop(State(app): State<App>, Body(stop): Body<Stop>) -> Json<Stopping> {
    app.stop.drain.store(stop.drain, Ordering::SeqCst);
    app.stop.asked.notify_one();
    Json(Stopping { stopping: true })
}
