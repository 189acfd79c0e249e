//! Reading the open rows, from which the scheduler starts.

use super::StoreError;
use super::direct::{Named, all, first, one};
use super::fields::Fields;
use super::open::Writer;
use super::open_trials::{self, Wanted};
use super::rows::{from_json, sweep_state, unsigned};
use super::{checkpoints, judgements, legs};
use crate::domain::recovery::{OpenSweep, OpenTrial, Recovery};
use crate::domain::{Descent, Millis, Origin, Reason, SweepId, SweepRow, SweepState, TrialId};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// A sweep, and what it goes back to.
type Stored = (SweepRow, Option<SweepState>);

impl Writer {
    /// Everything the scheduler needs to go on.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub fn recover(&mut self) -> Result<Recovery, StoreError> {
        let connection = &self.connection;
        let mut recovery = Recovery {
            seq: one(connection, "select value from counter where name = 'seq'", [])?,
            last_sweep: last_id(connection, "sweep")?,
            last_trial: last_id(connection, "trial")?,
            last_leg: last_id(connection, "leg")?,
            last_attempt: last_id(connection, "attempt")?,
            sweeps: Vec::new(),
        };
        // A cancelled sweep's running trials still wind down.
        let sql = "select * from sweep where state in ('active', 'paused') or sweep_id in (select sweep_id from trial \
                   indexed by trial_open where state in ('queued', 'running', 'paused', 'stopping')) order by sweep_id";
        for stored in all(connection, sql, [], stored)? {
            let open = open_trials::read(connection, Wanted::OpenOf(stored.0.id))?;
            recovery.sweeps.push(sweep_with(connection, stored, open)?);
        }
        Ok(recovery)
    }

    /// A trial, open or not, and its sweep; `None` where there is no such trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub fn stored_trial(&mut self, trial: TrialId) -> Result<Option<OpenSweep>, StoreError> {
        let connection = &self.connection;
        let open = open_trials::read(connection, Wanted::One(trial))?;
        let Some(sweep) = open.first().map(|trial| trial.row.sweep) else { return Ok(None) };
        let sql = "select * from sweep where sweep_id = ?";
        let found = all(connection, sql, [sweep.0], stored)?.pop();
        found.map(|stored| sweep_with(connection, stored, open)).transpose()
    }
}

/// The largest id ever used in a table, also by a row that has been deleted since.
fn last_id(connection: &Connection, table: &str) -> Result<i64, StoreError> {
    Ok(first(connection, "select seq from sqlite_sequence where name = ?", [table])?.unwrap_or(0))
}

fn stored(row: &Named<'_>) -> Result<Stored, StoreError> {
    let returns_to = row.maybe_text("sweep.returns_to")?.map(sweep_state).transpose()?;
    Ok((sweep_row(row)?, returns_to))
}

/// A sweep from a row of its table.
pub(super) fn sweep_row(row: &impl Fields) -> Result<SweepRow, StoreError> {
    let owned = |column| Ok::<_, StoreError>(row.maybe_text(column)?.map(str::to_owned));
    Ok(SweepRow {
        id: SweepId(row.int("sweep.sweep_id")?),
        uid: row.text("sweep.uid")?.to_owned(),
        state: sweep_state(row.text("sweep.state")?)?,
        spec: from_json("sweep.spec", row.text("sweep.spec")?)?,
        origin: Origin {
            source: row.text("sweep.source")?.to_owned(),
            git_commit: owned("sweep.git_commit")?,
            dataset_hash: owned("sweep.dataset_hash")?,
            baseline: row.maybe_real("sweep.baseline")?,
        },
        created: Millis(row.int("sweep.created_ms")?),
    })
}

/// A sweep with some of its trials.
fn sweep_with(
    connection: &Connection,
    (row, returns_to): Stored,
    open: Vec<OpenTrial>,
) -> Result<OpenSweep, StoreError> {
    let last = "select coalesce(max(number), -1) from trial where sweep_id = ?";
    let last: i64 = one(connection, last, [row.id.0])?;
    let mut records = Vec::new();
    // There may be millions.
    if row.spec.needs_ends() {
        records = all(connection, legs::RECORDS, [row.id.0], |row| legs::record(row))?;
    }
    let mut points = Vec::new();
    if row.spec.needs_points() {
        let sql = "select params from trial where sweep_id = ? order by number";
        points =
            all(connection, sql, [row.id.0], |row| from_json("trial.params", row.text("trial.params")?))?;
    }
    let (mut descents, mut heirlooms) = Default::default();
    if row.spec.population().is_some() {
        descents = self::descents(connection, row.id)?;
        heirlooms = checkpoints::heirlooms(connection, row.id)?;
    }
    let stopper = row.spec.search.stopper.as_ref();
    let judgements = match stopper {
        Some(stopper) if stopper.judges() => judgements::read(connection, row.id)?,
        _ => Vec::new(),
    };
    let curves = match stopper {
        Some(stopper) if stopper.needs_curves() => {
            judgements::curves(connection, row.id, &row.spec.objective.metric)?
        }
        _ => Default::default(),
    };
    Ok(OpenSweep {
        returns_to,
        trials: unsigned("trial.number", last + 1)?,
        legs: legs::next_number(connection, row.id)?,
        idle_legs: legs::idle(connection, row.id)?,
        open_legs: legs::open(connection, row.id)?,
        records,
        points,
        judgements,
        curves,
        descents,
        heirlooms,
        row,
        open,
    })
}

/// Where a sweep's heirs come from, by number.
fn descents(connection: &Connection, sweep: SweepId) -> Result<BTreeMap<u64, Descent>, StoreError> {
    let sql = "select number, suggested from trial where sweep_id = ? and parent is not null";
    let found = all(connection, sql, [sweep.0], |row| {
        let suggested: Reason = from_json("trial.suggested", row.text("trial.suggested")?)?;
        Ok(suggested.descent().zip(Some(row.count("trial.number")?)))
    })?;
    Ok(found.into_iter().flatten().map(|(descent, number)| (number, descent)).collect())
}
