//! What trials have to show step by step: the curves of one metric, and the trials in the order of their values.

use super::search::Sort;
use super::sweeps::SweepSummary;
use super::trials::TrialSummary;
use crate::domain::TrialId;
use crate::expr::Expr;
use crate::store::direct::each;
use crate::store::rows::{METRIC_COLUMNS, to_json, unsigned};
use crate::store::{Reader, StoreError};
use rusqlite::params;
use std::collections::BTreeMap;

/// One metric by step: steps from 1 upwards, each once; NaN where what was reported is not finite.
pub type CurvePoints = Vec<(u64, f64)>;

impl Reader {
    /// Trials that a filter lets through, at most `limit`, the best first whatever their state; those without a value
    /// come last, equal ones by number.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn best_first(
        &self,
        sweep: &SweepSummary,
        filter: Option<&Expr>,
        limit: u64,
    ) -> Result<Vec<TrialSummary>, StoreError> {
        let sort = Sort::best_first(&sweep.spec).map_err(|error| StoreError::damaged("a sort key", error))?;
        self.trials(sweep.sweep, filter, Some(&sort), limit).await
    }

    /// The curve of one metric for each of some trials, up to `last_step`; steps that did not report it are left out,
    /// and so are trials without any that did. A trial with folds has the mean of those that have come to a step.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn curves(
        &self,
        trials: &[TrialId],
        metric: &str,
        last_step: Option<u64>,
    ) -> Result<BTreeMap<TrialId, CurvePoints>, StoreError> {
        let column = METRIC_COLUMNS.iter().find(|column| **column == metric).unwrap_or(&"null");
        // A column does not hold what is not finite: that stands with the rest, as a word.
        let sql = format!(
            "select trial_id, fold, step, iif(typeof(value) = 'text', null, cast(value as real)) from (
                 select trial_id, fold, step,
                        coalesce({column}, (select value from json_each(extra) where key = ?2)) as value
                 from report
                 where trial_id in (select value from json_each(?1)) and step <= ?3)
             where value is not null order by trial_id, fold, step"
        );
        let ids: Vec<i64> = trials.iter().map(|trial| trial.0).collect();
        let last = last_step.map_or(i64::MAX, |step| i64::try_from(step).unwrap_or(i64::MAX));
        let (ids, metric) = (to_json(&ids)?, metric.to_owned());
        self.look(move |connection| {
            let mut curves: BTreeMap<TrialId, BTreeMap<i64, CurvePoints>> = BTreeMap::new();
            each(connection, &sql, params![ids, metric, last], |row| {
                let value: Option<f64> = row.get(3)?;
                let point = (unsigned("report.step", row.get(2)?)?, value.unwrap_or(f64::NAN));
                let folds = curves.entry(TrialId(row.get(0)?)).or_default();
                folds.entry(row.get(1)?).or_default().push(point);
                Ok(true)
            })?;
            Ok(curves.into_iter().map(|(trial, folds)| (trial, mean_of(folds.into_values()))).collect())
        })
        .await
    }
}

/// The mean of some curves, at each step of those that have it.
fn mean_of(mut folds: impl ExactSizeIterator<Item = CurvePoints>) -> CurvePoints {
    if folds.len() == 1 {
        return folds.next().unwrap_or_default();
    }
    let mut sums: BTreeMap<u64, (f64, u64)> = BTreeMap::new();
    for (step, value) in folds.flatten() {
        let (sum, count) = sums.entry(step).or_default();
        *sum += value;
        *count += 1;
    }
    sums.into_iter().map(|(step, (sum, count))| (step, sum / count as f64)).collect()
}

#[cfg(test)]
#[path = "curves_test.rs"]
mod curves_test;
