//! Checkpoints: which blobs a trial can go on from, and which blobs nothing refers to any more.

use super::StoreError;
use super::apply::{execute, one_row};
use super::open::Writer;
use super::rows::{signed, unsigned};
use crate::domain::{AttemptId, Checkpoint, Millis, SweepId, TrialId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

pub(super) async fn insert(connection: &mut SqliteConnection, stored: &Checkpoint) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into checkpoint (trial_id, fold, step, attempt_id, hash, bytes, at_ms) values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stored.trial.0)
    .bind(i64::from(stored.fold))
    .bind(signed("checkpoint.step", stored.step)?)
    .bind(stored.attempt.0)
    .bind(&stored.hash)
    .bind(signed("checkpoint.bytes", stored.bytes)?)
    .bind(stored.at.0);
    execute(connection, query).await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    dropped: &Checkpoint,
) -> Result<(), StoreError> {
    let query = sqlx::query("delete from checkpoint where trial_id = ? and fold = ? and step = ?")
        .bind(dropped.trial.0)
        .bind(i64::from(dropped.fold))
        .bind(signed("checkpoint.step", dropped.step)?);
    one_row(query.execute(connection).await?, || {
        format!("the checkpoint of trial {} at step {} is not there", dropped.trial, dropped.step)
    })
}

/// A checkpoint from a row of its table.
pub(super) fn checkpoint(row: &SqliteRow) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        trial: TrialId(row.try_get("trial_id")?),
        fold: row.try_get("fold")?,
        step: unsigned("checkpoint.step", row.try_get("step")?)?,
        attempt: AttemptId(row.try_get("attempt_id")?),
        hash: row.try_get("hash")?,
        bytes: unsigned("checkpoint.bytes", row.try_get("bytes")?)?,
        at: Millis(row.try_get("at_ms")?),
    })
}

impl Writer {
    /// The blobs that a sweep refers to: weights and checkpoints.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn blobs_of_sweep(&mut self, sweep: SweepId) -> Result<Vec<String>, StoreError> {
        let sql = "select weights from trial where sweep_id = ?1 and weights is not null \
                   union select hash from checkpoint join trial using (trial_id) where sweep_id = ?1";
        Ok(sqlx::query_scalar(sql).bind(sweep.0).fetch_all(&mut self.connection).await?)
    }

    /// Whether nothing refers to a blob.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn is_unreferenced(&mut self, hash: &str) -> Result<bool, StoreError> {
        let sql = "select not exists (select 1 from trial where weights = ?1) \
                   and not exists (select 1 from checkpoint where hash = ?1)";
        Ok(sqlx::query_scalar(sql).bind(hash).fetch_one(&mut self.connection).await?)
    }
}
