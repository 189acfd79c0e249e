//! The open trials of a sweep, and what finds some of them without a look at all the others: a sweep may have a
//! hundred thousand that wait or are paused, and a thousand that are worked on.
//!
//! Whoever changes a trial does so through a [`Guard`], which brings the indexes up to date when it goes.

use super::place::device_of;
use super::state::{Attempt, Open};
use crate::domain::{AttemptId, Millis, TrialId, TrialState};
use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map};
use std::ops::{Deref, DerefMut};

/// Trials that have not ended. Ids grow with numbers, so the first waiting one is the oldest.
#[derive(Default)]
pub(super) struct Trials {
    all: BTreeMap<TrialId, Open>,
    numbers: HashMap<u64, TrialId>,
    index: Index,
}

/// A trial that may be changed.
pub(super) struct Guard<'a> {
    open: &'a mut Open,
    index: &'a mut Index,
    before: Key,
}

/// The attempts on one device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    pub attempts: usize,
    /// Of those, at trials that need the device for themselves.
    pub alone: usize,
}

#[derive(Debug, Default, PartialEq)]
struct Index {
    /// Queued, with a leg to hand out.
    ready: BTreeSet<TrialId>,
    /// Queued, and its next leg is not decided.
    undecided: BTreeSet<TrialId>,
    /// Of the ready ones, those that need a device for themselves.
    alone: BTreeSet<TrialId>,
    /// By what of the open attempts is asked for.
    attempts: HashMap<AttemptId, Names>,
    requests: HashMap<String, TrialId>,
    workers: HashMap<String, BTreeSet<TrialId>>,
    devices: HashMap<String, Crowd>,
    /// When leases run out, and until when trials are held back.
    leases: BTreeSet<(Millis, TrialId)>,
    holds: BTreeSet<(Millis, TrialId)>,
}

/// What an attempt is found by; it never changes.
#[derive(Debug, PartialEq)]
struct Names {
    request: String,
    worker: String,
    device: String,
}

/// What of a trial the indexes know.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    queued: bool,
    has_leg: bool,
    attempt: Option<AttemptId>,
    alone: bool,
    lease: Option<Millis>,
    hold: Option<Millis>,
}

impl Key {
    fn of(open: &Open) -> Self {
        Self {
            queued: open.state == TrialState::Queued,
            has_leg: open.has_leg,
            attempt: open.attempt.as_ref().map(|attempt| attempt.row.id),
            alone: open.alone,
            lease: open.attempt.as_ref().and_then(|attempt| attempt.lease_until),
            hold: open.ready,
        }
    }
}

impl Trials {
    pub fn get(&self, trial: TrialId) -> Option<&Open> {
        self.all.get(&trial)
    }

    pub fn get_mut(&mut self, trial: TrialId) -> Option<Guard<'_>> {
        let open = self.all.get_mut(&trial)?;
        Some(Guard { before: Key::of(open), open, index: &mut self.index })
    }

    pub fn insert(&mut self, open: Open) {
        let id = open.row.id;
        self.remove(id);
        self.numbers.insert(open.row.number, id);
        self.index.add(&open, Key::of(&open));
        self.all.insert(id, open);
    }

    pub fn remove(&mut self, trial: TrialId) {
        if let Some(open) = self.all.remove(&trial) {
            self.numbers.remove(&open.row.number);
            self.index.remove(trial, Key::of(&open));
        }
    }

    pub fn contains(&self, trial: TrialId) -> bool {
        self.all.contains_key(&trial)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn ids(&self) -> Vec<TrialId> {
        self.all.keys().copied().collect()
    }

    /// Only for tests, which look at everything.
    #[cfg(test)]
    pub fn values(&self) -> btree_map::Values<'_, TrialId, Open> {
        self.all.values()
    }

    /// The trial of that number.
    pub fn numbered(&self, number: u64) -> Option<TrialId> {
        self.numbers.get(&number).copied()
    }

    /// How many are worked on.
    pub fn busy(&self) -> usize {
        self.index.attempts.len()
    }

    /// The open attempts.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        let trials = self.index.workers.values().flatten();
        trials.filter_map(|trial| self.all.get(trial)?.attempt.as_ref())
    }

    /// Those that wait with a leg to hand out, the oldest first.
    pub fn ready(&self) -> impl Iterator<Item = &Open> {
        self.index.ready.iter().filter_map(|trial| self.all.get(trial))
    }

    /// Those of them that need a device for themselves.
    pub fn waiting_alone(&self) -> impl Iterator<Item = &Open> {
        self.index.alone.iter().filter_map(|trial| self.all.get(trial))
    }

    /// The oldest that waits for its next leg to be decided.
    pub fn first_undecided(&self) -> Option<TrialId> {
        self.index.undecided.first().copied()
    }

    /// The one whose open attempt answers that request.
    pub fn of_request(&self, request: &str) -> Option<&Open> {
        self.all.get(self.index.requests.get(request)?)
    }

    /// Those that a worker works on.
    pub fn of_worker(&self, worker: &str) -> impl Iterator<Item = TrialId> {
        self.index.workers.get(worker).into_iter().flatten().copied()
    }

    /// Who works on a device.
    pub fn on_device(&self, device: &str) -> Crowd {
        self.index.devices.get(device).copied().unwrap_or_default()
    }

    /// Those whose lease has run out, in their order.
    pub fn silent(&self, now: Millis) -> BTreeSet<TrialId> {
        due(&self.index.leases, now)
    }

    /// Those that need not be held back any longer, in their order.
    pub fn rested(&self, now: Millis) -> BTreeSet<TrialId> {
        due(&self.index.holds, now)
    }

    /// When the next lease runs out or the next held one may start.
    pub fn next_deadline(&self) -> Option<Millis> {
        let first = |times: &BTreeSet<(Millis, TrialId)>| times.first().map(|(at, _)| *at);
        [first(&self.index.leases), first(&self.index.holds)].into_iter().flatten().min()
    }

    /// Whether the indexes say what a look at every trial says.
    #[cfg(test)]
    pub fn is_consistent(&self) -> bool {
        let mut fresh = Self::default();
        for open in self.all.values() {
            fresh.numbers.insert(open.row.number, open.row.id);
            fresh.index.add(open, Key::of(open));
        }
        fresh.numbers == self.numbers && fresh.index == self.index
    }
}

