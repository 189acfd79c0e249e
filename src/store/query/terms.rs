//! What a sweep searched before, and how many of its trials are of some space.

use crate::domain::{Params, PastTerms, SweepId};
use crate::store::rows::from_json;
use crate::store::{Reader, StoreError, terms};
use futures_util::TryStreamExt as _;
use sqlx::Row;

impl Reader {
    /// The terms that a sweep had before, oldest first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn past_terms(&self, sweep: SweepId) -> Result<Vec<PastTerms>, StoreError> {
        let rows = sqlx::query(terms::PAST).bind(sweep.0).fetch_all(&self.pool).await?;
        rows.iter().map(terms::past).collect()
    }

    /// How many of a sweep's trials have a configuration for which something holds, and how many there are.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn count_configurations(
        &self,
        sweep: SweepId,
        holds: impl Fn(&Params) -> bool,
    ) -> Result<(u64, u64), StoreError> {
        let sql = "select params from trial where sweep_id = ? order by number";
        let mut rows = sqlx::query(sql).bind(sweep.0).fetch(&self.pool);
        let (mut found, mut all) = (0, 0);
        while let Some(row) = rows.try_next().await? {
            found += u64::from(holds(&from_json("trial.params", row.try_get("params")?)?));
            all += 1;
        }
        Ok((found, all))
    }
}
