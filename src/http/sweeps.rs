//! Sweeps: check, submit, list, show.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query, text};
use super::known::find;
use super::listing::sweep_called;
use super::warm_start;
use crate::domain::{Origin, Params, Sweep, SweepId, SweepState, TooLarge};
use crate::intake;
use crate::report;
use crate::scheduler::{Input, too_large};
use crate::store::query::SweepSummary;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submit, list))
        .routes(routes!(show))
        .routes(routes!(check))
        .routes(routes!(source))
}

/// Where a submitted file came from.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Provenance {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    git_commit: Option<String>,
    /// The folder from which it was submitted: where a command runs, unless its sweep says otherwise.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    folder: Option<PathBuf>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Submitted {
    id: String,
}

/// A sweep as JSON, or the text of its file as `application/toml`.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps",
    operation_id = "submit_sweep",
    tag = "sweeps",
    params(Provenance),
    request_body(content((String = "application/toml"), (serde_json::Value = "application/json"))),
    responses((status = 201, description = "The answer", body = Submitted)),
)]
async fn submit(
    State(app): State<App>,
    Query(provenance): Query<Provenance>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let (spec, origin) = read(&app, provenance, &headers, &body).await?;
    let sources = warm_start::taken(&app, &spec, &origin).await?;
    let uid = new_uid(&app).await?;
    let input = Input::Submit { uid: uid.clone(), spec: Box::new(spec), origin: Box::new(origin), sources };
    app.dispatcher.handle(input).await?;
    Ok((StatusCode::CREATED, Json(Submitted { id: uid })).into_response())
}

/// A sweep's file as it came.
pub(super) struct Submission {
    /// Its name in messages; `None` for JSON.
    toml: Option<String>,
    source: String,
}

impl Submission {
    pub fn of(headers: &HeaderMap, file: Option<String>, source: String) -> Self {
        let is_toml = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/toml");
        Self { toml: is_toml.then(|| file.unwrap_or_else(|| "sweep".into())), source }
    }
}

pub(super) fn read_file(file: &Submission) -> Result<Sweep, intake::IntakeError> {
    match &file.toml {
        Some(name) => intake::read_toml(name, &file.source),
        None => intake::read_json(&file.source),
    }
}

/// Reads a submission and checks it.
async fn read(
    app: &App,
    provenance: Provenance,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Sweep, Origin), ApiError> {
    let submission = Submission::of(headers, provenance.file, text(body)?.to_owned());
    let (home, now) = (app.home.clone(), (app.clock)());
    // Reading a dataset's labels for the baseline is no work for an async thread.
    let taken = tokio::task::spawn_blocking(move || {
        let mut spec = read_file(&submission)?;
        intake::check_deadline(&spec, now)?;
        intake::settle_workdir(&mut spec, provenance.folder.as_deref())?;
        let origin = intake::origin(&home, &spec, submission.source, provenance.git_commit)?;
        Ok::<_, intake::IntakeError>((spec, origin))
    });
    taken.await.map_err(|e| ApiError::internal(&e))?.map_err(refused_sweep)
}

/// A sweep that would be taken.
#[derive(Serialize, utoipa::ToSchema)]
struct Checked {
    /// With every default filled in.
    sweep: Sweep,
    /// What its first trial would be; null where that depends on more than the file.
    first_params: Option<Params>,
    /// What predicting the training rows' mean scores.
    baseline: Option<f64>,
}

/// Says what submitting it would say; nothing is stored.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/check",
    operation_id = "check_sweep",
    tag = "sweeps",
    params(Provenance),
    request_body(content((String = "application/toml"), (serde_json::Value = "application/json"))),
    responses((status = 200, description = "The answer", body = Checked)),
)]
async fn check(
    State(app): State<App>,
    Query(provenance): Query<Provenance>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Checked>, ApiError> {
    let (sweep, origin) = read(&app, provenance, &headers, &body).await?;
    warm_start::taken(&app, &sweep, &origin).await?;
    let is_cold = sweep.search.warm_start.is_empty();
    let sampled = tokio::task::spawn_blocking(move || {
        let first = intake::samples(&sweep, 1).pop();
        (sweep, first)
    });
    let (sweep, first) = sampled.await.map_err(|e| ApiError::internal(&e))?;
    let first_params = match first {
        Some(crate::sampler::Suggestion::Trial { params, .. }) if is_cold => Some(params),
        _ => None,
    };
    Ok(Json(Checked { sweep, first_params, baseline: origin.baseline }))
}

pub(super) fn refused_sweep(error: intake::IntakeError) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_sweep", error.to_string())
        .with_problems(error.lines())
}

