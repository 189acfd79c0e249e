//! Legs: decided, ended, read again.

use super::StoreError;
use super::direct::{all, execute, one, one_row};
use super::fields::Fields;
use super::rows::{further_text, further_values, signed, unsigned};
use crate::domain::{DecidedLeg, Leg, LegEnd, LegId, LegOutcome, LegRecord, SweepId, TrialId};
use rusqlite::{Connection, params};

pub(super) fn insert(connection: &Connection, decided: &DecidedLeg) -> Result<(), StoreError> {
    let leg = decided.leg;
    let sql = "insert into leg (leg_id, sweep_id, number, trial_id, fold, from_step, until_step, decided_seq) \
               values (?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        decided.id.0,
        decided.sweep.0,
        signed("leg.number", decided.number)?,
        leg.map(|leg| leg.trial.0),
        leg.map_or(0, |leg| leg.fold),
        leg.map_or(Ok(0), |leg| signed("leg.from_step", leg.from_step))?,
        leg.and_then(|leg| leg.until_step).map(|step| signed("leg.until_step", step)).transpose()?,
        decided.seq,
    ];
    execute(connection, sql, values).map(drop)
}

pub(super) fn end(connection: &Connection, leg: LegId, end: &LegEnd) -> Result<(), StoreError> {
    let sql = "update leg set outcome = ?, value = ?, further = ?, ended_seq = ? where leg_id = ? and outcome is null \
               and trial_id is not null";
    let values = params![end.outcome.as_str(), end.value, further_text(&end.further)?, end.seq, leg.0];
    one_row(connection, sql, values, || format!("leg {leg} is not open"))
}

/// The number that the next leg of a sweep gets.
pub(super) fn next_number(connection: &Connection, sweep: SweepId) -> Result<u64, StoreError> {
    let sql = "select coalesce(max(number), -1) + 1 from leg where sweep_id = ?";
    unsigned("leg.number", one(connection, sql, [sweep.0])?)
}

/// How many of the last legs in a row came to nothing.
pub(super) fn idle(connection: &Connection, sweep: SweepId) -> Result<u64, StoreError> {
    let sql = "select count(*) from leg where sweep_id = ?1 and number > coalesce( \
               (select max(number) from leg where sweep_id = ?1 and trial_id is not null), -1)";
    unsigned("idle legs", one(connection, sql, [sweep.0])?)
}

/// The numbers of a sweep's legs that have not ended.
pub(super) fn open(connection: &Connection, sweep: SweepId) -> Result<Vec<u64>, StoreError> {
    let sql = "select number from leg where sweep_id = ? and outcome is null and trial_id is not null order by number";
    all(connection, sql, [sweep.0], |row| row.count("leg.number"))
}

/// A leg from a row of its table that has a trial.
pub(super) fn leg(row: &impl Fields) -> Result<Leg, StoreError> {
    Ok(Leg {
        id: LegId(row.int("leg.leg_id")?),
        sweep: SweepId(row.int("leg.sweep_id")?),
        number: row.count("leg.number")?,
        trial: TrialId(row.int("leg.trial_id")?),
        fold: row.small("leg.fold")?,
        from_step: row.count("leg.from_step")?,
        until_step: row.maybe_count("leg.until_step")?,
    })
}

/// The outcome that a word means.
pub(super) fn outcome(word: &str) -> Result<LegOutcome, StoreError> {
    LegOutcome::parse(word).ok_or_else(|| StoreError::damaged("leg.outcome", word))
}

/// What is asked for records: the trial's number beside the leg, and no more; there may be a million of them.
pub(super) const RECORDS: &str = "select leg.number, trial.number as trial_number, fold, from_step, until_step, decided_seq, outcome, value, leg.further, ended_seq, \
     outcome = 'failed' and exists (select 1 from attempt where attempt.leg_id = leg.leg_id and json_extract(reason, '$.alone')) \
     as out_of_memory from leg left join trial using (trial_id) where leg.sweep_id = ? order by leg.number";

/// A leg with its end, from a row of [`RECORDS`].
pub(super) fn record(row: &impl Fields) -> Result<LegRecord, StoreError> {
    let end = match row.maybe_text("leg.outcome")? {
        None => None,
        Some(word) => Some(LegEnd {
            outcome: outcome(word)?,
            value: row.maybe_real("leg.value")?,
            further: further_values("leg.further", row.maybe_text("leg.further")?)?,
            out_of_memory: row.int("out_of_memory")? != 0,
            seq: row.int("leg.ended_seq")?,
        }),
    };
    Ok(LegRecord {
        number: row.count("leg.number")?,
        trial: row.maybe_count("trial_number")?,
        fold: row.small("leg.fold")?,
        from_step: row.count("leg.from_step")?,
        until_step: row.maybe_count("leg.until_step")?,
        decided_seq: row.int("leg.decided_seq")?,
        end,
    })
}
