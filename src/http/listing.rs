//! A sweep's trials: page by page, and all of them as a file.

use super::App;
use super::error::ApiError;
use super::extract::{Path, Query};
use super::known::find;
use crate::domain::{Sweep, TrialId};
use crate::expr::{Expr, ExprError};
use crate::report;
use crate::store::Reader;
use crate::store::query::{Mark, Sort, SweepSummary, TrialNames, TrialSummary};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most trials of a page.
const MOST: u64 = 1_000;
/// Trials that are read at once for a file.
const CHUNK: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(page)).routes(routes!(csv))
}

/// Which trials, in which order.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Only those for which this holds: `rmse < 2.5 and kernel_size = 3`.
    #[serde(rename = "where")]
    condition: Option<String>,
    /// What to sort by; the best come first unless it is given.
    sort: Option<String>,
    /// Largest first.
    #[serde(default)]
    descending: bool,
    /// At most so many on a page, up to 1,000.
    limit: Option<u64>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// A page of trials.
#[derive(Serialize, utoipa::ToSchema)]
struct Page {
    trials: Vec<TrialSummary>,
    /// What to ask with for the next page; null after the last one.
    next: Option<String>,
}

/// A place in one order of one list.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Which list it is a place in.
    of: String,
    #[serde(flatten)]
    mark: Mark,
}

/// A page of a sweep's trials, filtered and sorted.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/trials",
    operation_id = "list_trials",
    tag = "trials",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Listed),
    responses((status = 200, description = "The answer", body = Page)),
)]
async fn page(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page>, ApiError> {
    let sweep = sweep_called(&app, &word).await?;
    let filter = condition(&sweep, listed.condition.as_deref())?;
    let sort = order(&sweep, &listed)?;
    let of = list_name(&sweep, &listed);
    let after = listed.cursor.as_deref().map(|cursor| read_cursor(cursor, &of)).transpose()?;
    let limit = listed.limit.unwrap_or(50).clamp(1, MOST);
    let page = app.reader.trial_page(sweep.sweep, filter.as_ref(), &sort, after.as_ref(), limit).await?;
    let next = page.next.map(|mark| write_cursor(&Cursor { of, mark })).transpose()?;
    Ok(Json(Page { trials: page.trials, next }))
}

/// All trials as a file for other programs, one line each, read while it is sent.
#[utoipa::path(
    get,
    path = "/api/v1/sweeps/{sweep}/trials.csv",
    operation_id = "trials_csv",
    tag = "trials",
    params(("sweep" = String, Path, description = "A sweep's id, the start of it, or a name"), Listed),
    responses((status = 200, description = "One line each", body = String, content_type = "text/csv")),
)]
async fn csv(
    State(app): State<App>,
    Path(word): Path<String>,
    Query(listed): Query<Listed>,
) -> Result<Response, ApiError> {
    if listed.cursor.is_some() {
        return Err(bad_query("a file has no pages: leave cursor out"));
    }
    let sweep = sweep_called(&app, &word).await?;
    let filter = condition(&sweep, listed.condition.as_deref())?;
    let sort = order(&sweep, &listed)?;
    let mut ids = app.reader.trial_ids(sweep.sweep, filter, Some(sort)).await?;
    if let Some(limit) = listed.limit {
        ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let name = format!("attachment; filename=\"{}.csv\"", sweep.id);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines(app.reader.clone(), sweep.spec, ids))).into_response())
}

/// The headings, then the trials chunk by chunk.
fn lines(
    reader: Reader,
    spec: Sweep,
    ids: Vec<TrialId>,
) -> impl stream::Stream<Item = Result<Vec<u8>, std::io::Error>> + Send {
    stream::try_unfold(None, move |place: Option<usize>| {
        let (reader, spec) = (reader.clone(), spec.clone());
        let chunk: Option<Vec<TrialId>> = match place {
            None => Some(Vec::new()),
            Some(place) => ids
                .get(place..)
                .filter(|rest| !rest.is_empty())
                .map(|rest| rest[..rest.len().min(CHUNK)].to_vec()),
        };
        async move {
            let Some(chunk) = chunk else { return Ok(None) };
            let lines = match place {
                None => report::csv_headings(&spec),
                Some(_) => {
                    let trials = reader.trials_by_id(&chunk).await.map_err(std::io::Error::other)?;
                    report::csv_lines(&spec, &trials)
                }
            };
            Ok(Some((lines.map_err(std::io::Error::other)?, Some(place.unwrap_or(0) + chunk.len()))))
        }
    })
}

/// The sweep that a word of a path means.
pub(super) async fn sweep_called(app: &App, word: &str) -> Result<SweepSummary, ApiError> {
    let id = find(app, word).await?;
    app.reader.sweep(id).await?.ok_or_else(|| ApiError::not_found("sweep", word))
}

/// A condition on a sweep's trials; none where it is empty.
pub(super) fn condition(sweep: &SweepSummary, text: Option<&str>) -> Result<Option<Expr>, ApiError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let read = |text| TrialNames::of(&sweep.spec).condition(text);
    text.map(read).transpose().map_err(|error| not_understood("where", &error))
}

fn order(sweep: &SweepSummary, listed: &Listed) -> Result<Sort, ApiError> {
    match listed.sort.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => {
            let by =
                TrialNames::of(&sweep.spec).value(text).map_err(|error| not_understood("sort", &error))?;
            Ok(Sort { by, descending: listed.descending })
        }
        None => Sort::best_first(&sweep.spec).map_err(|error| ApiError::internal(&error)),
    }
}

fn not_understood(what: &str, error: &ExprError) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_expression", format!("{what}: {error}"))
}

fn bad_query(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_query", message)
}

/// A name for the list that a cursor is a place in: another one has other places.
fn list_name(sweep: &SweepSummary, listed: &Listed) -> String {
    let of = (&sweep.id, &listed.condition, &listed.sort, listed.descending);
    let hash = blake3::hash(format!("{of:?}").as_bytes()).to_hex();
    hash.as_str()[..12].to_owned()
}

fn write_cursor(cursor: &Cursor) -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).map_err(|e| ApiError::internal(&e))?))
}

fn read_cursor(text: &str, of: &str) -> Result<Mark, ApiError> {
    let read = || -> Option<Cursor> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok() };
    match read() {
        Some(cursor) if cursor.of == of => Ok(cursor.mark),
        _ => Err(bad_query("this cursor is not of this list: begin again without one")),
    }
}
