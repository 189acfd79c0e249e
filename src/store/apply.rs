//! Writing changes: a group in one transaction, guarded by the state each row must be in.

use super::direct::{execute, one_row, stored};
use super::open::{Durability, Writer};
use super::rows::{further_text, signed, split_metrics, to_json};
use super::{StoreError, blob, checkpoints, folds, legs, sources, terms};
use crate::domain::metric::{DEVICE_MEMORY_BYTES, RESIDENT_BYTES};
use crate::domain::{
    AttemptState, Change, Event, Metrics, Millis, NewAttempt, NewTrial, Reason, StepReport, SweepId,
    SweepRow, SweepState, TrialId, TrialState,
};
use rusqlite::{Connection, params};

impl Writer {
    /// Applies all changes and the new input counter in one `BEGIN IMMEDIATE` transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a row is not in the state a change expects, or what SQLite says.
    /// Nothing is applied then.
    pub fn apply(&mut self, changes: &[Change], seq: i64, durability: Durability) -> Result<(), StoreError> {
        // The end of the one before may have failed.
        self.take_back();
        self.set_durability(durability)?;
        execute(&self.connection, "begin immediate", [])?;
        let applied = self.apply_all(changes, seq);
        if applied.is_err() {
            self.take_back();
        }
        applied
    }

    fn apply_all(&self, changes: &[Change], seq: i64) -> Result<(), StoreError> {
        for change in changes {
            apply_one(&self.connection, change)?;
        }
        execute(&self.connection, "update counter set value = ? where name = 'seq'", [seq])?;
        execute(&self.connection, "commit", [])?;
        Ok(())
    }

    /// Ends a transaction that did not come to its end. Where the disk is full, SQLite may have done so by itself.
    fn take_back(&self) {
        if !self.connection.is_autocommit() {
            // What cannot even be taken back is tried again with the next group.
            let _ = execute(&self.connection, "rollback", []);
        }
    }
}

fn apply_one(connection: &Connection, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::SweepInserted(row) => insert_sweep(connection, row),
        Change::SweepWarmed { sweep, sources } => sources::insert(connection, *sweep, sources),
        Change::SweepMoved { sweep, from, to, at } => move_sweep(connection, *sweep, *from, *to, *at),
        Change::SweepPrioritised { sweep, priority } => {
            // The sweep as a whole says it too.
            let sql =
                "update sweep set priority = ?1, spec = json_set(spec, '$.priority', ?1) where sweep_id = ?2";
            one_row(connection, sql, [*priority, sweep.0], || format!("sweep {sweep} is not there"))
        }
        Change::SweepEdited { sweep, version, past, spec, source, at } => {
            terms::replace(connection, (*sweep, *version), past, (spec, source), *at)
        }
        Change::SweepReturns { sweep, to } => {
            let sql = "update sweep set returns_to = ? where sweep_id = ?";
            one_row(connection, sql, params![to.as_str(), sweep.0], || format!("sweep {sweep} is not there"))
        }
        Change::SweepRemoved { sweep } => {
            // It may be gone: two users removed it at once, and the scheduler knows no sweep that is over.
            execute(connection, "delete from sweep where sweep_id = ?", [sweep.0]).map(drop)
        }
        Change::TrialInserted(trial) => insert_trial(connection, trial),
        Change::TrialMoved { trial, from, to, reason, at } => {
            move_trial(connection, *trial, *from, *to, reason.as_ref(), *at)
        }
        Change::TrialHeld { trial, ready, alone, accumulate } => {
            let sql = "update trial set ready_ms = ?, alone = ?, accumulate = ? where trial_id = ?";
            let values = params![ready.map(|ready| ready.0), alone, accumulate, trial.0];
            one_row(connection, sql, values, || format!("trial {trial} is not there"))
        }
        Change::LegDecided(decided) => legs::insert(connection, decided),
        Change::LegEnded { leg, end } => legs::end(connection, *leg, end),
        Change::CheckpointStored(checkpoint) => checkpoints::insert(connection, checkpoint),
        Change::CheckpointDropped(checkpoint) => checkpoints::delete(connection, checkpoint),
        Change::HeirloomKept(checkpoint) => checkpoints::keep_heirloom(connection, checkpoint),
        Change::HeirloomDropped(checkpoint) => checkpoints::drop_heirloom(connection, checkpoint),
        Change::AttemptOpened(attempt) => open_attempt(connection, attempt),
        Change::AttemptClosed { attempt, state, reason, tell, at } => {
            let sql = "update attempt set state = ?, reason = ?, tell = ?, finished_ms = ? \
                       where attempt_id = ? and state = ?";
            let reason = reason.as_ref().map(to_json).transpose()?;
            let values = params![state.as_str(), reason, tell, at.0, attempt.0, AttemptState::Open.as_str()];
            one_row(connection, sql, values, || format!("attempt {attempt} is not open"))
        }
        Change::Reported(report) => insert_report(connection, report),
        Change::ReportsDiscarded { trial, fold, after_step } => {
            discard_reports(connection, *trial, *fold, signed("step", *after_step)?)
        }
        Change::BestMoved { trial, best } => {
            let sql = "update trial set best_step = ?, best_value = ? where trial_id = ?";
            let step = best.map(|(step, _)| signed("trial.best_step", step)).transpose()?;
            let values = params![step, best.map(|(_, value)| value), trial.0];
            one_row(connection, sql, values, || format!("trial {trial} is not there"))
        }
        Change::FoldValued { trial, fold, result } => folds::value(connection, *trial, *fold, result),
        Change::FurtherMoved { trial, values } => {
            let sql = "update trial set further = ? where trial_id = ?";
            let values = params![further_text(values)?, trial.0];
            one_row(connection, sql, values, || format!("trial {trial} is not there"))
        }
        Change::ResultCopied { trial, sweep, from } => {
            let sql = "update trial set (best_step, best_value, further, weights, accumulate) = (select best_step, \
                       best_value, further, weights, accumulate from trial known where known.sweep_id = ?1 and \
                       known.number = ?2 and known.state = 'completed') where trial_id = ?3";
            let values = params![sweep.0, signed("trial.number", *from)?, trial.0];
            execute(connection, sql, values)?;
            let sql = "insert into trial_value (trial_id, objective, sweep_id, step, value, ranked) \
                       select ?3, objective, v.sweep_id, step, value, ranked from trial_value v join trial known \
                       using (trial_id) where known.sweep_id = ?1 and known.number = ?2";
            execute(connection, sql, values)?;
            let sql = "insert into fold (trial_id, fold, step, value, further, weights) \
                       select ?3, fold, step, value, fold.further, fold.weights from fold join trial known \
                       using (trial_id) where known.sweep_id = ?1 and known.number = ?2";
            execute(connection, sql, values).map(drop)
        }
        Change::Valued { sweep, trial, objective, step, value, ranked } => {
            let sql = "insert into trial_value (trial_id, objective, sweep_id, step, value, ranked) \
                       values (?, ?, ?, ?, ?, ?) on conflict (trial_id, objective) \
                       do update set step = excluded.step, value = excluded.value, ranked = excluded.ranked";
            let step = signed("trial_value.step", *step)?;
            execute(connection, sql, params![trial.0, objective, sweep.0, step, value, ranked]).map(drop)
        }
        Change::WeightsStored { trial, fold, hash } => {
            if !blob::is_hash(hash) {
                return Err(StoreError::damaged("trial.weights", hash));
            }
            if let Some(fold) = fold {
                return folds::keep_weights(connection, *trial, *fold, hash);
            }
            let sql = "update trial set weights = ? where trial_id = ?";
            one_row(connection, sql, params![hash, trial.0], || format!("trial {trial} is not there"))
        }
        Change::Recorded(event) => record(connection, event),
    }
}

