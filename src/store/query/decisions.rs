//! All decisions of a sweep, for deriving them again.

use crate::domain::decisions::{StoredDecisions, StoredEvent, StoredReport, StoredTrial};
use crate::domain::sweep::StopperSpec;
use crate::domain::{Metrics, Objective, SweepId};
use crate::store::fields::Fields as _;
use crate::store::recover::sweep_row;
use crate::store::rows::{event_kind, from_json, join_metrics, optional_json, unsigned};
use crate::store::{Reader, StoreError};
use crate::store::{judgements, legs, sources, terms};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

impl Reader {
    /// What was decided in a sweep, as of one moment; `None` where there is no such sweep.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn stored_decisions(&self, sweep: SweepId) -> Result<Option<StoredDecisions>, StoreError> {
        // One transaction sees one moment, however much is written meanwhile.
        let mut moment = self.pool.begin().await?;
        let row = sqlx::query("select * from sweep where sweep_id = ?")
            .bind(sweep.0)
            .fetch_optional(&mut *moment)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let spec = sweep_row(&row)?.spec;
        let past = sqlx::query(terms::PAST).bind(sweep.0).fetch_all(&mut *moment).await?;
        let sources = sqlx::query(sources::SOURCES).bind(sweep.0).fetch_all(&mut *moment).await?;
        let trials = sqlx::query(
            "select number, params, suggested, budget_steps from trial where sweep_id = ? order by number",
        )
        .bind(sweep.0)
        .fetch_all(&mut *moment)
        .await?;
        let legs = sqlx::query(legs::RECORDS).bind(sweep.0).fetch_all(&mut *moment).await?;
        let events = sqlx::query(
            "select event.seq, event.kind, event.reason, trial.number from event left join trial using (trial_id) \
             where event.sweep_id = ? order by event_id",
        )
        .bind(sweep.0)
        .fetch_all(&mut *moment)
        .await?;
        let reports = if spec.search.stopper.as_ref().is_some_and(StopperSpec::judges) {
            reports(&mut moment, sweep, &spec.objective).await?
        } else {
            Vec::new()
        };
        Ok(Some(StoredDecisions {
            reports,
            spec,
            terms: past.iter().map(terms::past).collect::<Result<_, _>>()?,
            sources: sources.iter().map(sources::source).collect::<Result<_, _>>()?,
            trials: trials.iter().map(stored_trial).collect::<Result<_, _>>()?,
            legs: legs.iter().map(legs::record).collect::<Result<_, _>>()?,
            events: events.iter().map(stored_event).collect::<Result<_, _>>()?,
        }))
    }
}

/// What all of a sweep's trials reported of its objectives, as far as it counts, in the order in which it came.
async fn reports(
    moment: &mut SqliteConnection,
    sweep: SweepId,
    objective: &Objective,
) -> Result<Vec<StoredReport>, StoreError> {
    let sql = "select report.*, trial.number as trial_number, trial.parameter_count from trial \
               cross join report using (trial_id) where trial.sweep_id = ? order by trial_id, fold, step";
    let mut reports = Vec::new();
    let mut rows = sqlx::query(sql).bind(sweep.0).fetch(moment);
    while let Some(row) = rows.try_next().await? {
        let Some(mut report) = judgements::report(&row, &objective.metric)? else { continue };
        if !objective.further.is_empty() {
            let weights = row.maybe_count("trial.parameter_count")?;
            let metrics = join_metrics(&row)?;
            report.further = objective.further_values(Some(&metrics), &Metrics::default(), weights);
        }
        reports.push(report);
    }
    reports.sort_by_key(|report| report.seq);
    Ok(reports)
}

fn stored_trial(row: &SqliteRow) -> Result<StoredTrial, StoreError> {
    Ok(StoredTrial {
        number: unsigned("trial.number", row.try_get("number")?)?,
        params: from_json("trial.params", row.try_get("params")?)?,
        suggested: from_json("trial.suggested", row.try_get("suggested")?)?,
        budget_steps: row
            .try_get::<Option<i64>, _>("budget_steps")?
            .map(|steps| unsigned("trial.budget_steps", steps))
            .transpose()?,
    })
}

fn stored_event(row: &SqliteRow) -> Result<StoredEvent, StoreError> {
    let number: Option<i64> = row.try_get("number")?;
    Ok(StoredEvent {
        seq: row.try_get("seq")?,
        kind: event_kind(row.try_get("kind")?)?,
        trial: number.map(|number| unsigned("trial.number", number)).transpose()?,
        reason: optional_json("event.reason", row.maybe_text("event.reason")?)?,
    })
}
