//! The calls of our own workers: claim and heartbeat.

use super::App;
use super::error::ApiError;
use super::extract::Body;
use crate::dataset::registry;
use crate::domain::Checkpoint;
use crate::scheduler::{Claimed, Input, Reply, Seeker};
use crate::store::blob;
use crate::worker::protocol::{CheckpointRef, Claim, DatasetRef, Heartbeat, Verdict, Work};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a claim waits for work before it is answered with "nothing".
const CLAIM_WAIT: Duration = Duration::from_secs(20);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(claim)).routes(routes!(heartbeat))
}

/// Work of any sweep; 204 when there is nothing for twenty seconds. `beside` an attempt: a further trial that may be
/// trained in one step with it, or 204 at once.
#[utoipa::path(
    post,
    path = "/api/v1/work/claim",
    operation_id = "claim",
    tag = "workers",
    request_body = Claim,
    responses((status = 200, description = "The answer", body = Work), (status = 204, description = "There is nothing now")),
)]
async fn claim(State(app): State<App>, Body(claim): Body<Claim>) -> Result<Response, ApiError> {
    let mut pulse = app.dispatcher.pulse();
    let (mut draining, mut closing) = (app.draining.clone(), app.closing.clone());
    let deadline = tokio::time::Instant::now() + CLAIM_WAIT;
    loop {
        if *draining.borrow() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        // Armed before asking, so that work which appears in between is not missed.
        pulse.mark_unchanged();
        let seeker = Seeker {
            worker: claim.worker.clone(),
            slot: claim.slot.clone(),
            request_id: claim.request_id.clone(),
            is_new: false,
            kinds: claim.kinds.clone(),
            environment: claim.environment.clone(),
            beside: claim.beside,
        };
        match app.dispatcher.handle(Input::Claim(seeker)).await? {
            Reply::Work(claimed) => return Ok(Json(work_of(&app, *claimed)).into_response()),
            // Its other trials do not wait for it.
            _ if claim.beside.is_some() => return Ok(StatusCode::NO_CONTENT.into_response()),
            _ => {
                let go_on = tokio::select! {
                    changed = pulse.changed() => changed.is_ok(),
                    _ = draining.wait_for(|draining| *draining) => false,
                    _ = closing.wait_for(|closing| *closing) => false,
                    () = tokio::time::sleep_until(deadline) => false,
                };
                if !go_on {
                    return Ok(StatusCode::NO_CONTENT.into_response());
                }
            }
        }
    }
}

/// Says that a worker lives.
#[utoipa::path(
    post,
    path = "/api/v1/work/heartbeat",
    operation_id = "heartbeat",
    tag = "workers",
    request_body = Heartbeat,
    responses((status = 200, description = "The answer", body = Verdict)),
)]
async fn heartbeat(State(app): State<App>, Body(beat): Body<Heartbeat>) -> Result<Json<Verdict>, ApiError> {
    let input = Input::Heartbeat { trial: beat.trial_id, attempt: beat.attempt };
    super::trials::verdict(app.dispatcher.handle(input).await?)
}

fn reference(app: &App, checkpoint: Checkpoint) -> CheckpointRef {
    let path = blob::path(&app.home, &checkpoint.hash);
    CheckpointRef { step: checkpoint.step, hash: checkpoint.hash, path }
}

fn work_of(app: &App, claimed: Claimed) -> Work {
    let has_heirs = claimed.spec.population().is_some();
    let objective = claimed.spec.objective;
    let dataset = match (&objective.dataset, claimed.dataset_hash) {
        (Some(name), Some(hash)) => {
            Some(DatasetRef { name: name.clone(), hash, path: registry::path_of(&app.home, name) })
        }
        _ => None,
    };
    Work {
        folder: Some(crate::home::trial_folder(&app.home, &claimed.sweep_uid, claimed.number)),
        sweep: claimed.sweep_uid,
        sweep_name: claimed.spec.name,
        trial_id: claimed.leg.trial,
        number: claimed.number,
        attempt: claimed.attempt,
        fold: claimed.leg.fold,
        from_step: claimed.leg.from_step,
        until_step: claimed.leg.until_step,
        params: claimed.params,
        objective,
        seed: claimed.spec.seed,
        dataset,
        lease_ms: claimed.lease_ms.unwrap_or(i64::MAX),
        checkpoints: claimed.checkpoints.into_iter().map(|checkpoint| reference(app, checkpoint)).collect(),
        parent: claimed.descent.map(Into::into),
        has_heirs,
        accumulate: claimed.accumulate,
        fuse: claimed.fuse,
        threads: claimed.threads,
        precision: claimed.precision,
    }
}
