//! Sweeps: submit, list, steer, ask for trials, the best of them.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path, Query, text};
use super::known::find;
use super::listing::sweep_called;
use crate::domain::{ObjectiveKind, Origin, Params, Sweep, SweepId, SweepState, TrialId, TrialState};
use crate::intake;
use crate::report;
use crate::scheduler::{self, Command, Difference, Input, Reply, Seeker};
use crate::store::query::{Front, Leaderboard, SweepSummary};
use crate::worker::protocol::{Ask, Asked};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submit, list))
        .routes(routes!(show, remove))
        .routes(routes!(check))
        .routes(routes!(source))
        .routes(routes!(priority))
        .routes(routes!(best))
        .routes(routes!(front))
        .routes(routes!(importance))
        .routes(routes!(replay))
        .routes(routes!(ask))
        .routes(routes!(enqueue))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
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
    let uid = new_uid(&app).await?;
    let input = Input::Submit { uid: uid.clone(), spec: Box::new(spec), origin: Box::new(origin) };
    app.dispatcher.handle(input).await?;
    Ok((StatusCode::CREATED, Json(Submitted { id: uid })).into_response())
}

/// Reads a submission and checks it.
async fn read(
    app: &App,
    provenance: Provenance,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Sweep, Origin), ApiError> {
    let source = text(body)?.to_owned();
    let is_toml = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/toml");
    let (home, now) = (app.home.clone(), (app.clock)());
    let file = provenance.file.unwrap_or_else(|| "sweep".into());
    // Reading a dataset's labels for the baseline is no work for an async thread.
    let taken = tokio::task::spawn_blocking(move || {
        let mut spec = if is_toml { intake::read_toml(&file, &source) } else { intake::read_json(&source) }?;
        intake::check_deadline(&spec, now)?;
        intake::settle_workdir(&mut spec, provenance.folder.as_deref())?;
        let origin = intake::origin(&home, &spec, source, provenance.git_commit)?;
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
    let sampled = tokio::task::spawn_blocking(move || {
        let first = intake::samples(&sweep, 1).pop();
        (sweep, first)
    });
    let (sweep, first) = sampled.await.map_err(|e| ApiError::internal(&e))?;
    let first_params = match first {
        Some(crate::sampler::Suggestion::Trial { params, .. }) => Some(params),
        _ => None,
    };
    Ok(Json(Checked { sweep, first_params, baseline: origin.baseline }))
}

fn refused_sweep(error: intake::IntakeError) -> ApiError {
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

/// All sweeps, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps",
    operation_id = "list_sweeps",
    tag = "sweeps",
    responses((status = 200, description = "The answer", body = Vec<SweepNow>)),
)]
async fn list(State(app): State<App>) -> Result<Json<Vec<SweepNow>>, ApiError> {
    let queue = app.reader.queue().await?;
    let mut sweeps = Vec::new();
    for summary in app.reader.sweeps().await? {
        sweeps.push(SweepNow::of(&app, summary, &queue).await?);
    }
    Ok(Json(sweeps))
}

/// One sweep.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}",
    operation_id = "show_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = SweepNow)),
)]
async fn show(State(app): State<App>, Path(word): Path<String>) -> Result<Json<SweepNow>, ApiError> {
    let (summary, queue) = (sweep_called(&app, &word).await?, app.reader.queue().await?);
    Ok(Json(SweepNow::of(&app, summary, &queue).await?))
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

/// What came of deriving a sweep's decisions again.
#[derive(Serialize, utoipa::ToSchema)]
struct Replayed {
    /// Whether all decisions agree with what is stored.
    agrees: bool,
    /// How many were derived; null where one differs.
    decisions: Option<u64>,
    /// The first that differs.
    difference: Option<Difference>,
}

/// Derives every decision of a sweep again and compares it with what is stored.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/replay",
    operation_id = "replay_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = Replayed)),
)]
async fn replay(State(app): State<App>, Path(word): Path<String>) -> Result<Json<Replayed>, ApiError> {
    let sweep = find(&app, &word).await?;
    let none = || ApiError::not_found("sweep", &word);
    let stored = app.reader.stored_decisions(sweep).await?.ok_or_else(none)?;
    let outcome = tokio::task::spawn_blocking(move || scheduler::replay(&stored));
    let outcome = outcome.await.map_err(|e| ApiError::internal(&e))?;
    Ok(Json(Replayed {
        agrees: outcome.is_ok(),
        decisions: outcome.as_ref().ok().copied(),
        difference: outcome.err().map(|difference| *difference),
    }))
}

/// Which sweep goes first.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Priority {
    /// The sweep with the largest number gets the next free slot.
    priority: i64,
}

/// Gives a sweep another priority; it counts from the next free slot on.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/priority",
    operation_id = "prioritise_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Priority,
    responses((status = 204, description = "Done")),
)]
async fn priority(
    app: State<App>,
    word: Path<String>,
    Body(Priority { priority }): Body<Priority>,
) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Prioritise(priority)).await
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HowMany {
    #[serde(default = "ten")]
    n: u64,
}

fn ten() -> u64 {
    10
}

