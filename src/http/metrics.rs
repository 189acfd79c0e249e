//! `/metrics`: what a Prometheus server collects. `docs/metrics.md` lists it all.
//!
//! Counts and times are kept from the daemon's start on; what is true now is looked up when somebody asks. Labels
//! take few values: sweeps that are open, routes as templates, known methods.

use super::App;
use super::error::ApiError;
use crate::domain::{AttemptState, Change, Millis, TrialId, TrialState};
use crate::scheduler::shell::Commit;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bounds of times, in seconds.
const SHORT: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
const LONG: [f64; 9] = [0.01, 0.1, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

/// So many trials that wait are remembered with the time since when.
const MOST_WAITING: usize = 1_000_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Question {
    question: &'static str,
}

/// What a daemon has counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<Call, Histogram, fn() -> Histogram>,
    questions: Family<Question, Histogram, fn() -> Histogram>,
    commits: Histogram,
    waits: Histogram,
    steps: Counter,
    lost: Counter,
}

fn short() -> Histogram {
    Histogram::new(SHORT)
}

impl Default for Metrics {
    fn default() -> Self {
        let calls = Family::new_with_constructor(short as fn() -> Histogram);
        let questions = Family::new_with_constructor(short as fn() -> Histogram);
        let (commits, waits) = (short(), Histogram::new(LONG));
        let (steps, lost) = (Counter::default(), Counter::default());
        let mut registry = Registry::with_prefix("sweepd");
        registry.register("http_seconds", "Time until an answer begins", calls.clone());
        registry.register("database_query_seconds", "Time of a question to the database", questions.clone());
        registry.register("database_commit_seconds", "Time of a transaction that writes", commits.clone());
        registry.register(
            "queue_wait_seconds",
            "Time from a trial's being queued to its start",
            waits.clone(),
        );
        registry.register("steps", "Steps (epochs) that were reported", steps.clone());
        registry.register("leases_lost", "Attempts whose worker ended or fell silent", lost.clone());
        Self { registry, calls, questions, commits, waits, steps, lost }
    }
}

impl Metrics {
    /// Notes how long the database took to answer.
    pub(super) fn asked(&self, question: &'static str, took: Duration) {
        self.questions.get_or_create(&Question { question }).observe(took.as_secs_f64());
    }
}

/// Trials that wait, and since when.
#[derive(Debug, Default)]
pub(super) struct Waiting(HashMap<TrialId, Millis>);

impl Waiting {
    /// Counts what was committed.
    pub fn count(&mut self, commit: &Commit, metrics: &Metrics) {
        if commit.changes.is_empty() {
            return;
        }
        metrics.commits.observe(commit.took.as_secs_f64());
        for change in &commit.changes {
            match change {
                Change::Reported(_) => drop(metrics.steps.inc()),
                Change::AttemptClosed { state: AttemptState::Lost, .. } => drop(metrics.lost.inc()),
                Change::TrialInserted(trial) => self.waits(trial.id, trial.created),
                Change::TrialMoved { trial, to: TrialState::Queued, at, .. } => self.waits(*trial, *at),
                Change::TrialHeld { trial, ready: Some(ready), .. } => self.waits(*trial, *ready),
                Change::AttemptOpened(attempt) => {
                    if let Some(since) = self.0.remove(&attempt.trial) {
                        let waited_ms = attempt.started.since_ms(since).max(0);
                        metrics.waits.observe(waited_ms as f64 / 1e3);
                    }
                }
                Change::TrialMoved { trial, to, .. } if to.is_over() => drop(self.0.remove(trial)),
                _ => {}
            }
        }
    }

    fn waits(&mut self, trial: TrialId, since: Millis) {
        if self.0.len() >= MOST_WAITING {
            self.0.clear();
        }
        self.0.insert(trial, since);
    }
}

#[allow(clippy::disallowed_methods, reason = "how long calls take, for people: nothing is decided by it")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// Notes how long a call took.
pub(super) async fn time(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        // Whatever a client makes up.
        _ => "other",
    };
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let began = clock();
    let response = next.run(request).await;
    let call = Call { method, route, status: response.status().as_u16() };
    app.metrics.calls.get_or_create(&call).observe(began.elapsed().as_secs_f64());
    response
}

