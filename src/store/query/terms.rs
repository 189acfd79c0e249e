//! What a sweep searched before, and which configurations it has.

use super::SweepSummary;
use crate::domain::terms::Alteration;
use crate::domain::{Millis, Params, PastTerms, SweepId, TrialId};
use crate::store::rows::{from_json, unsigned};
use crate::store::{Reader, StoreError, terms};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use sqlx::Row;

/// A change of a sweep's space, constraints or number of trials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Edit {
    /// When.
    pub at_ms: Millis,
    /// The first leg that was decided by what it is since then.
    pub leg: u64,
    /// What is different.
    pub changes: Vec<Alteration>,
}

impl Reader {
    /// How a sweep was changed since it was submitted, oldest first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn edits(&self, sweep: &SweepSummary) -> Result<Vec<Edit>, StoreError> {
        let past = self.past_terms(sweep.sweep).await?;
        let sql = "select ended_ms from space_version where sweep_id = ? order by version";
        let times: Vec<i64> = sqlx::query_scalar(sql).bind(sweep.sweep.0).fetch_all(&self.pool).await?;
        let now = sweep.spec.terms();
        let after = past.iter().skip(1).map(|later| &later.terms).chain([&now]);
        let edits = past.iter().zip(after).zip(times).map(|((before, after), at)| Edit {
            at_ms: Millis(at),
            leg: before.until_leg,
            changes: before.terms.alterations(after),
        });
        Ok(edits.collect())
    }

    /// The terms that a sweep had before, oldest first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn past_terms(&self, sweep: SweepId) -> Result<Vec<PastTerms>, StoreError> {
        let rows = sqlx::query(terms::PAST).bind(sweep.0).fetch_all(&self.pool).await?;
        rows.iter().map(terms::past).collect()
    }

    /// Shows each configuration of a sweep, in the order of their trials' numbers.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn each_configuration(
        &self,
        sweep: SweepId,
        mut show: impl FnMut(TrialId, u64, &Params),
    ) -> Result<(), StoreError> {
        let sql = "select trial_id, number, params from trial where sweep_id = ? order by number";
        let mut rows = sqlx::query(sql).bind(sweep.0).fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            let number = unsigned("trial.number", row.try_get("number")?)?;
            show(
                TrialId(row.try_get("trial_id")?),
                number,
                &from_json("trial.params", row.try_get("params")?)?,
            );
        }
        Ok(())
    }
}
