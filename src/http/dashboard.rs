//! The dashboard: files that `build.rs` had made and that are part of this program. They are no secret, so nobody is
//! asked for a token; what they show comes from the API, which asks.

use super::App;
use super::error::ApiError;
use super::extract::Path;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

/// What the build left: the pages, or one page that says how to get them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/dashboard"]
struct Files;

const PAGE: &str = "index.html";

/// Names under `/assets` hold a hash of their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Asked for again each time, and sent where its tag has changed.
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

async fn page() -> Response {
    sent(PAGE, ASK_AGAIN)
}

async fn asset(Path(file): Path<String>) -> Response {
    sent(&format!("assets/{file}"), FOR_EVER)
}

fn sent(name: &str, keep: &'static str) -> Response {
    let Some(file) = Files::get(name) else { return ApiError::not_found("file", name).into_response() };
    let kind = file.metadata.mimetype().to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep.to_owned())], file.data).into_response()
}
