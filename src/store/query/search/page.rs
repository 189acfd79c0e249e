//! Trials page by page: the next page begins behind the last trial of the one before, wherever that stands by now.
//! And trials as ids alone, for what goes through all of them.

use super::columns::Columns;
use super::{Question, Sort, fetched, sieve_and_rank};
use crate::domain::{SweepId, TrialId, Value};
use crate::expr::Expr;
use crate::store::query::trials::TrialSummary;
use crate::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

/// A place in an order: what the trial there was worth when it was shown, and which it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The sort key.
    pub key: Option<Value>,
    /// The trial.
    pub trial: TrialId,
}

/// Some trials of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialPage {
    /// The trials.
    pub trials: Vec<TrialSummary>,
    /// Where the next page begins; `None` after the last trial.
    pub next: Option<Mark>,
}

impl Mark {
    /// The condition on `sort_key` and `id` that holds for those behind it.
    pub(super) fn sql(&self, descending: bool) -> (String, Vec<Value>) {
        let id = Value::Int(self.trial.0);
        match &self.key {
            None => ("sort_key is null and id > ?".into(), vec![id]),
            Some(key) => {
                let beyond = if descending { '<' } else { '>' };
                let sql = format!("(sort_key is null or sort_key {beyond} ? or (sort_key = ? and id > ?))");
                (sql, vec![key.clone(), key.clone(), id])
            }
        }
    }
}

impl Reader {
    /// The first trials behind a mark, at most `limit`, of those that a filter lets through. See
    /// [`trials`](Self::trials) for the order.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trial_page(
        &self,
        sweep: SweepId,
        filter: Option<&Expr>,
        sort: &Sort,
        after: Option<&Mark>,
        limit: u64,
    ) -> Result<TrialPage, StoreError> {
        // One more, to know whether there is a next page.
        let asked = Question { sweep, filter, sort: Some(sort), after, limit: limit.saturating_add(1) };
        let mut trials = self.answer(&asked).await?;
        let is_last = trials.len() as u64 <= limit;
        trials.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = match trials.last() {
            Some(last) if !is_last => Some(self.mark(sweep, sort.by.clone(), last.trial_id).await?),
            _ => None,
        };
        Ok(TrialPage { trials, next })
    }

    pub(super) async fn mark(&self, sweep: SweepId, by: Expr, trial: TrialId) -> Result<Mark, StoreError> {
        let key = self.look(move |connection| {
            let columns = Columns::of(sweep, &by);
            let table = columns.read(connection, &[trial.0])?;
            Ok(by.value(&|name| table.get(name, 0)))
        });
        Ok(Mark { key: key.await?, trial })
    }

    /// The ids of all trials that a filter lets through, in an order, by number unless sorted.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trial_ids(
        &self,
        sweep: SweepId,
        filter: Option<Expr>,
        sort: Option<Sort>,
    ) -> Result<Vec<TrialId>, StoreError> {
        let ids = self.look_with(move |team| {
            let size = "select coalesce(sum(trials), 0) from trial_count where sweep_id = ?";
            let size = u64::try_from(team.number(size, &[Value::Int(sweep.0)])?).unwrap_or(0);
            let (filter, sort) = (filter.as_ref(), sort.as_ref());
            let asked = Question { sweep, filter, sort, after: None, limit: u64::MAX };
            let ids = sieve_and_rank(team, &asked, size)?;
            ids.ok_or_else(|| StoreError::damaged("trial.trial_id", "an id beyond all that sweepd gives"))
        });
        Ok(ids.await?.into_iter().map(TrialId).collect())
    }

    /// Trials by their ids, in that order; those that are gone are left out.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trials_by_id(&self, ids: &[TrialId]) -> Result<Vec<TrialSummary>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut moment = self.pool.begin().await?;
        fetched(&mut moment, &ids).await
    }
}
