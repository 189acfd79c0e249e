//! Reading the open rows, from which the scheduler starts.

use super::StoreError;
use super::open::Writer;
use super::open_trials::{self, Wanted};
use super::rows::{from_json, sweep_state, unsigned};
use super::{bulk, judgements, legs};
use crate::domain::recovery::{OpenSweep, OpenTrial, Recovery};
use crate::domain::{Millis, Origin, SweepId, SweepRow, TrialId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::path::Path;

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
             indexed by trial_open where state in ('queued', 'running', 'paused', 'stopping')) order by sweep_id",
        )
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let id = SweepId(row.try_get("sweep_id")?);
            let open = open_trials::read(connection, Wanted::OpenOf(id)).await?;
            recovery.sweeps.push(sweep_with(connection, &self.path, &row, open).await?);
        }
        Ok(recovery)
    }

    /// A trial, open or not, and its sweep; `None` where there is no such trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn stored_trial(&mut self, trial: TrialId) -> Result<Option<OpenSweep>, StoreError> {
        let connection = &mut self.connection;
        let open = open_trials::read(connection, Wanted::One(trial)).await?;
        let Some(sweep) = open.first().map(|trial| trial.row.sweep) else { return Ok(None) };
        let sql = "select * from sweep where sweep_id = ?";
        let row = sqlx::query(sql).bind(sweep.0).fetch_one(&mut *connection).await?;
        sweep_with(connection, &self.path, &row, open).await.map(Some)
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

/// A sweep with some of its trials.
async fn sweep_with(
    connection: &mut SqliteConnection,
    path: &Path,
    stored: &SqliteRow,
    open: Vec<OpenTrial>,
) -> Result<OpenSweep, StoreError> {
    let row = sweep_row(stored)?;
    let returns_to: Option<&str> = stored.try_get("returns_to")?;
    let trials =
        next_number(connection, "select coalesce(max(number), -1) from trial where sweep_id = ?", row.id)
            .await?;
    let mut records = Vec::new();
    // There may be millions.
    if row.spec.needs_ends() {
        records = bulk::read(path, legs::RECORDS, row.id.0, legs::record_in_bulk)?;
    }
    let mut points = Vec::new();
    if row.spec.needs_points() {
        let sql = "select params from trial where sweep_id = ? order by number";
        points = bulk::read(path, sql, row.id.0, |row| {
            let params = row.get_ref("params")?.as_str().map_err(rusqlite::Error::from)?;
            from_json("trial.params", params)
        })?;
    }
    let stopper = row.spec.search.stopper.as_ref();
    let judgements = match stopper {
        Some(stopper) if stopper.judges() => judgements::read(connection, row.id).await?,
        _ => Vec::new(),
    };
    let curves = match stopper {
        Some(stopper) if stopper.needs_curves() => {
            judgements::curves(connection, row.id, &row.spec.objective.metric).await?
        }
        _ => Default::default(),
    };
    Ok(OpenSweep {
        returns_to: returns_to.map(sweep_state).transpose()?,
        trials,
        legs: legs::next_number(connection, row.id).await?,
        idle_legs: legs::idle(connection, row.id).await?,
        open_legs: legs::open(connection, row.id).await?,
        records,
        points,
        judgements,
        curves,
        row,
        open,
    })
}
