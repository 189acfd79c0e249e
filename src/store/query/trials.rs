//! A trial: as lists show it, and with all that is known of it.

use crate::domain::spread::deviation;
use crate::domain::{AttemptId, Event, Metrics, Millis, Params, Reason, SweepId, TrialId, TrialState};
use crate::store::fields::Fields as _;
use crate::store::rows::{
    event_kind, from_json, further_values, join_metrics, optional_json, trial_state, unsigned,
};
use crate::store::{Reader, StoreError};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

/// One trial, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TrialSummary {
    /// Its id.
    pub trial_id: TrialId,
    /// Its number within the sweep.
    pub number: u64,
    /// Its state.
    pub state: TrialState,
    /// The metric at its best step.
    pub value: Option<f64>,
    /// What that step is worth by the sweep's further objectives, in their order; nothing where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Option<f64>>,
    /// That step. Of a trial with folds, value and step are the means over those that have spent their budgets.
    pub best_step: Option<u64>,
    /// The standard deviation of its folds' values; not without two of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// Its folds, as far as anything has come of them; nothing where there are no folds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<FoldSummary>,
    /// The last step reported, summed over its folds; of an heir at least the step that it goes on from.
    pub steps: u64,
    /// The number of the trial whose checkpoint it goes on from, in a population.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// The step of that checkpoint, after which its own begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_step: Option<u64>,
    /// Its whole budget, of all its folds, where it is known.
    pub budget_steps: Option<u64>,
    /// Number of weights.
    pub parameter_count: Option<u64>,
    /// What its process held at most of its device's memory, in bytes, by libtorch's allocator.
    pub device_memory_bytes: Option<u64>,
    /// What its process held at most of the machine's memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Into how many parts each of its batches is split, their gradients summed, because the whole did not fit its
    /// device's memory.
    pub accumulate: u32,
    /// Its results differ from what the configuration gives by itself and in whole batches: its attempts say how, in their
    /// environment.
    pub inexact: bool,
    /// Its configuration.
    pub params: Params,
    /// Why it was suggested.
    pub suggested: Reason,
    /// Why it ended.
    pub ended: Option<Reason>,
    /// What people say of it.
    pub note: Option<String>,
    /// Words that people find it by.
    pub tags: Vec<String>,
    /// BLAKE3 of its best weights.
    pub weights: Option<String>,
    /// When it was created.
    pub created_ms: Millis,
    /// When it was first handed out.
    pub started_ms: Option<Millis>,
    /// When it ended.
    pub finished_ms: Option<Millis>,
}

/// One fold of a trial that is cross-validated.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FoldSummary {
    /// Which, from 0.
    pub fold: u32,
    /// The metric at its best step, once it has spent its budget.
    pub value: Option<f64>,
    /// What that step is worth by the sweep's further objectives; nothing where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Option<f64>>,
    /// That step.
    pub best_step: Option<u64>,
    /// BLAKE3 of its best weights.
    pub weights: Option<String>,
}

/// What is selected for a [`TrialSummary`], from `trial`. A number that becomes JSON would lose digits.
pub(super) const SUMMARY: &str = "trial.*, (select json_group_array(json_array(fold, \
     iif(value is null, null, format('%!.17g', value)), further, step, weights) order by fold) \
     from fold where fold.trial_id = trial.trial_id) as folds, \
     exists (select 1 from attempt where attempt.trial_id = trial.trial_id \
     and json_extract(attempt.environment, '$.inexact') is not null) as inexact";

/// A fold in [`SUMMARY`].
type FoldRow = (u32, Option<String>, Option<String>, Option<u64>, Option<String>);

/// One step of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StepRow {
    /// The fold, from 0.
    pub fold: u32,
    /// The step, from 1.
    pub step: u64,
    /// When it arrived.
    pub at_ms: Millis,
    /// Its numbers.
    pub metrics: Metrics,
}

/// One attempt at a trial.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AttemptDetail {
    /// Its id.
    pub attempt_id: i64,
    /// The fold that it worked on, from 0; 0 where there are no folds.
    pub fold: u32,
    /// Who worked on it.
    pub worker: String,
    /// On which slot.
    pub slot: String,
    /// `open`, `completed`, `failed`, `stopped`, `paused` or `lost`.
    pub state: String,
    /// Why it ended.
    pub reason: Option<Reason>,
    /// Versions, device, threads, host.
    pub environment: BTreeMap<String, String>,
    /// When it began.
    pub started_ms: Millis,
    /// When it ended.
    pub finished_ms: Option<Millis>,
}

