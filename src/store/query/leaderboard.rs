//! The ranking of a sweep's completed trials.

use super::sweeps::SweepSummary;
use super::trials::{SUMMARY, TrialSummary, trial_summary};
use crate::domain::{Direction, SweepId};
use crate::store::rows::unsigned;
use crate::store::{Reader, StoreError};
use serde::Serialize;
use sqlx::AssertSqlSafe;

/// One place of the ranking.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Ranked {
    /// From 1; equal values share a place by number.
    pub rank: u64,
    /// The trial.
    pub trial: TrialSummary,
}

/// A sweep and its best trials.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Leaderboard {
    /// The sweep.
    pub sweep: SweepSummary,
    /// The best first.
    pub ranked: Vec<Ranked>,
}

impl Reader {
    /// The best `n` completed trials of a sweep; `None` where it has been removed.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn leaderboard(&self, sweep: SweepId, n: u64) -> Result<Option<Leaderboard>, StoreError> {
        let Some(sweep) = self.sweep(sweep).await? else { return Ok(None) };
        let sql = match sweep.spec.objective.direction {
            Direction::Minimize => {
                "select SUMMARY from trial_value v join trial using (trial_id) \
                 where v.sweep_id = ? and v.objective = 0 and v.ranked = 1 order by v.value, v.trial_id limit ?"
            }
            Direction::Maximize => {
                "select SUMMARY from trial_value v join trial using (trial_id) \
                 where v.sweep_id = ? and v.objective = 0 and v.ranked = 1 order by v.value desc, v.trial_id limit ?"
            }
        };
        let rows = sqlx::query(AssertSqlSafe(sql.replace("SUMMARY", SUMMARY)))
            .bind(sweep.sweep.0)
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        let ranked = (1..)
            .zip(&rows)
            .map(|(rank, row)| Ok(Ranked { rank, trial: trial_summary(row)? }))
            .collect::<Result<_, StoreError>>()?;
        Ok(Some(Leaderboard { sweep, ranked }))
    }

    /// The best completed trial's number and value.
    pub(super) async fn best_of(
        &self,
        sweep: SweepId,
        direction: Direction,
    ) -> Result<Option<(u64, f64)>, StoreError> {
        let sql = match direction {
            Direction::Minimize => {
                "select t.number, v.value from trial_value v join trial t using (trial_id) \
                 where v.sweep_id = ? and v.objective = 0 and v.ranked = 1 order by v.value, v.trial_id limit 1"
            }
            Direction::Maximize => {
                "select t.number, v.value from trial_value v join trial t using (trial_id) \
                 where v.sweep_id = ? and v.objective = 0 and v.ranked = 1 order by v.value desc, v.trial_id limit 1"
            }
        };
        let row: Option<(i64, f64)> = sqlx::query_as(sql).bind(sweep.0).fetch_optional(&self.pool).await?;
        row.map(|(number, value)| Ok((unsigned("trial.number", number)?, value))).transpose()
    }
}
