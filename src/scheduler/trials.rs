//! The open trials of a sweep, and what finds some of them without a look at all the others: a sweep may have a
//! hundred thousand that wait or are paused, and a thousand that are worked on.
//!
//! Whoever changes a trial does so through a [`Guard`], which brings the indexes up to date when it goes.

use super::folds::Place;
use super::place::device_of;
use super::state::{Attempt, Open, Run, RunId};
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
    /// With a leg to hand out.
    ready: BTreeSet<RunId>,
    /// Whose next leg is not decided.
    undecided: BTreeSet<RunId>,
    /// Of the ready ones, those that need a device for themselves.
    alone: BTreeSet<RunId>,
    /// Trials of which some folds have ended and others have not.
    partial: BTreeSet<TrialId>,
    /// By what of the open attempts is asked for.
    attempts: HashMap<AttemptId, Names>,
    requests: HashMap<String, RunId>,
    workers: HashMap<String, BTreeSet<RunId>>,
    devices: HashMap<String, Crowd>,
    /// When leases run out, and until when trials are held back.
    leases: BTreeSet<(Millis, RunId)>,
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
#[derive(Debug, PartialEq)]
struct Key {
    runs: Vec<RunKey>,
    alone: bool,
    partial: bool,
    hold: Option<Millis>,
}

/// What of one of its folds they know.
#[derive(Debug, Clone, Copy, PartialEq)]
struct RunKey {
    ready: bool,
    undecided: bool,
    attempt: Option<AttemptId>,
    lease: Option<Millis>,
}

impl Key {
    fn of(open: &Open) -> Self {
        // While some of its folds are worked on, others may wait.
        let waits = matches!(open.state, TrialState::Queued | TrialState::Running);
        let of_run = |run: &Run| {
            let place = run.place();
            RunKey {
                ready: waits && place == Place::Open && run.attempt.is_none(),
                undecided: waits && place == Place::Undecided && open.given_up.is_none(),
                attempt: run.attempt.as_ref().map(|attempt| attempt.row.id),
                lease: run.attempt.as_ref().and_then(|attempt| attempt.lease_until),
            }
        };
        let has_ended = |run: &Run| matches!(run.place(), Place::Ended { .. });
        let some = open.runs.iter().any(has_ended) && !open.runs.iter().all(has_ended);
        Self {
            runs: open.runs.iter().map(of_run).collect(),
            alone: open.alone,
            partial: waits && some && open.given_up.is_none(),
            hold: open.ready,
        }
    }

    /// Its folds by number.
    fn runs(&self, trial: TrialId) -> impl Iterator<Item = (RunId, RunKey)> + '_ {
        self.runs.iter().enumerate().map(move |(fold, key)| (RunId { trial, fold }, *key))
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
        self.index.add(&open, &Key::of(&open));
        self.all.insert(id, open);
    }

    pub fn remove(&mut self, trial: TrialId) {
        if let Some(open) = self.all.remove(&trial) {
            self.numbers.remove(&open.row.number);
            self.index.remove(trial, &Key::of(&open));
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
        let runs = self.index.workers.values().flatten();
        runs.filter_map(|run| self.all.get(&run.trial)?.runs[run.fold].attempt.as_ref())
    }

    /// Those that wait with a leg to hand out, the oldest first, each with the fold that waits.
    pub fn ready(&self) -> impl Iterator<Item = (&Open, RunId)> {
        self.index.ready.iter().filter_map(|run| Some((self.all.get(&run.trial)?, *run)))
    }

    /// Those of them that need a device for themselves.
    pub fn waiting_alone(&self) -> impl Iterator<Item = (&Open, RunId)> {
        self.index.alone.iter().filter_map(|run| Some((self.all.get(&run.trial)?, *run)))
    }

    /// Whether that one waits with a leg to hand out.
    pub fn is_ready(&self, run: RunId) -> bool {
        self.index.ready.contains(&run)
    }

    /// The oldest that waits for its next leg to be decided.
    pub fn first_undecided(&self) -> Option<RunId> {
        self.index.undecided.first().copied()
    }

    /// Trials of which some folds have ended and others have not.
    pub fn partial(&self) -> impl Iterator<Item = &Open> {
        self.index.partial.iter().filter_map(|trial| self.all.get(trial))
    }

    /// The one whose open attempt answers that request.
    pub fn of_request(&self, request: &str) -> Option<(&Open, RunId)> {
        let run = self.index.requests.get(request)?;
        Some((self.all.get(&run.trial)?, *run))
    }

    /// Those that a worker works on.
    pub fn of_worker(&self, worker: &str) -> impl Iterator<Item = RunId> {
        self.index.workers.get(worker).into_iter().flatten().copied()
    }

    /// Who works on a device.
    pub fn on_device(&self, device: &str) -> Crowd {
        self.index.devices.get(device).copied().unwrap_or_default()
    }

    /// Those whose lease has run out, in their order.
    pub fn silent(&self, now: Millis) -> BTreeSet<RunId> {
        due(&self.index.leases, now)
    }

    /// Those that need not be held back any longer, in their order.
    pub fn rested(&self, now: Millis) -> BTreeSet<TrialId> {
        due(&self.index.holds, now)
    }

    /// When the next lease runs out or the next held one may start.
    pub fn next_deadline(&self) -> Option<Millis> {
        let lease = self.index.leases.first().map(|(at, _)| *at);
        let hold = self.index.holds.first().map(|(at, _)| *at);
        [lease, hold].into_iter().flatten().min()
    }

    /// Whether the indexes say what a look at every trial says.
    #[cfg(test)]
    pub fn is_consistent(&self) -> bool {
        let mut fresh = Self::default();
        for open in self.all.values() {
            fresh.numbers.insert(open.row.number, open.row.id);
            fresh.index.add(open, &Key::of(open));
        }
        fresh.numbers == self.numbers && fresh.index == self.index
    }
}

