//! Writing changes: a group in one transaction, guarded by the state each row must be in.

use super::open::{Durability, Writer};
use super::rows::{further_text, signed, split_metrics, to_json};
use super::{StoreError, blob, checkpoints, legs};
use crate::domain::metric::{DEVICE_MEMORY_BYTES, RESIDENT_BYTES};
use crate::domain::{
    AttemptState, Change, Event, Metrics, Millis, NewAttempt, NewTrial, Reason, StepReport, SweepId,
    SweepRow, SweepState, TrialId, TrialState, Value,
};
use sqlx::sqlite::{SqliteArguments, SqliteQueryResult};
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

pub(super) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

impl Writer {
    /// Applies all changes and the new input counter in one `BEGIN IMMEDIATE` transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a row is not in the state a change expects, or what SQLite says.
    /// Nothing is applied then.
    pub async fn apply(
        &mut self,
        changes: &[Change],
        seq: i64,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.set_durability(durability).await?;
        if self.run("begin immediate").await.is_err() {
            // The end of the one before may have failed.
            let _ = self.run("rollback").await;
            self.run("begin immediate").await?;
        }
        let applied = self.apply_all(changes, seq).await;
        if applied.is_err() {
            // A full disk may have ended the transaction already, which this then says.
            let _ = self.run("rollback").await;
        }
        applied
    }

    async fn apply_all(&mut self, changes: &[Change], seq: i64) -> Result<(), StoreError> {
        let mut rest = changes;
        while let [change, later @ ..] = rest {
            rest = match (change, later) {
                // Most of what is written: together they cost half.
                (Change::Reported(report), [Change::BestMoved { trial, step, value }, later @ ..])
                    if *trial == report.trial =>
                {
                    insert_report(&mut self.connection, report, Some((*step, *value))).await?;
                    later
                }
                _ => {
                    apply_one(&mut self.connection, change).await?;
                    later
                }
            };
        }
        sqlx::query("update counter set value = ? where name = 'seq'")
            .bind(seq)
            .execute(&mut self.connection)
            .await?;
        self.run("commit").await
    }

    /// Transactions are begun and ended by hand: SQLite ends one by itself where the disk is full, and sqlx's
    /// own count of open transactions would not notice, and refuse all later ones.
    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(statement).execute(&mut self.connection).await?;
        Ok(())
    }
}

