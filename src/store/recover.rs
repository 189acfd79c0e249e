//! Reading the open rows, from which the scheduler starts.

use super::StoreError;
use super::open::Writer;
use super::rows::{from_json, join_metrics, optional_json, sweep_state, trial_state, unsigned};
use super::{checkpoints, legs};
use crate::domain::recovery::{OpenSweep, OpenTrial, Recovery};
use crate::domain::{
    AttemptId, Leg, LegId, Millis, NewAttempt, NewTrial, Origin, Reason, StepReport, SweepId, SweepRow,
    TrialId,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

impl Writer {
    /// Everything the scheduler needs to go on.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn recover(&mut self) -> Result<Recovery, StoreError> {
        let connection = &mut self.connection;
        let mut recovery = Recovery {
            seq: number(connection, "select value from counter where name = 'seq'").await?,
            last_sweep: last_id(connection, "sweep").await?,
            last_trial: last_id(connection, "trial").await?,
            last_leg: last_id(connection, "leg").await?,
            last_attempt: last_id(connection, "attempt").await?,
            sweeps: Vec::new(),
        };
        // A cancelled sweep's running trials still wind down.
        let rows = sqlx::query(
            "select * from sweep where state in ('active', 'paused') or sweep_id in (select sweep_id from trial \
             where state in ('queued', 'running', 'paused', 'stopping')) order by sweep_id",
        )
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            recovery.sweeps.push(open_sweep(connection, sweep_row(&row)?).await?);
        }
        Ok(recovery)
    }

    /// A trial, open or not, and its sweep; `None` where there is no such trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn stored_trial(&mut self, trial: TrialId) -> Result<Option<OpenSweep>, StoreError> {
        let connection = &mut self.connection;
        let sql = "select * from trial where trial_id = ?";
        let Some(row) = sqlx::query(sql).bind(trial.0).fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        let sweep: i64 = row.try_get("sweep_id")?;
        let trial = open_trial(connection, &row).await?;
        let sql = "select * from sweep where sweep_id = ?";
        let row = sqlx::query(sql).bind(sweep).fetch_one(&mut *connection).await?;
        sweep_with(connection, sweep_row(&row)?, vec![trial]).await.map(Some)
    }
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

/// The largest id ever used in a table, also by a row that has been deleted since.
async fn last_id(connection: &mut SqliteConnection, table: &str) -> Result<i64, StoreError> {
    let last = sqlx::query_scalar("select seq from sqlite_sequence where name = ?").bind(table);
    Ok(last.fetch_optional(connection).await?.unwrap_or(0))
}

async fn next_number(
    connection: &mut SqliteConnection,
    sql: &'static str,
    sweep: SweepId,
) -> Result<u64, StoreError> {
    let last: i64 = sqlx::query_scalar(sql).bind(sweep.0).fetch_one(connection).await?;
    unsigned("number", last + 1)
}

/// A sweep from a row of its table.
pub(super) fn sweep_row(row: &SqliteRow) -> Result<SweepRow, StoreError> {
    Ok(SweepRow {
        id: SweepId(row.try_get("sweep_id")?),
        uid: row.try_get("uid")?,
        state: sweep_state(row.try_get("state")?)?,
        spec: from_json("sweep.spec", row.try_get("spec")?)?,
        origin: Origin {
            source: row.try_get("source")?,
            git_commit: row.try_get("git_commit")?,
            dataset_hash: row.try_get("dataset_hash")?,
            baseline: row.try_get("baseline")?,
        },
        created: Millis(row.try_get("created_ms")?),
    })
}

async fn open_sweep(connection: &mut SqliteConnection, row: SweepRow) -> Result<OpenSweep, StoreError> {
    let rows = sqlx::query(
        "select * from trial where sweep_id = ? and state in ('queued', 'running', 'paused', 'stopping') \
         order by number",
    )
    .bind(row.id.0)
    .fetch_all(&mut *connection)
    .await?;
    let mut open = Vec::with_capacity(rows.len());
    for row in rows {
        open.push(open_trial(connection, &row).await?);
    }
    sweep_with(connection, row, open).await
}

