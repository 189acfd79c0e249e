//! Who worked when, on which slot.

use crate::domain::{Millis, TrialId};
use crate::store::direct::each;
use crate::store::rows::{to_json, unsigned};
use crate::store::{Reader, StoreError};

/// Who worked when: one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Stint {
    /// On which slot.
    pub slot: String,
    /// On which trial.
    pub trial_id: TrialId,
    /// `open`, `completed`, `failed`, `stopped`, `paused` or `lost`.
    pub state: String,
    /// The attempt.
    pub attempt: i64,
    /// When it began.
    pub from: Millis,
    /// When it ended.
    pub until: Option<Millis>,
}

impl Reader {
    /// Who worked within a time, in the order in which they began, whatever the sweep.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn stints(&self, from: Millis, to: Millis) -> Result<Vec<Stint>, StoreError> {
        self.look(move |connection| {
            let sql = "select attempt_id, slot, trial_id, state, started_ms, finished_ms \
                       from attempt indexed by attempt_by_time \
                       where started_ms <= ?2 and (finished_ms is null or finished_ms >= ?1) order by started_ms";
            let mut stints = Vec::new();
            each(connection, sql, [from.0, to.0], |row| {
                stints.push(Stint {
                    attempt: row.get(0)?,
                    slot: row.get(1)?,
                    trial_id: TrialId(row.get(2)?),
                    state: row.get(3)?,
                    from: Millis(row.get(4)?),
                    until: row.get::<_, Option<i64>>(5)?.map(Millis),
                });
                Ok(true)
            })?;
            Ok(stints)
        })
        .await
    }

    /// What some trials are called: their numbers, and their sweeps' public ids; nothing for those that are gone.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trial_names(&self, trials: &[TrialId]) -> Result<Vec<(TrialId, u64, String)>, StoreError> {
        let ids: Vec<i64> = trials.iter().map(|trial| trial.0).collect();
        let wanted = to_json(&ids)?;
        self.look(move |connection| {
            let sql = "select trial_id, number, uid from json_each(?) wanted cross join trial \
                       on trial.trial_id = wanted.value cross join sweep using (sweep_id)";
            let mut names = Vec::with_capacity(ids.len());
            each(connection, sql, [wanted], |row| {
                names.push((TrialId(row.get(0)?), unsigned("trial.number", row.get(1)?)?, row.get(2)?));
                Ok(true)
            })?;
            Ok(names)
        })
        .await
    }
}
