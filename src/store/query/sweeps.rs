//! Sweeps: the list, and one in summary.

use crate::domain::{Millis, Sweep, SweepId, SweepState, TrialState};
use crate::store::fields::Fields as _;
use crate::store::recover::sweep_row;
use crate::store::rows::{optional_json, trial_state, unsigned};
use crate::store::{Reader, StoreError};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// How many trials of a sweep are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Waiting for a slot.
    pub queued: u64,
    /// Being trained.
    pub running: u64,
    /// Between legs.
    pub paused: u64,
    /// Told to end.
    pub stopping: u64,
    /// Ended with the budget spent.
    pub completed: u64,
    /// Ended early by a stopper.
    pub stopped: u64,
    /// Ended by an error.
    pub failed: u64,
    /// Ended by the user.
    pub cancelled: u64,
}

impl Counts {
    /// All trials created so far.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.queued + self.running + self.paused + self.stopping + self.ended()
    }

    /// Trials that have ended, in whatever way.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.completed + self.stopped + self.failed + self.cancelled
    }

    fn add(&mut self, state: TrialState, n: u64) {
        *match state {
            TrialState::Queued => &mut self.queued,
            TrialState::Running => &mut self.running,
            TrialState::Paused => &mut self.paused,
            TrialState::Stopping => &mut self.stopping,
            TrialState::Completed => &mut self.completed,
            TrialState::Stopped => &mut self.stopped,
            TrialState::Failed => &mut self.failed,
            TrialState::Cancelled => &mut self.cancelled,
        } += n;
    }
}

/// What a sweep took of an earlier one when it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WarmStart {
    /// The earlier sweep's public id; it may be gone.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many results were taken.
    pub taken: u64,
    /// How many of its trials had completed.
    pub completed: u64,
    /// Whether values count as they are: the objective and the data are the same. If not, only their ranks do.
    pub comparable: bool,
}

/// One sweep, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SweepSummary {
    /// The id inside the database.
    #[serde(skip)]
    pub sweep: SweepId,
    /// Its public id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: SweepState,
    /// Its priority.
    pub priority: i64,
    /// How often its space, its constraints or its number of trials were changed.
    pub edits: u64,
    /// What it began with of earlier sweeps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warm_start: Vec<WarmStart>,
    /// How many trials it will run, where that is known.
    pub planned: Option<u64>,
    /// How many are in each state.
    pub trials: Counts,
    /// The best completed trial's number.
    pub best_trial: Option<u64>,
    /// Its value.
    pub best: Option<f64>,
    /// What predicting the training rows' mean scores.
    pub baseline: Option<f64>,
    /// What people say of it.
    pub note: Option<String>,
    /// Words that people find it by.
    pub tags: Vec<String>,
    /// Hash of the dataset.
    pub dataset_hash: Option<String>,
    /// Commit of the folder that the file came from.
    pub git_commit: Option<String>,
    /// When it was submitted.
    pub created_ms: Millis,
    /// When it ended.
    pub finished_ms: Option<Millis>,
    /// The sweep with every default filled in.
    pub spec: Sweep,
}