/// A sweep with some of its trials.
async fn sweep_with(
    connection: &mut SqliteConnection,
    row: SweepRow,
    open: Vec<OpenTrial>,
) -> Result<OpenSweep, StoreError> {
    let trials =
        next_number(connection, "select coalesce(max(number), -1) from trial where sweep_id = ?", row.id)
            .await?;
    let mut records = Vec::new();
    // Only a stopper asks what became of earlier legs; there may be millions.
    if row.spec.search.stopper.is_some() {
        let rows = sqlx::query(legs::RECORDS).bind(row.id.0).fetch_all(&mut *connection).await?;
        records = rows.iter().map(legs::record).collect::<Result<_, _>>()?;
    }
    Ok(OpenSweep {
        trials,
        legs: legs::next_number(connection, row.id).await?,
        idle_legs: legs::idle(connection, row.id).await?,
        open_legs: legs::open(connection, row.id).await?,
        records,
        row,
        open,
    })
}

async fn open_trial(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<OpenTrial, StoreError> {
    let id = TrialId(row.try_get("trial_id")?);
    let leg = legs::latest(connection, id).await?;
    Ok(OpenTrial {
        row: NewTrial {
            id,
            sweep: SweepId(row.try_get("sweep_id")?),
            number: unsigned("trial.number", row.try_get("number")?)?,
            params: from_json("trial.params", row.try_get("params")?)?,
            suggested: from_json("trial.suggested", row.try_get("suggested")?)?,
            parameter_count: optional_unsigned(row, "parameter_count")?,
            budget_steps: optional_unsigned(row, "budget_steps")?,
            created: Millis(row.try_get("created_ms")?),
        },
        state: trial_state(row.try_get("state")?)?,
        leg,
        attempt: open_attempt(connection, id).await?,
        reports: reports(connection, id).await?,
        checkpoints: checkpoints::of_trial(connection, id).await?,
        setbacks: setbacks(connection, leg).await?,
        ready: row.try_get::<Option<i64>, _>("ready_ms")?.map(Millis),
        alone: row.try_get("alone")?,
        environment: first_environment(connection, id).await?,
    })
}

fn optional_unsigned(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(|n| unsigned(column, n)).transpose()
}

/// Why earlier attempts at a leg ended without a result, oldest first. A daemon's end is not the leg's doing.
async fn setbacks(connection: &mut SqliteConnection, leg: Option<Leg>) -> Result<Vec<Reason>, StoreError> {
    let Some(leg) = leg else { return Ok(Vec::new()) };
    let sql = "select reason from attempt where leg_id = ? and state in ('lost', 'failed') \
               and reason is not null order by attempt_id";
    let texts: Vec<String> = sqlx::query_scalar(sql).bind(leg.id.0).fetch_all(connection).await?;
    let reasons = texts.iter().map(|text| from_json("attempt.reason", text));
    let mut reasons = reasons.collect::<Result<Vec<Reason>, _>>()?;
    reasons.retain(|reason| *reason != Reason::DaemonStopped);
    Ok(reasons)
}

/// The environment of a trial's first attempt.
async fn first_environment(
    connection: &mut SqliteConnection,
    trial: TrialId,
) -> Result<Option<BTreeMap<String, String>>, StoreError> {
    let sql = "select environment from attempt where trial_id = ? order by attempt_id limit 1";
    let text: Option<String> = sqlx::query_scalar(sql).bind(trial.0).fetch_optional(connection).await?;
    optional_json("attempt.environment", text)
}

async fn open_attempt(
    connection: &mut SqliteConnection,
    trial: TrialId,
) -> Result<Option<NewAttempt>, StoreError> {
    let row = sqlx::query("select * from attempt where trial_id = ? and state = 'open'")
        .bind(trial.0)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(NewAttempt {
            id: AttemptId(row.try_get("attempt_id")?),
            leg: LegId(row.try_get("leg_id")?),
            trial,
            worker: row.try_get("worker")?,
            slot: row.try_get("slot")?,
            request_id: row.try_get("request_id")?,
            environment: optional_json("attempt.environment", row.try_get("environment")?)?
                .unwrap_or_default(),
            lease_ms: row.try_get("lease_ms")?,
            started: Millis(row.try_get("started_ms")?),
        })
    })
    .transpose()
}

async fn reports(connection: &mut SqliteConnection, trial: TrialId) -> Result<Vec<StepReport>, StoreError> {
    let rows = sqlx::query("select * from report where trial_id = ? order by fold, step")
        .bind(trial.0)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StepReport {
                trial,
                fold: row.try_get("fold")?,
                step: unsigned("report.step", row.try_get("step")?)?,
                attempt: AttemptId(row.try_get("attempt_id")?),
                seq: row.try_get("seq")?,
                at: Millis(row.try_get("at_ms")?),
                metrics: join_metrics(row)?,
            })
        })
        .collect()
}
