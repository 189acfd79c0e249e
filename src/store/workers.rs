//! The local worker processes that may be alive.

use super::StoreError;
use super::open::Writer;
use crate::domain::{AttemptId, Millis, WorkerProcess};
use sqlx::Row;

impl Writer {
    /// Notes a started worker, replacing what was noted under its name.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn note_worker(&mut self, worker: &WorkerProcess) -> Result<(), StoreError> {
        sqlx::query(
            "insert or replace into worker (name, slot, pid, pid_started, log, started_ms) values (?, ?, ?, ?, ?, ?)",
        )
        .bind(&worker.name)
        .bind(&worker.slot)
        .bind(worker.pid)
        .bind(worker.pid_started)
        .bind(&worker.log)
        .bind(worker.started_ms.0)
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Forgets a worker that has ended.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn forget_worker(&mut self, name: &str) -> Result<(), StoreError> {
        sqlx::query("delete from worker where name = ?").bind(name).execute(&mut self.connection).await?;
        Ok(())
    }

    /// The workers that an earlier daemon may have left.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn noted_workers(&mut self) -> Result<Vec<WorkerProcess>, StoreError> {
        let rows = sqlx::query("select * from worker order by name").fetch_all(&mut self.connection).await?;
        rows.into_iter()
            .map(|row| {
                Ok(WorkerProcess {
                    name: row.try_get("name")?,
                    slot: row.try_get("slot")?,
                    pid: row.try_get("pid")?,
                    pid_started: row.try_get("pid_started")?,
                    log: row.try_get("log")?,
                    started_ms: Millis(row.try_get("started_ms")?),
                })
            })
            .collect()
    }

    /// The attempt that a request for work was answered with; `None` where it never was.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn attempt_of_request(&mut self, request_id: &str) -> Result<Option<AttemptId>, StoreError> {
        let sql = "select attempt_id from attempt where request_id = ? limit 1";
        let found: Option<i64> =
            sqlx::query_scalar(sql).bind(request_id).fetch_optional(&mut self.connection).await?;
        Ok(found.map(AttemptId))
    }
}
