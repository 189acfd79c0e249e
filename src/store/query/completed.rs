//! What came of the trials of a sweep: configurations and values.

use crate::domain::{Params, SweepId};
use crate::store::direct::{all, each};
use crate::store::rows::{from_json, to_json, unsigned};
use crate::store::{Reader, StoreError};
use futures_util::TryStreamExt as _;
use sqlx::Row;

/// Of results, so many of the newest say enough.
const MOST: i64 = 100_000;

/// Completed trials of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// How many there are.
    pub trials: u64,
    /// Configurations and values of some of them, evenly spread over all, by number.
    pub some: Vec<(Params, f64)>,
}

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

    /// The completed trials of a sweep: all, or of more than `most` so many.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn completed(&self, sweep: SweepId, most: usize) -> Result<Completed, StoreError> {
        self.look(move |connection| {
            // Ids grow with the numbers, and the index alone knows them.
            let sql = "select trial_id from trial indexed by trial_by_state \
                       where sweep_id = ? and state = 'completed' order by trial_id";
            let ids: Vec<i64> = all(connection, sql, [sweep.0], |row| Ok(row.get(0)?))?;
            let most = most.min(ids.len());
            let wanted: Vec<i64> = (0..most).map(|i| ids[i * ids.len() / most]).collect();
            let sql = "select params, best_value from json_each(?) wanted cross join trial \
                       on trial.trial_id = wanted.value where best_value is not null order by wanted.key";
            let mut some = Vec::with_capacity(most);
            each(connection, sql, [to_json(&wanted)?], |row| {
                let params = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                some.push((from_json("trial.params", params)?, row.get(1)?));
                Ok(true)
            })?;
            Ok(Completed { trials: ids.len() as u64, some })
        })
        .await
    }
}
