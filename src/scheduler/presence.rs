//! Who was heard of when: for people's eyes. Nothing is decided by it, and nothing of it is stored.

use super::core::Core;
use crate::domain::{AttemptId, Millis};
use std::collections::{BTreeSet, HashMap};

/// Of so many idle workers at most it is remembered when they were heard of.
const MOST_REMEMBERED: usize = 4096;
/// An idle worker asks for work more often than this; one that has not for so long is gone.
const FORGOTTEN_AFTER_MS: i64 = 120_000;

/// What the scheduler knows of workers and devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    /// Workers that were heard of lately.
    pub workers: Vec<Presence>,
    /// Devices on which no further trial starts beside others, for want of memory.
    pub short_of_memory: BTreeSet<String>,
}

/// One worker that was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Its name.
    pub worker: String,
    /// Its slot.
    pub slot: String,
    /// When it was last heard of; `None` where that was under an earlier daemon.
    pub heard: Option<Millis>,
    /// The attempt that it works on.
    pub attempt: Option<AttemptId>,
    /// Until when it may be silent.
    pub lease_until: Option<Millis>,
}

/// When workers last asked for work.
#[derive(Debug, Default)]
pub(super) struct Askers(HashMap<String, (String, Millis)>);

impl Askers {
    /// A worker asks for work.
    pub fn note(&mut self, worker: &str, slot: &str, now: Millis) {
        if let Some(known) = self.0.get_mut(worker).filter(|(known, _)| known == slot) {
            known.1 = now;
            return;
        }
        if self.0.len() >= MOST_REMEMBERED {
            self.0.retain(|_, (_, at)| now.since_ms(*at) < FORGOTTEN_AFTER_MS);
        }
        if self.0.len() < MOST_REMEMBERED {
            self.0.insert(worker.to_owned(), (slot.to_owned(), now));
        }
    }

    /// A worker's process has ended.
    pub fn forget(&mut self, worker: &str) {
        self.0.remove(worker);
    }
}

impl Core {
    /// What is known of workers and devices at the time `now`.
    #[must_use]
    pub fn overview(&self, now: Millis) -> Overview {
        let mut workers: HashMap<&str, Presence> = HashMap::new();
        for (worker, (slot, at)) in &self.askers.0 {
            if now.since_ms(*at) < FORGOTTEN_AFTER_MS {
                let presence = Presence {
                    worker: worker.clone(),
                    slot: slot.clone(),
                    heard: Some(*at),
                    attempt: None,
                    lease_until: None,
                };
                workers.insert(worker, presence);
            }
        }
        for attempt in self.sweeps.values().flat_map(|sweep| sweep.open.attempts()) {
            let row = &attempt.row;
            // The lease was extended when it was last heard of.
            let heard = attempt.lease_until.zip(row.lease_ms).map(|(until, lease)| until.plus_ms(-lease));
            let presence = Presence {
                worker: row.worker.clone(),
                slot: row.slot.clone(),
                heard: heard.filter(|_| !attempt.recovered),
                attempt: Some(row.id),
                lease_until: attempt.lease_until,
            };
            workers.insert(&row.worker, presence);
        }
        let mut workers: Vec<Presence> = workers.into_values().collect();
        workers.sort_by(|a, b| a.worker.cmp(&b.worker));
        Overview { workers, short_of_memory: self.short.clone() }
    }
}