/// All that is known of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TrialDetail {
    /// Its sweep's public id.
    pub sweep: String,
    /// Its sweep's name.
    pub sweep_name: String,
    /// What the list shows.
    pub trial: TrialSummary,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptDetail>,
    /// Every step.
    pub steps: Vec<StepRow>,
    /// Every decision about it.
    pub events: Vec<Event>,
}

impl Reader {
    /// Trials that are being worked on now.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn running_trials(&self, sweep: SweepId) -> Result<Vec<TrialSummary>, StoreError> {
        let sql = format!(
            "select {SUMMARY} from trial where sweep_id = ? and state in ('running', 'stopping') order by number"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(sweep.0).fetch_all(&self.pool).await?;
        rows.iter().map(trial_summary).collect()
    }

    /// A trial's state; `None` where there is no such trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trial_state(&self, trial: TrialId) -> Result<Option<TrialState>, StoreError> {
        let word: Option<String> = sqlx::query_scalar("select state from trial where trial_id = ?")
            .bind(trial.0)
            .fetch_optional(&self.pool)
            .await?;
        word.as_deref().map(trial_state).transpose()
    }

    /// The newest step of a trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn last_step(&self, trial: TrialId) -> Result<Option<StepRow>, StoreError> {
        let row =
            sqlx::query("select * from report where trial_id = ? order by fold desc, step desc limit 1")
                .bind(trial.0)
                .fetch_optional(&self.pool)
                .await?;
        row.as_ref().map(step_row).transpose()
    }

    /// What an attempt reported for a step.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn step(
        &self,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
    ) -> Result<Option<StepRow>, StoreError> {
        let Ok(step) = i64::try_from(step) else { return Ok(None) };
        let row = sqlx::query("select * from report where trial_id = ? and attempt_id = ? and step = ?")
            .bind(trial.0)
            .bind(attempt.0)
            .bind(step)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(step_row).transpose()
    }

    /// Whether the answer to a step that an attempt reported was that it is to end.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn was_told_to_end(
        &self,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
    ) -> Result<bool, StoreError> {
        let Ok(step) = i64::try_from(step) else { return Ok(false) };
        // A trial with folds is told to end as a whole, while attempts at it are open.
        let sql = "select exists (select 1 from report join event using (trial_id) where trial_id = ?1 \
                   and report.attempt_id = ?2 and step = ?3 and kind = 'trial_stopping' and event.seq <= report.seq \
                   and (event.attempt_id = ?2 or event.attempt_id is null and event.event_id > (select max(event_id) \
                   from event where attempt_id = ?2 and kind = 'attempt_started')))";
        let query = sqlx::query_scalar(sql).bind(trial.0).bind(attempt.0).bind(step);
        Ok(query.fetch_one(&self.pool).await?)
    }

    /// All that is known of a trial; `None` where there is no such trial.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn trial(&self, trial: TrialId) -> Result<Option<TrialDetail>, StoreError> {
        let sql = format!(
            "select {SUMMARY}, sweep.uid, sweep.name from trial join sweep using (sweep_id) where trial_id = ?"
        );
        let Some(row) = sqlx::query(AssertSqlSafe(sql)).bind(trial.0).fetch_optional(&self.pool).await?
        else {
            return Ok(None);
        };
        let attempts = sqlx::query("select attempt.*, leg.fold from attempt join leg using (leg_id) where attempt.trial_id = ? order by attempt_id")
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await?;
        let steps = sqlx::query("select * from report where trial_id = ? order by fold, step")
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await?;
        let events = sqlx::query("select * from event where trial_id = ? order by event_id")
            .bind(trial.0)
            .fetch_all(&self.pool)
            .await?;
        Ok(Some(TrialDetail {
            sweep: row.try_get("uid")?,
            sweep_name: row.try_get("name")?,
            trial: trial_summary(&row)?,
            attempts: attempts.iter().map(attempt_detail).collect::<Result<_, _>>()?,
            steps: steps.iter().map(step_row).collect::<Result<_, _>>()?,
            events: events.iter().map(event).collect::<Result<_, _>>()?,
        }))
    }
}