fn due(times: &BTreeSet<(Millis, TrialId)>, now: Millis) -> BTreeSet<TrialId> {
    times.iter().take_while(|(at, _)| *at <= now).map(|(_, trial)| *trial).collect()
}

impl<'a> IntoIterator for &'a Trials {
    type Item = (&'a TrialId, &'a Open);
    type IntoIter = btree_map::Iter<'a, TrialId, Open>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl Index {
    fn add(&mut self, open: &Open, key: Key) {
        let trial = open.row.id;
        if key.queued {
            let waiting = if key.has_leg { &mut self.ready } else { &mut self.undecided };
            waiting.insert(trial);
            if key.has_leg && key.alone {
                self.alone.insert(trial);
            }
        }
        if let Some(attempt) = &open.attempt {
            let row = &attempt.row;
            let device = device_of(&row.slot).to_owned();
            self.requests.insert(row.request_id.clone(), trial);
            self.workers.entry(row.worker.clone()).or_default().insert(trial);
            let crowd = self.devices.entry(device.clone()).or_default();
            crowd.attempts += 1;
            crowd.alone += usize::from(key.alone);
            let names = Names { request: row.request_id.clone(), worker: row.worker.clone(), device };
            self.attempts.insert(row.id, names);
        }
        self.leases.extend(key.lease.map(|at| (at, trial)));
        self.holds.extend(key.hold.map(|at| (at, trial)));
    }

    fn remove(&mut self, trial: TrialId, key: Key) {
        self.ready.remove(&trial);
        self.undecided.remove(&trial);
        self.alone.remove(&trial);
        if let Some(names) = key.attempt.and_then(|attempt| self.attempts.remove(&attempt)) {
            self.requests.remove(&names.request);
            if let Some(trials) = self.workers.get_mut(&names.worker) {
                trials.remove(&trial);
                if trials.is_empty() {
                    self.workers.remove(&names.worker);
                }
            }
            if let Some(crowd) = self.devices.get_mut(&names.device) {
                crowd.attempts -= 1;
                crowd.alone -= usize::from(key.alone);
                if crowd.attempts == 0 {
                    self.devices.remove(&names.device);
                }
            }
        }
        if let Some(at) = key.lease {
            self.leases.remove(&(at, trial));
        }
        if let Some(at) = key.hold {
            self.holds.remove(&(at, trial));
        }
    }

    /// The common change: a worker was heard of.
    fn move_lease(&mut self, trial: TrialId, from: Option<Millis>, to: Option<Millis>) {
        if let Some(at) = from {
            self.leases.remove(&(at, trial));
        }
        self.leases.extend(to.map(|at| (at, trial)));
    }
}

impl Deref for Guard<'_> {
    type Target = Open;

    fn deref(&self) -> &Open {
        self.open
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut Open {
        self.open
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let (trial, before, after) = (self.open.row.id, self.before, Key::of(self.open));
        if after == before {
            return;
        }
        if after == (Key { lease: after.lease, ..before }) {
            self.index.move_lease(trial, before.lease, after.lease);
        } else {
            self.index.remove(trial, before);
            self.index.add(self.open, after);
        }
    }
}
