//! What came of the trials of a sweep: configurations and values.

use crate::domain::{Params, SweepId};
use crate::store::rows::{from_json, unsigned};
use crate::store::{Reader, StoreError};
use futures_util::TryStreamExt as _;
use sqlx::Row;

/// So many of the newest say enough.
const MOST: i64 = 100_000;

impl Reader {
    /// Number, configuration and value of the completed trials of a sweep, by number; of more than 100,000 the newest.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn results(&self, sweep: SweepId) -> Result<Vec<(u64, Params, f64)>, StoreError> {
        let sql = "select number, params, best_value from trial where sweep_id = ? and state = 'completed' \
                   and best_value is not null order by number desc limit ?";
        let mut rows = sqlx::query(sql).bind(sweep.0).bind(MOST).fetch(&self.pool);
        let mut results = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let number = unsigned("trial.number", row.try_get("number")?)?;
            results.push((
                number,
                from_json("trial.params", row.try_get("params")?)?,
                row.try_get("best_value")?,
            ));
        }
        results.reverse();
        Ok(results)
    }

    /// The configurations of the completed trials of a sweep with their values, by number; of more than 100,000 the
    /// newest.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn completed(&self, sweep: SweepId) -> Result<Vec<(Params, f64)>, StoreError> {
        let results = self.results(sweep).await?;
        Ok(results.into_iter().map(|(_, params, value)| (params, value)).collect())
    }
}
