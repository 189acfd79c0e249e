//! Reading the open rows, from which the scheduler starts.

use super::StoreError;
use super::direct::{Named, all, first, one};
use super::fields::Fields;
use super::open::Writer;
use super::open_trials::{self, Wanted};
use super::rows::{from_json, sweep_state, unsigned};
use super::{checkpoints, judgements, legs, sources, terms};
use crate::domain::recovery::{OpenSweep, OpenTrial, Past, Recovery};
use crate::domain::sweep::StopperSpec;
use crate::domain::{Descent, Millis, Origin, Reason, Sweep, SweepId, SweepRow, SweepState, Terms, TrialId};
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
            let has_folds = stored.0.spec.objective.folds.is_some();
            let open = open_trials::read(connection, Wanted::OpenOf(stored.0.id), has_folds)?;
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
        let sql = "select * from sweep where sweep_id = (select sweep_id from trial where trial_id = ?)";
        let Some(sweep) = all(connection, sql, [trial.0], stored)?.pop() else { return Ok(None) };
        let has_folds = sweep.0.spec.objective.folds.is_some();
        let open = open_trials::read(connection, Wanted::One(trial), has_folds)?;
        sweep_with(connection, sweep, open).map(Some)
    }

    /// A sweep without its trials, and of its past what counts if it goes on by other terms; `None` where there is
    /// no such sweep.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub fn stored_sweep(&mut self, sweep: SweepId, by: &Terms) -> Result<Option<OpenSweep>, StoreError> {
        let connection = &self.connection;
        let sql = "select * from sweep where sweep_id = ?";
        let Some(stored) = all(connection, sql, [sweep.0], stored)?.pop() else { return Ok(None) };
        let spec = stored.0.spec.with_terms(by.clone());
        let mut found = sweep_with(connection, stored, Vec::new())?;
        found.past = past_of(connection, sweep, &spec)?;
        Ok(Some(found))
    }

    /// A sweep and how many trials it has; `None` where there is no such sweep.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub fn sweep_and_trials(&mut self, sweep: SweepId) -> Result<Option<(SweepRow, u64)>, StoreError> {
        let sql = "select * from sweep where sweep_id = ?";
        let Some((row, _)) = all(&self.connection, sql, [sweep.0], stored)?.pop() else { return Ok(None) };
        Ok(Some((row, trials_of(&self.connection, sweep)?)))
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
    Ok(OpenSweep {
        returns_to,
        trials: trials_of(connection, row.id)?,
        idle_legs: legs::idle(connection, row.id)?,
        open_legs: legs::open(connection, row.id)?,
        past: past_of(connection, row.id, &row.spec)?,
        row,
        open,
    })
}

/// How many trials a sweep has: they are numbered from 0.
fn trials_of(connection: &Connection, sweep: SweepId) -> Result<u64, StoreError> {
    let last = "select coalesce(max(number), -1) from trial where sweep_id = ?";
    let last: i64 = one(connection, last, [sweep.0])?;
    unsigned("trial.number", last + 1)
}

/// What a sweep's methods must know of what has been, if the sweep is this one.
fn past_of(connection: &Connection, sweep: SweepId, spec: &Sweep) -> Result<Past, StoreError> {
    let mut past = Past {
        terms: terms::read(connection, sweep)?,
        sources: sources::read(connection, sweep)?,
        legs: legs::next_number(connection, sweep)?,
        ..Past::default()
    };
    // There may be millions.
    if spec.needs_ends() {
        past.records = all(connection, legs::RECORDS, [sweep.0], |row| legs::record(row))?;
    }
    if spec.needs_points() || spec.learns_memory() {
        let sql = "select params from trial where sweep_id = ? order by number";
        past.points =
            all(connection, sql, [sweep.0], |row| from_json("trial.params", row.text("trial.params")?))?;
    }
    if spec.population().is_some() {
        past.descents = descents(connection, sweep)?;
        past.heirlooms = checkpoints::heirlooms(connection, sweep)?;
    }
    let stopper = spec.search.stopper.as_ref();
    if stopper.is_some_and(StopperSpec::judges) {
        past.judgements = judgements::read(connection, sweep)?;
    }
    if stopper.is_some_and(StopperSpec::needs_curves) {
        past.curves = judgements::curves(connection, sweep, &spec.objective.metric)?;
    }
    Ok(past)
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
