//! Checkpoints: which blobs a trial can go on from, which are kept for heirs, and which blobs nothing refers to any more.

use super::StoreError;
use super::direct::{all, execute, one, one_row};
use super::fields::Fields;
use super::open::Writer;
use super::rows::signed;
use crate::domain::{AttemptId, Checkpoint, Millis, SweepId, TrialId};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Every blob that a row refers to.
pub(super) const BLOBS: &str = "select weights from trial where weights is not null union \
     select weights from fold where weights is not null union \
     select hash from checkpoint union select hash from heirloom";

pub(super) fn insert(connection: &Connection, stored: &Checkpoint) -> Result<(), StoreError> {
    let sql = "insert into checkpoint (trial_id, fold, step, attempt_id, hash, bytes, at_ms) \
               values (?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        stored.trial.0,
        stored.fold,
        signed("checkpoint.step", stored.step)?,
        stored.attempt.0,
        stored.hash,
        signed("checkpoint.bytes", stored.bytes)?,
        stored.at.0,
    ];
    execute(connection, sql, values).map(drop)
}

pub(super) fn delete(connection: &Connection, dropped: &Checkpoint) -> Result<(), StoreError> {
    let sql = "delete from checkpoint where trial_id = ? and fold = ? and step = ?";
    let values = params![dropped.trial.0, dropped.fold, signed("checkpoint.step", dropped.step)?];
    one_row(connection, sql, values, || {
        format!("the checkpoint of trial {} at step {} is not there", dropped.trial, dropped.step)
    })
}

pub(super) fn keep_heirloom(connection: &Connection, kept: &Checkpoint) -> Result<(), StoreError> {
    // A step that was trained again has another.
    let sql = "insert or replace into heirloom (trial_id, step, attempt_id, hash, bytes, at_ms) values (?, ?, ?, ?, ?, ?)";
    let values = params![
        kept.trial.0,
        signed("heirloom.step", kept.step)?,
        kept.attempt.0,
        kept.hash,
        signed("heirloom.bytes", kept.bytes)?,
        kept.at.0,
    ];
    execute(connection, sql, values).map(drop)
}

pub(super) fn drop_heirloom(connection: &Connection, dropped: &Checkpoint) -> Result<(), StoreError> {
    let sql = "delete from heirloom where trial_id = ? and step = ?";
    let values = params![dropped.trial.0, signed("heirloom.step", dropped.step)?];
    one_row(connection, sql, values, || {
        format!("the heirloom of trial {} at step {} is not there", dropped.trial, dropped.step)
    })
}

/// What a sweep's heirs may go on from, by step and trial number.
pub(super) fn heirlooms(
    connection: &Connection,
    sweep: SweepId,
) -> Result<BTreeMap<(u64, u64), Checkpoint>, StoreError> {
    let sql = "select heirloom.*, trial.number from heirloom join trial using (trial_id) where sweep_id = ?";
    let found = all(connection, sql, [sweep.0], |row| {
        let kept = Checkpoint {
            trial: TrialId(row.int("heirloom.trial_id")?),
            fold: 0,
            step: row.count("heirloom.step")?,
            attempt: AttemptId(row.int("heirloom.attempt_id")?),
            hash: row.text("heirloom.hash")?.to_owned(),
            bytes: row.count("heirloom.bytes")?,
            at: Millis(row.int("heirloom.at_ms")?),
        };
        Ok(((kept.step, row.count("trial.number")?), kept))
    })?;
    Ok(found.into_iter().collect())
}

/// A checkpoint from a row of its table.
pub(super) fn checkpoint(row: &impl Fields) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        trial: TrialId(row.int("checkpoint.trial_id")?),
        fold: row.small("checkpoint.fold")?,
        step: row.count("checkpoint.step")?,
        attempt: AttemptId(row.int("checkpoint.attempt_id")?),
        hash: row.text("checkpoint.hash")?.to_owned(),
        bytes: row.count("checkpoint.bytes")?,
        at: Millis(row.int("checkpoint.at_ms")?),
    })
}

impl Writer {
    /// The blobs that a sweep refers to: weights and checkpoints.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn blobs_of_sweep(&mut self, sweep: SweepId) -> Result<Vec<String>, StoreError> {
        let sql = "select weights from trial where sweep_id = ?1 and weights is not null \
                   union select fold.weights from fold join trial using (trial_id) where sweep_id = ?1 and fold.weights is not null \
                   union select hash from checkpoint join trial using (trial_id) where sweep_id = ?1 \
                   union select hash from heirloom join trial using (trial_id) where sweep_id = ?1";
        all(&self.connection, sql, [sweep.0], |row| Ok(row.get(0)?))
    }

    /// Whether nothing refers to a blob.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_unreferenced(&mut self, hash: &str) -> Result<bool, StoreError> {
        let sql = "select not exists (select 1 from trial where weights = ?1) \
                   and not exists (select 1 from fold where weights = ?1) \
                   and not exists (select 1 from checkpoint where hash = ?1) \
                   and not exists (select 1 from heirloom where hash = ?1)";
        one(&self.connection, sql, [hash])
    }
}
