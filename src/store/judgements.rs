//! What a stopper that judges running trials must know again: what it said, and what was reported.

use super::StoreError;
use super::rows::{METRIC_COLUMNS, from_json, join_metrics, unsigned};
use crate::domain::decisions::StoredReport;
use crate::domain::recovery::Judgement;
use crate::domain::{Metrics, Objective, Reason, SweepId};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// What was said of a sweep's running trials, in order.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<Vec<Judgement>, StoreError> {
    let sql = "select event.seq, trial.number, event.reason from event join trial using (trial_id) \
               where event.sweep_id = ? and event.kind in ('trial_passed', 'trial_stopping') order by event_id";
    let mut judgements = Vec::new();
    let mut rows = sqlx::query(sql).bind(sweep.0).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let reason: Reason = from_json("event.reason", row.try_get("reason")?)?;
        // Users and clocks end trials too.
        if reason.is_judgement() {
            let trial = unsigned("trial.number", row.try_get("number")?)?;
            judgements.push(Judgement { seq: row.try_get("seq")?, trial, reason });
        }
    }
    Ok(judgements)
}

/// What a sweep's completed trials reported of a metric, by step; by the trial's number.
pub(super) async fn curves(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    metric: &str,
) -> Result<BTreeMap<u64, Vec<(u64, f64)>>, StoreError> {
    let sql = "select report.*, trial.number as trial_number from trial cross join report using (trial_id) \
               where trial.sweep_id = ? and trial.state = 'completed' order by trial_id, fold, step";
    let mut curves: BTreeMap<u64, Vec<(u64, f64)>> = BTreeMap::new();
    let mut rows = sqlx::query(sql).bind(sweep.0).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        if let Some(report) = report(&row, metric)? {
            curves.entry(report.trial).or_default().push((report.step, report.value));
        }
    }
    Ok(curves)
}

/// What all of a sweep's trials reported of its objectives, as far as it counts, in the order in which it came.
pub(super) async fn reports(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    objective: &Objective,
) -> Result<Vec<StoredReport>, StoreError> {
    let sql = "select report.*, trial.number as trial_number, trial.parameter_count from trial \
               cross join report using (trial_id) where trial.sweep_id = ? order by trial_id, fold, step";
    let mut reports = Vec::new();
    let mut rows = sqlx::query(sql).bind(sweep.0).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let Some(mut report) = report(&row, &objective.metric)? else { continue };
        if !objective.further.is_empty() {
            let weights: Option<i64> = row.try_get("parameter_count")?;
            let weights = weights.map(|count| unsigned("trial.parameter_count", count)).transpose()?;
            let metrics = join_metrics(&row)?;
            report.further = objective.further_values(Some(&metrics), &Metrics::default(), weights);
        }
        reports.push(report);
    }
    reports.sort_by_key(|report| report.seq);
    Ok(reports)
}

/// One step's value, where it has one: from the metric's own column, or from the rest.
fn report(row: &SqliteRow, metric: &str) -> Result<Option<StoredReport>, StoreError> {
    let mut value: Option<f64> = match METRIC_COLUMNS.iter().find(|column| **column == metric) {
        Some(column) => row.try_get(*column)?,
        None => None,
    };
    if let (None, Some(rest)) = (value, row.try_get::<Option<&str>, _>("extra")?) {
        value = from_json::<Metrics>("report.extra", rest)?.get(metric);
    }
    let Some(value) = value else { return Ok(None) };
    Ok(Some(StoredReport {
        seq: row.try_get("seq")?,
        trial: unsigned("trial.number", row.try_get("trial_number")?)?,
        step: unsigned("report.step", row.try_get("step")?)?,
        value,
        further: Vec::new(),
    }))
}