fn insert_sweep(connection: &Connection, row: &SweepRow) -> Result<(), StoreError> {
    let sql = "insert into sweep (sweep_id, uid, name, priority, state, spec, source, git_commit, dataset_hash, \
               baseline, created_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        row.id.0,
        row.uid,
        row.spec.name,
        row.spec.priority,
        row.state.as_str(),
        to_json(&row.spec)?,
        row.origin.source,
        row.origin.git_commit,
        row.origin.dataset_hash,
        row.origin.baseline,
        row.created.0,
    ];
    execute(connection, sql, values).map(drop)
}

fn move_sweep(
    connection: &Connection,
    sweep: SweepId,
    from: SweepState,
    to: SweepState,
    at: Millis,
) -> Result<(), StoreError> {
    // A sweep that is over has gone back to where it was to go.
    let sql = "update sweep set state = ?, finished_ms = ?, returns_to = case when ? then null else returns_to end \
               where sweep_id = ? and state = ?";
    let finished = to.is_over().then_some(at.0);
    let values = params![to.as_str(), finished, to.is_over(), sweep.0, from.as_str()];
    one_row(connection, sql, values, || format!("sweep {sweep} is not {}", from.as_str()))
}

/// A trial and its parameters.
fn insert_trial(connection: &Connection, trial: &NewTrial) -> Result<(), StoreError> {
    let sql = "insert into trial (trial_id, sweep_id, number, state, params, suggested, parameter_count, \
               budget_steps, created_ms, parent, parent_step, steps) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let descent = trial.suggested.descent();
    let parent = descent.map(|descent| signed("trial.parent", descent.parent)).transpose()?;
    let parent_step = descent.map(|descent| signed("trial.parent_step", descent.step)).transpose()?;
    let values = params![
        trial.id.0,
        trial.sweep.0,
        signed("trial.number", trial.number)?,
        TrialState::Queued.as_str(),
        to_json(&trial.params)?,
        to_json(&trial.suggested)?,
        trial.parameter_count.map(|n| signed("trial.parameter_count", n)).transpose()?,
        trial.budget_steps.map(|n| signed("trial.budget_steps", n)).transpose()?,
        trial.created.0,
        parent,
        parent_step,
        parent_step.unwrap_or(0),
    ];
    execute(connection, sql, values)?;
    let sql = "insert into trial_param (trial_id, name, sweep_id, value) values (?, ?, ?, ?)";
    for (name, value) in &trial.params {
        execute(connection, sql, params![trial.id.0, name, trial.sweep.0, stored(value)?])?;
    }
    Ok(())
}

