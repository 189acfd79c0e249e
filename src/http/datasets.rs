//! Datasets: what there is, and the faces in them.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use crate::dataset::summary::Summary;
use crate::dataset::{self, Dataset, DatasetError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most faces of one answer.
const MOST_FACES: usize = 200;
/// Beyond that, what was counted is forgotten and begins anew.
const MOST_COUNTED: usize = 64;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(faces))
}

/// What datasets are in numbers, by their hashes: to count the labels of many faces takes its time.
#[derive(Debug, Default)]
pub struct Counted(Mutex<HashMap<String, DatasetRow>>);

impl Counted {
    fn of(&self, dataset: &Dataset) -> DatasetRow {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The same data may have another name.
        let key = format!("{}/{}", dataset.name(), dataset.hash());
        if let Some(known) = counted.get(&key) {
            return known.clone();
        }
        if counted.len() >= MOST_COUNTED {
            counted.clear();
        }
        let row = DatasetRow::of(dataset);
        counted.insert(key, row.clone());
        row
    }
}

/// A dataset in numbers.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct DatasetRow {
    name: String,
    rows: usize,
    /// Rows that lack no label.
    complete_rows: usize,
    /// Different images.
    images: usize,
    /// RMSE in pixels of predicting the mean face; null where the rows cannot be split.
    baseline: Option<f64>,
    keypoints: Vec<String>,
    /// How many rows lack a label, by column.
    missing: BTreeMap<String, usize>,
    /// Columns of numbers beside the image, which networks may take.
    numbers: Vec<String>,
    /// BLAKE3 of columns, images, labels and numbers.
    hash: String,
    /// Where it came from.
    from: String,
    /// The size of its file.
    bytes: u64,
    /// Why it cannot be read; then all numbers are 0.
    error: Option<String>,
}

impl DatasetRow {
    fn of(dataset: &Dataset) -> Self {
        let summary = Summary::of(dataset);
        Self {
            keypoints: keypoints(dataset),
            rows: summary.rows,
            complete_rows: summary.full_rows,
            images: summary.groups,
            baseline: summary.mean_face_rmse,
            missing: summary.missing.into_iter().map(|column| (column.column, column.missing)).collect(),
            numbers: summary.numbers,
            from: summary.provenance.kind,
            hash: summary.hash,
            bytes: summary.file_bytes,
            name: summary.name,
            error: None,
        }
    }

    fn damaged(name: String, error: &DatasetError) -> Self {
        Self {
            name,
            rows: 0,
            complete_rows: 0,
            images: 0,
            baseline: None,
            keypoints: Vec::new(),
            missing: BTreeMap::new(),
            numbers: Vec::new(),
            hash: String::new(),
            from: String::new(),
            bytes: 0,
            error: Some(crate::error_chain(error)),
        }
    }
}

/// The names of a dataset's points: of each two columns one.
pub(super) fn keypoints(dataset: &Dataset) -> Vec<String> {
    dataset.columns().iter().step_by(2).map(|column| column.trim_end_matches("_x").to_owned()).collect()
}

/// All datasets.
#[utoipa::path(
    get,
    path = "/api/v1/datasets",
    operation_id = "list_datasets",
    tag = "datasets",
    responses((status = 200, description = "The answer", body = Vec<DatasetRow>)),
)]
async fn list(State(app): State<App>) -> Result<Json<Vec<DatasetRow>>, ApiError> {
    let listed = tokio::task::spawn_blocking(move || {
        let row = |name: String| match dataset::find(&app.home, &name) {
            Ok(dataset) => app.counted.of(&dataset),
            Err(error) => DatasetRow::damaged(name, &error),
        };
        Ok::<_, DatasetError>(dataset::list(&app.home)?.into_iter().map(row).collect())
    });
    listed.await.map_err(|e| ApiError::internal(&e))?.map(Json).map_err(|e| ApiError::internal(&e))
}

/// Which faces.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    offset: usize,
    /// At most so many, up to 200.
    limit: Option<usize>,
}

/// Some faces of a dataset.
#[derive(Serialize, utoipa::ToSchema)]
struct Faces {
    faces: Vec<Face>,
    /// How many there are.
    rows: usize,
    /// Height and width of each, in pixels.
    side_px: usize,
}

/// A face.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Face {
    pub row: usize,
    /// Grey values row by row, a byte each, in base64.
    pub pixels: String,
    /// Where its keypoints are, in pixels; null where that is not known.
    pub truth: Vec<Option<(f32, f32)>>,
}

impl Face {
    pub fn of(dataset: &Dataset, row: usize) -> Self {
        Self { row, pixels: STANDARD.encode(dataset.image(row)), truth: points(dataset.labels(row)) }
    }
}

/// Two numbers to a point.
pub(super) fn points(labels: &[f32]) -> Vec<Option<(f32, f32)>> {
    let (pairs, _) = labels.as_chunks::<2>();
    pairs.iter().map(|[x, y]| (x.is_finite() && y.is_finite()).then_some((*x, *y))).collect()
}

/// Faces of a dataset.
#[utoipa::path(
    get,
    path = "/api/v1/datasets/{name}/faces",
    operation_id = "dataset_faces",
    tag = "datasets",
    params(("name" = String, Path, description = "A dataset's name"), Rows),
    responses((status = 200, description = "The answer", body = Faces)),
)]
async fn faces(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(rows): Query<Rows>,
) -> Result<Json<Faces>, ApiError> {
    let read = tokio::task::spawn_blocking(move || {
        let dataset = open(app.home.clone(), &name)?;
        let limit = rows.limit.unwrap_or(24).min(MOST_FACES);
        let until = rows.offset.saturating_add(limit).min(dataset.rows());
        let faces = (rows.offset..until).map(|row| Face::of(&dataset, row)).collect();
        Ok(Faces { faces, rows: dataset.rows(), side_px: dataset.side_px() })
    });
    read.await.map_err(|e| ApiError::internal(&e))?.map(Json)
}

/// A dataset by its name.
pub(super) fn open(home: PathBuf, name: &str) -> Result<Dataset, ApiError> {
    let known = dataset::list(&home).map_err(|e| ApiError::internal(&e))?;
    if !known.iter().any(|known| known == name) {
        return Err(ApiError::not_found("dataset", name));
    }
    let damaged = |e| ApiError::new(StatusCode::CONFLICT, "bad_dataset", crate::error_chain(&e));
    dataset::find(&home, name).map_err(damaged)
}
