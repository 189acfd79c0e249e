//! What a stopper that judges running trials must know again: what it said, and what was reported.

use super::StoreError;
use super::direct::each;
use super::fields::Fields;
use super::rows::{METRIC_COLUMNS, from_json};
use crate::domain::decisions::StoredReport;
use crate::domain::recovery::Judgement;
use crate::domain::{Metrics, Reason, SweepId};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What was said of a sweep's running trials, in order.
pub(super) fn read(connection: &Connection, sweep: SweepId) -> Result<Vec<Judgement>, StoreError> {
    let sql = "select event.seq, trial.number, event.reason from event join trial using (trial_id) \
               where event.sweep_id = ? and event.kind in ('trial_passed', 'trial_stopping') order by event_id";
    let mut judgements = Vec::new();
    each(connection, sql, [sweep.0], |row| {
        let reason: Reason = from_json("event.reason", row.text("event.reason")?)?;
        // Users and clocks end trials too.
        if reason.is_judgement() {
            let trial = row.count("trial.number")?;
            judgements.push(Judgement { seq: row.int("event.seq")?, trial, reason });
        }
        Ok(true)
    })?;
    Ok(judgements)
}

/// What a sweep's completed trials reported of a metric, by step; by the trial's number.
pub(super) fn curves(
    connection: &Connection,
    sweep: SweepId,
    metric: &str,
) -> Result<BTreeMap<u64, Vec<(u64, f64)>>, StoreError> {
    let sql = "select report.*, trial.number as trial_number from trial cross join report using (trial_id) \
               where trial.sweep_id = ? and trial.state = 'completed' order by trial_id, fold, step";
    let mut curves: BTreeMap<u64, Vec<(u64, f64)>> = BTreeMap::new();
    each(connection, sql, [sweep.0], |row| {
        if let Some(report) = report(row, metric)? {
            curves.entry(report.trial).or_default().push((report.step, report.value));
        }
        Ok(true)
    })?;
    Ok(curves)
}

/// One step's value, where it has one: from the metric's own column, or from the rest.
pub(super) fn report(row: &impl Fields, metric: &str) -> Result<Option<StoredReport>, StoreError> {
    let mut value: Option<f64> = match METRIC_COLUMNS.iter().find(|column| **column == metric) {
        Some(column) => row.maybe_real(column)?,
        None => None,
    };
    if let (None, Some(rest)) = (value, row.maybe_text("report.extra")?) {
        value = from_json::<Metrics>("report.extra", rest)?.get(metric);
    }
    let Some(value) = value else { return Ok(None) };
    Ok(Some(StoredReport {
        seq: row.int("report.seq")?,
        trial: row.count("trial_number")?,
        step: row.count("report.step")?,
        value,
        further: Vec::new(),
    }))
}