type Level = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSweep {
    sweep: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    sweep: String,
    name: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMetric {
    sweep: String,
    name: String,
    metric: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDevice {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWorker {
    worker: String,
}

/// For a Prometheus server.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "daemon",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
)]
async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let mut now = Registry::with_prefix("sweepd");
    sweeps(&app, &mut now).await?;
    machine(&app, &mut now);
    let mut text = String::new();
    for registry in [&app.metrics.registry, &now] {
        prometheus_text::encode(&mut text, registry).map_err(|e| ApiError::internal(&e))?;
    }
    Ok(([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}

/// The sweeps that are not over.
async fn sweeps(app: &App, now: &mut Registry) -> Result<(), ApiError> {
    let (trials, best, baseline) = (
        Family::<InState, Gauge>::default(),
        Family::<OfMetric, Level>::default(),
        Family::<OfSweep, Level>::default(),
    );
    let began = clock();
    let open = app.reader.unfinished_sweeps().await?;
    app.metrics.asked("sweeps", began.elapsed());
    for sweep in open {
        let (id, name) = (sweep.id, sweep.name);
        let counts = sweep.trials;
        for (state, n) in [
            ("queued", counts.queued),
            ("running", counts.running),
            ("paused", counts.paused),
            ("stopping", counts.stopping),
            ("completed", counts.completed),
            ("stopped", counts.stopped),
            ("failed", counts.failed),
            ("cancelled", counts.cancelled),
        ] {
            let labels = InState { sweep: id.clone(), name: name.clone(), state };
            trials.get_or_create(&labels).set(i64::try_from(n).unwrap_or(i64::MAX));
        }
        if let Some(value) = sweep.best {
            let metric = sweep.spec.objective.metric;
            let labels = OfMetric { sweep: id.clone(), name: name.clone(), metric };
            best.get_or_create(&labels).set(value);
        }
        if let Some(value) = sweep.baseline {
            baseline.get_or_create(&OfSweep { sweep: id, name }).set(value);
        }
    }
    now.register("trials", "Trials of open sweeps, by state", trials);
    now.register("best", "Best value of a completed trial of an open sweep", best);
    now.register("baseline", "What predicting the mean of an open sweep's training rows scores", baseline);
    Ok(())
}

/// What the machine and its devices are used for, as it was last looked at.
fn machine(app: &App, now: &mut Registry) {
    let streams: Gauge = Gauge::default();
    streams.set(i64::try_from(app.live.streams()).unwrap_or(i64::MAX));
    now.register("event_streams", "Event streams that are open", streams);
    let Some(last) = app.history.last() else { return };
    let level = |value: Option<f64>| {
        let level = Level::default();
        value.map(|value| level.set(value));
        level
    };
    now.register(
        "cpu_share",
        "Share of the machine's cores that is used, from 0 to 1",
        level(last.cpu_share),
    );
    let used = last.memory_used_bytes.map(|bytes| bytes as f64);
    now.register("memory_used_bytes", "The machine's memory that is used", level(used));
    let resident = Family::<OfWorker, Level>::default();
    for worker in last.workers {
        if let Some(bytes) = worker.resident_bytes {
            resident.get_or_create(&OfWorker { worker: worker.worker }).set(bytes as f64);
        }
    }
    now.register("worker_resident_bytes", "Memory that a worker's process holds", resident);
    let (memory, use_of) = (Family::<OfDevice, Level>::default(), Family::<OfDevice, Level>::default());
    for device in last.devices {
        let labels = OfDevice { device: device.device };
        memory.get_or_create(&labels).set(device.used_bytes as f64);
        if let Some(share) = device.utilisation {
            use_of.get_or_create(&labels).set(share);
        }
    }
    now.register("gpu_memory_used_bytes", "A device's memory that is used", memory);
    now.register("gpu_utilisation", "Share of time in which a device computed, from 0 to 1", use_of);
}