async fn apply_one(connection: &mut SqliteConnection, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::SweepInserted(row) => insert_sweep(connection, row).await,
        Change::SweepMoved { sweep, from, to, at } => move_sweep(connection, *sweep, *from, *to, *at).await,
        Change::SweepReturns { sweep, to } => {
            let query = sqlx::query("update sweep set returns_to = ? where sweep_id = ?")
                .bind(to.as_str())
                .bind(sweep.0);
            one_row(query.execute(connection).await?, || format!("sweep {sweep} is not there"))
        }
        Change::SweepRemoved { sweep } => {
            // It may be gone: two users removed it at once, and the scheduler knows no sweep that is over.
            execute(connection, sqlx::query("delete from sweep where sweep_id = ?").bind(sweep.0)).await
        }
        Change::TrialInserted(trial) => insert_trial(connection, trial).await,
        Change::TrialMoved { trial, from, to, reason, at } => {
            move_trial(connection, *trial, *from, *to, reason.as_ref(), *at).await
        }
        Change::TrialHeld { trial, ready, alone, accumulate } => {
            let sql = "update trial set ready_ms = ?, alone = ?, accumulate = ? where trial_id = ?";
            let query =
                sqlx::query(sql).bind(ready.map(|ready| ready.0)).bind(alone).bind(accumulate).bind(trial.0);
            one_row(query.execute(connection).await?, || format!("trial {trial} is not there"))
        }
        Change::LegDecided(decided) => legs::insert(connection, decided).await,
        Change::LegEnded { leg, end } => legs::end(connection, *leg, end).await,
        Change::CheckpointStored(checkpoint) => checkpoints::insert(connection, checkpoint).await,
        Change::CheckpointDropped(checkpoint) => checkpoints::delete(connection, checkpoint).await,
        Change::AttemptOpened(attempt) => open_attempt(connection, attempt).await,
        Change::AttemptClosed { attempt, state, reason, tell, at } => {
            let query = sqlx::query(
                "update attempt set state = ?, reason = ?, tell = ?, finished_ms = ? \
                 where attempt_id = ? and state = ?",
            )
            .bind(state.as_str())
            .bind(reason.as_ref().map(to_json).transpose()?)
            .bind(tell)
            .bind(at.0)
            .bind(attempt.0)
            .bind(AttemptState::Open.as_str());
            one_row(query.execute(connection).await?, || format!("attempt {attempt} is not open"))
        }
        Change::Reported(report) => insert_report(connection, report, None).await,
        Change::ReportsDiscarded { trial, fold, after_step } => {
            discard_reports(connection, *trial, *fold, signed("step", *after_step)?).await
        }
        Change::BestMoved { trial, step, value } => {
            let query = sqlx::query("update trial set best_step = ?, best_value = ? where trial_id = ?")
                .bind(signed("trial.best_step", *step)?)
                .bind(value)
                .bind(trial.0);
            one_row(query.execute(connection).await?, || format!("trial {trial} is not there"))
        }
        Change::FurtherMoved { trial, values } => {
            let query = sqlx::query("update trial set further = ? where trial_id = ?")
                .bind(further_text(values)?)
                .bind(trial.0);
            one_row(query.execute(connection).await?, || format!("trial {trial} is not there"))
        }
        Change::ResultCopied { trial, sweep, from } => {
            let sql = "update trial set (best_step, best_value, further, weights, accumulate) = (select best_step, \
                       best_value, further, weights, accumulate from trial known where known.sweep_id = ?1 and \
                       known.number = ?2 and known.state = 'completed') where trial_id = ?3; \
                       insert into trial_value (trial_id, objective, sweep_id, step, value, ranked) \
                       select ?3, objective, v.sweep_id, step, value, ranked from trial_value v join trial known \
                       using (trial_id) where known.sweep_id = ?1 and known.number = ?2";
            let query = sqlx::query(sql).bind(sweep.0).bind(signed("trial.number", *from)?).bind(trial.0);
            execute(connection, query).await
        }
        Change::Valued { sweep, trial, objective, step, value, ranked } => {
            let query = sqlx::query(
                "insert into trial_value (trial_id, objective, sweep_id, step, value, ranked) \
                 values (?, ?, ?, ?, ?, ?) on conflict (trial_id, objective) \
                 do update set step = excluded.step, value = excluded.value, ranked = excluded.ranked",
            )
            .bind(trial.0)
            .bind(i64::from(*objective))
            .bind(sweep.0)
            .bind(signed("trial_value.step", *step)?)
            .bind(value)
            .bind(ranked);
            execute(connection, query).await
        }
        Change::WeightsStored { trial, hash } => {
            if !blob::is_hash(hash) {
                return Err(StoreError::damaged("trial.weights", hash));
            }
            let query =
                sqlx::query("update trial set weights = ? where trial_id = ?").bind(hash).bind(trial.0);
            one_row(query.execute(connection).await?, || format!("trial {trial} is not there"))
        }
        Change::Recorded(event) => record(connection, event).await,
    }
}

pub(super) async fn execute(connection: &mut SqliteConnection, query: Query<'_>) -> Result<(), StoreError> {
    query.execute(connection).await?;
    Ok(())
}

pub(super) fn one_row(
    result: SqliteQueryResult,
    otherwise: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match result.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict { what: otherwise() }),
    }
}

async fn insert_sweep(connection: &mut SqliteConnection, row: &SweepRow) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into sweep (sweep_id, uid, name, priority, state, spec, source, git_commit, dataset_hash, baseline, \
         created_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.id.0)
    .bind(&row.uid)
    .bind(&row.spec.name)
    .bind(row.spec.priority)
    .bind(row.state.as_str())
    .bind(to_json(&row.spec)?)
    .bind(&row.origin.source)
    .bind(&row.origin.git_commit)
    .bind(&row.origin.dataset_hash)
    .bind(row.origin.baseline)
    .bind(row.created.0);
    execute(connection, query).await
}

