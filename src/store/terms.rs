//! What sweeps searched before they were changed.

use super::StoreError;
use super::direct::{all, execute, one_row};
use super::fields::Fields;
use super::rows::{from_json, signed, to_json};
use crate::domain::{Millis, PastTerms, Sweep, SweepId};
use rusqlite::{Connection, params};

/// The question for a sweep's [`past`] terms, oldest first.
pub(super) const PAST: &str =
    "select terms, until_leg, ended_seq from space_version where sweep_id = ? order by version";

/// Past terms from a row of [`PAST`].
pub(super) fn past(row: &impl Fields) -> Result<PastTerms, StoreError> {
    Ok(PastTerms {
        terms: from_json("space_version.terms", row.text("space_version.terms")?)?,
        until_leg: row.count("space_version.until_leg")?,
        seq: row.int("space_version.ended_seq")?,
    })
}

/// The terms that a sweep had before, oldest first.
pub(super) fn read(connection: &Connection, sweep: SweepId) -> Result<Vec<PastTerms>, StoreError> {
    all(connection, PAST, [sweep.0], |row| past(row))
}

/// Other terms take the place of a sweep's: `version` counts how often that has happened.
pub(super) fn replace(
    connection: &Connection,
    (sweep, version): (SweepId, u32),
    past: &PastTerms,
    (spec, source): (&Sweep, &str),
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "insert into space_version (sweep_id, version, terms, source, until_leg, ended_seq, ended_ms) \
               select sweep_id, ?2, ?3, source, ?4, ?5, ?6 from sweep where sweep_id = ?1";
    let until_leg = signed("space_version.until_leg", past.until_leg)?;
    let values = params![sweep.0, version - 1, to_json(&past.terms)?, until_leg, past.seq, at.0];
    execute(connection, sql, values)?;
    let sql = "update sweep set spec = ?, source = ? where sweep_id = ?";
    let values = params![to_json(spec)?, source, sweep.0];
    one_row(connection, sql, values, || format!("sweep {sweep} is not there"))
}
