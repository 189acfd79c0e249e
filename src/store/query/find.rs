//! From what people type to ids: a sweep by id, prefix or name, a trial by id or `SWEEP/NUMBER`.

use crate::domain::{AttemptId, SweepId, TrialId};
use crate::store::{Reader, StoreError};

impl Reader {
    /// The sweep of an exact public id.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn sweep_with_id(&self, uid: &str) -> Result<Option<SweepId>, StoreError> {
        let sql = "select sweep_id from sweep where uid = ?";
        let found: Option<i64> = sqlx::query_scalar(sql).bind(uid).fetch_optional(&self.pool).await?;
        Ok(found.map(SweepId))
    }

    /// The sweeps meant by an exact public id; else the newest of that name; else those whose public id
    /// starts so. None, one, or (several prefixes match) more than one.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn sweeps_called(&self, word: &str) -> Result<Vec<SweepId>, StoreError> {
        if let Some(exact) = self.sweep_with_id(word).await? {
            return Ok(vec![exact]);
        }
        let name = "select sweep_id from sweep where name = ? order by sweep_id desc limit 1";
        let newest: Option<i64> = sqlx::query_scalar(name).bind(word).fetch_optional(&self.pool).await?;
        if let Some(id) = newest {
            return Ok(vec![SweepId(id)]);
        }
        if word.is_empty() {
            return Ok(Vec::new());
        }
        // substr, not like: the word may hold a wildcard.
        let prefix = "select sweep_id from sweep where substr(uid, 1, length(?1)) = ?1 order by sweep_id";
        let found: Vec<i64> = sqlx::query_scalar(prefix).bind(word).fetch_all(&self.pool).await?;
        Ok(found.into_iter().map(SweepId).collect())
    }

    /// The trial of that number in a sweep.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn trial_numbered(&self, sweep: SweepId, number: u64) -> Result<Option<TrialId>, StoreError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let found: Option<i64> =
            sqlx::query_scalar("select trial_id from trial where sweep_id = ? and number = ?")
                .bind(sweep.0)
                .bind(number)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.map(TrialId))
    }

    /// The state and the ending call of an attempt: `None` where no such attempt of that trial exists.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn attempt_end(
        &self,
        trial: TrialId,
        attempt: AttemptId,
    ) -> Result<Option<(String, Option<String>)>, StoreError> {
        Ok(sqlx::query_as("select state, tell from attempt where attempt_id = ? and trial_id = ?")
            .bind(attempt.0)
            .bind(trial.0)
            .fetch_optional(&self.pool)
            .await?)
    }
}
