//! What sweeps began with of earlier ones.

use super::StoreError;
use super::direct::{all, execute};
use super::fields::Fields;
use super::rows::{from_json, signed, to_json};
use crate::domain::SweepId;
use crate::domain::prior::Source;
use rusqlite::{Connection, params};

/// The question for a sweep's sources, in their order.
pub(super) const SOURCES: &str = "select source_uid, source_name, completed, comparable, results from warm_start \
                                  where sweep_id = ? order by place";

/// A source from a row of [`SOURCES`].
pub(super) fn source(row: &impl Fields) -> Result<Source, StoreError> {
    Ok(Source {
        id: row.text("warm_start.source_uid")?.to_owned(),
        name: row.text("warm_start.source_name")?.to_owned(),
        completed: row.count("warm_start.completed")?,
        comparable: row.int("warm_start.comparable")? != 0,
        results: from_json("warm_start.results", row.text("warm_start.results")?)?,
    })
}

/// What a sweep began with of earlier ones.
pub(super) fn read(connection: &Connection, sweep: SweepId) -> Result<Vec<Source>, StoreError> {
    all(connection, SOURCES, [sweep.0], |row| source(row))
}

/// Writes down what a new sweep begins with.
pub(super) fn insert(connection: &Connection, sweep: SweepId, sources: &[Source]) -> Result<(), StoreError> {
    let sql = "insert into warm_start (sweep_id, place, source_uid, source_name, completed, comparable, results, \
               taken) values (?, ?, ?, ?, ?, ?, ?, ?)";
    for (place, source) in (0i64..).zip(sources) {
        let values = params![
            sweep.0,
            place,
            source.id,
            source.name,
            signed("warm_start.completed", source.completed)?,
            source.comparable,
            to_json(&source.results)?,
            signed("warm_start.taken", source.results.len() as u64)?,
        ];
        execute(connection, sql, values)?;
    }
    Ok(())
}