/// The best completed trials.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/best",
    operation_id = "best_trials",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), HowMany),
    responses((status = 200, description = "The answer", body = Leaderboard)),
)]
async fn best(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(HowMany { n }): Query<HowMany>,
) -> Result<Json<Leaderboard>, ApiError> {
    let sweep = find(&app, &word).await?;
    let board = app.reader.leaderboard(sweep, n.min(MOST_TRIALS)).await?;
    board.map(Json).ok_or_else(|| ApiError::not_found("sweep", word))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HowManyOfFront {
    #[serde(default = "all_that_fit")]
    n: u64,
}

/// The most trials that one answer holds.
const MOST_TRIALS: u64 = 10_000;

fn all_that_fit() -> u64 {
    MOST_TRIALS
}

/// The completed trials that no other one dominates.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/front",
    operation_id = "front",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), HowManyOfFront),
    responses((status = 200, description = "The answer", body = Front)),
)]
async fn front(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(HowManyOfFront { n }): Query<HowManyOfFront>,
) -> Result<Json<Front>, ApiError> {
    let sweep = find(&app, &word).await?;
    let front = app.reader.front(sweep, n.min(MOST_TRIALS)).await?;
    front.map(Json).ok_or_else(|| ApiError::not_found("sweep", word))
}

/// Completed trials that importances are derived from: more of them say hardly more, and take much longer.
const TELLING: usize = 2_000;

/// Configurations and values of completed trials, by number; of many of them some, evenly.
async fn some_completed(app: &App, sweep: SweepId) -> Result<Vec<(Params, f64)>, ApiError> {
    let points = app.reader.points(sweep).await?;
    let completed = points.iter().filter(|point| point.state == TrialState::Completed);
    let valued: Vec<(TrialId, f64)> =
        completed.filter_map(|point| Some((point.trial_id, point.value?))).collect();
    let some: Vec<(TrialId, f64)> =
        report::view::spread(valued.len(), TELLING).map(|at| valued[at]).collect();
    let ids: Vec<TrialId> = some.iter().map(|(trial, _)| *trial).collect();
    let mut params = app.reader.params(&ids).await?;
    Ok(some.into_iter().filter_map(|(trial, value)| Some((params.remove(&trial)?, value))).collect())
}

/// How much each parameter mattered, by some of the completed trials; 409 while there are too few.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/importance",
    operation_id = "importance",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = report::Importances)),
)]
async fn importance(
    State(app): State<App>,
    Path(word): Path<String>,
) -> Result<Json<report::Importances>, ApiError> {
    let id = find(&app, &word).await?;
    let sweep = app.reader.sweep(id).await?.ok_or_else(|| ApiError::not_found("sweep", word))?;
    let completed = some_completed(&app, id).await?;
    // Growing trees is no work for an async thread.
    let derived = tokio::task::spawn_blocking(move || report::importances(&sweep.spec, &completed));
    let found = derived.await.map_err(|e| ApiError::internal(&e))?;
    let too_few = || {
        let message = format!("fewer than {} trials have completed", report::LEAST_RESULTS);
        ApiError::new(StatusCode::CONFLICT, "too_few_results", message)
    };
    found.map(Json).ok_or_else(too_few)
}

/// A trial to work on; 204 when there is nothing now, 410 when the sweep is over.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/ask",
    operation_id = "ask",
    tag = "ask and tell",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Ask,
    responses((status = 200, description = "The answer", body = Asked), (status = 204, description = "There is nothing now")),
)]
async fn ask(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    let sweep = find(&app, &word).await?;
    let is_new = ask.request_id.is_none();
    let request_id = match ask.request_id {
        Some(id) => id,
        None => crate::home::random_word(20).map_err(|e| ApiError::internal(&e))?,
    };
    let seeker = Seeker {
        worker: format!("client {request_id}"),
        slot: "client".into(),
        request_id,
        is_new,
        kinds: vec![ObjectiveKind::External],
        environment: BTreeMap::new(),
    };
    let lease_ms = ask.lease_s.map(|s| i64::from(s) * 1000);
    match app.dispatcher.handle(Input::Ask { sweep, seeker, lease_ms }).await? {
        Reply::Work(claimed) => Ok(Json(Asked {
            trial_id: claimed.leg.trial,
            number: claimed.number,
            attempt: claimed.attempt,
            params: claimed.params,
            until_step: claimed.leg.until_step,
        })
        .into_response()),
        _ => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// A configuration to try next: parameters by name.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/enqueue",
    operation_id = "enqueue",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Params,
    responses((status = 204, description = "Done")),
)]
async fn enqueue(
    app: State<App>,
    word: Path<String>,
    Body(params): Body<Params>,
) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Enqueue(params)).await
}

/// Hands out no new trials; running ones finish.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/pause",
    operation_id = "pause_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn pause(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Pause).await
}

/// Hands out trials again.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/resume",
    operation_id = "resume_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn resume(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Resume).await
}

/// Ends a sweep; running trials are stopped.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/cancel",
    operation_id = "cancel_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn cancel(app: State<App>, word: Path<String>) -> Result<StatusCode, ApiError> {
    command(app, word, Command::Cancel).await
}

/// Deletes a sweep that is over, with its trials and weights.
#[utoipa::path(
    delete,
    path = "/api/v1/sweeps/{sweep}",
    operation_id = "remove_sweep",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 204, description = "Done")),
)]
async fn remove(State(app): State<App>, Path(word): Path<String>) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    let uid = app.reader.sweep(sweep).await?.map(|sweep| sweep.id);
    app.dispatcher.handle(Input::Command { sweep, command: Command::Remove }).await?;
    app.known.forget(sweep);
    // The record goes with the sweep: it does not say so.
    app.live.touch(sweep, &uid.unwrap_or(word));
    Ok(StatusCode::NO_CONTENT)
}

async fn command(
    State(app): State<App>,
    Path(word): Path<String>,
    command: Command,
) -> Result<StatusCode, ApiError> {
    let sweep = find(&app, &word).await?;
    app.dispatcher.handle(Input::Command { sweep, command }).await?;
    Ok(StatusCode::NO_CONTENT)
}
