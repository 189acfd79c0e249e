//! Ensembles on request: the trainer's program predicts in the background, and one ensemble at a time is put together.
//!
//! Nothing of it is stored before it is done: a daemon that ends in the middle forgets the request and nothing else.

use super::App;
use super::error::ApiError;
use super::extract::{Body, Path};
use super::listing::sweep_called;
use super::trainer::Trainer;
use crate::dataset::{COLUMNS, Inputs};
use crate::domain::Millis;
use crate::domain::ensemble::Ensemble;
use crate::ensembling::{EnsembleError, HeldOut, Nominee, Recipe, USUAL_CANDIDATES, nominees};
use crate::store::query::SweepSummary;
use crate::worker::predict::{Question, answer};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most trials that predict for one ensemble.
const MOST: u64 = 100;
/// How long one ensemble may take, how long each prediction of it, and how long that waits for its turn.
const ALL: Duration = Duration::from_secs(2 * 60 * 60);
const EACH: Duration = Duration::from_secs(10 * 60);
const TURN: Duration = Duration::from_secs(10 * 60);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(make, making))
}

/// What to put together.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The mean of so many of the best trials; unless given, those that make the mean better, chosen greedily.
    top: Option<u64>,
    /// Greedy selection chooses from so many of the best trials, up to 100; 24 unless given.
    candidates: Option<u64>,
    /// What it is called; `topN` or `greedy` unless given.
    name: Option<String>,
}

/// How far a request for an ensemble is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Progress {
    Working,
    Done,
    Failed,
}

/// A request for an ensemble.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct Job {
    /// The sweep's id.
    sweep: String,
    /// What the ensemble is called.
    name: String,
    progress: Progress,
    /// How many trials have predicted.
    predicted: usize,
    /// How many will.
    of: usize,
    /// Why it failed.
    error: Option<String>,
    /// When it was asked for.
    asked_ms: Millis,
}

/// Whether ensembles can be made here, and what becomes of the last one that was asked for.
#[derive(Serialize, utoipa::ToSchema)]
struct Making {
    /// There is a program that predicts.
    available: bool,
    /// The last request since the daemon started that was for this sweep; null where there was none.
    job: Option<Job>,
}

/// The last request. There is one at a time.
#[derive(Debug, Default)]
pub struct Maker(Mutex<Option<Job>>);

impl Maker {
    fn last(&self) -> MutexGuard<'_, Option<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request unless one is worked on.
    fn begin(self: &Arc<Self>, job: &Job) -> Result<Working, ApiError> {
        let mut last = self.last();
        if let Some(other) = last.as_ref().filter(|job| job.progress == Progress::Working) {
            let message = format!(
                "ensemble {} of sweep {} is being put together: try again when it is done",
                other.name, other.sweep
            );
            return Err(ApiError::new(StatusCode::CONFLICT, "busy", message));
        }
        *last = Some(job.clone());
        Ok(Working(Arc::clone(self)))
    }
}

/// A request that is worked on, until this is dropped.
struct Working(Arc<Maker>);

impl Working {
    fn predicted(&self) {
        if let Some(job) = self.0.last().as_mut() {
            job.predicted += 1;
        }
    }

    fn end(&self, result: Result<(), String>) {
        if let Some(job) = self.0.last().as_mut() {
            job.progress = if result.is_ok() { Progress::Done } else { Progress::Failed };
            job.error = result.err();
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let is_working = self.0.last().as_ref().is_some_and(|job| job.progress == Progress::Working);
        if is_working {
            self.end(Err("it was given up: the daemon's log may say why".into()));
        }
    }
}

/// Puts an ensemble together in the background and keeps it, in the place of the one that has had its name.
///
/// Each trial's best weights predict the validation rows, one trial after the other. `GET` says how far it is; the
/// ensemble is in the sweep's list when it is done. There is one request at a time for all sweeps.
#[utoipa::path(
    post,
    path = "/api/v1/sweeps/{sweep}/ensembles/make",
    operation_id = "make_ensemble",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    request_body = Wanted,
    responses((status = 202, description = "It is worked on", body = Job)),
)]
async fn make(
    State(app): State<App>,
    Path(word): Path<String>,
    Body(Wanted { top, candidates, name }): Body<Wanted>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let candidates = candidates.unwrap_or(USUAL_CANDIDATES);
    if ![top.unwrap_or(1), candidates].iter().all(|trials| (1..=MOST).contains(trials)) {
        let message = format!("top and candidates: expected 1 to {MOST} trials");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_ensemble", message));
    }
    let recipe = Recipe::new(name, top, candidates)?;
    let (home, asked) = (app.home.clone(), sweep.clone());
    let held_out = tokio::task::spawn_blocking(move || HeldOut::of(&home, &[asked]));
    let held_out = held_out.await.map_err(|e| ApiError::internal(&e))??;
    let sweeps = std::slice::from_ref(&sweep);
    let nominees = nominees(&app.reader, &app.home, sweeps, &recipe, held_out.networks()).await?;
    if !app.trainer.is_there() {
        // Says so, and what to do.
        app.trainer.turn(Duration::ZERO).await?;
    }
    let job = Job {
        sweep: sweep.id.clone(),
        name: recipe.name.clone(),
        progress: Progress::Working,
        predicted: 0,
        of: nominees.len(),
        error: None,
        asked_ms: (app.clock)(),
    };
    let working = app.maker.begin(&job)?;
    tokio::spawn(work(app, sweep, recipe, held_out, nominees, working));
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Whether ensembles can be made here, and how far the last request for this sweep is.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/ensembles/make",
    operation_id = "ensemble_progress",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = Making)),
)]
async fn making(State(app): State<App>, Path(word): Path<String>) -> Result<Json<Making>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let job = app.maker.last().clone().filter(|job| job.sweep == sweep.id);
    Ok(Json(Making { available: app.trainer.is_there(), job }))
}

