//! Content-addressed files: weights now, checkpoints with them later.

use super::App;
use super::error::ApiError;
use super::extract::Path;
use crate::store::blob;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::put;

/// Largest blob, in bytes: a checkpoint of a hundred million parameters under adam (weights, best weights, two
/// moments) in single precision, and some.
const BLOB_LIMIT_BYTES: usize = 2 << 30;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/blobs/{hash}", put(put_blob).get(get_blob))
        .layer(DefaultBodyLimit::max(BLOB_LIMIT_BYTES))
}

async fn put_blob(
    State(app): State<App>,
    Path(hash): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, ApiError> {
    let stored = tokio::task::spawn_blocking(move || {
        let found = blake3::hash(&bytes).to_hex();
        if found.as_str() != hash {
            let message = format!("the bytes hash to {found}, not to {hash}: they were damaged on the way");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "hash_differs", message));
        }
        Ok(blob::put(&app.home, &bytes)?)
    });
    stored.await.map_err(|e| ApiError::internal(&e))??;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_blob(State(app): State<App>, Path(hash): Path<String>) -> Result<Vec<u8>, ApiError> {
    let path = blob::path(&app.home, &hash).ok_or_else(|| ApiError::not_found("blob", &hash))?;
    tokio::fs::read(&path).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ApiError::not_found("blob", &hash),
        _ => ApiError::internal(&error),
    })
}
