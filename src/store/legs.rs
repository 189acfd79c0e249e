//! Legs: decided, ended, read again.

use super::StoreError;
use super::apply::{execute, one_row};
use super::rows::{further_text, further_values, signed, unsigned};
use crate::domain::{DecidedLeg, Leg, LegEnd, LegId, LegOutcome, LegRecord, SweepId, TrialId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    decided: &DecidedLeg,
) -> Result<(), StoreError> {
    let leg = decided.leg;
    let query = sqlx::query(
        "insert into leg (leg_id, sweep_id, number, trial_id, fold, from_step, until_step, decided_seq) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(decided.id.0)
    .bind(decided.sweep.0)
    .bind(signed("leg.number", decided.number)?)
    .bind(leg.map(|leg| leg.trial.0))
    .bind(leg.map_or(0, |leg| i64::from(leg.fold)))
    .bind(leg.map_or(Ok(0), |leg| signed("leg.from_step", leg.from_step))?)
    .bind(leg.and_then(|leg| leg.until_step).map(|step| signed("leg.until_step", step)).transpose()?)
    .bind(decided.seq);
    execute(connection, query).await
}

pub(super) async fn end(
    connection: &mut SqliteConnection,
    leg: LegId,
    end: &LegEnd,
) -> Result<(), StoreError> {
    let sql = "update leg set outcome = ?, value = ?, further = ?, ended_seq = ? where leg_id = ? and outcome is null \
               and trial_id is not null";
    let query = sqlx::query(sql)
        .bind(end.outcome.as_str())
        .bind(end.value)
        .bind(further_text(&end.further)?)
        .bind(end.seq)
        .bind(leg.0);
    one_row(query.execute(connection).await?, || format!("leg {leg} is not open"))
}

/// The number that the next leg of a sweep gets.
pub(super) async fn next_number(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<u64, StoreError> {
    let sql = "select coalesce(max(number), -1) + 1 from leg where sweep_id = ?";
    unsigned("leg.number", sqlx::query_scalar(sql).bind(sweep.0).fetch_one(connection).await?)
}

/// How many of the last legs in a row came to nothing.
pub(super) async fn idle(connection: &mut SqliteConnection, sweep: SweepId) -> Result<u64, StoreError> {
    let sql = "select count(*) from leg where sweep_id = ?1 and number > coalesce( \
               (select max(number) from leg where sweep_id = ?1 and trial_id is not null), -1)";
    unsigned("idle legs", sqlx::query_scalar(sql).bind(sweep.0).fetch_one(connection).await?)
}

/// The numbers of a sweep's legs that have not ended.
pub(super) async fn open(connection: &mut SqliteConnection, sweep: SweepId) -> Result<Vec<u64>, StoreError> {
    let sql = "select number from leg where sweep_id = ? and outcome is null and trial_id is not null order by number";
    let numbers: Vec<i64> = sqlx::query_scalar(sql).bind(sweep.0).fetch_all(connection).await?;
    numbers.into_iter().map(|number| unsigned("leg.number", number)).collect()
}

/// A leg from a row of its table that has a trial.
pub(super) fn leg(row: &SqliteRow) -> Result<Leg, StoreError> {
    Ok(Leg {
        id: LegId(row.try_get("leg_id")?),
        sweep: SweepId(row.try_get("sweep_id")?),
        number: unsigned("leg.number", row.try_get("number")?)?,
        trial: TrialId(row.try_get("trial_id")?),
        fold: row.try_get("fold")?,
        from_step: unsigned("leg.from_step", row.try_get("from_step")?)?,
        until_step: optional(row, "until_step")?,
    })
}

/// What is asked for records: the trial's number beside the leg, and no more; there may be a million of them.
pub(super) const RECORDS: &str = "select leg.number, trial.number as trial_number, from_step, until_step, decided_seq, outcome, value, leg.further, ended_seq \
     from leg left join trial using (trial_id) where leg.sweep_id = ? order by leg.number";

/// A leg with its end, from a row of [`RECORDS`].
pub(super) fn record(row: &SqliteRow) -> Result<LegRecord, StoreError> {
    let leg = [row.try_get("number")?, row.try_get("from_step")?, row.try_get("decided_seq")?];
    let some = [row.try_get("trial_number")?, row.try_get("until_step")?, row.try_get("ended_seq")?];
    let worth = (row.try_get("value")?, row.try_get("further")?);
    assemble(leg, some, row.try_get("outcome")?, worth)
}

/// The same from a row that was read in bulk.
pub(super) fn record_in_bulk(row: &rusqlite::Row<'_>) -> Result<LegRecord, StoreError> {
    let leg = [row.get("number")?, row.get("from_step")?, row.get("decided_seq")?];
    let some = [row.get("trial_number")?, row.get("until_step")?, row.get("ended_seq")?];
    let outcome = row.get_ref("outcome")?.as_str_or_null().map_err(rusqlite::Error::from)?;
    let further = row.get_ref("further")?.as_str_or_null().map_err(rusqlite::Error::from)?;
    assemble(leg, some, outcome, (row.get("value")?, further))
}

fn assemble(
    [number, from_step, decided_seq]: [i64; 3],
    [trial, until_step, ended_seq]: [Option<i64>; 3],
    outcome: Option<&str>,
    (value, further): (Option<f64>, Option<&str>),
) -> Result<LegRecord, StoreError> {
    let end = match outcome {
        None => None,
        Some(word) => Some(LegEnd {
            outcome: LegOutcome::parse(word).ok_or_else(|| StoreError::damaged("leg.outcome", word))?,
            value,
            further: further_values("leg.further", further)?,
            seq: ended_seq.ok_or_else(|| StoreError::damaged("leg.ended_seq", "null"))?,
        }),
    };
    Ok(LegRecord {
        number: unsigned("leg.number", number)?,
        trial: trial.map(|number| unsigned("trial.number", number)).transpose()?,
        from_step: unsigned("leg.from_step", from_step)?,
        until_step: until_step.map(|step| unsigned("leg.until_step", step)).transpose()?,
        decided_seq,
        end,
    })
}

fn optional(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(|n| unsigned(column, n)).transpose()
}
