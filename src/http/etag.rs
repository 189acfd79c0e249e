//! What a client has already is not sent again: every whole answer to a question has an `ETag` of its content, and who
//! names it gets 304. The tag is weak: the answer may travel compressed or not.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Larger answers, and those whose size is not known yet, are sent as they are.
const MOST_BYTES: u64 = 8 << 20;

/// A client may keep it, and must ask whether it still holds.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Tags answers, and answers 304 where the client has what it asks for.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    if *request.method() != Method::GET {
        return next.run(request).await;
    }
    let had = request.headers().get_all(header::IF_NONE_MATCH).into_iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    let whole = response.body().size_hint().exact().filter(|bytes| *bytes <= MOST_BYTES);
    let has_tag = response.headers().contains_key(header::ETAG);
    let is_kept = response.headers().get(header::CACHE_CONTROL).is_none_or(|value| value != "no-store");
    let mut response = match (response.status(), whole) {
        (StatusCode::OK, Some(bytes)) if !has_tag && is_kept => match tagged(response, bytes).await {
            Ok(response) => response,
            Err(error) => return super::error::ApiError::internal(&error).into_response(),
        },
        _ => response,
    };
    if let Some(tag) = response.headers().get(header::ETAG).cloned() {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(ASK_AGAIN);
        if response.status() == StatusCode::OK && names(&had, &tag) {
            return not_modified(response.headers());
        }
    }
    response
}

async fn tagged(response: Response, bytes: u64) -> Result<Response, axum::Error> {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::try_from(bytes).unwrap_or(usize::MAX)).await?;
    let hash = blake3::hash(&body).to_hex();
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..32])) {
        parts.headers.insert(header::ETAG, tag);
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Whether a client that names these tags has the one: their strength does not matter to it.
pub(super) fn names(had: &[HeaderValue], tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(opaque) else { return false };
    let had = had.iter().filter_map(|value| value.to_str().ok());
    had.flat_map(|line| line.split(',')).any(|known| known.trim() == "*" || opaque(known) == tag)
}

fn not_modified(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
