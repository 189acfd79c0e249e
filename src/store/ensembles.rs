//! Ensembles, by the sweep that they are named in.

use super::direct::execute;
use super::open::{Durability, Writer};
use super::rows::{from_json, to_json, unsigned};
use super::{Reader, StoreError};
use crate::domain::ensemble::Ensemble;
use crate::domain::{Millis, SweepId};
use rusqlite::params;
use sqlx::Row;

impl Writer {
    /// Keeps an ensemble, in the place of the one that has had its name.
    ///
    /// # Errors
    /// What SQLite says; there is no such sweep.
    pub fn keep_ensemble(&mut self, sweep: SweepId, ensemble: &Ensemble) -> Result<(), StoreError> {
        self.set_durability(Durability::Synced)?;
        let sql = "insert or replace into ensemble (sweep_id, name, members, rmse, rows, created_ms) \
                   values (?, ?, ?, ?, ?, ?)";
        let Ensemble { name, members, rmse, rows, created_ms } = ensemble;
        let rows = i64::try_from(*rows).unwrap_or(i64::MAX);
        let row = params![sweep.0, name, to_json(members)?, rmse, rows, created_ms.0];
        execute(&self.connection, sql, row).map(drop)
    }
}

impl Reader {
    /// A sweep's ensembles, the best first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn ensembles(&self, sweep: SweepId) -> Result<Vec<Ensemble>, StoreError> {
        let sql = "select name, members, rmse, rows, created_ms from ensemble where sweep_id = ? order by rmse, name";
        let rows = sqlx::query(sql).bind(sweep.0).fetch_all(&self.pool).await?;
        let ensemble = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Ensemble {
                name: row.try_get("name")?,
                members: from_json("ensemble.members", row.try_get("members")?)?,
                rmse: row.try_get("rmse")?,
                rows: unsigned("ensemble.rows", row.try_get("rows")?)?,
                created_ms: Millis(row.try_get("created_ms")?),
            })
        };
        rows.iter().map(ensemble).collect()
    }
}
