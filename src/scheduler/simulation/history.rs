//! Each trial's story as the record tells it: every move is legal, and the last one is where the trial stands.

use super::invariants::View;
use crate::domain::TrialId;
use crate::domain::sweep::Direction;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct History {
    last_seq: i64,
    states: BTreeMap<TrialId, &'static str>,
    /// How many attempts at a trial with folds are open.
    open: BTreeMap<TrialId, i64>,
}

/// The states an event can happen in, and the state after it. Written anew, not taken from the domain: two
/// opinions are better than one.
fn step(kind: &str) -> Option<(&'static [&'static str], &'static str)> {
    Some(match kind {
        "trial_suggested" => (&["none"], "queued"),
        "attempt_started" => (&["queued"], "running"),
        "trial_requeued" => (&["running"], "queued"),
        "trial_paused" => (&["running"], "paused"),
        "trial_continued" => (&["paused"], "queued"),
        "trial_retried" => (&["failed", "cancelled", "stopped"], "queued"),
        "trial_passed" => (&["running"], "running"),
        "trial_stopping" => (&["running"], "stopping"),
        "trial_copied" => (&["queued"], "completed"),
        "trial_completed" => (&["running", "stopping"], "completed"),
        "trial_stopped" => (&["running", "stopping", "paused"], "stopped"),
        "trial_failed" => (&["running", "stopping"], "failed"),
        "trial_cancelled" => (&["queued", "paused", "stopping"], "cancelled"),
        _ => return None,
    })
}

/// The same for a trial with folds, of which some may be worked on while others wait or have ended.
fn fold_step(
    kind: &str,
    state: &'static str,
    of_attempt: bool,
    open: &mut i64,
) -> Option<(&'static [&'static str], &'static str)> {
    Some(match kind {
        "attempt_started" => {
            *open += 1;
            (&["queued", "running"], "running")
        }
        "trial_requeued" | "fold_ended" => {
            *open -= i64::from(of_attempt);
            let waits = state == "running" && *open == 0;
            (&["queued", "running", "stopping"], if waits { "queued" } else { state })
        }
        "folds_given_up" => (&["queued", "running"], state),
        "trial_completed" => (&["queued", "stopping"], "completed"),
        "trial_failed" => (&["queued", "stopping"], "failed"),
        "trial_stopped" => (&["queued", "stopping"], "stopped"),
        _ => return step(kind),
    })
}

impl History {
    /// Reads what was recorded since; the trials that ended.
    pub async fn read(&mut self, db: &mut SqliteConnection) -> Vec<TrialId> {
        let sql = "select seq, trial_id, kind, attempt_id is not null, json_extract(spec, '$.objective.folds') is not null \
                   from event join sweep using (sweep_id) where seq > ? and trial_id is not null order by event_id";
        let rows = sqlx::query(sql).bind(self.last_seq).fetch_all(db).await.unwrap();
        let mut ended = Vec::new();
        for row in rows {
            self.last_seq = row.get(0);
            let (trial, kind) = (TrialId(row.get(1)), row.get::<String, _>(2));
            let state = self.states.entry(trial).or_insert("none");
            let found = if row.get::<bool, _>(4) {
                fold_step(&kind, state, row.get(3), self.open.entry(trial).or_default())
            } else {
                step(&kind)
            };
            let (from, to) = found.unwrap_or_else(|| panic!("trial {trial}: what is {kind}?"));
            assert!(from.contains(state), "trial {trial} was {state} when it took {kind}");
            *state = to;
            if matches!(to, "completed" | "stopped" | "failed" | "cancelled") {
                ended.push(trial);
            }
        }
        ended
    }

    /// The record's last word is the trial's state.
    pub fn agrees(&mut self, view: &View) {
        for trial in &view.trials {
            let told = self.states.get(&trial.id).copied();
            assert_eq!(told, Some(trial.state.as_str()), "trial {}: record and row differ", trial.id);
        }
        self.states.retain(|id, _| view.trials.iter().any(|trial| trial.id == *id));
    }
}

