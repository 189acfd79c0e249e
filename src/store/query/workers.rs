//! Who works on what.

use crate::domain::{AttemptId, DeviceReading, Millis, Moment, TrialId, TrialState};
use crate::store::rows::{trial_state, unsigned};
use crate::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It waits for work.
    Idle,
    /// It works on a trial.
    Working,
    /// Its trial was told to end.
    Stopping,
    /// Its process has ended.
    Gone,
}

impl WorkerState {
    /// The word in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Stopping => "stopping",
            Self::Gone => "gone",
        }
    }
}

/// One worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WorkerSummary {
    /// Its slot.
    pub slot: String,
    /// Its name.
    pub worker: String,
    /// Its process id; `None` for one of another machine.
    pub pid: Option<i32>,
    /// What it does.
    pub state: WorkerState,
    /// What it works on.
    pub work: Option<CurrentWork>,
    /// When it was last heard of, as far as is known.
    pub heard_ms: Option<Millis>,
    /// Until when it may be silent before its trial is taken back; only a daemon knows.
    pub lease_until_ms: Option<Millis>,
    /// What its process holds of the machine's memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// What its process holds of the device's memory, in bytes; else what its trial was measured to hold at most.
    pub device_memory_bytes: Option<u64>,
    /// When its process was started.
    pub started_ms: Option<Millis>,
    /// The file its output goes to.
    pub log: Option<String>,
    /// Start time of the process in clock ticks since boot: with it, the process is not taken for another.
    pub pid_started: Option<i64>,
}

/// What a worker works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CurrentWork {
    /// The sweep's public id.
    pub sweep: String,
    /// The sweep's name.
    pub sweep_name: String,
    /// The trial's id.
    pub trial_id: TrialId,
    /// The trial's number within the sweep.
    pub trial: u64,
    /// The attempt's id.
    pub attempt: AttemptId,
    /// Steps (epochs) that have ended.
    pub steps: u64,
    /// The trial's whole budget in steps, where it is known.
    pub budget_steps: Option<u64>,
    /// When the attempt began.
    pub since_ms: Millis,
}

/// A device with what is decided about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceSummary {
    /// Its memory.
    #[serde(flatten)]
    pub reading: DeviceReading,
    /// No further trial starts beside others here until more memory is free.
    pub short_of_memory: bool,
}

/// Who knows what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownFrom {
    /// A running daemon.
    Daemon,
    /// The database alone: no daemon runs.
    Database,
}

/// All workers, and the devices that they share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Workers {
    /// Who knows it.
    pub known_from: KnownFrom,
    /// When.
    pub at_ms: Millis,
    /// By slot.
    pub workers: Vec<WorkerSummary>,
    /// GPUs in use; only a daemon knows them.
    pub devices: Vec<DeviceSummary>,
    /// What the machine was used for in the last hour, every five seconds; only a daemon knows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Moment>,
}

impl WorkerSummary {
    /// A worker of which only name and slot are known.
    #[must_use]
    pub fn named(worker: String, slot: String) -> Self {
        Self {
            slot,
            worker,
            pid: None,
            state: WorkerState::Idle,
            work: None,
            heard_ms: None,
            lease_until_ms: None,
            resident_bytes: None,
            device_memory_bytes: None,
            started_ms: None,
            log: None,
            pid_started: None,
        }
    }

    /// Notes what was seen of its process: the bytes that it holds, or that there is no such process.
    pub fn process_seen(&mut self, resident_bytes: Option<u64>) {
        self.resident_bytes = resident_bytes;
        if self.pid.is_some() && resident_bytes.is_none() {
            self.state = WorkerState::Gone;
        }
    }
}

