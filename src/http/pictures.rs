//! What the pictures of a sweep are drawn from: few enough points, the best and the worst always among them.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use super::listing::{condition, sweep_called};
use crate::domain::{Millis, TrialId, Value};
use crate::report::view::{self, Column};
use crate::store::query::{SweepSummary, TrialPoint};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most points of a picture, whatever is asked for.
const MOST: usize = 10_000;
/// The most curves of a picture.
const MOST_CURVES: usize = 1_000;
/// The most points of a curve.
const CURVE: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(history)).routes(routes!(curves)).routes(routes!(values))
}

/// How much is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Drawn {
    /// At most so many points.
    most: Option<usize>,
    /// Only trials for which this holds.
    #[serde(rename = "where")]
    condition: Option<String>,
}

/// How a sweep went.
#[derive(Serialize, utoipa::ToSchema)]
struct History {
    /// What is optimised, the primary metric first.
    objectives: Vec<crate::domain::Target>,
    /// Trials by number.
    points: Vec<HistoryPoint>,
    /// Wherever the best value of the completed trials moved.
    best: Vec<BestPoint>,
    /// How many trials there are.
    trials: usize,
}

/// A trial of a sweep's history.
#[derive(Serialize, utoipa::ToSchema)]
struct HistoryPoint {
    #[serde(flatten)]
    point: TrialPoint,
    ended_ms: Option<Millis>,
}

/// A trial that was better than all before it.
#[derive(Serialize, utoipa::ToSchema)]
struct BestPoint {
    number: u64,
    value: f64,
    ended_ms: Option<Millis>,
}

/// How a sweep went.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/history",
    operation_id = "history",
    tag = "pictures",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Drawn),
    responses((status = 200, description = "The answer", body = History)),
)]
async fn history(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Json<History>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let points = points(&app, &sweep, drawn.condition.as_deref()).await?;
    let direction = sweep.spec.objective.direction;
    let few = view::thinned(&points, direction, most(drawn.most, 2_000, MOST));
    let moved = view::moves(&points, direction);
    let asked: Vec<TrialId> = few.iter().chain(&moved).map(|point| point.trial_id).collect();
    let mut ends = app.reader.ends(&asked).await?;
    let best_ends = ends.split_off(few.len());
    let best = |(point, ended_ms): (&TrialPoint, Option<Millis>)| {
        Some(BestPoint { number: point.number, value: point.value?, ended_ms })
    };
    let objective = &sweep.spec.objective;
    let objectives = objective
        .targets()
        .map(|(name, direction)| crate::domain::Target { name: name.to_owned(), direction });
    Ok(Json(History {
        objectives: objectives.collect(),
        points: few.into_iter().zip(ends).map(|(point, ended_ms)| HistoryPoint { point, ended_ms }).collect(),
        best: moved.iter().zip(best_ends).filter_map(best).collect(),
        trials: points.len(),
    }))
}

/// Learning curves.
#[derive(Serialize, utoipa::ToSchema)]
struct Curves {
    curves: Vec<Curve>,
    /// The steps at which the stopper compares trials.
    rungs: Vec<u64>,
    /// How many trials there are.
    trials: usize,
}

/// A trial's learning curve.
#[derive(Serialize, utoipa::ToSchema)]
struct Curve {
    #[serde(flatten)]
    trial: TrialPoint,
    /// Step and value; null where that was not finite.
    #[schema(value_type = Vec<(u64, Option<f64>)>)]
    points: Vec<(u64, f64)>,
}

/// Learning curves: of the best, the worst and the running trials, and others evenly spread.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/curves",
    operation_id = "curves",
    tag = "pictures",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Drawn),
    responses((status = 200, description = "The answer", body = Curves)),
)]
async fn curves(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(drawn): Query<Drawn>,
) -> Result<Json<Curves>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let points = points(&app, &sweep, drawn.condition.as_deref()).await?;
    let objective = &sweep.spec.objective;
    let chosen = view::chosen(&points, objective.direction, most(drawn.most, 200, MOST_CURVES));
    let ids: Vec<TrialId> = chosen.iter().map(|point| point.trial_id).collect();
    let mut found = app.reader.curves(&ids, &objective.metric, None).await?;
    let mut curve = |trial: TrialPoint| {
        let points = found.remove(&trial.trial_id).unwrap_or_default();
        Curve { trial, points: view::thin_curve(&points, objective.direction, CURVE) }
    };
    let curves: Vec<Curve> = chosen.into_iter().map(&mut curve).collect();
    let last_step = curves.iter().filter_map(|curve| curve.points.last()).map(|(step, _)| *step).max();
    let rungs = view::rungs(&sweep.spec, last_step.unwrap_or(0));
    Ok(Json(Curves { curves, rungs, trials: points.len() }))
}

/// Which parameters, of how many trials.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DrawnValues {
    /// Names, with commas between them; all that vary unless given.
    #[serde(default)]
    params: String,
    most: Option<usize>,
    #[serde(rename = "where")]
    condition: Option<String>,
}

/// Parameters and values of trials.
#[derive(Serialize, utoipa::ToSchema)]
struct Values {
    columns: Vec<Column>,
    rows: Vec<ValuesRow>,
    /// How many trials there are.
    trials: usize,
}

/// One trial's.
#[derive(Serialize, utoipa::ToSchema)]
struct ValuesRow {
    #[serde(flatten)]
    trial: TrialPoint,
    /// In the order of the columns; null where the parameter does not exist in this trial.
    x: Vec<Option<Value>>,
}

/// Parameters and values, for parallel coordinates, slices and contours.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/values",
    operation_id = "values",
    tag = "pictures",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), DrawnValues),
    responses((status = 200, description = "The answer", body = Values)),
)]
async fn values(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(drawn): Query<DrawnValues>,
) -> Result<Json<Values>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let names: Vec<String> =
        drawn.params.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let columns = view::columns(&sweep.spec, &names).map_err(|message| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_query", format!("params: {message}"))
    })?;
    let points = points(&app, &sweep, drawn.condition.as_deref()).await?;
    let few = view::thinned(&points, sweep.spec.objective.direction, most(drawn.most, 2_000, MOST));
    let ids: Vec<TrialId> = few.iter().map(|point| point.trial_id).collect();
    let params = app.reader.params(&ids).await?;
    let row = |trial: TrialPoint| {
        let x = params.get(&trial.trial_id).map(|params| view::row(&columns, params))?;
        Some(ValuesRow { trial, x })
    };
    Ok(Json(Values { rows: few.into_iter().filter_map(row).collect(), columns, trials: points.len() }))
}

/// A sweep's trials as points, by number: those that a condition lets through.
async fn points(app: &App, sweep: &SweepSummary, text: Option<&str>) -> Result<Vec<TrialPoint>, ApiError> {
    let filter = condition(sweep, text)?;
    let mut points = app.reader.points(sweep.sweep).await?;
    if filter.is_some() {
        // By number, and ids grow with the numbers.
        let ids = app.reader.trial_ids(sweep.sweep, filter, None).await?;
        points.retain(|point| ids.binary_search(&point.trial_id).is_ok());
    }
    Ok(points)
}

fn most(asked: Option<usize>, usually: usize, at_most: usize) -> usize {
    asked.unwrap_or(usually).clamp(2, at_most)
}
