//! What a trial left behind, and what its network is made of: log, checkpoints, layers.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use crate::dataset;
use crate::domain::{ObjectiveKind, TrialId};
use crate::home::{TRIAL_LOG, trial_folder};
use crate::model::{Layer, Plan};
use crate::store::query::{CheckpointSummary, SweepSummary, TrialDetail};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most of a log that one answer holds, in bytes.
const MOST_BYTES: u64 = 1 << 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log)).routes(routes!(checkpoints)).routes(routes!(layers))
}

/// Which part of a log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Part {
    /// At most so many bytes, up to 1 MiB.
    bytes: Option<u64>,
    /// From this byte on; the end of the log unless given.
    from: Option<u64>,
}

/// A part of a log.
#[derive(Serialize, utoipa::ToSchema)]
struct LogPart {
    text: String,
    /// The byte at which the text begins.
    from: u64,
    /// The whole log's size, in bytes: what comes later is there from this byte on.
    size: u64,
}

/// What a trial's worker wrote; nothing where it has not started.
#[utoipa::path(
    get,
    path = "/api/v1/trials/{trial_id}/log",
    operation_id = "trial_log",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id"), Part),
    responses((status = 200, description = "The answer", body = LogPart)),
)]
async fn log(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Query(part): Query<Part>,
) -> Result<Json<LogPart>, ApiError> {
    let (_, uid, number) = name(&app, trial).await?;
    let folder = trial_folder(&app.home, &uid, number);
    let read = tokio::task::spawn_blocking(move || read_log(&folder, &part));
    match read.await.map_err(|e| ApiError::internal(&e))? {
        Ok(part) => Ok(Json(part)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Json(LogPart { text: String::new(), from: 0, size: 0 }))
        }
        Err(error) => Err(ApiError::internal(&error)),
    }
}

fn read_log(folder: &std::path::Path, part: &Part) -> io::Result<LogPart> {
    // A program that is a trial may write into its folder: a link that it left there leads nowhere.
    let path: PathBuf = folder.canonicalize()?.join(TRIAL_LOG);
    if path.canonicalize()? != path {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the log is a link"));
    }
    let mut file = File::open(&path)?;
    let size = file.metadata()?.len();
    let bytes = part.bytes.unwrap_or(64 << 10).min(MOST_BYTES);
    let from = part.from.unwrap_or(size.saturating_sub(bytes)).min(size);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.take(bytes).read_to_end(&mut text)?;
    Ok(LogPart { text: String::from_utf8_lossy(&text).into_owned(), from, size })
}

/// The checkpoints that are kept, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/trials/{trial_id}/checkpoints",
    operation_id = "trial_checkpoints",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    responses((status = 200, description = "The answer", body = Vec<CheckpointSummary>)),
)]
async fn checkpoints(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
) -> Result<Json<Vec<CheckpointSummary>>, ApiError> {
    name(&app, trial).await?;
    Ok(Json(app.reader.checkpoints(trial).await?))
}

/// A network.
#[derive(Serialize, utoipa::ToSchema)]
struct Network {
    layers: Vec<LayerRow>,
    /// How many numbers it holds.
    parameter_count: u64,
    /// How many of them training changes.
    trainable_count: u64,
    /// Multiplications for one image on its way forwards.
    multiply_adds: u64,
    /// What training takes of memory, roughly; null where the dataset is not there.
    memory_bytes: Option<u64>,
}

/// A layer.
#[derive(Serialize, utoipa::ToSchema)]
struct LayerRow {
    name: String,
    /// What it does: `conv2d`, `batch_norm` ...
    kind: String,
    /// The same for people.
    description: String,
    /// What it puts out for one image: `[C, H, W]` or `[width]`.
    output: Vec<usize>,
    /// How many numbers it holds.
    parameters: u64,
}

/// What a trial's network is made of; 409 where it has none.
#[utoipa::path(
    get,
    path = "/api/v1/trials/{trial_id}/layers",
    operation_id = "trial_layers",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id")),
    responses((status = 200, description = "The answer", body = Network)),
)]
async fn layers(State(app): State<App>, Path(trial): Path<TrialId>) -> Result<Json<Network>, ApiError> {
    let (detail, sweep) = trial_and_sweep(&app, trial).await?;
    let plan = (sweep.spec.objective.kind == ObjectiveKind::Keypoints)
        .then(|| Plan::from_params(&detail.trial.params))
        .and_then(Result::ok);
    let Some(plan) = plan else {
        let message = "this trial trains no network: only trials of keypoint sweeps do";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_network", message));
    };
    let (home, objective) = (app.home.clone(), sweep.spec.objective);
    let rows = tokio::task::spawn_blocking(move || {
        let dataset = dataset::find(&home, objective.dataset.as_deref()?).ok()?;
        Some((dataset.rows() as f64 * (1.0 - objective.validation)) as u64)
    });
    let rows = rows.await.map_err(|e| ApiError::internal(&e))?;
    let table = plan.layers();
    Ok(Json(Network {
        layers: table.layers().iter().map(layer_row).collect(),
        parameter_count: table.parameter_count(),
        trainable_count: table.trainable_count(),
        multiply_adds: table.multiply_adds(),
        memory_bytes: rows.map(|rows| plan.memory_estimate_bytes(rows)),
    }))
}

fn layer_row(layer: &Layer) -> LayerRow {
    LayerRow {
        name: layer.name.clone(),
        kind: layer.kind.word().to_owned(),
        description: layer.to_string(),
        output: layer.output.dimensions(),
        parameters: layer.parameters(),
    }
}

/// A trial with its sweep.
pub(super) async fn trial_and_sweep(
    app: &App,
    trial: TrialId,
) -> Result<(TrialDetail, SweepSummary), ApiError> {
    let none = || ApiError::not_found("trial", trial);
    let detail = app.reader.trial(trial).await?.ok_or_else(none)?;
    let sweep = app.reader.sweep_with_id(&detail.sweep).await?.ok_or_else(none)?;
    let sweep = app.reader.sweep(sweep).await?.ok_or_else(none)?;
    Ok((detail, sweep))
}

/// A trial's id, its sweep's public id, and its number there.
async fn name(app: &App, trial: TrialId) -> Result<(TrialId, String, u64), ApiError> {
    let found = app.reader.trial_names(&[trial]).await?.pop();
    found.map(|(trial, number, uid)| (trial, uid, number)).ok_or_else(|| ApiError::not_found("trial", trial))
}