pub(super) fn trial_summary(row: &SqliteRow) -> Result<TrialSummary, StoreError> {
    let optional = |column: &str| -> Result<Option<u64>, StoreError> {
        row.try_get::<Option<i64>, _>(column)?.map(|n| unsigned(column, n)).transpose()
    };
    let time = |column: &str| -> Result<Option<Millis>, StoreError> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis))
    };
    let accumulate: u32 = row.try_get("accumulate")?;
    let folds: Vec<FoldRow> = from_json("trial.folds", row.try_get("folds")?)?;
    let folds = folds.into_iter().map(fold_summary).collect::<Result<Vec<_>, _>>()?;
    let values: Vec<f64> = folds.iter().filter_map(|fold| fold.value).collect();
    Ok(TrialSummary {
        accumulate,
        inexact: row.try_get("inexact")?,
        trial_id: TrialId(row.try_get("trial_id")?),
        number: unsigned("trial.number", row.try_get("number")?)?,
        state: trial_state(row.try_get("state")?)?,
        value: row.try_get("best_value")?,
        further: further_values("trial.further", row.try_get("further")?)?,
        best_step: optional("best_step")?,
        spread: deviation(&values),
        folds,
        steps: unsigned("trial.steps", row.try_get("steps")?)?,
        parent: optional("parent")?,
        parent_step: optional("parent_step")?,
        budget_steps: optional("budget_steps")?,
        parameter_count: optional("parameter_count")?,
        device_memory_bytes: optional("device_memory_bytes")?,
        resident_bytes: optional("resident_bytes")?,
        params: from_json("trial.params", row.try_get("params")?)?,
        suggested: from_json("trial.suggested", row.try_get("suggested")?)?,
        ended: optional_json("trial.ended", row.maybe_text("trial.ended")?)?,
        note: row.try_get("note")?,
        tags: optional_json("trial.tags", row.maybe_text("trial.tags")?)?.unwrap_or_default(),
        weights: row.try_get("weights")?,
        created_ms: Millis(row.try_get("created_ms")?),
        started_ms: time("started_ms")?,
        finished_ms: time("finished_ms")?,
    })
}

fn fold_summary((fold, value, further, best_step, weights): FoldRow) -> Result<FoldSummary, StoreError> {
    let parse = |text: String| text.parse().map_err(|_| StoreError::damaged("fold.value", text));
    let further = further_values("fold.further", further.as_deref())?;
    Ok(FoldSummary { fold, value: value.map(parse).transpose()?, further, best_step, weights })
}

fn step_row(row: &SqliteRow) -> Result<StepRow, StoreError> {
    Ok(StepRow {
        fold: row.try_get("fold")?,
        step: unsigned("report.step", row.try_get("step")?)?,
        at_ms: Millis(row.try_get("at_ms")?),
        metrics: join_metrics(row)?,
    })
}

fn attempt_detail(row: &SqliteRow) -> Result<AttemptDetail, StoreError> {
    Ok(AttemptDetail {
        attempt_id: row.try_get("attempt_id")?,
        fold: row.try_get("fold")?,
        worker: row.try_get("worker")?,
        slot: row.try_get("slot")?,
        state: row.try_get("state")?,
        reason: optional_json("attempt.reason", row.maybe_text("attempt.reason")?)?,
        environment: from_json("attempt.environment", row.try_get("environment")?)?,
        started_ms: Millis(row.try_get("started_ms")?),
        finished_ms: row.try_get::<Option<i64>, _>("finished_ms")?.map(Millis),
    })
}

fn event(row: &SqliteRow) -> Result<Event, StoreError> {
    Ok(Event {
        seq: row.try_get("seq")?,
        at_ms: Millis(row.try_get("at_ms")?),
        sweep: SweepId(row.try_get("sweep_id")?),
        trial: row.try_get::<Option<i64>, _>("trial_id")?.map(TrialId),
        attempt: row.try_get::<Option<i64>, _>("attempt_id")?.map(AttemptId),
        kind: event_kind(row.try_get("kind")?)?,
        reason: optional_json("event.reason", row.maybe_text("event.reason")?)?,
    })
}
