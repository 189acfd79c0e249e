//! Clearing up: what ended trials could be continued from, and files that nothing refers to.

use super::direct::{all, execute, one};
use super::open::{Durability, Writer};
use super::{StoreError, blob, checkpoints};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// What was cleared up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cleared {
    /// Checkpoints of trials that have ended: a retry then begins anew.
    pub checkpoints: u64,
    /// Files of weights and checkpoints that nothing refers to.
    pub files: u64,
    /// Folders of trials whose sweep has been removed.
    pub folders: u64,
    /// Bytes that became free.
    pub bytes: u64,
}

const ENDED: &str = "('completed', 'stopped', 'failed', 'cancelled')";

impl Writer {
    /// Clears up everything that is not needed. Nobody may be storing blobs meanwhile but through the task
    /// that calls this.
    ///
    /// # Errors
    /// What SQLite or the disk says; what was cleared until then stays so.
    pub fn clear_up(&mut self, home: &Path) -> Result<Cleared, StoreError> {
        // The files go at once: the rows that named them must not come back after a power cut.
        self.set_durability(Durability::Synced)?;
        let sql = format!(
            "delete from checkpoint where trial_id in (select trial_id from trial where state in {ENDED})"
        );
        let dropped = execute(&self.connection, &sql, [])?;
        let referred = self.texts(checkpoints::BLOBS)?;
        let sweeps = self.texts("select uid from sweep")?;
        let mut cleared = Cleared { checkpoints: dropped as u64, ..Cleared::default() };
        remove_files(home, &referred, &mut cleared)?;
        remove_folders(home, &sweeps, &mut cleared)?;
        Ok(cleared)
    }

    /// Drops the oldest checkpoints of ended trials until all checkpoints together take at most
    /// `budget_bytes`; returns the blobs that may have become free, and whether the budget is kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keep_checkpoint_budget(&mut self, budget_bytes: u64) -> Result<(Vec<String>, bool), StoreError> {
        self.set_durability(Durability::Synced)?;
        let mut dropped = Vec::new();
        loop {
            // What is kept for heirs takes room too, once where a trial has it itself.
            let sql = "select coalesce(sum(bytes), 0) from checkpoint";
            let own: i64 = one(&self.connection, sql, [])?;
            let sql = "select coalesce(sum(bytes), 0) from heirloom where hash not in (select hash from checkpoint)";
            let total = own.saturating_add(one(&self.connection, sql, [])?);
            if u64::try_from(total).unwrap_or(0) <= budget_bytes {
                return Ok((dropped, true));
            }
            let sql = format!(
                "select trial_id, fold, step, hash from checkpoint join trial using (trial_id) \
                 where state in {ENDED} order by at_ms limit 1"
            );
            let oldest = all(&self.connection, &sql, [], |row| {
                Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?))
            })?;
            let Some((key, hash)): Option<([i64; 3], String)> = oldest.into_iter().next() else {
                return Ok((dropped, false));
            };
            let sql = "delete from checkpoint where trial_id = ? and fold = ? and step = ?";
            execute(&self.connection, sql, key)?;
            dropped.push(hash);
        }
    }

    fn texts(&self, sql: &str) -> Result<HashSet<String>, StoreError> {
        Ok(all(&self.connection, sql, [], |row| Ok(row.get(0)?))?.into_iter().collect())
    }
}

/// Every file of the blobs' folders that is not referred to, temporary ones of killed writers among them.
fn remove_files(home: &Path, referred: &HashSet<String>, cleared: &mut Cleared) -> Result<(), StoreError> {
    for folder in entries(&home.join(blob::FOLDER))? {
        for file in entries(&folder)? {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !referred.contains(&name) {
                cleared.bytes += fs::metadata(&file).map_or(0, |metadata| metadata.len());
                cleared.files += 1;
                fs::remove_file(&file).map_err(|source| StoreError::File { path: file, source })?;
            }
        }
    }
    Ok(())
}

fn remove_folders(home: &Path, sweeps: &HashSet<String>, cleared: &mut Cleared) -> Result<(), StoreError> {
    for folder in entries(&home.join("trials"))? {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !sweeps.contains(&name) {
            cleared.folders += 1;
            fs::remove_dir_all(&folder).map_err(|source| StoreError::File { path: folder, source })?;
        }
    }
    Ok(())
}

/// What lies in a folder; nothing where there is no such folder.
fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let failed = |source| StoreError::File { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(found) => found.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}
