//! The HTTP API: a thin shell around the dispatcher (writes) and the reader (questions).
//!
//! Decides nothing: every write goes through the scheduler, every answer through the store's query types.

mod auth;
mod blobs;
mod datasets;
mod error;
mod extract;
mod faces;
mod health;
mod known;
mod listing;
mod notes;
mod openapi;
mod pictures;
mod sweeps;
mod timeline;
mod trainer;
mod trial_files;
mod trials;
mod work;
mod workers;

pub use datasets::Counted;
pub use known::Known;
pub use trainer::Trainer;

use crate::domain::{DeviceReading, Millis};
use crate::scheduler::shell::Dispatcher;
use crate::store::Reader;
use axum::{Router, middleware};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tower_http::trace::TraceLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Largest body of an ordinary call, in bytes.
const BODY_LIMIT_BYTES: usize = 4 << 20;

/// What every handler sees.
#[derive(Clone)]
pub struct App {
    /// The home folder.
    pub home: PathBuf,
    /// The scheduler.
    pub dispatcher: Dispatcher,
    /// The database, for questions.
    pub reader: Reader,
    /// Sweeps by their public ids, as far as they were asked for.
    pub known: Arc<Known>,
    /// What datasets are in numbers, as far as they were asked for.
    pub counted: Arc<Counted>,
    /// The program that has libtorch, for questions that need it.
    pub trainer: Arc<Trainer>,
    /// The token that is wanted; `None` on loopback with `--no-auth`.
    pub token: Option<Arc<str>>,
    /// Ends the daemon.
    pub stop: Arc<StopRequest>,
    /// The daemon's clock.
    pub clock: fn() -> Millis,
    /// When the daemon started.
    pub started: Millis,
    /// The GPUs in use, as they were last read.
    pub devices: watch::Receiver<Vec<DeviceReading>>,
    /// Turns true when workers are to end: nobody waits for work any more.
    pub draining: watch::Receiver<bool>,
}

/// A request to end the daemon that came over HTTP.
#[derive(Debug, Default)]
pub struct StopRequest {
    /// Fired once when somebody asks.
    pub asked: Notify,
    /// Whether workers are to be ended too.
    pub drain: std::sync::atomic::AtomicBool,
}

/// All routes.
pub fn router(app: App) -> Router {
    let (guarded, _) = described().split_for_parts();
    let guarded = guarded
        .merge(openapi::routes(description()))
        .layer(middleware::from_fn_with_state(app.clone(), auth::require_token));
    let (open, _) = health::open_routes().split_for_parts();
    Router::new()
        .merge(guarded)
        .merge(open)
        .fallback(error::no_such_route)
        // What fails is logged where it fails; a full disk, which every worker asks about again, only once.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(app)
}

/// What the API is, for programs: an OpenAPI document.
#[must_use]
pub fn description() -> OpenApi {
    openapi::complete(described().merge(health::open_routes()).into_openapi())
}

/// The routes that want a token, with their descriptions.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(sweeps::routes())
        .merge(listing::routes())
        .merge(pictures::routes())
        .merge(timeline::routes())
        .merge(trials::routes())
        .merge(trial_files::routes())
        .merge(notes::routes())
        .merge(datasets::routes())
        .merge(faces::routes())
        .merge(work::routes())
        .merge(workers::routes())
        .merge(health::guarded_routes())
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .merge(blobs::routes())
}
