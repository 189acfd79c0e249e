//! Reading trials with all that the scheduler must know of them: one pass over each table, however many trials
//! there are. A hundred thousand may wait when a daemon starts.

use super::StoreError;
use super::direct::{self, Named};
use super::fields::Fields as _;
use super::rows::{from_json, join_metrics, optional_json, trial_state};
use super::{checkpoints, legs};
use crate::domain::recovery::{OpenTrial, Stopping};
use crate::domain::{
    AttemptId, AttemptState, LegId, Millis, NewAttempt, NewTrial, Reason, StepReport, SweepId, TrialId,
};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// Which trials are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Those of a sweep that have not ended.
    OpenOf(SweepId),
    /// This one, open or not.
    One(TrialId),
}

/// Trials by number, and where each stands among them.
struct Found {
    trials: Vec<OpenTrial>,
    places: HashMap<i64, usize>,
}

impl Found {
    fn of(&mut self, row: &Named<'_>) -> Result<Option<&mut OpenTrial>, StoreError> {
        let place = self.places.get(&row.int("trial_id")?);
        Ok(place.and_then(|place| self.trials.get_mut(*place)))
    }
}

/// The wanted trials by number, with their latest legs, attempts, reports and checkpoints.
pub(super) fn read(connection: &Connection, wanted: Wanted) -> Result<Vec<OpenTrial>, StoreError> {
    let mut found = Found { trials: Vec::new(), places: HashMap::new() };
    each(connection, wanted, "select trial.* from trial where WANTED order by number", |row| {
        let trial = trial(row)?;
        found.places.insert(trial.row.id.0, found.trials.len());
        found.trials.push(trial);
        Ok(())
    })?;
    let sql = "select leg.* from trial cross join leg using (trial_id) where WANTED order by leg_id";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.leg = Some(legs::leg(row)?);
        }
        Ok(())
    })?;
    let sql =
        "select attempt.* from trial cross join attempt using (trial_id) where WANTED order by attempt_id";
    each(connection, wanted, sql, |row| found.of(row)?.map_or(Ok(()), |trial| add_attempt(trial, row)))?;
    let sql = "select report.* from trial cross join report using (trial_id) where WANTED order by trial_id, fold, step";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.reports.push(report(row)?);
        }
        Ok(())
    })?;
    let sql = "select event.* from trial cross join event using (trial_id) where WANTED and trial.state = 'stopping' \
               and event.kind = 'trial_stopping' order by event_id";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            let reason = from_json("event.reason", row.text("event.reason")?)?;
            trial.stopping = Some(Stopping { seq: row.int("event.seq")?, reason });
        }
        Ok(())
    })?;
    let sql = "select checkpoint.* from trial cross join checkpoint using (trial_id) where WANTED order by step desc";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.checkpoints.push(checkpoints::checkpoint(row)?);
        }
        Ok(())
    })?;
    Ok(found.trials)
}

/// Shows every row of a statement to `look`, one at a time: all at once they may not fit the memory.
fn each(
    connection: &Connection,
    wanted: Wanted,
    sql: &'static str,
    mut look: impl FnMut(&Named<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (which, id) = match wanted {
        Wanted::OpenOf(sweep) => {
            ("trial.sweep_id = ? and trial.state in ('queued', 'running', 'paused', 'stopping')", sweep.0)
        }
        Wanted::One(trial) => ("trial.trial_id = ?", trial.0),
    };
    direct::each(connection, &sql.replace("WANTED", which), [id], |row| look(row).map(|()| true))
}

fn trial(row: &Named<'_>) -> Result<OpenTrial, StoreError> {
    Ok(OpenTrial {
        row: NewTrial {
            id: TrialId(row.int("trial.trial_id")?),
            sweep: SweepId(row.int("trial.sweep_id")?),
            number: row.count("trial.number")?,
            params: from_json("trial.params", row.text("trial.params")?)?,
            suggested: from_json("trial.suggested", row.text("trial.suggested")?)?,
            parameter_count: row.maybe_count("trial.parameter_count")?,
            budget_steps: row.maybe_count("trial.budget_steps")?,
            created: Millis(row.int("trial.created_ms")?),
        },
        state: trial_state(row.text("trial.state")?)?,
        leg: None,
        attempt: None,
        reports: Vec::new(),
        stopping: None,
        checkpoints: Vec::new(),
        setbacks: Vec::new(),
        ready: row.maybe_int("trial.ready_ms")?.map(Millis),
        alone: row.int("trial.alone")? != 0,
        accumulate: row.small("trial.accumulate")?,
        environment: None,
    })
}

/// What one attempt says of its trial; they come oldest first.
fn add_attempt(trial: &mut OpenTrial, row: &Named<'_>) -> Result<(), StoreError> {
    let leg = LegId(row.int("attempt.leg_id")?);
    let state = row.text("attempt.state")?;
    let is_open = state == AttemptState::Open.as_str();
    if trial.environment.is_none() || is_open {
        let environment: BTreeMap<String, String> =
            from_json("attempt.environment", row.text("attempt.environment")?)?;
        trial.environment.get_or_insert_with(|| environment.clone());
        if is_open {
            trial.attempt = Some(NewAttempt {
                id: AttemptId(row.int("attempt.attempt_id")?),
                leg,
                trial: trial.row.id,
                worker: row.text("attempt.worker")?.to_owned(),
                slot: row.text("attempt.slot")?.to_owned(),
                request_id: row.text("attempt.request_id")?.to_owned(),
                environment,
                lease_ms: row.maybe_int("attempt.lease_ms")?,
                started: Millis(row.int("attempt.started_ms")?),
            });
        }
    }
    // Why earlier attempts at the latest leg ended without a result. A daemon's end is not the leg's doing.
    let is_setback = state == AttemptState::Lost.as_str() || state == AttemptState::Failed.as_str();
    if is_setback && trial.leg.is_some_and(|latest| latest.id == leg) {
        let reason: Option<Reason> = optional_json("attempt.reason", row.maybe_text("attempt.reason")?)?;
        trial.setbacks.extend(reason.filter(|reason| *reason != Reason::DaemonStopped));
    }
    Ok(())
}

fn report(row: &Named<'_>) -> Result<StepReport, StoreError> {
    Ok(StepReport {
        trial: TrialId(row.int("report.trial_id")?),
        fold: row.small("report.fold")?,
        step: row.count("report.step")?,
        attempt: AttemptId(row.int("report.attempt_id")?),
        seq: row.int("report.seq")?,
        at: Millis(row.int("report.at_ms")?),
        metrics: join_metrics(row)?,
    })
}
