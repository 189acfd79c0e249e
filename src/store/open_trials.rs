//! Reading trials with all that the scheduler must know of them: one pass over each table, however many trials
//! there are. A hundred thousand may wait when a daemon starts.

use super::StoreError;
use super::direct::{self, Named};
use super::fields::Fields as _;
use super::rows::{from_json, join_metrics, optional_json, trial_state};
use super::{checkpoints, folds, legs};
use crate::domain::recovery::{OpenFold, OpenTrial, Stopping};
use crate::domain::{
    AttemptId, AttemptState, LegId, LegOutcome, Millis, NewAttempt, NewTrial, Reason, StepReport, SweepId,
    TrialId,
};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// Which trials are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Those of a sweep that have not ended.
    OpenOf(SweepId),
    /// This one, open or not.
    One(TrialId),
}

/// Trials by number, and where each stands among them.
struct Found {
    trials: Vec<OpenTrial>,
    places: HashMap<i64, usize>,
    /// Which fold a leg is of, where it is not the first; the latest end of each.
    folds: HashMap<LegId, u32>,
    ends: HashMap<(i64, u32), i64>,
}

impl Found {
    fn of(&mut self, row: &Named<'_>) -> Result<Option<&mut OpenTrial>, StoreError> {
        let place = self.places.get(&row.int("trial_id")?);
        Ok(place.and_then(|place| self.trials.get_mut(*place)))
    }

    /// A trial's fold, which is known from now on.
    fn fold_of(&mut self, row: &Named<'_>, fold: u32) -> Result<Option<&mut OpenFold>, StoreError> {
        Ok(self.of(row)?.map(|trial| {
            let at = fold as usize;
            if trial.folds.len() <= at {
                trial.folds.resize_with(at + 1, OpenFold::default);
            }
            &mut trial.folds[at]
        }))
    }

    /// A leg; they come in the order of their decisions.
    fn add_leg(&mut self, row: &Named<'_>) -> Result<(), StoreError> {
        let leg = legs::leg(row)?;
        let ended = row.maybe_int("leg.ended_seq")?;
        let outcome = row.maybe_text("leg.outcome")?.map(legs::outcome).transpose()?;
        // Nobody works on a leg under which a trial is given up.
        if ended == Some(row.int("leg.decided_seq")?) {
            return Ok(());
        }
        if leg.fold > 0 {
            self.folds.insert(leg.id, leg.fold);
        }
        self.ends.extend(ended.map(|seq| ((leg.trial.0, leg.fold), seq)));
        if let Some(fold) = self.fold_of(row, leg.fold)? {
            (fold.leg, fold.outcome) = (Some(leg), outcome);
        }
        Ok(())
    }

    /// What the record says of a trial with folds; entries come in order.
    fn add_event(&mut self, row: &Named<'_>) -> Result<(), StoreError> {
        let (seq, kind) = (row.int("event.seq")?, row.text("event.kind")?.to_owned());
        let reason: Option<Reason> = optional_json("event.reason", row.maybe_text("event.reason")?)?;
        let id = row.int("trial_id")?;
        let ends = std::mem::take(&mut self.ends);
        if let Some(trial) = self.of(row)? {
            match kind.as_str() {
                "folds_given_up" => trial.given_up = reason,
                "trial_stopping" => trial.given_up = trial.given_up.take().or(reason),
                _ => {
                    trial.given_up = None;
                    for (number, fold) in (0..).zip(&mut trial.folds) {
                        let before = ends.get(&(id, number)).is_some_and(|end| *end < seq);
                        if before && fold.outcome != Some(LegOutcome::Completed) {
                            fold.outcome = None;
                        }
                    }
                }
            }
        }
        self.ends = ends;
        Ok(())
    }
}

/// The wanted trials by number, with their latest legs, attempts, reports and checkpoints; `has_folds` where their
/// sweep's trials are cross-validated.
pub(super) fn read(
    connection: &Connection,
    wanted: Wanted,
    has_folds: bool,
) -> Result<Vec<OpenTrial>, StoreError> {
    let mut found =
        Found { trials: Vec::new(), places: HashMap::new(), folds: HashMap::new(), ends: HashMap::new() };
    each(connection, wanted, "select trial.* from trial where WANTED order by number", |row| {
        let trial = trial(row)?;
        found.places.insert(trial.row.id.0, found.trials.len());
        found.trials.push(trial);
        Ok(())
    })?;
    let sql = "select leg.* from trial cross join leg using (trial_id) where WANTED order by leg_id";
    each(connection, wanted, sql, |row| found.add_leg(row))?;
    let sql =
        "select attempt.* from trial cross join attempt using (trial_id) where WANTED order by attempt_id";
    each(connection, wanted, sql, |row| {
        let fold = found.folds.get(&LegId(row.int("attempt.leg_id")?)).copied().unwrap_or(0);
        found.fold_of(row, fold)?.map_or(Ok(()), |fold| add_attempt(fold, row))
    })?;
    let sql = "select report.* from trial cross join report using (trial_id) where WANTED order by trial_id, fold, step";
    each(connection, wanted, sql, |row| {
        let report = report(row)?;
        if let Some(fold) = found.fold_of(row, report.fold)? {
            fold.reports.push(report);
        }
        Ok(())
    })?;
    let sql = "select event.* from trial cross join event using (trial_id) where WANTED and trial.state = 'stopping' \
               and event.kind = 'trial_stopping' order by event_id";
    each(connection, wanted, sql, |row| {
        if let Some(trial) = found.of(row)? {
            let reason = from_json("event.reason", row.text("event.reason")?)?;
            trial.stopping = Some(Stopping { seq: row.int("event.seq")?, reason });
        }
        Ok(())
    })?;
    let sql = "select checkpoint.* from trial cross join checkpoint using (trial_id) where WANTED order by step desc";
    each(connection, wanted, sql, |row| {
        let checkpoint = checkpoints::checkpoint(row)?;
        if let Some(fold) = found.fold_of(row, checkpoint.fold)? {
            fold.checkpoints.push(checkpoint);
        }
        Ok(())
    })?;
    if has_folds {
        let sql = "select fold.* from trial cross join fold using (trial_id) where WANTED";
        each(connection, wanted, sql, |row| {
            if let Some(fold) = found.fold_of(row, row.small("fold.fold")?)? {
                fold.result = folds::result(row)?;
            }
            Ok(())
        })?;
        let sql = "select event.* from trial cross join event using (trial_id) where WANTED and event.kind in \
                   ('trial_stopping', 'folds_given_up', 'trial_retried') order by event_id";
        each(connection, wanted, sql, |row| found.add_event(row))?;
    }
    Ok(found.trials)
}

