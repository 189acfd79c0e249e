//! What came of the trials of a sweep: configurations and values.

use crate::domain::{Params, SweepId};
use crate::store::direct::{all, each};
use crate::store::rows::{from_json, to_json};
use crate::store::{Reader, StoreError};

/// Completed trials of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// How many there are.
    pub trials: u64,
    /// Configurations and values of some of them, evenly spread over all, by number.
    pub some: Vec<(Params, f64)>,
}

impl Reader {
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