/// Works on a request until it is done, or the daemon ends.
async fn work(
    app: App,
    sweep: SweepSummary,
    recipe: Recipe,
    held_out: HeldOut,
    nominees: Vec<Nominee>,
    working: Working,
) {
    let mut closing = app.closing.clone();
    let made = async {
        let made = predicted(&app, recipe, held_out, nominees, &working).await?;
        Ok(app.dispatcher.keep_ensemble(sweep.sweep, made).await?)
    };
    let result: Result<(), ApiError> = tokio::select! {
        // A daemon that ends waits for nobody who has its parts; the program is ended with this.
        _ = closing.wait_for(|closing| *closing) => return,
        made = timeout(ALL, made) => made.unwrap_or_else(|_| {
            let message = format!("it took longer than {} s", ALL.as_secs());
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", message))
        }),
    };
    working.end(result.map_err(|error| error.message().to_owned()));
    app.live.touch(sweep.sweep, &sweep.id);
}

/// Has all trials predict, and chooses.
async fn predicted(
    app: &App,
    recipe: Recipe,
    held_out: HeldOut,
    nominees: Vec<Nominee>,
    working: &Working,
) -> Result<Ensemble, ApiError> {
    let scratch = tempfile::tempdir().map_err(|e| ApiError::internal(&e))?;
    let folder = scratch.path().to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let write = |(at, inputs): (usize, Inputs)| {
            let folder = folder.join(at.to_string());
            std::fs::create_dir(&folder)?;
            Ok((Question::write(&folder, &inputs)?, inputs.images()))
        };
        let questions = held_out.inputs().enumerate().map(write).collect::<std::io::Result<Vec<_>>>();
        (held_out, questions)
    });
    let (held_out, questions) = written.await.map_err(|e| ApiError::internal(&e))?;
    let questions = questions.map_err(|e| ApiError::internal(&e))?;
    let mut all = Vec::new();
    for nominee in nominees {
        let predictions = ask(&app.trainer, &questions, &nominee).await?;
        all.push((nominee, predictions));
        working.predicted();
    }
    let now = (app.clock)();
    let chosen = tokio::task::spawn_blocking(move || held_out.choose(&recipe, &all, now));
    chosen.await.map_err(|e| ApiError::internal(&e))
}

/// What a trial's networks predict, each its own rows. Others may ask the program in between.
async fn ask(
    trainer: &Trainer,
    questions: &[(Question, usize)],
    nominee: &Nominee,
) -> Result<Vec<f32>, ApiError> {
    let mut predicted = Vec::new();
    for ((question, images), weights) in questions.iter().zip(&nominee.weights) {
        let (question, weights) = (question.clone(), weights.clone());
        let turn = trainer.turn(TURN).await?;
        let said = turn.run(EACH, move |_, out| Ok(question.args(&weights, &out))).await?;
        let said = answer(&said, images * COLUMNS);
        predicted.extend(said.map_err(|error| {
            let message = format!("{}: {error}", nominee.name);
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "trainer_failed", message)
        })?);
    }
    Ok(predicted)
}

impl From<EnsembleError> for ApiError {
    fn from(error: EnsembleError) -> Self {
        match error {
            EnsembleError::Store(error) => error.into(),
            EnsembleError::Name(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_ensemble", error.to_string())
            }
            error => Self::new(StatusCode::CONFLICT, "no_ensemble", error.to_string()),
        }
    }
}