async fn move_sweep(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    from: SweepState,
    to: SweepState,
    at: Millis,
) -> Result<(), StoreError> {
    // A sweep that is over has gone back to where it was to go.
    let sql = "update sweep set state = ?, finished_ms = ?, returns_to = case when ? then null else returns_to end \
               where sweep_id = ? and state = ?";
    let query = sqlx::query(sql)
        .bind(to.as_str())
        .bind(to.is_over().then_some(at.0))
        .bind(to.is_over())
        .bind(sweep.0)
        .bind(from.as_str());
    one_row(query.execute(connection).await?, || format!("sweep {sweep} is not {}", from.as_str()))
}

/// A trial and its parameters. One call of SQLite's thread does it all.
async fn insert_trial(connection: &mut SqliteConnection, trial: &NewTrial) -> Result<(), StoreError> {
    let mut sql = String::from(
        "insert into trial (trial_id, sweep_id, number, state, params, suggested, parameter_count, budget_steps, \
         created_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    // SQLite takes 32,766 values a statement: more than the parameters that a sweep may have.
    let rows = vec!["(?, ?, ?, ?)"; trial.params.len()].join(", ");
    if !rows.is_empty() {
        sql.push_str("; insert into trial_param (trial_id, name, sweep_id, value) values ");
        sql.push_str(&rows);
    }
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(trial.id.0)
        .bind(trial.sweep.0)
        .bind(signed("trial.number", trial.number)?)
        .bind(TrialState::Queued.as_str())
        .bind(to_json(&trial.params)?)
        .bind(to_json(&trial.suggested)?)
        .bind(trial.parameter_count.map(|n| signed("trial.parameter_count", n)).transpose()?)
        .bind(trial.budget_steps.map(|n| signed("trial.budget_steps", n)).transpose()?)
        .bind(trial.created.0);
    for (name, value) in &trial.params {
        query = bind_value(query.bind(trial.id.0).bind(name).bind(trial.sweep.0), value)?;
    }
    execute(connection, query).await
}

/// Binds a parameter's value by its own type; a list as its JSON.
pub(super) fn bind_value<'q>(query: Query<'q>, value: &Value) -> Result<Query<'q>, StoreError> {
    Ok(match value {
        Value::Bool(b) => query.bind(*b),
        Value::Int(i) => query.bind(*i),
        Value::Float(x) => query.bind(*x),
        Value::Text(s) => query.bind(s.clone()),
        list @ Value::List(_) => query.bind(to_json(list)?),
    })
}

async fn move_trial(
    connection: &mut SqliteConnection,
    trial: TrialId,
    from: TrialState,
    to: TrialState,
    reason: Option<&Reason>,
    at: Millis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update trial set state = ?1, ended = ?2, finished_ms = ?3, started_ms = coalesce(started_ms, ?4) \
         where trial_id = ?5 and state = ?6",
    )
    .bind(to.as_str())
    .bind(reason.map(to_json).transpose()?)
    .bind(to.is_over().then_some(at.0))
    .bind((to == TrialState::Running).then_some(at.0))
    .bind(trial.0)
    .bind(from.as_str());
    one_row(query.execute(&mut *connection).await?, || format!("trial {trial} is not {}", from.as_str()))?;
    if from.is_over() {
        // It is tried again: what it was worth is open again.
        let query = sqlx::query("delete from trial_value where trial_id = ?").bind(trial.0);
        execute(connection, query).await?;
    }
    Ok(())
}

