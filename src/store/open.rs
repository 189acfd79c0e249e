//! Opening the database, for writing (the daemon alone) and for reading (anybody).

use super::query::Bench;
use super::{StoreError, direct};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The database's file name within the home folder.
pub const DATABASE_FILE: &str = "sweepd.db";

/// What all connections of a reader together may keep of the database in memory. SQLite's own 2 MB let a search
/// through a million trials read the same pages again and again.
const CACHE_KB: u32 = 64 << 10;

/// How long the last folding of the log waits for readers.
const FOLD: Duration = Duration::from_millis(2_000);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Whether a commit has to survive a power cut before it is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Synced to the disk: results and transitions.
    Synced,
    /// Survives the process, and reaches the disk with the next synced commit: step reports.
    Batched,
}

/// The one connection that writes.
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: rusqlite::Connection,
    durability: Option<Durability>,
    never_syncs: bool,
}

/// A few connections that only read.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) pool: SqlitePool,
    /// For searches that read much.
    pub(super) bench: Arc<Bench>,
}

impl Writer {
    /// Opens the database in `home`, creating and migrating it as needed.
    ///
    /// # Errors
    /// [`StoreError`] where the folder is on a network file system, the database is of a newer version,
    /// or SQLite fails.
    pub async fn open(home: &Path) -> Result<Self, StoreError> {
        refuse_network_file_system(home)?;
        let path = home.join(DATABASE_FILE);
        let mut migrating = options(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        MIGRATIONS.run(&mut migrating).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => {
                StoreError::Newer { path: path.clone(), found, known: newest_schema() }
            }
            other => StoreError::Migrate(other),
        })?;
        let connection = direct::open_to_write(&path)?;
        // Not before: the last to close would fold the log, which takes its time after a crash.
        migrating.close().await?;
        Ok(Self { connection, durability: None, never_syncs: false })
    }

    /// From here on commits survive the end of the process but not a power cut: whatever is wanted of them, they
    /// reach the disk when the operating system sees fit.
    pub fn never_sync(&mut self) {
        self.never_syncs = true;
    }

    /// Sets how durable the next commits are.
    pub(super) fn set_durability(&mut self, wanted: Durability) -> Result<(), StoreError> {
        let wanted = if self.never_syncs { Durability::Batched } else { wanted };
        if self.durability != Some(wanted) {
            let pragma = match wanted {
                Durability::Synced => "pragma synchronous = full",
                Durability::Batched => "pragma synchronous = normal",
            };
            self.connection.execute_batch(pragma)?;
            self.durability = Some(wanted);
        }
        Ok(())
    }

    /// Closes the connection, folding the log into the database.
    ///
    /// # Errors
    /// [`StoreError`] where SQLite fails.
    pub fn close(self) -> Result<(), StoreError> {
        // SQLite folds by itself only what the last connection leaves, and only if that one may write. A reader
        // in the middle of a question is waited for, but not long: what stays in the log is safe there.
        self.connection.busy_timeout(FOLD)?;
        self.connection.execute_batch("pragma wal_checkpoint(truncate)")?;
        Ok(self.connection.close().map_err(|(_, error)| error)?)
    }
}

impl Reader {
    /// Opens the database in `home` for reading. Works with and without a daemon.
    ///
    /// # Errors
    /// [`StoreError`] where there is no database, or it is of another version.
    pub async fn open(home: &Path, connections: u32) -> Result<Self, StoreError> {
        let path = home.join(DATABASE_FILE);
        if !path.exists() {
            return Err(StoreError::Absent { path });
        }
        let unfinished = |error: sqlx::Error| match is_unfinished(&error) {
            true => StoreError::Unfinished { path: path.clone() },
            false => error.into(),
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            // One process reads its own file: a connection does not go stale.
            .test_before_acquire(false)
            .connect_with(
                options(&path)
                    .read_only(true)
                    .pragma("cache_size", format!("-{}", CACHE_KB / connections.max(1))),
            )
            .await
            .map_err(unfinished)?;
        let found: i64 = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations")
            .fetch_one(&pool)
            .await
            .map_err(unfinished)?;
        if found == 0 {
            return Err(StoreError::Unfinished { path });
        }
        let known = newest_schema();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(Self { pool, bench: Bench::new(&path) }),
            std::cmp::Ordering::Less => Err(StoreError::Older { path, found, known }),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path, found, known }),
        }
    }

    /// Closes all connections, once nobody asks anything any more.
    pub async fn close(&self) {
        self.bench.clear();
        self.pool.close().await;
    }
}

/// Whether SQLite says what it says of a database whose creation was broken off: there is a change to take back,
/// which only a writer may do, or the first migration is missing.
fn is_unfinished(error: &sqlx::Error) -> bool {
    const SQLITE_READONLY_ROLLBACK: &str = "776";
    error.as_database_error().is_some_and(|error| {
        error.code().is_some_and(|code| code == SQLITE_READONLY_ROLLBACK)
            || error.message().contains("no such table: _sqlx_migrations")
    })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(direct::PATIENCE)
        .disable_statement_logging()
}

fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

fn refuse_network_file_system(home: &Path) -> Result<(), StoreError> {
    // From linux/magic.h and the sources of the file systems themselves.
    const NETWORK: [(u32, &str); 6] = [
        (0x6969, "nfs"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x0102_1997, "9p"),
        (0x0bd0_0bd0, "lustre"),
        (0x5346_414f, "afs"),
    ];
    let stat = nix::sys::statfs::statfs(home)
        .map_err(|errno| StoreError::File { path: home.to_owned(), source: errno.into() })?;
    // The magic numbers are 32 bits wide; the field's own width differs between machines.
    let magic = stat.filesystem_type().0 as u32;
    match NETWORK.iter().find(|(known, _)| *known == magic) {
        Some((_, kind)) => Err(StoreError::NetworkFileSystem { path: PathBuf::from(home), kind }),
        None => Ok(()),
    }
}
