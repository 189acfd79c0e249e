//! Content-addressed files: weights now, checkpoints with them later.

use super::App;
use super::error::ApiError;
use super::etag;
use super::extract::Path;
use crate::store::blob;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest blob, in bytes: a checkpoint of a hundred million parameters under adam (weights, best weights, two
/// moments) in single precision, and some.
pub(super) const BLOB_LIMIT_BYTES: usize = 2 << 30;

const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put_blob, get_blob)).layer(DefaultBodyLimit::max(BLOB_LIMIT_BYTES))
}

/// Stores bytes under their BLAKE3.
#[utoipa::path(
    put,
    path = "/api/v1/blobs/{hash}",
    operation_id = "put_blob",
    tag = "blobs",
    params(("hash" = String, Path, description = "BLAKE3 of the bytes, in hex")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "Done")),
)]
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

/// Weights or a checkpoint: it never changes, so who has it need not ask for it again.
#[utoipa::path(
    get,
    path = "/api/v1/blobs/{hash}",
    operation_id = "get_blob",
    tag = "blobs",
    params(("hash" = String, Path, description = "BLAKE3 of the bytes, in hex")),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "It is what was had already"),
    ),
)]
async fn get_blob(
    State(app): State<App>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let path = blob::path(&app.home, &hash).ok_or_else(|| ApiError::not_found("blob", &hash))?;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ApiError::not_found("blob", &hash),
        _ => ApiError::internal(&error),
    };
    let tag = HeaderValue::from_str(&format!("\"{hash}\"")).map_err(|e| ApiError::internal(&e))?;
    let had: Vec<HeaderValue> = headers.get_all(header::IF_NONE_MATCH).into_iter().cloned().collect();
    let kept = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, FOR_EVER)];
    if etag::names(&had, &tag) && tokio::fs::try_exists(&path).await.map_err(failed)? {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, tokio::fs::read(&path).await.map_err(failed)?).into_response())
}
