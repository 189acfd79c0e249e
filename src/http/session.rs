//! How a browser is let in: a link that works once gives it a cookie.

use super::App;
use super::auth::Caller;
use super::error::ApiError;
use super::extract::Body;
use crate::access::{LINK_MS, May, SESSION_DAYS};
use crate::domain::Millis;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn open_routes() -> Router<App> {
    Router::new().route("/open/{code}", get(open))
}

pub(super) fn guarded_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(session, end)).routes(routes!(make_link))
}

/// Takes a link's code and begins a session.
async fn open(State(app): State<App>, Path(code): Path<String>) -> Result<Response, ApiError> {
    let now = (app.clock)();
    let Some(may) = app.access.links.take(&code, now) else {
        let message = "this link has been used, or is too old: run `sweepd open` for another\n";
        return Ok((StatusCode::GONE, message).into_response());
    };
    let begun = tokio::task::spawn_blocking({
        let access = app.access.clone();
        move || access.sessions.begin(may, now)
    });
    let secret = begun.await.map_err(|e| ApiError::internal(&e))?.map_err(|e| ApiError::internal(&e))?;
    let seconds = SESSION_DAYS * 24 * 3600;
    let cookie =
        format!("{}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}", app.access.cookie);
    Ok((StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())])
        .into_response())
}

/// Who calls.
#[derive(Serialize, utoipa::ToSchema)]
struct Session {
    may: May,
}

/// What the caller may do.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "show_session",
    tag = "session",
    responses((status = 200, description = "The answer", body = Session)),
)]
async fn session(Extension(caller): Extension<Caller>) -> Json<Session> {
    Json(Session { may: caller.may })
}

/// Ends the session of the browser that calls.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "end_session",
    tag = "session",
    responses((status = 204, description = "Done")),
)]
async fn end(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(secret) = app.access.session_of(&headers).map(str::to_owned) {
        let access = app.access.clone();
        let ended = tokio::task::spawn_blocking(move || access.sessions.end(&secret));
        ended.await.map_err(|e| ApiError::internal(&e))?.map_err(|e| ApiError::internal(&e))?;
    }
    let cookie = format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", app.access.cookie);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// What whoever follows the link may do.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = WantedLink)]
#[serde(deny_unknown_fields)]
struct Wanted {
    may: May,
}

/// A link that works once.
#[derive(Serialize, utoipa::ToSchema)]
struct Link {
    path: String,
    until_ms: Millis,
}

/// Makes a link that lets one browser in.
#[utoipa::path(
    post,
    path = "/api/v1/session/link",
    operation_id = "make_link",
    tag = "session",
    request_body = Wanted,
    responses((status = 200, description = "The answer", body = Link)),
)]
async fn make_link(State(app): State<App>, Body(wanted): Body<Wanted>) -> Result<Json<Link>, ApiError> {
    if wanted.may == May::Work {
        let message = "a browser is no worker: give read or write";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_link", message));
    }
    let now = (app.clock)();
    let path = app.access.make_link(wanted.may, now).map_err(|e| ApiError::internal(&e))?;
    Ok(Json(Link { path, until_ms: now.plus_ms(LINK_MS) }))
}
