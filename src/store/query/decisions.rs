//! All decisions of a sweep, for deriving them again.

use crate::domain::SweepId;
use crate::domain::decisions::{StoredDecisions, StoredEvent, StoredTrial};
use crate::domain::sweep::StopperSpec;
use crate::store::recover::sweep_row;
use crate::store::rows::{event_kind, from_json, optional_json, unsigned};
use crate::store::{Reader, StoreError};
use crate::store::{judgements, legs};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

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
            judgements::reports(&mut moment, sweep, &spec.objective).await?
        } else {
            Vec::new()
        };
        Ok(Some(StoredDecisions {
            reports,
            spec,
            trials: trials.iter().map(stored_trial).collect::<Result<_, _>>()?,
            legs: legs.iter().map(legs::record).collect::<Result<_, _>>()?,
            events: events.iter().map(stored_event).collect::<Result<_, _>>()?,
        }))
    }
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
        reason: optional_json("event.reason", row.try_get("reason")?)?,
    })
}
