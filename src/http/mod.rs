//! The HTTP API: a thin shell around the dispatcher (writes) and the reader (questions).
//!
//! Decides nothing: every write goes through the scheduler, every answer through the store's query types.

mod auth;
mod blobs;
mod commits;
mod dashboard;
mod datasets;
mod edit;
mod ensembles;
mod error;
mod etag;
mod events;
mod extract;
mod faces;
mod guard;
mod health;
mod history;
mod hosts;
mod known;
mod listing;
mod making;
mod metrics;
mod notes;
mod openapi;
mod pictures;
mod results;
mod session;
mod steer;
mod sweeps;
mod timeline;
mod trainer;
mod trial_files;
mod trials;
mod warm_start;
mod work;
mod workers;

pub use auth::Access;
pub use commits::{Commits, ROOM as ROOM_FOR_COMMITS};
pub use datasets::Counted;
pub use events::{Feed, Live};
pub use history::History;
pub use known::Known;
pub use making::Maker;
pub use metrics::Metrics;
pub use trainer::Trainer;

use crate::domain::{DeviceReading, Millis};
use crate::scheduler::shell::Dispatcher;
use crate::store::Reader;
use axum::{Router, middleware};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Largest body of an ordinary call, in bytes.
const BODY_LIMIT_BYTES: usize = 4 << 20;

/// What every handler sees. Each call and each layer takes a copy: one count, whatever there is to see.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What handlers see of the daemon.
pub struct Parts {
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
    /// Ensembles that are asked for.
    pub maker: Arc<Maker>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// What happens, for those who look on.
    pub live: Live,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What the machine was used for.
    pub history: Arc<History>,
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
    /// Turns true when the daemon ends: nobody waits for anything any more.
    pub closing: watch::Receiver<bool>,
}

/// A request to end the daemon that came over HTTP.
#[derive(Debug, Default)]
pub struct StopRequest {
    /// Fired once when somebody asks.
    pub asked: Notify,
    /// Whether workers are to be ended too.
    pub drain: std::sync::atomic::AtomicBool,
}

/// A body of which nothing comes for so long is given up.
const BODY_SILENCE: Duration = Duration::from_secs(30);

/// All routes.
pub fn router(parts: Parts) -> Router {
    let app = App(Arc::new(parts));
    let (guarded, _) = described().split_for_parts();
    let guarded = guarded
        .merge(openapi::routes(description()))
        .layer(middleware::from_fn_with_state(app.clone(), auth::check));
    let (open, _) = health::open_routes().split_for_parts();
    let compressed = DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream"));
    Router::new()
        .merge(guarded)
        .merge(open)
        .merge(session::open_routes())
        .merge(dashboard::routes())
        .fallback(error::no_such_route)
        .layer(middleware::from_fn(etag::tag))
        // Most browsers are on this machine or near it: the least effort is what they wait for least.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(compressed))
        .layer(RequestBodyTimeoutLayer::new(BODY_SILENCE))
        // What fails is logged where it fails; a full disk, which every worker asks about again, only once.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::time))
        .with_state(app)
}

/// What the API is, for programs: an OpenAPI document.
#[must_use]
pub fn description() -> OpenApi {
    openapi::complete(described().merge(health::open_routes()).into_openapi())
}

/// The routes that want a token, with their descriptions.
fn described() -> OpenApiRouter<App> {
    let ordinary = OpenApiRouter::with_openapi(openapi::head())
        .merge(sweeps::routes())
        .merge(results::routes())
        .merge(steer::routes())
        .merge(edit::routes())
        .merge(listing::routes())
        .merge(pictures::routes())
        .merge(timeline::routes())
        .merge(trials::routes())
        .merge(ensembles::routes())
        .merge(making::routes())
        .merge(trial_files::routes())
        .merge(notes::routes())
        .merge(datasets::routes())
        .merge(faces::routes())
        .merge(work::routes())
        .merge(workers::routes())
        .merge(health::guarded_routes())
        .merge(session::guarded_routes())
        .merge(events::routes())
        .merge(metrics::routes());
    guard::limited(ordinary, BODY_LIMIT_BYTES, guard::ANSWER_TIME).merge(blobs::routes())
}

/// What the log says of a call: its route, and not its path, which may hold a link's code.
fn span(request: &axum::extract::Request) -> tracing::Span {
    let route = request.extensions().get::<axum::extract::MatchedPath>();
    tracing::debug_span!("call", method = %request.method(), route = route.map_or("none", |route| route.as_str()))
}