fn due<T: Ord + Copy>(times: &BTreeSet<(Millis, T)>, now: Millis) -> BTreeSet<T> {
    times.iter().take_while(|(at, _)| *at <= now).map(|(_, what)| *what).collect()
}

impl<'a> IntoIterator for &'a Trials {
    type Item = (&'a TrialId, &'a Open);
    type IntoIter = btree_map::Iter<'a, TrialId, Open>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl Index {
    fn add(&mut self, open: &Open, key: &Key) {
        let trial = open.row.id;
        for (id, run) in key.runs(trial) {
            if run.ready {
                self.ready.insert(id);
                if key.alone {
                    self.alone.insert(id);
                }
            }
            if run.undecided {
                self.undecided.insert(id);
            }
            if let Some(attempt) = &open.runs[id.fold].attempt {
                let row = &attempt.row;
                let device = device_of(&row.slot).to_owned();
                self.requests.insert(row.request_id.clone(), id);
                self.workers.entry(row.worker.clone()).or_default().insert(id);
                let crowd = self.devices.entry(device.clone()).or_default();
                crowd.attempts += 1;
                crowd.alone += usize::from(key.alone);
                let names = Names { request: row.request_id.clone(), worker: row.worker.clone(), device };
                self.attempts.insert(row.id, names);
            }
            self.leases.extend(run.lease.map(|at| (at, id)));
        }
        if key.partial {
            self.partial.insert(trial);
        }
        self.holds.extend(key.hold.map(|at| (at, trial)));
    }

    fn remove(&mut self, trial: TrialId, key: &Key) {
        for (id, run) in key.runs(trial) {
            self.ready.remove(&id);
            self.undecided.remove(&id);
            self.alone.remove(&id);
            if let Some(names) = run.attempt.and_then(|attempt| self.attempts.remove(&attempt)) {
                self.leave(id, &names, key.alone);
            }
            if let Some(at) = run.lease {
                self.leases.remove(&(at, id));
            }
        }
        self.partial.remove(&trial);
        if let Some(at) = key.hold {
            self.holds.remove(&(at, trial));
        }
    }

    /// An attempt is not open any more.
    fn leave(&mut self, id: RunId, names: &Names, alone: bool) {
        self.requests.remove(&names.request);
        if let Some(runs) = self.workers.get_mut(&names.worker) {
            runs.remove(&id);
            if runs.is_empty() {
                self.workers.remove(&names.worker);
            }
        }
        if let Some(crowd) = self.devices.get_mut(&names.device) {
            crowd.attempts -= 1;
            crowd.alone -= usize::from(alone);
            if crowd.attempts == 0 {
                self.devices.remove(&names.device);
            }
        }
    }

    /// The common change: a worker was heard of.
    fn move_leases(&mut self, trial: TrialId, from: &Key, to: &Key) {
        for ((id, from), (_, to)) in from.runs(trial).zip(to.runs(trial)) {
            if from.lease != to.lease {
                if let Some(at) = from.lease {
                    self.leases.remove(&(at, id));
                }
                self.leases.extend(to.lease.map(|at| (at, id)));
            }
        }
    }
}

impl Key {
    /// Whether nothing but leases differs.
    fn same_but_leases(&self, other: &Self) -> bool {
        let same = |(a, b): (&RunKey, &RunKey)| RunKey { lease: b.lease, ..*a } == *b;
        (self.alone, self.partial, self.hold) == (other.alone, other.partial, other.hold)
            && self.runs.iter().zip(&other.runs).all(same)
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
        let (trial, after) = (self.open.row.id, Key::of(self.open));
        if after == self.before {
            return;
        }
        if after.same_but_leases(&self.before) {
            self.index.move_leases(trial, &self.before, &after);
        } else {
            self.index.remove(trial, &self.before);
            self.index.add(self.open, &after);
        }
    }
}