impl Reader {
    /// The workers that the database knows: the processes that daemons noted, and whoever else works on a
    /// trial. By slot.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn workers(&self) -> Result<Vec<WorkerSummary>, StoreError> {
        let mut moment = self.pool.begin().await?;
        let noted = sqlx::query("select * from worker").fetch_all(&mut *moment).await?;
        let open = sqlx::query(
            "select attempt_id, worker, slot, attempt.started_ms as since_ms, trial.trial_id, trial.number, \
             trial.state, trial.steps, trial.budget_steps, trial.device_memory_bytes, sweep.uid, sweep.name, \
             (select max(at_ms) from report where report.trial_id = trial.trial_id) as reported_ms \
             from attempt join trial using (trial_id) join sweep using (sweep_id) where attempt.state = 'open'",
        )
        .fetch_all(&mut *moment)
        .await?;
        let mut all = BTreeMap::new();
        for row in &noted {
            let worker = noted_worker(row)?;
            all.insert(worker.worker.clone(), worker);
        }
        for row in &open {
            let slot: String = row.try_get("slot")?;
            // Whoever asks over HTTP is no worker of ours.
            if slot == "client" {
                continue;
            }
            let name: String = row.try_get("worker")?;
            let worker = all.entry(name.clone()).or_insert_with(|| WorkerSummary::named(name, slot));
            let state = trial_state(row.try_get("state")?)?;
            worker.state =
                if state == TrialState::Stopping { WorkerState::Stopping } else { WorkerState::Working };
            let work = current_work(row)?;
            let reported: Option<i64> = row.try_get("reported_ms")?;
            worker.heard_ms = Some(reported.map_or(work.since_ms, |at| work.since_ms.max(Millis(at))));
            worker.work = Some(work);
            let measured: Option<i64> = row.try_get("device_memory_bytes")?;
            worker.device_memory_bytes =
                measured.map(|bytes| unsigned("trial.device_memory_bytes", bytes)).transpose()?;
        }
        let mut all: Vec<WorkerSummary> = all.into_values().collect();
        all.sort_by(|a, b| (&a.slot, &a.worker).cmp(&(&b.slot, &b.worker)));
        Ok(all)
    }
}

impl Reader {
    /// The most of a device's memory that any trial of a sweep with work left was measured to hold, in bytes;
    /// where none was, the most of all trials. `None` where nothing was measured yet.
    ///
    /// # Errors
    /// What SQLite says, or a damaged value.
    pub async fn device_memory_need(&self) -> Result<Option<u64>, StoreError> {
        // By the index of what was measured: nothing may have been, of a million trials.
        let open = "select max(device_memory_bytes) from sweep cross join trial indexed by trial_by_device_memory \
                    using (sweep_id) where sweep.state in ('active', 'paused') and device_memory_bytes is not null";
        let any = "select max(device_memory_bytes) from trial indexed by trial_by_device_memory \
                   where device_memory_bytes is not null";
        for sql in [open, any] {
            let most: Option<i64> = sqlx::query_scalar(sql).fetch_one(&self.pool).await?;
            if let Some(most) = most {
                return unsigned("trial.device_memory_bytes", most).map(Some);
            }
        }
        Ok(None)
    }
}

fn noted_worker(row: &SqliteRow) -> Result<WorkerSummary, StoreError> {
    Ok(WorkerSummary {
        pid: Some(row.try_get("pid")?),
        pid_started: Some(row.try_get("pid_started")?),
        started_ms: Some(Millis(row.try_get("started_ms")?)),
        log: Some(row.try_get("log")?),
        ..WorkerSummary::named(row.try_get("name")?, row.try_get("slot")?)
    })
}

fn current_work(row: &SqliteRow) -> Result<CurrentWork, StoreError> {
    let budget: Option<i64> = row.try_get("budget_steps")?;
    Ok(CurrentWork {
        sweep: row.try_get("uid")?,
        sweep_name: row.try_get("name")?,
        trial_id: TrialId(row.try_get("trial_id")?),
        trial: unsigned("trial.number", row.try_get("number")?)?,
        attempt: AttemptId(row.try_get("attempt_id")?),
        steps: unsigned("trial.steps", row.try_get("steps")?)?,
        budget_steps: budget.map(|n| unsigned("trial.budget_steps", n)).transpose()?,
        since_ms: Millis(row.try_get("since_ms")?),
    })
}