/// Shows every row of a statement to `look`, one at a time: all at once they may not fit the memory.
fn each(
    connection: &Connection,
    wanted: Wanted,
    sql: &'static str,
    mut look: impl FnMut(&Named<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (which, id) = match wanted {
        Wanted::OpenOf(sweep) => {
            ("trial.sweep_id = ? and trial.state in ('queued', 'running', 'paused', 'stopping')", sweep.0)
        }
        Wanted::One(trial) => ("trial.trial_id = ?", trial.0),
    };
    direct::each(connection, &sql.replace("WANTED", which), [id], |row| look(row).map(|()| true))
}

fn trial(row: &Named<'_>) -> Result<OpenTrial, StoreError> {
    Ok(OpenTrial {
        row: NewTrial {
            id: TrialId(row.int("trial.trial_id")?),
            sweep: SweepId(row.int("trial.sweep_id")?),
            number: row.count("trial.number")?,
            params: from_json("trial.params", row.text("trial.params")?)?,
            suggested: from_json("trial.suggested", row.text("trial.suggested")?)?,
            parameter_count: row.maybe_count("trial.parameter_count")?,
            budget_steps: row.maybe_count("trial.budget_steps")?,
            created: Millis(row.int("trial.created_ms")?),
        },
        state: trial_state(row.text("trial.state")?)?,
        folds: Vec::new(),
        stopping: None,
        given_up: None,
        ready: row.maybe_int("trial.ready_ms")?.map(Millis),
        alone: row.int("trial.alone")? != 0,
        accumulate: row.small("trial.accumulate")?,
    })
}

/// What one attempt says of its trial's fold; they come oldest first.
fn add_attempt(fold: &mut OpenFold, row: &Named<'_>) -> Result<(), StoreError> {
    let leg = LegId(row.int("attempt.leg_id")?);
    let state = row.text("attempt.state")?;
    let is_open = state == AttemptState::Open.as_str();
    if fold.environment.is_none() || is_open {
        let environment: BTreeMap<String, String> =
            from_json("attempt.environment", row.text("attempt.environment")?)?;
        fold.environment.get_or_insert_with(|| environment.clone());
        if is_open {
            fold.attempt = Some(NewAttempt {
                id: AttemptId(row.int("attempt.attempt_id")?),
                leg,
                trial: TrialId(row.int("attempt.trial_id")?),
                worker: row.text("attempt.worker")?.to_owned(),
                slot: row.text("attempt.slot")?.to_owned(),
                request_id: row.text("attempt.request_id")?.to_owned(),
                environment,
                lease_ms: row.maybe_int("attempt.lease_ms")?,
                started: Millis(row.int("attempt.started_ms")?),
            });
        }
    }
    // Why earlier attempts at the latest leg ended without a result. A daemon's end is not the leg's doing.
    let is_setback = state == AttemptState::Lost.as_str() || state == AttemptState::Failed.as_str();
    let reason: Option<Reason> = optional_json("attempt.reason", row.maybe_text("attempt.reason")?)?;
    if !is_open {
        fold.ended.clone_from(&reason);
    }
    if is_setback && fold.leg.is_some_and(|latest| latest.id == leg) {
        fold.setbacks.extend(reason.filter(|reason| *reason != Reason::DaemonStopped));
    }
    Ok(())
}

fn report(row: &Named<'_>) -> Result<StepReport, StoreError> {
    Ok(StepReport {
        trial: TrialId(row.int("report.trial_id")?),
        fold: row.small("report.fold")?,
        step: row.count("report.step")?,
        attempt: AttemptId(row.int("report.attempt_id")?),
        seq: row.int("report.seq")?,
        at: Millis(row.int("report.at_ms")?),
        metrics: join_metrics(row)?,
    })
}
