//! A sweep goes on with another space.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query, text};
use super::listing::sweep_called;
use super::sweeps::{Submission, read_file, refused_sweep};
use crate::domain::terms::Alteration;
use crate::intake;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(edit))
}

/// Where the file came from, and whether it is to count.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Edit {
    #[serde(default)]
    file: Option<String>,
    /// The folder from which it was submitted: a relative `workdir` of a command is taken from there.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    folder: Option<PathBuf>,
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// What changes, and what is still of use of what is known.
#[derive(Serialize, utoipa::ToSchema)]
struct Edited {
    /// What is different; empty where nothing is, and then nothing happens.
    changes: Vec<Alteration>,
    /// How many of the trials so far are of the new space: of these the sampler knows.
    fit: u64,
    /// How many trials there are.
    trials: u64,
}

/// Goes on with another space, other constraints or another number of trials, from the next decision on.
///
/// The body is the whole sweep, as it would be submitted: as JSON, or the text of its file as `application/toml`.
/// Running trials go on. Trials whose configuration is not of the new space stay in the leaderboard, but the
/// sampler does not know of them any more. A sweep that had completed is active again. All else must be as it was.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/edit",
    operation_id = "edit_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Edit),
    request_body(content((String = "application/toml"), (serde_json::Value = "application/json"))),
    responses((status = 200, description = "The answer", body = Edited)),
)]
async fn edit(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(edit): Query<Edit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Edited>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let source = text(&body)?.to_owned();
    let file = Submission::of(&headers, edit.file, source.clone());
    let before = sweep.spec.clone();
    // Trying the constraints on a first trial is no work for an async thread.
    let read = tokio::task::spawn_blocking(move || {
        let spec = read_file(&file)?;
        intake::edited_terms(&before, spec, edit.folder.as_deref())
    });
    let terms = read.await.map_err(|e| ApiError::internal(&e))?.map_err(refused_sweep)?;
    let past = app.reader.past_terms(sweep.sweep).await?;
    let fits = intake::fitting(&past, &sweep.spec, &terms);
    let (fit, trials) = app.reader.count_configurations(sweep.sweep, fits).await?;
    let changes = sweep.spec.terms().alterations(&terms);
    if !edit.dry_run {
        app.dispatcher.edit(sweep.sweep, terms, source).await?;
    }
    Ok(Json(Edited { changes, fit, trials }))
}
