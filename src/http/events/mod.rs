//! Server-sent events: what happens, as it happens, with nothing missed and nothing told twice.
//!
//! One task, the [feed](feed), reads the database for all readers; each reader has a place in the record, takes what
//! the feed hands around, and where that does not begin at its place, reads what it missed itself. So whoever is slow,
//! or comes back after a while, costs nobody else anything: what was handed around is dropped after a moment, whether
//! everybody took it or not.

mod cursor;
mod feed;
mod line;
mod stream;

pub use feed::{Feed, Live};

use super::App;
use super::error::ApiError;
use super::extract::Query;
use super::known::find;
use crate::domain::TrialId;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use stream::{Filter, Stream};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// What of the events is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of one sweep alone.
    sweep: Option<String>,
    /// Of one trial alone.
    trial: Option<TrialId>,
    /// From this place on, where the header `Last-Event-ID` does not say.
    after: Option<String>,
}

/// What happens, as it happens: server-sent events, from `Last-Event-ID` on where that is given. `docs/api.md` has
/// their kinds.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "events",
    tag = "events",
    params(Wanted),
    responses((status = 200, description = "A stream that stays open", body = String, content_type = "text/event-stream")),
)]
async fn events(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sweep = match &wanted.sweep {
        Some(word) => Some(find(&app, word).await?),
        None => None,
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let filter = Filter { sweep, trial: wanted.trial };
    let stream = Stream::open(&app.live, filter, last.or(wanted.after).as_deref()).await?;
    let body = Body::from_stream(stream.chunks());
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies would gather what is to arrive at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
