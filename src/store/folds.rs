//! What came of the folds of trials that are cross-validated.

use super::StoreError;
use super::direct::{execute, first};
use super::fields::Fields;
use super::rows::{further_text, further_values, signed};
use crate::domain::{FoldResult, TrialId};
use rusqlite::{Connection, params};

pub(super) fn value(
    connection: &Connection,
    trial: TrialId,
    fold: u32,
    result: &FoldResult,
) -> Result<(), StoreError> {
    let sql = "insert into fold (trial_id, fold, step, value, further) values (?, ?, ?, ?, ?) \
               on conflict (trial_id, fold) do update set step = excluded.step, value = excluded.value, \
               further = excluded.further";
    let (step, further) = (signed("fold.step", result.step)?, further_text(&result.further)?);
    execute(connection, sql, params![trial.0, fold, step, result.value, further]).map(drop)
}

pub(super) fn keep_weights(
    connection: &Connection,
    trial: TrialId,
    fold: u32,
    hash: &str,
) -> Result<(), StoreError> {
    let sql = "insert into fold (trial_id, fold, weights) values (?, ?, ?) \
               on conflict (trial_id, fold) do update set weights = excluded.weights";
    execute(connection, sql, params![trial.0, fold, hash]).map(drop)
}

/// The steps that a trial's other folds have reported; none where there are no others, which is found out in no time.
pub(super) fn steps_of_others(connection: &Connection, trial: TrialId, fold: u32) -> Result<i64, StoreError> {
    let sql = "select coalesce(sum(last), 0) from (\
               select max(step) as last from report where trial_id = ?1 and fold < ?2 group by fold union all \
               select max(step) from report where trial_id = ?1 and fold > ?2 group by fold)";
    Ok(first(connection, sql, params![trial.0, fold])?.unwrap_or(0))
}

/// What a fold is worth, from a row of its table; `None` while it has not spent its budget.
pub(super) fn result(row: &impl Fields) -> Result<Option<FoldResult>, StoreError> {
    let (step, value) = (row.maybe_count("fold.step")?, row.maybe_real("fold.value")?);
    let Some((step, value)) = step.zip(value) else { return Ok(None) };
    let further = further_values("fold.further", row.maybe_text("fold.further")?)?;
    Ok(Some(FoldResult { step, value, further }))
}