fn move_trial(
    connection: &Connection,
    trial: TrialId,
    from: TrialState,
    to: TrialState,
    reason: Option<&Reason>,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "update trial set state = ?1, ended = ?2, finished_ms = ?3, started_ms = coalesce(started_ms, ?4) \
         where trial_id = ?5 and state = ?6";
    let values = params![
        to.as_str(),
        reason.map(to_json).transpose()?,
        to.is_over().then_some(at.0),
        (to == TrialState::Running).then_some(at.0),
        trial.0,
        from.as_str(),
    ];
    one_row(connection, sql, values, || format!("trial {trial} is not {}", from.as_str()))?;
    if from.is_over() {
        // It is tried again: what it was worth is open again.
        execute(connection, "delete from trial_value where trial_id = ?", [trial.0])?;
    }
    Ok(())
}

fn open_attempt(connection: &Connection, attempt: &NewAttempt) -> Result<(), StoreError> {
    let sql = "insert into attempt (attempt_id, leg_id, trial_id, worker, slot, request_id, environment, lease_ms, \
               state, started_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        attempt.id.0,
        attempt.leg.0,
        attempt.trial.0,
        attempt.worker,
        attempt.slot,
        attempt.request_id,
        to_json(&attempt.environment)?,
        attempt.lease_ms,
        AttemptState::Open.as_str(),
        attempt.started.0,
    ];
    execute(connection, sql, values).map(drop)
}

fn insert_report(connection: &Connection, report: &StepReport) -> Result<(), StoreError> {
    let sql = "insert into report (trial_id, fold, step, attempt_id, seq, at_ms, rmse, train_loss, train_rmse, \
               learning_rate, seconds, images_per_second, extra) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let ([rmse, train_loss, train_rmse, rate, seconds, speed], extra) = split_metrics(&report.metrics)?;
    let step = signed("report.step", report.step)?;
    let (trial, attempt) = (report.trial.0, report.attempt.0);
    let (fold, seq, at) = (report.fold, report.seq, report.at.0);
    execute(
        connection,
        sql,
        params![
            trial, fold, step, attempt, seq, at, rmse, train_loss, train_rmse, rate, seconds, speed, extra
        ],
    )?;
    let otherwise = || format!("trial {} is not there", report.trial);
    let steps = step + folds::steps_of_others(connection, report.trial, report.fold)?;
    match memory_of(&report.metrics) {
        [None, None] => {
            one_row(connection, "update trial set steps = ? where trial_id = ?", [steps, trial], otherwise)
        }
        [device, machine] => {
            // The most of all steps; what is not measured changes nothing.
            let sql = "update trial set steps = ?, \
                       device_memory_bytes = nullif(max(coalesce(device_memory_bytes, 0), ?), 0), \
                       resident_bytes = nullif(max(coalesce(resident_bytes, 0), ?), 0) where trial_id = ?";
            let values = [steps, device.unwrap_or(0), machine.unwrap_or(0), trial];
            one_row(connection, sql, values, otherwise)
        }
    }
}

/// What a report says of memory, on the device and on the machine, in bytes. Whatever was reported, no more than
/// a number of bytes can be.
fn memory_of(metrics: &Metrics) -> [Option<i64>; 2] {
    [DEVICE_MEMORY_BYTES, RESIDENT_BYTES].map(|name| {
        // The largest double below 2^63: beyond it there are no bytes, only mistakes.
        metrics.get(name).filter(|bytes| *bytes >= 1.0 && *bytes < 9.2e18).map(|bytes| bytes as i64)
    })
}

fn discard_reports(
    connection: &Connection,
    trial: TrialId,
    fold: u32,
    after_step: i64,
) -> Result<(), StoreError> {
    let sql = "delete from report where trial_id = ? and fold = ? and step > ?";
    execute(connection, sql, params![trial.0, fold, after_step])?;
    let steps = after_step + folds::steps_of_others(connection, trial, fold)?;
    execute(connection, "update trial set steps = ? where trial_id = ?", [steps, trial.0]).map(drop)
}

fn record(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    // Larger than those that are there, and than those that are gone.
    let sql = "insert into event (event_id, seq, at_ms, sweep_id, trial_id, attempt_id, kind, reason) values (1 + max( \
               (select coalesce(max(event_id), 0) from event), (select value from counter where name = 'event')), \
               ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        event.seq,
        event.at_ms.0,
        event.sweep.0,
        event.trial.map(|t| t.0),
        event.attempt.map(|a| a.0),
        event.kind.as_str(),
        event.reason.as_ref().map(to_json).transpose()?,
    ];
    execute(connection, sql, values).map(drop)
}
