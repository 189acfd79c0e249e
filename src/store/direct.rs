//! Statements on a connection of one's own, stepped through where they are: sqlx sends every statement to another
//! thread and every row back, which costs more than either.

use super::StoreError;
use super::rows::to_json;
use crate::domain::Value;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Params, Row};
use std::path::Path;
use std::time::Duration;

/// How long a connection waits for another's lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that only reads.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_as(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection that may write to a database which is there.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, StoreError> {
    open_as(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn open_as(path: &Path, mode: OpenFlags) -> Result<Connection, StoreError> {
    // Whoever has it uses it from one thread at a time.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(KEPT);
    Ok(connection)
}

/// How many statements a connection keeps compiled: all that a writer knows, and some more.
pub(super) const KEPT: usize = 64;

/// Carries a statement out; how many rows it inserted, changed or deleted, triggers not counted.
pub(super) fn execute(connection: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// Carries a statement out that must have to do with exactly one row.
pub(super) fn one_row(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    otherwise: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match execute(connection, sql, params)? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict { what: otherwise() }),
    }
}

/// A row of a statement, whose columns' names are known: the library would ask SQLite for them again with every field.
pub(super) struct Named<'a> {
    row: &'a Row<'a>,
    names: &'a [String],
}

impl Named<'_> {
    /// Where a column stands.
    pub fn place(&self, column: &str) -> rusqlite::Result<usize> {
        let place = self.names.iter().position(|name| name == column);
        place.ok_or_else(|| rusqlite::Error::InvalidColumnName(column.to_owned()))
    }
}

impl<'a> std::ops::Deref for Named<'a> {
    type Target = Row<'a>;

    fn deref(&self) -> &Row<'a> {
        self.row
    }
}

/// Shows every row of a statement to `see`, until that says by `false` that it has seen enough.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut see: impl FnMut(&Named<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        if !see(&Named { row, names: &names })? {
            break;
        }
    }
    Ok(())
}

/// What a statement says, row by row.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut decode: impl FnMut(&Named<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    each(connection, sql, params, |row| {
        all.push(decode(row)?);
        Ok(true)
    })?;
    Ok(all)
}

/// The first field of a statement's first row; `None` where it has no row. For what is asked often.
pub(super) fn first<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Option<T>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

/// The first field of a statement that always has a row.
pub(super) fn one<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<T, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
}

/// A parameter's value as SQLite keeps it: flags are numbers, lists are the text of their JSON.
pub(super) fn stored(value: &Value) -> Result<Stored, StoreError> {
    Ok(match value {
        Value::Bool(b) => Stored::Integer(i64::from(*b)),
        Value::Int(i) => Stored::Integer(*i),
        Value::Float(x) => Stored::Real(*x),
        Value::Text(text) => Stored::Text(text.clone()),
        list @ Value::List(_) => Stored::Text(to_json(list)?),
    })
}
