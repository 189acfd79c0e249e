//! Faces that the trainer's program has something to say about: what a trial's network predicts, and what augmentation
//! makes of them.

use super::App;
use super::datasets::{Face, keypoints, open, points};
use super::error::ApiError;
use super::extract::{Body, Path, Query};
use super::trial_files::trial_and_sweep;
use crate::dataset::split;
use crate::dataset::{COLUMNS, Dataset, Inputs, PIXELS};
use crate::domain::{Objective, Params, TrialId};
use crate::model::Plan;
use crate::report::view;
use crate::store::blob;
use crate::store::query::FoldSummary;
use crate::worker::predict::{Question, answer};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most faces of one answer, of the best and of the worst each.
const MOST_FACES: usize = 60;
/// Validation rows that are looked at; of more of them so many evenly.
const MOST_ROWS: usize = 5_000;
/// The most faces to augment at once, and how often each.
const MOST_AUGMENTED: usize = 24;
const VARIANTS: usize = 7;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_trial)).routes(routes!(augment))
}

/// How many faces.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HowMany {
    /// Of the best and of the worst each, up to 60.
    most: Option<usize>,
}

/// What a trial's best weights predict on the validation rows.
#[derive(Serialize, utoipa::ToSchema)]
struct Predicted {
    /// Over all labels of the rows, in pixels.
    rmse: Option<f64>,
    /// The rows that were looked at.
    rows: usize,
    per_keypoint: Vec<PointError>,
    /// The smallest error first.
    best: Vec<PredictedFace>,
    /// The largest error first.
    worst: Vec<PredictedFace>,
    /// Height and width of each face, in pixels.
    side_px: usize,
}

/// How far off a keypoint is.
#[derive(Serialize, utoipa::ToSchema)]
struct PointError {
    name: String,
    /// In pixels, x and y together; null where it has no label.
    rmse: Option<f64>,
    labels: u64,
}

/// A face with what was predicted.
#[derive(Serialize, utoipa::ToSchema)]
struct PredictedFace {
    #[serde(flatten)]
    face: Face,
    rmse: f64,
    /// In pixels, also outside of the image.
    predicted: Vec<Option<(f32, f32)>>,
}

/// The faces of the validation rows that a trial's network finds best and worst, and its error per keypoint.
#[utoipa::path(
    get,
    path = "/api/v1/trials/{trial_id}/faces",
    operation_id = "trial_faces",
    tag = "trials",
    params(("trial_id" = i64, Path, description = "A trial's id"), HowMany),
    responses((status = 200, description = "The answer", body = Predicted)),
)]
async fn of_trial(
    State(app): State<App>,
    Path(trial): Path<TrialId>,
    Query(HowMany { most }): Query<HowMany>,
) -> Result<Json<Predicted>, ApiError> {
    let (detail, sweep) = trial_and_sweep(&app, trial).await?;
    let objective = sweep.spec.objective;
    let conflict = |code, message: &str| ApiError::new(StatusCode::CONFLICT, code, message);
    // A trial with folds is looked at by the first of them that has weights.
    let of_fold = |fold: FoldSummary| fold.weights.map(|weights| (weights, fold.fold));
    let found = detail.trial.weights.map(|weights| (weights, 0));
    let found = found.or_else(|| detail.trial.folds.into_iter().find_map(of_fold));
    let (weights, fold) = found.unzip();
    let fold = fold.unwrap_or(0);
    let file = weights.as_deref().and_then(|hash| blob::path(&app.home, hash)).filter(|path| path.exists());
    let (Some(hash), Some(file), Some(name)) = (weights, file, objective.dataset.clone()) else {
        return Err(conflict(
            "no_weights",
            "the trial has no weights: only those that ended after an epoch have",
        ));
    };
    let home = app.home.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let dataset = open(home, &name)?;
        let rows = validation_rows(&dataset, &objective, fold)?;
        Ok::<_, ApiError>((dataset, rows))
    });
    let (dataset, rows) = opened.await.map_err(|e| ApiError::internal(&e))??;
    if sweep.dataset_hash.as_deref() != Some(dataset.hash()) {
        return Err(conflict(
            "dataset_differs",
            "the dataset has been replaced since this sweep was submitted",
        ));
    }
    let key = format!("predict {hash} {}", dataset.hash());
    let (path, shown) = (dataset.path().to_owned(), rows.clone());
    let said = app.trainer.ask(key, move |scratch, out| predict_args(scratch, out, &file, &path, &shown));
    let predicted = answer(&said.await?, rows.len() * COLUMNS).map_err(|e| unexpected(&e))?;
    let most = most.unwrap_or(12).clamp(1, MOST_FACES);
    let told = tokio::task::spawn_blocking(move || tell(&dataset, &rows, &predicted, most));
    Ok(Json(told.await.map_err(|e| ApiError::internal(&e))?))
}

/// The program said something else than it was asked for: another version of it, say.
fn unexpected(error: &std::io::Error) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "trainer_failed", error.to_string())
}

/// The rows that a trial of this objective was validated on, in one of its folds.
fn validation_rows(dataset: &Dataset, objective: &Objective, fold: u32) -> Result<Vec<usize>, ApiError> {
    let split = split::of_fold(dataset, objective, fold);
    let rows = split.map_err(|e| ApiError::internal(&e))?.validation;
    Ok(view::spread(rows.len(), MOST_ROWS).filter_map(|at| usize::try_from(rows[at]).ok()).collect())
}

