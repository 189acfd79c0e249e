//! Who works on what: the database's knowledge, with what only a running daemon knows.

use super::App;
use super::error::ApiError;
use super::extract::Query;
use crate::domain::Millis;
use crate::scheduler::Overview;
use crate::store::query::{DeviceSummary, KnownFrom, WorkerSummary, Workers};
use crate::worker::process::resident_bytes_of;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The history after this time alone; a client asks for what it does not have yet.
    #[serde(default)]
    since_ms: i64,
}

/// Workers and the devices that they share, and what the machine was used for.
#[utoipa::path(
    get,
    path = "/api/v1/workers",
    operation_id = "list_workers",
    tag = "workers",
    params(Since),
    responses((status = 200, description = "The answer", body = Workers)),
)]
async fn list(
    State(app): State<App>,
    Query(Since { since_ms }): Query<Since>,
) -> Result<Json<Workers>, ApiError> {
    let overview = app.dispatcher.overview().await?;
    let mut workers = app.reader.workers().await?;
    add_presence(&mut workers, &overview);
    let readings = app.devices.borrow().clone();
    for worker in &mut workers {
        let process = worker.pid.zip(worker.pid_started);
        worker.process_seen(process.and_then(|(pid, started)| resident_bytes_of(pid, started)));
        let held = readings.iter().find_map(|reading| reading.processes.get(&worker.pid?));
        worker.device_memory_bytes = held.copied().or(worker.device_memory_bytes);
    }
    let device = |reading: crate::domain::DeviceReading| DeviceSummary {
        short_of_memory: overview.short_of_memory.contains(&reading.device),
        reading,
    };
    Ok(Json(Workers {
        known_from: KnownFrom::Daemon,
        at_ms: (app.clock)(),
        workers,
        devices: readings.into_iter().map(device).collect(),
        history: app.history.since(Millis(since_ms)),
    }))
}

/// Adds what the scheduler knows: when each worker was last heard of, its lease, and workers of other machines
/// that wait for work.
fn add_presence(workers: &mut Vec<WorkerSummary>, overview: &Overview) {
    for presence in &overview.workers {
        let at = workers.iter().position(|worker| worker.worker == presence.worker);
        let worker = match at {
            Some(at) => &mut workers[at],
            None if presence.attempt.is_some() => continue,
            None => {
                workers.push(WorkerSummary::named(presence.worker.clone(), presence.slot.clone()));
                let last = workers.len() - 1;
                &mut workers[last]
            }
        };
        worker.heard_ms = worker.heard_ms.max(presence.heard);
        let works_on = worker.work.as_ref().map(|work| work.attempt);
        if presence.attempt.is_some() && presence.attempt == works_on {
            worker.lease_until_ms = presence.lease_until;
        }
    }
    workers.sort_by(|a, b| (&a.slot, &a.worker).cmp(&(&b.slot, &b.worker)));
}