/// The value of a trial that ended is the best finite one that was reported, at the first step that has it.
pub async fn value_is_the_best(db: &mut SqliteConnection, trial: TrialId) {
    let sql = "select best_step, best_value, trial.further, coalesce(json_extract(ended, '$.kind'), '') = 'copied' as copied, json_extract(spec, '$.objective.metric') as metric, \
               json_extract(spec, '$.objective.direction') as direction, json_extract(spec, '$.objective.further') as targets, json_extract(spec, '$.objective.folds') is not null as has_folds from trial join sweep using (sweep_id) where trial_id = ?";
    let Some(row) = sqlx::query(sql).bind(trial.0).fetch_optional(&mut *db).await.unwrap() else { return };
    // Its result is another's, which has been looked at.
    if row.get("copied") {
        return;
    }
    let stored: Option<(i64, f64)> = row.get::<Option<i64>, _>(0).zip(row.get::<Option<f64>, _>(1));
    let metric: String = row.get("metric");
    let direction = match row.get::<String, _>("direction").as_str() {
        "minimize" => Direction::Minimize,
        _ => Direction::Maximize,
    };
    let sql = "select fold, step, rmse, extra from report where trial_id = ? order by step";
    let rows = sqlx::query(sql).bind(trial.0).fetch_all(&mut *db).await.unwrap();
    if row.get("has_folds") {
        let sql = "select fold, step, value from fold where trial_id = ? and value is not null";
        for fold in sqlx::query(sql).bind(trial.0).fetch_all(db).await.unwrap() {
            let number: i64 = fold.get(0);
            let stored = Some((fold.get(1), fold.get(2)));
            let of_fold = rows.iter().filter(|row| row.get::<i64, _>("fold") == number);
            let reported = best_of(of_fold, &metric, direction);
            let by_tell = reported.is_none() && fold.get::<i64, _>(1) == 0;
            assert!(stored == reported || by_tell, "fold {number} of trial {trial}: {stored:?} {reported:?}");
        }
        return;
    }
    let best = best_of(rows.iter(), &metric, direction);
    let mut further = Vec::new();
    let targets: Option<String> = row.get("targets");
    if let (Some(targets), Some((step, _))) = (targets, best) {
        let targets: Vec<crate::domain::Target> = serde_json::from_str(&targets).unwrap();
        let reported = rows.iter().find(|row| row.get::<i64, _>("step") == step).unwrap();
        let extra: serde_json::Value = serde_json::from_str(reported.get("extra")).unwrap();
        further = targets.iter().map(|target| extra[&target.name].as_f64()).collect();
    }
    let text = row.get::<Option<String>, _>("further");
    let stored_further: Vec<Option<f64>> =
        text.map_or(Vec::new(), |text| serde_json::from_str(&text).unwrap());
    // A client that reports no steps: its one value counts as of no step.
    let by_tell = rows.is_empty() && stored.is_some_and(|(step, _)| step == 0);
    assert!(
        stored_further == further || by_tell,
        "trial {trial}: {stored_further:?} is stored, {further:?} was reported"
    );
    assert!(stored == best || by_tell, "trial {trial}: {stored:?} is stored, {best:?} was reported");
}

/// The best finite value of some reports, and its step.
fn best_of<'a>(
    rows: impl Iterator<Item = &'a sqlx::sqlite::SqliteRow>,
    metric: &str,
    direction: Direction,
) -> Option<(i64, f64)> {
    let mut best: Option<(i64, f64)> = None;
    for row in rows {
        let value = if metric == "rmse" {
            row.get::<Option<f64>, _>("rmse")
        } else {
            let extra: serde_json::Value = serde_json::from_str(row.get("extra")).unwrap();
            extra[metric].as_f64()
        };
        let better = |a: f64, b: f64| if direction == Direction::Minimize { a < b } else { a > b };
        if let Some(value) = value.filter(|value| best.is_none_or(|(_, best)| better(*value, best))) {
            best = Some((row.get("step"), value));
        }
    }
    best
}
