//! What can go wrong with the database.

use std::io::ErrorKind;
use std::path::PathBuf;
use thiserror::Error;

/// What SQLite said, through either of the two libraries.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite, or the disk under it.
    #[error("the database failed")]
    Sqlite(#[source] Cause),
    /// There is no space for what was to be written.
    #[error("the disk is full: free some space there, and sweepd goes on by itself")]
    Full(#[source] Cause),
    /// There is no database yet.
    #[error("{path} does not exist: nothing has been submitted yet. `sweepd run FILE` starts a first sweep")]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// Creating the database was broken off.
    #[error(
        "{path} is not complete: sweepd was killed while it created it, and nothing was submitted before. \
         `sweepd serve` or `sweepd run FILE` completes it"
    )]
    Unfinished {
        /// The database.
        path: PathBuf,
    },
    /// The database was written by a newer version.
    #[error(
        "{path} was written by a newer sweepd (its schema is {found}, this sweepd knows {known}): use that version"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// The database was written by an older version and has not been migrated.
    #[error(
        "{path} was written by an older sweepd (its schema is {found}, this sweepd reads {known}): \
         `sweepd serve` migrates it"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema read here.
        known: i64,
    },
    /// Migrating failed.
    #[error("migrating the database failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// SQLite's locks do not hold there.
    #[error(
        "{path} lies on a network file system ({kind}), where SQLite's locks do not hold: choose another --home"
    )]
    NetworkFileSystem {
        /// The folder.
        path: PathBuf,
        /// Which file system.
        kind: &'static str,
    },
    /// A row was not in the state that a change expects.
    #[error("the database does not agree with the scheduler: {what}")]
    Conflict {
        /// Which row, and what was expected.
        what: String,
    },
    /// A row holds what it never should.
    #[error("the database holds a damaged value: {what}. `sweepd doctor` checks it")]
    Damaged {
        /// Which.
        what: String,
    },
    /// A file beside the database.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// Whether the disk is full: a later try may succeed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::File { source, .. } => {
                matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    fn of_sqlite(is_full: bool, cause: Cause) -> Self {
        if is_full { Self::Full(cause) } else { Self::Sqlite(cause) }
    }

    /// A damaged value of a column.
    pub(super) fn damaged(column: &str, found: impl std::fmt::Display) -> Self {
        Self::Damaged { what: format!("{column} = {found}") }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// SQLite's result code for "database or disk is full".
        const SQLITE_FULL: &str = "13";
        let code = error.as_database_error().and_then(|error| error.code());
        let is_full = code.is_some_and(|code| code == SQLITE_FULL);
        Self::of_sqlite(is_full, error.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let is_full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        Self::of_sqlite(is_full, error.into())
    }
}