impl Reader {
    /// All sweeps, newest first; with a tag those that have it, or of which a trial has it.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn sweeps(&self, tag: Option<&str>) -> Result<Vec<SweepSummary>, StoreError> {
        let sql = "select * from sweep where ?1 is null or exists (select 1 from json_each(sweep.tags) word where word.value = ?1) \
                   or exists (select 1 from trial indexed by trial_tagged, json_each(trial.tags) word \
                   where trial.sweep_id = sweep.sweep_id and trial.tags is not null and word.value = ?1) \
                   order by sweep_id desc";
        let rows = sqlx::query(sql).bind(tag).fetch_all(&self.pool).await?;
        let mut sweeps = Vec::with_capacity(rows.len());
        for row in &rows {
            sweeps.push(self.summary(row).await?);
        }
        Ok(sweeps)
    }

    /// The sweeps that still have work to hand out or to wait for.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn unfinished_sweeps(&self) -> Result<Vec<SweepSummary>, StoreError> {
        let sql = "select * from sweep where state in ('active', 'paused') order by sweep_id";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let mut sweeps = Vec::with_capacity(rows.len());
        for row in &rows {
            sweeps.push(self.summary(row).await?);
        }
        Ok(sweeps)
    }

    /// One sweep; `None` where it has been removed.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn sweep(&self, sweep: SweepId) -> Result<Option<SweepSummary>, StoreError> {
        let row = sqlx::query("select * from sweep where sweep_id = ?")
            .bind(sweep.0)
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => Ok(Some(self.summary(&row).await?)),
            None => Ok(None),
        }
    }

    /// The sweeps that get free slots, in the order in which they do.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn queue(&self) -> Result<Vec<SweepId>, StoreError> {
        let sql = "select sweep_id from sweep where state = 'active' order by priority desc, sweep_id";
        let ids: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&self.pool).await?;
        Ok(ids.into_iter().map(SweepId).collect())
    }

    /// When the first of a sweep's trials began.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn begun(&self, sweep: SweepId) -> Result<Option<Millis>, StoreError> {
        let sql = "select started_ms from trial where sweep_id = ? order by number limit 1";
        let begun: Option<Option<i64>> =
            sqlx::query_scalar(sql).bind(sweep.0).fetch_optional(&self.pool).await?;
        Ok(begun.flatten().map(Millis))
    }

    /// How many sweeps still have work to hand out or to wait for.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn open_sweeps(&self) -> Result<i64, StoreError> {
        let sql = "select count(*) from sweep where state in ('active', 'paused')";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    async fn summary(&self, row: &SqliteRow) -> Result<SweepSummary, StoreError> {
        let finished: Option<i64> = row.try_get("finished_ms")?;
        let note = row.try_get("note")?;
        let tags = optional_json("sweep.tags", row.maybe_text("sweep.tags")?)?.unwrap_or_default();
        let row = sweep_row(row)?;
        let best = self.best_of(row.id, row.spec.objective.direction).await?;
        Ok(SweepSummary {
            sweep: row.id,
            id: row.uid,
            name: row.spec.name.clone(),
            state: row.state,
            priority: row.spec.priority,
            edits: self.count_edits(row.id).await?,
            warm_start: self.warm_start(row.id, &row.spec).await?,
            planned: row.spec.search.trials,
            trials: self.counts(row.id).await?,
            best_trial: best.map(|(number, _)| number),
            best: best.map(|(_, value)| value),
            baseline: row.origin.baseline,
            note,
            tags,
            dataset_hash: row.origin.dataset_hash,
            git_commit: row.origin.git_commit,
            created_ms: row.created,
            finished_ms: finished.map(Millis),
            spec: row.spec,
        })
    }

    async fn warm_start(&self, sweep: SweepId, spec: &Sweep) -> Result<Vec<WarmStart>, StoreError> {
        if spec.search.warm_start.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "select source_uid, source_name, taken, completed, comparable from warm_start where sweep_id = ? \
                   order by place";
        let rows = sqlx::query(sql).bind(sweep.0).fetch_all(&self.pool).await?;
        let read = |row: &SqliteRow| {
            Ok(WarmStart {
                id: row.try_get("source_uid")?,
                name: row.try_get("source_name")?,
                taken: unsigned("warm_start.taken", row.try_get("taken")?)?,
                completed: unsigned("warm_start.completed", row.try_get("completed")?)?,
                comparable: row.try_get("comparable")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn count_edits(&self, sweep: SweepId) -> Result<u64, StoreError> {
        let sql = "select count(*) from space_version where sweep_id = ?";
        unsigned("edits", sqlx::query_scalar(sql).bind(sweep.0).fetch_one(&self.pool).await?)
    }

    async fn counts(&self, sweep: SweepId) -> Result<Counts, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select state, trials from trial_count where sweep_id = ?")
                .bind(sweep.0)
                .fetch_all(&self.pool)
                .await?;
        let mut counts = Counts::default();
        for (state, n) in rows {
            counts.add(trial_state(&state)?, unsigned("count", n)?);
        }
        Ok(counts)
    }
}
