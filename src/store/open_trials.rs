//! Reading trials with all that the scheduler must know of them: one pass over each table, however many trials
//! there are. A hundred thousand may wait when a daemon starts.

use super::StoreError;
use super::rows::{from_json, join_metrics, optional_json, trial_state, unsigned};
use super::{checkpoints, legs};
use crate::domain::recovery::{OpenTrial, Stopping};
use crate::domain::{
    AttemptId, AttemptState, LegId, Millis, NewAttempt, NewTrial, Reason, StepReport, SweepId, TrialId,
};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
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
    fn of(&mut self, row: &SqliteRow) -> Result<Option<&mut OpenTrial>, StoreError> {
        let place = self.places.get(&row.try_get::<i64, _>("trial_id")?);
        Ok(place.and_then(|place| self.trials.get_mut(*place)))
    }
}

/// The wanted trials by number, with their latest legs, attempts, reports and checkpoints.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    wanted: Wanted,
) -> Result<Vec<OpenTrial>, StoreError> {
    let mut found = Found { trials: Vec::new(), places: HashMap::new() };
    each(connection, wanted, "select trial.* from trial where WANTED order by number", |row| {
        let trial = trial(row)?;
        found.places.insert(trial.row.id.0, found.trials.len());
        found.trials.push(trial);
        Ok(())
    })
    .await?;
    let sql = "select leg.* from trial cross join leg using (trial_id) where WANTED order by leg_id";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.leg = Some(legs::leg(row)?);
        }
        Ok(())
    })
    .await?;
    let sql =
        "select attempt.* from trial cross join attempt using (trial_id) where WANTED order by attempt_id";
    each(connection, wanted, sql, |row| found.of(row)?.map_or(Ok(()), |trial| add_attempt(trial, row)))
        .await?;
    let sql = "select report.* from trial cross join report using (trial_id) where WANTED order by trial_id, fold, step";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.reports.push(report(row)?);
        }
        Ok(())
    })
    .await?;
    let sql = "select event.* from trial cross join event using (trial_id) where WANTED and trial.state = 'stopping' \
               and event.kind = 'trial_stopping' order by event_id";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            let reason = from_json("event.reason", row.try_get("reason")?)?;
            trial.stopping = Some(Stopping { seq: row.try_get("seq")?, reason });
        }
        Ok(())
    })
    .await?;
    let sql = "select checkpoint.* from trial cross join checkpoint using (trial_id) where WANTED order by step desc";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            trial.checkpoints.push(checkpoints::checkpoint(row)?);
        }
        Ok(())
    })
    .await?;
    Ok(found.trials)
}

/// Shows every row of a statement to `look`, one at a time: all at once they may not fit the memory.
async fn each(
    connection: &mut SqliteConnection,
    wanted: Wanted,
    sql: &'static str,
    mut look: impl FnMut(&SqliteRow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (which, id) = match wanted {
        Wanted::OpenOf(sweep) => {
            ("trial.sweep_id = ? and trial.state in ('queued', 'running', 'paused', 'stopping')", sweep.0)
        }
        Wanted::One(trial) => ("trial.trial_id = ?", trial.0),
    };
    let sql = AssertSqlSafe(sql.replace("WANTED", which));
    let mut rows = sqlx::query(sql).bind(id).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        look(&row)?;
    }
    Ok(())
}

fn trial(row: &SqliteRow) -> Result<OpenTrial, StoreError> {
    Ok(OpenTrial {
        row: NewTrial {
            id: TrialId(row.try_get("trial_id")?),
            sweep: SweepId(row.try_get("sweep_id")?),
            number: unsigned("trial.number", row.try_get("number")?)?,
            params: from_json("trial.params", row.try_get("params")?)?,
            suggested: from_json("trial.suggested", row.try_get("suggested")?)?,
            parameter_count: optional_unsigned(row, "parameter_count")?,
            budget_steps: optional_unsigned(row, "budget_steps")?,
            created: Millis(row.try_get("created_ms")?),
        },
        state: trial_state(row.try_get("state")?)?,
        leg: None,
        attempt: None,
        reports: Vec::new(),
        stopping: None,
        checkpoints: Vec::new(),
        setbacks: Vec::new(),
        ready: row.try_get::<Option<i64>, _>("ready_ms")?.map(Millis),
        alone: row.try_get("alone")?,
        accumulate: row.try_get("accumulate")?,
        environment: None,
    })
}

fn optional_unsigned(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(|n| unsigned(column, n)).transpose()
}

/// What one attempt says of its trial; they come oldest first.
fn add_attempt(trial: &mut OpenTrial, row: &SqliteRow) -> Result<(), StoreError> {
    let leg = LegId(row.try_get("leg_id")?);
    let state: &str = row.try_get("state")?;
    let is_open = state == AttemptState::Open.as_str();
    if trial.environment.is_none() || is_open {
        let environment: BTreeMap<String, String> =
            from_json("attempt.environment", row.try_get("environment")?)?;
        trial.environment.get_or_insert_with(|| environment.clone());
        if is_open {
            trial.attempt = Some(NewAttempt {
                id: AttemptId(row.try_get("attempt_id")?),
                leg,
                trial: trial.row.id,
                worker: row.try_get("worker")?,
                slot: row.try_get("slot")?,
                request_id: row.try_get("request_id")?,
                environment,
                lease_ms: row.try_get("lease_ms")?,
                started: Millis(row.try_get("started_ms")?),
            });
        }
    }
    // Why earlier attempts at the latest leg ended without a result. A daemon's end is not the leg's doing.
    let is_setback = state == AttemptState::Lost.as_str() || state == AttemptState::Failed.as_str();
    if is_setback && trial.leg.is_some_and(|latest| latest.id == leg) {
        let reason: Option<Reason> = optional_json("attempt.reason", row.try_get("reason")?)?;
        trial.setbacks.extend(reason.filter(|reason| *reason != Reason::DaemonStopped));
    }
    Ok(())
}

fn report(row: &SqliteRow) -> Result<StepReport, StoreError> {
    Ok(StepReport {
        trial: TrialId(row.try_get("trial_id")?),
        fold: row.try_get("fold")?,
        step: unsigned("report.step", row.try_get("step")?)?,
        attempt: AttemptId(row.try_get("attempt_id")?),
        seq: row.try_get("seq")?,
        at: Millis(row.try_get("at_ms")?),
        metrics: join_metrics(row)?,
    })
}
