//! Reading very many rows, on a connection of its own: sqlx sends every row to another thread, which costs more than
//! reading it.

use super::StoreError;
use rusqlite::{Connection, OpenFlags, Row};
use std::path::Path;
use std::time::Duration;

/// A connection that only reads.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

/// What a statement with one number says, row by row, as of what is committed. Blocks.
pub(super) fn read<T>(
    path: &Path,
    sql: &str,
    of: i64,
    mut decode: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let connection = open(path)?;
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([of])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(decode(row)?);
    }
    Ok(all)
}
