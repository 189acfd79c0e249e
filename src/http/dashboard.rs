//! The dashboard: files that `build.rs` had made and that are part of this program. They are no secret, so nobody is
//! asked for a token; what they show comes from the API, which asks.

use super::App;
use super::error::ApiError;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the build left: the pages, or one page that says how to get them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dashboard"]
struct Files;

const PAGE: &str = "index.html";

/// Names under `/assets` hold a hash of their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Asked for again each time, but only sent where it has changed.
const ASK_AGAIN: &str = "no-cache";

pub(super) fn routes() -> Router<App> {
    // The browser's own router shows what belongs to a path.
    Router::new()
        .route("/", get(page))
        .route("/sweeps/{*rest}", get(page))
        .route("/trials/{*rest}", get(page))
        .route("/data", get(page))
        .route("/data/{*rest}", get(page))
        .route("/workers", get(page))
        .route("/assets/{*file}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    match Files::get(PAGE) {
        Some(file) => sent(&file, ASK_AGAIN, &headers),
        None => ApiError::not_found("file", PAGE).into_response(),
    }
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match Files::get(&format!("assets/{file}")) {
        Some(found) => sent(&found, FOR_EVER, &headers),
        None => ApiError::not_found("file", file).into_response(),
    }
}

fn sent(file: &EmbeddedFile, keep: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(&file.data).to_hex()[..16]);
    let has_it = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let about = [(header::ETAG, tag), (header::CACHE_CONTROL, keep.to_owned())];
    if has_it {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    (about, kind, file.data.clone().into_owned()).into_response()
}