/// A public id that no sweep has.
async fn new_uid(app: &App) -> Result<String, ApiError> {
    loop {
        let uid = crate::home::random_word(8).map_err(|e| ApiError::internal(&e))?;
        if app.reader.sweeps_called(&uid).await?.is_empty() {
            return Ok(uid);
        }
    }
}

/// A sweep, and how it stands among the others now.
#[derive(Serialize, utoipa::ToSchema)]
struct SweepNow {
    #[serde(flatten)]
    summary: SweepSummary,
    /// Workers and clients that work on its trials.
    running_workers: u64,
    /// Until all planned trials have ended, at the pace since the first one began; null where that is not known.
    eta_ms: Option<i64>,
    /// Its place in the order in which sweeps get free slots, from 1; null where it gets none.
    queue_place: Option<usize>,
}

impl SweepNow {
    async fn of(app: &App, summary: SweepSummary, queue: &[SweepId]) -> Result<Self, ApiError> {
        let begun = match summary.state {
            SweepState::Active => app.reader.begun(summary.sweep).await?,
            _ => None,
        };
        Ok(Self {
            running_workers: summary.trials.running + summary.trials.stopping,
            eta_ms: begun.and_then(|begun| report::time_left_ms(&summary, begun, (app.clock)())),
            queue_place: queue.iter().position(|sweep| *sweep == summary.sweep).map(|place| place + 1),
            summary,
        })
    }
}

/// Which sweeps.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only those that have this tag, or of which a trial has it.
    tag: Option<String>,
}

/// All sweeps, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps",
    operation_id = "list_sweeps",
    tag = "sweeps",
    params(Wanted),
    responses((status = 200, description = "The answer", body = Vec<SweepNow>)),
)]
async fn list(
    State(app): State<App>,
    Query(Wanted { tag }): Query<Wanted>,
) -> Result<Json<Vec<SweepNow>>, ApiError> {
    let queue = app.reader.queue().await?;
    let mut sweeps = Vec::new();
    for summary in app.reader.sweeps(tag.as_deref()).await? {
        sweeps.push(SweepNow::of(&app, summary, &queue).await?);
    }
    Ok(Json(sweeps))
}

/// A sweep, and what has been learned of it.
#[derive(Serialize, utoipa::ToSchema)]
struct SweepShown {
    #[serde(flatten)]
    now: SweepNow,
    /// What it does not try for lack of memory; null while it may try everything.
    too_large: Option<TooLarge>,
}

/// One sweep.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}",
    operation_id = "show_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = SweepShown)),
)]
async fn show(State(app): State<App>, Path(word): Path<String>) -> Result<Json<SweepShown>, ApiError> {
    let (summary, queue) = (sweep_called(&app, &word).await?, app.reader.queue().await?);
    let too_large = match app.reader.memory_evidence(summary.sweep).await? {
        Some((configurations, legs)) => {
            let spec = summary.spec.clone();
            // Thousands of plans are no work for an async thread.
            let learned = tokio::task::spawn_blocking(move || too_large(&spec, &configurations, &legs));
            learned.await.map_err(|e| ApiError::internal(&e))?
        }
        None => None,
    };
    Ok(Json(SweepShown { now: SweepNow::of(&app, summary, &queue).await?, too_large }))
}

/// The file as it was submitted.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/source",
    operation_id = "sweep_source",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The file", body = String, content_type = "text/plain")),
)]
async fn source(State(app): State<App>, Path(word): Path<String>) -> Result<String, ApiError> {
    let sweep = find(&app, &word).await?;
    app.reader.source(sweep).await?.ok_or_else(|| ApiError::not_found("sweep", word))
}