/// Writes the images into files, and says what to do with them.
fn predict_args(
    scratch: &std::path::Path,
    out: PathBuf,
    weights: &std::path::Path,
    dataset: &std::path::Path,
    rows: &[usize],
) -> std::io::Result<Vec<OsString>> {
    let dataset = Dataset::open(dataset).map_err(std::io::Error::other)?;
    let question = Question::write(scratch, &Inputs::of_rows(&dataset, rows))?;
    Ok(question.args(weights, &out))
}

fn tell(dataset: &Dataset, rows: &[usize], predicted: &[f32], most: usize) -> Predicted {
    let truth: Vec<f32> = rows.iter().flat_map(|row| dataset.labels(*row)).copied().collect();
    let errors = view::errors(&truth, predicted, COLUMNS);
    let face = |(at, rmse): &(usize, f64)| PredictedFace {
        face: Face::of(dataset, rows[*at]),
        rmse: *rmse,
        predicted: points(&predicted[at * COLUMNS..(at + 1) * COLUMNS]),
    };
    let point = |(name, (rmse, labels)): (String, (Option<f64>, u64))| PointError { name, rmse, labels };
    Predicted {
        rmse: errors.rmse,
        rows: rows.len(),
        per_keypoint: keypoints(dataset).into_iter().zip(errors.points).map(point).collect(),
        best: errors.rows.iter().take(most).map(face).collect(),
        worst: errors.rows.iter().rev().take(most).map(face).collect(),
        side_px: dataset.side_px(),
    }
}

/// What to do to which faces.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Augment {
    /// Parameters of augmentation: `augment_flip` ...
    params: Params,
    /// Which rows; a few taken evenly unless given.
    #[serde(default)]
    rows: Option<Vec<usize>>,
    /// Another seed does it differently.
    #[serde(default)]
    seed: u64,
}

/// Faces, and what augmentation makes of them.
#[derive(Serialize, utoipa::ToSchema)]
struct Augmented {
    faces: Vec<AugmentedFace>,
    /// Height and width of each face, in pixels.
    side_px: usize,
}

/// A face, and what augmentation makes of it.
#[derive(Serialize, utoipa::ToSchema)]
struct AugmentedFace {
    #[serde(flatten)]
    face: Face,
    variants: Vec<Variant>,
}

/// What augmentation made of a face.
#[derive(Serialize, utoipa::ToSchema)]
struct Variant {
    /// Grey values row by row, a byte each, in base64.
    pixels: String,
    truth: Vec<Option<(f32, f32)>>,
}

/// What augmentation makes of faces.
#[utoipa::path(
    post,
    path = "/api/v1/datasets/{name}/augment",
    operation_id = "augment",
    tag = "datasets",
    params(("name" = String, Path, description = "A dataset's name")),
    request_body = Augment,
    responses((status = 200, description = "The answer", body = Augmented)),
)]
async fn augment(
    State(app): State<App>,
    Path(name): Path<String>,
    Body(asked): Body<Augment>,
) -> Result<Json<Augmented>, ApiError> {
    let refused = |message| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_configuration", message);
    let plan = Plan::from_params(&asked.params).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        refused(lines.join("; ")).with_problems(lines)
    })?;
    if !plan.training().augment.moves() && !plan.training().augment.shades() {
        return Err(refused(
            "these parameters ask for no augmentation: give one, such as augment_flip".into(),
        ));
    }
    let home = app.home.clone();
    let opened = tokio::task::spawn_blocking(move || open(home, &name));
    let dataset = opened.await.map_err(|e| ApiError::internal(&e))??;
    let rows = match asked.rows {
        Some(rows) => rows,
        None => view::spread(dataset.rows(), 8).collect(),
    };
    if rows.is_empty() || rows.len() > MOST_AUGMENTED || rows.iter().any(|row| *row >= dataset.rows()) {
        let message = format!("rows: expected 1 to {MOST_AUGMENTED} numbers below {}", dataset.rows());
        return Err(refused(message));
    }
    let params = serde_json::to_vec(&asked.params).map_err(|e| ApiError::internal(&e))?;
    let named = blake3::hash(&params).to_hex();
    let key = format!("augment {} {named} {rows:?} {}", dataset.hash(), asked.seed);
    let (path, shown) = (dataset.path().to_owned(), rows.clone());
    let said = app.trainer.ask(key, move |scratch, out| {
        let file = scratch.join("params.json");
        std::fs::write(&file, params)?;
        let rows = shown.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let mut args = vec![OsString::from("augment")];
        let variants = VARIANTS.to_string();
        let texts = [("--rows", rows), ("--seed", asked.seed.to_string()), ("--variants", variants)];
        for (flag, path) in [("--dataset", &path), ("--params", &file), ("--raw", &out)] {
            args.extend([flag.into(), path.as_os_str().to_owned()]);
        }
        args.extend(texts.into_iter().flat_map(|(flag, text)| [flag.into(), text.into()]));
        Ok(args)
    });
    let said = said.await?;
    let drawn = rows.len() * VARIANTS;
    let (pixels, labels) = said.split_at(said.len().min(drawn * PIXELS));
    let labels = answer(labels, drawn * COLUMNS).map_err(|e| unexpected(&e))?;
    let mut variants = pixels
        .chunks_exact(PIXELS)
        .zip(labels.chunks_exact(COLUMNS))
        .map(|(pixels, labels)| Variant { pixels: STANDARD.encode(pixels), truth: points(labels) });
    let face = |row: &usize| AugmentedFace {
        face: Face::of(&dataset, *row),
        variants: variants.by_ref().take(VARIANTS).collect(),
    };
    Ok(Json(Augmented { faces: rows.iter().map(face).collect(), side_px: dataset.side_px() }))
}
