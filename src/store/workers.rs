//! The local worker processes that may be alive.

use super::StoreError;
use super::direct::{all, execute, first};
use super::fields::Fields as _;
use super::open::Writer;
use crate::domain::{AttemptId, Millis, WorkerProcess};
use rusqlite::params;

impl Writer {
    /// Notes a started worker, replacing what was noted under its name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn note_worker(&mut self, worker: &WorkerProcess) -> Result<(), StoreError> {
        let sql = "insert or replace into worker (name, slot, pid, pid_started, log, started_ms) \
                   values (?, ?, ?, ?, ?, ?)";
        let WorkerProcess { name, slot, pid, pid_started, log, started_ms } = worker;
        execute(&self.connection, sql, params![name, slot, pid, pid_started, log, started_ms.0]).map(drop)
    }

    /// Forgets a worker that has ended.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn forget_worker(&mut self, name: &str) -> Result<(), StoreError> {
        execute(&self.connection, "delete from worker where name = ?", [name]).map(drop)
    }

    /// The workers that an earlier daemon may have left.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn noted_workers(&mut self) -> Result<Vec<WorkerProcess>, StoreError> {
        all(&self.connection, "select * from worker order by name", [], |row| {
            Ok(WorkerProcess {
                name: row.text("worker.name")?.to_owned(),
                slot: row.text("worker.slot")?.to_owned(),
                pid: row.get("pid")?,
                pid_started: row.get("pid_started")?,
                log: row.text("worker.log")?.to_owned(),
                started_ms: Millis(row.int("worker.started_ms")?),
            })
        })
    }

    /// The attempt that a request for work was answered with; `None` where it never was.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn attempt_of_request(&mut self, request_id: &str) -> Result<Option<AttemptId>, StoreError> {
        let sql = "select attempt_id from attempt where request_id = ? limit 1";
        Ok(first(&self.connection, sql, [request_id])?.map(AttemptId))
    }
}