async fn open_attempt(connection: &mut SqliteConnection, attempt: &NewAttempt) -> Result<(), StoreError> {
    let query = sqlx::query(
        "insert into attempt (attempt_id, leg_id, trial_id, worker, slot, request_id, environment, lease_ms, state, \
         started_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(attempt.id.0)
    .bind(attempt.leg.0)
    .bind(attempt.trial.0)
    .bind(&attempt.worker)
    .bind(&attempt.slot)
    .bind(&attempt.request_id)
    .bind(to_json(&attempt.environment)?)
    .bind(attempt.lease_ms)
    .bind(AttemptState::Open.as_str())
    .bind(attempt.started.0);
    execute(connection, query).await
}

/// A report, and the best step where it moved with it. One call of SQLite's thread does it all.
async fn insert_report(
    connection: &mut SqliteConnection,
    report: &StepReport,
    best: Option<(u64, f64)>,
) -> Result<(), StoreError> {
    const INSERT: &str = "insert into report (trial_id, fold, step, attempt_id, seq, at_ms, rmse, train_loss, \
                          train_rmse, learning_rate, seconds, images_per_second, extra) \
                          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);";
    let (fixed, extra) = split_metrics(&report.metrics)?;
    let step = signed("report.step", report.step)?;
    let moved = if best.is_some() { ", best_step = ?, best_value = ?" } else { "" };
    let memory = memory_of(&report.metrics);
    // The most of all steps; what is not measured changes nothing.
    let measured = match memory {
        [None, None] => "",
        _ => {
            ", device_memory_bytes = nullif(max(coalesce(device_memory_bytes, 0), ?), 0), \
             resident_bytes = nullif(max(coalesce(resident_bytes, 0), ?), 0)"
        }
    };
    let sql = format!("{INSERT} update trial set steps = ?{moved}{measured} where trial_id = ?");
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(report.trial.0)
        .bind(i64::from(report.fold))
        .bind(step)
        .bind(report.attempt.0)
        .bind(report.seq)
        .bind(report.at.0);
    for value in fixed {
        query = query.bind(value);
    }
    query = query.bind(extra).bind(step);
    if let Some((step, value)) = best {
        query = query.bind(signed("trial.best_step", step)?).bind(value);
    }
    if memory != [None, None] {
        query = memory.iter().fold(query, |query, bytes| query.bind(bytes.unwrap_or(0)));
    }
    let result = query.bind(report.trial.0).execute(connection).await?;
    if result.rows_affected() == 2 {
        return Ok(());
    }
    Err(StoreError::Conflict { what: format!("trial {} is not there", report.trial) })
}

/// What a report says of memory, on the device and on the machine, in bytes. Whatever was reported, no more than
/// a number of bytes can be.
fn memory_of(metrics: &Metrics) -> [Option<i64>; 2] {
    [DEVICE_MEMORY_BYTES, RESIDENT_BYTES].map(|name| {
        // The largest double below 2^63: beyond it there are no bytes, only mistakes.
        metrics.get(name).filter(|bytes| *bytes >= 1.0 && *bytes < 9.2e18).map(|bytes| bytes as i64)
    })
}

async fn discard_reports(
    connection: &mut SqliteConnection,
    trial: TrialId,
    fold: u32,
    after_step: i64,
) -> Result<(), StoreError> {
    let query = sqlx::query("delete from report where trial_id = ? and fold = ? and step > ?")
        .bind(trial.0)
        .bind(i64::from(fold))
        .bind(after_step);
    execute(&mut *connection, query).await?;
    let query = sqlx::query(
        "update trial set steps = ?1, \
         best_step = case when best_step > ?1 then null else best_step end, \
         best_value = case when best_step > ?1 then null else best_value end where trial_id = ?2",
    )
    .bind(after_step)
    .bind(trial.0);
    execute(connection, query).await
}

async fn record(connection: &mut SqliteConnection, event: &Event) -> Result<(), StoreError> {
    // Larger than those that are there, and than those that are gone.
    let query = sqlx::query(
        "insert into event (event_id, seq, at_ms, sweep_id, trial_id, attempt_id, kind, reason) values (1 + max( \
         (select coalesce(max(event_id), 0) from event), (select value from counter where name = 'event')), \
         ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(event.seq)
    .bind(event.at_ms.0)
    .bind(event.sweep.0)
    .bind(event.trial.map(|t| t.0))
    .bind(event.attempt.map(|a| a.0))
    .bind(event.kind.as_str())
    .bind(event.reason.as_ref().map(to_json).transpose()?);
    execute(connection, query).await
}
