//! Who worked when; and sweeps side by side.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use super::listing::sweep_called;
use crate::domain::{Millis, TrialId};
use crate::report::view::{self, Compared, Slot};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most spans of a picture.
const MOST_SPANS: usize = 10_000;
/// The most sweeps side by side.
const MOST_SWEEPS: usize = 12;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(timeline)).routes(routes!(compare))
}

/// Which part of the time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Window {
    /// From the sweep's submission on unless given.
    from_ms: Option<i64>,
    /// Up to the sweep's end, or now, unless given.
    to_ms: Option<i64>,
    /// About so many spans at most.
    most: Option<usize>,
}

/// What the slots did, also for other sweeps.
#[derive(Serialize, utoipa::ToSchema)]
struct Timeline {
    from_ms: Millis,
    to_ms: Millis,
    slots: Vec<Slot>,
}

/// Who worked when, on which slot.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/timeline",
    operation_id = "timeline",
    tag = "pictures",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Window),
    responses((status = 200, description = "The answer", body = Timeline)),
)]
async fn timeline(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(window): Query<Window>,
) -> Result<Json<Timeline>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let from = window.from_ms.map_or(sweep.created_ms, Millis);
    let to = window.to_ms.map(Millis).or(sweep.finished_ms).unwrap_or_else(|| (app.clock)());
    let stints = app.reader.stints(from, to).await?;
    let mut slots = view::slots(stints, (from, to), window.most.unwrap_or(2_000).clamp(1, MOST_SPANS));
    let trials: Vec<TrialId> = slots.iter().flat_map(|slot| &slot.spans).map(|span| span.trial_id).collect();
    let names = app.reader.trial_names(&trials).await?;
    let names: HashMap<TrialId, (u64, String)> =
        names.into_iter().map(|(trial, number, sweep)| (trial, (number, sweep))).collect();
    for slot in &mut slots {
        // A sweep may have been removed in between.
        slot.spans.retain_mut(|span| {
            names.get(&span.trial_id).is_some_and(|(number, sweep)| {
                (span.number, span.sweep) = (*number, sweep.clone());
                true
            })
        });
    }
    Ok(Json(Timeline { from_ms: from, to_ms: to, slots }))
}

/// Which sweeps.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SideBySide {
    /// Ids or names, with commas between them.
    sweeps: String,
}

/// Sweeps side by side.
#[derive(Serialize, utoipa::ToSchema)]
struct Comparison {
    sweeps: Vec<SweepBeside>,
}

/// One of them.
#[derive(Serialize, utoipa::ToSchema)]
struct SweepBeside {
    id: String,
    name: String,
    /// What its values are.
    metric: String,
    /// How many trials it has.
    trials: u64,
    best: Option<f64>,
    #[serde(flatten)]
    lines: Compared,
}

/// Sweeps side by side.
#[utoipa::path(
    get,
    path = "/api/v1/compare",
    operation_id = "compare",
    tag = "pictures",
    params(SideBySide),
    responses((status = 200, description = "The answer", body = Comparison)),
)]
async fn compare(
    State(app): State<App>,
    Query(asked): Query<SideBySide>,
) -> Result<Json<Comparison>, ApiError> {
    let words: Vec<&str> = asked.sweeps.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.is_empty() || words.len() > MOST_SWEEPS {
        let message = format!("sweeps: expected 1 to {MOST_SWEEPS} ids or names, not {}", words.len());
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_query", message));
    }
    let mut sweeps = Vec::with_capacity(words.len());
    for word in words {
        let sweep = sweep_called(&app, word).await?;
        let points = app.reader.points(sweep.sweep).await?;
        sweeps.push(SweepBeside {
            trials: sweep.trials.created(),
            lines: view::compared(&points, sweep.spec.objective.direction),
            metric: sweep.spec.objective.metric,
            id: sweep.id,
            name: sweep.name,
            best: sweep.best,
        });
    }
    Ok(Json(Comparison { sweeps }))
}
