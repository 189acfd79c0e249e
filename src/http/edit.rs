//! A sweep goes on with another space.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query, text};
use super::listing::sweep_called;
use super::sweeps::{Submission, read_file, refused_sweep};
use crate::domain::terms::Alteration;
use crate::domain::{Params, TrialId, Value};
use crate::intake;
use crate::store::query::Edit as PastEdit;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(edit)).routes(routes!(edits))
}

/// Trials that do not fit and are named.
const MOST_NAMED: usize = 20;

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
    /// Only say what would change, or why nothing may.
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
    /// What trials that fit count as having, of parameters that they lack.
    defaults: Vec<Filled>,
    /// The first trials that do not fit, up to 20.
    unfit: Vec<Unfit>,
}

/// A parameter that earlier trials lack.
#[derive(Serialize, utoipa::ToSchema)]
struct Filled {
    name: String,
    /// Its default.
    value: Value,
    /// How many trials count as having it.
    trials: u64,
}

/// A trial whose configuration is not of the new space.
#[derive(Serialize, utoipa::ToSchema)]
struct Unfit {
    trial_id: TrialId,
    number: u64,
    /// What does not fit.
    why: String,
}

/// What becomes of the trials so far.
#[derive(Default)]
struct Tally {
    fit: u64,
    trials: u64,
    defaults: BTreeMap<String, (Value, u64)>,
    unfit: Vec<Unfit>,
}

impl Tally {
    fn add(&mut self, trial_id: TrialId, number: u64, had: &Params, fitted: Result<Params, String>) {
        self.trials += 1;
        match fitted {
            Ok(fitted) => {
                self.fit += 1;
                for (name, value) in fitted.into_iter().filter(|(name, _)| !had.contains_key(name)) {
                    self.defaults.entry(name).or_insert((value, 0)).1 += 1;
                }
            }
            Err(why) if self.unfit.len() < MOST_NAMED => self.unfit.push(Unfit { trial_id, number, why }),
            Err(_) => {}
        }
    }
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
    let (before, home) = (sweep.spec.clone(), app.home.clone());
    // Trying the constraints on a first trial is no work for an async thread.
    let read = tokio::task::spawn_blocking(move || {
        let spec = read_file(&file)?;
        let terms = intake::edited_terms(&before, spec, edit.folder.as_deref())?;
        intake::check_edited_columns(&home, &before, &terms)?;
        Ok(terms)
    });
    let terms = read.await.map_err(|e| ApiError::internal(&e))?.map_err(refused_sweep)?;
    let past = app.reader.past_terms(sweep.sweep).await?;
    let fitted = intake::fitting(&past, &sweep.spec, &terms);
    let mut tally = Tally::default();
    let add = |id, number, params: &Params| tally.add(id, number, params, fitted(params));
    app.reader.each_configuration(sweep.sweep, add).await?;
    let changes = sweep.spec.terms().alterations(&terms);
    if !edit.dry_run {
        app.dispatcher.edit(sweep.sweep, terms, source).await?;
    } else if !changes.is_empty() {
        app.dispatcher.may_edit(sweep.sweep, terms).await?;
    }
    let Tally { fit, trials, defaults, unfit } = tally;
    let defaults = defaults.into_iter().map(|(name, (value, trials))| Filled { name, value, trials });
    Ok(Json(Edited { changes, fit, trials, defaults: defaults.collect(), unfit }))
}

/// How a sweep was changed since it was submitted, the last change first.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/edits",
    operation_id = "sweep_edits",
    tag = "sweeps",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name")),
    responses((status = 200, description = "The answer", body = Vec<PastEdit>)),
)]
async fn edits(State(app): State<App>, Path(word): Path<String>) -> Result<Json<Vec<PastEdit>>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let mut edits = app.reader.edits(&sweep).await?;
    edits.reverse();
    Ok(Json(edits))
}
