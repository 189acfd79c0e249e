//! The token: every route but `/healthz` wants it.

use super::App;
use super::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) async fn require_token(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(wanted) = &app.token else { return next.run(request).await };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(token) if same(token, wanted) => next.run(request).await,
        _ => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "a token is needed: `Authorization: Bearer TOKEN`; it stands in daemon.json in sweepd's home folder",
        )
        .into_response(),
    }
}

/// Compares by hash, so that the time taken says nothing about how much of the token was right
/// (`blake3::Hash` compares in constant time).
fn same(given: &str, wanted: &str) -> bool {
    blake3::hash(given.as_bytes()) == blake3::hash(wanted.as_bytes())
}
