//! What a sweep and a trial left behind: the file as it was submitted, checkpoints.

use crate::domain::{Millis, SweepId, TrialId};
use crate::store::rows::unsigned;
use crate::store::{Reader, StoreError};
use serde::Serialize;
use sqlx::Row;

/// A state of a trial from which its training can go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CheckpointSummary {
    /// The fold, from 0.
    pub fold: u32,
    /// Steps that had ended.
    pub step: u64,
    /// Its size.
    pub bytes: u64,
    /// When it arrived.
    pub at_ms: Millis,
    /// BLAKE3 of its bytes, in hex: the blob's name.
    pub hash: String,
}

impl Reader {
    /// A sweep's file as it was submitted; `None` where the sweep has been removed.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn source(&self, sweep: SweepId) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar("select source from sweep where sweep_id = ?").bind(sweep.0);
        Ok(query.fetch_optional(&self.pool).await?)
    }

    /// The checkpoints of a trial that are kept, oldest first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn checkpoints(&self, trial: TrialId) -> Result<Vec<CheckpointSummary>, StoreError> {
        let rows = sqlx::query("select * from checkpoint where trial_id = ? order by fold, step")
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await?;
        let summary = |row: &sqlx::sqlite::SqliteRow| {
            Ok(CheckpointSummary {
                fold: row.try_get("fold")?,
                step: unsigned("checkpoint.step", row.try_get("step")?)?,
                bytes: unsigned("checkpoint.bytes", row.try_get("bytes")?)?,
                at_ms: Millis(row.try_get("at_ms")?),
                hash: row.try_get("hash")?,
            })
        };
        rows.iter().map(summary).collect()
    }
}
