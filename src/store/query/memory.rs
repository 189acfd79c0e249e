//! What came of a sweep's trials, for whoever asks what their memory has shown.

use crate::domain::{LegRecord, Params, SweepId};
use crate::store::direct::{all, one};
use crate::store::fields::Fields as _;
use crate::store::legs;
use crate::store::rows::from_json;
use crate::store::{Reader, StoreError};

impl Reader {
    /// Every trial's configuration and every leg of a sweep, by number, once one of its trials has run out of memory with
    /// the largest device for itself; else nothing.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn memory_evidence(
        &self,
        sweep: SweepId,
    ) -> Result<Option<(Vec<Params>, Vec<LegRecord>)>, StoreError> {
        self.look(move |connection| {
            let sql = "select exists (select 1 from trial cross join attempt using (trial_id) where sweep_id = ? \
                       and trial.state <> 'completed' and json_extract(attempt.reason, '$.alone'))";
            if !one::<bool>(connection, sql, [sweep.0])? {
                return Ok(None);
            }
            let sql = "select params from trial where sweep_id = ? order by number";
            let configurations =
                all(connection, sql, [sweep.0], |row| from_json("trial.params", row.text("trial.params")?))?;
            Ok(Some((configurations, all(connection, legs::RECORDS, [sweep.0], |row| legs::record(row))?)))
        })
        .await
    }
}
