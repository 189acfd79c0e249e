//! What came of the trials of a sweep: configurations and values.

use crate::domain::{Params, SweepId};
use crate::store::rows::from_json;
use crate::store::{Reader, StoreError};
use futures_util::TryStreamExt as _;
use sqlx::Row;

/// So many of the newest say enough.
const MOST: i64 = 100_000;

impl Reader {
    /// The configurations of the completed trials of a sweep with their values, by number; of more than 100,000 the
    /// newest.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn completed(&self, sweep: SweepId) -> Result<Vec<(Params, f64)>, StoreError> {
        let sql = "select params, best_value from trial where sweep_id = ? and state = 'completed' \
                   and best_value is not null order by number desc limit ?";
        let mut rows = sqlx::query(sql).bind(sweep.0).bind(MOST).fetch(&self.pool);
        let mut completed = Vec::new();
        while let Some(row) = rows.try_next().await? {
            completed.push((from_json("trial.params", row.try_get("params")?)?, row.try_get("best_value")?));
        }
        completed.reverse();
        Ok(completed)
    }
}
