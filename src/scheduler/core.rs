//! The state machine: input and time in, changes and reply out.

use super::best::best_of;
use super::input::{Input, Refusal, Reply};
use super::method::Method;
use super::presence::Askers;
use super::state::{Active, Attempt, Open, Run, RunId, Step, ToEnd};
use super::trials::Trials;
use crate::domain::recovery::{OpenFold, OpenSweep, OpenTrial, Past, Recovery};
use crate::domain::trial::TrialEvent;
use crate::domain::{
    AttemptId, Change, Decision, Event, EventKind, LegId, Metrics, Millis, Objective, Reason, StepReport,
    SweepId, SweepRow, SweepState, TrialId, TrialState,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use thiserror::Error;

/// How long a worker may be silent.
pub(super) const LEASE_MS: i64 = 60_000;

/// The scheduler's state and the only code that changes it.
///
/// After an error while persisting what [`Core::handle`] returned, the core is ahead of the database:
/// throw it away and recover another.
pub struct Core {
    /// Inputs handled so far.
    pub(super) seq: i64,
    pub(super) last: LastIds,
    pub(super) sweeps: BTreeMap<SweepId, Active>,
    /// Which sweep an open trial belongs to.
    pub(super) home: HashMap<TrialId, SweepId>,
    pub(super) askers: Askers,
    /// Devices that are short of memory.
    pub(super) short: BTreeSet<String>,
    /// How much memory devices have in all, where that is known.
    pub(super) sizes: BTreeMap<String, u64>,
    /// The latest attempt on each device that began beside another one: it and all before it had company.
    pub(super) shared: BTreeMap<String, AttemptId>,
    /// Devices that are kept free for a trial that needs one for itself.
    pub(super) reserved: BTreeMap<String, RunId>,
}

/// The largest id given out so far, each.
pub(super) struct LastIds {
    pub sweep: i64,
    pub trial: i64,
    pub leg: i64,
    pub attempt: i64,
}

/// What an input led to.
#[derive(Debug)]
pub struct Handled {
    /// To be committed together, before the reply is given.
    pub changes: Vec<Change>,
    /// The input's sequence number.
    pub seq: i64,
    /// Work may have become available without any change.
    pub wakes: bool,
    /// Whether the commit has to survive a power cut before the reply is given.
    pub synced: bool,
    /// The reply, or why nothing changed.
    pub reply: Result<Reply, Refusal>,
}

/// A stored sweep that this version cannot run.
#[derive(Debug, Error)]
#[error("sweep {uid} ({name}) cannot be continued: {why}")]
pub struct RecoverError {
    /// Its public id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// One input being handled: the time, its number, and the changes so far.
pub(super) struct Turn {
    pub now: Millis,
    pub seq: i64,
    pub changes: Vec<Change>,
    /// Sweeps in which a fold ended: what it means for the rest of its trial is decided at the end of the turn.
    pub folds_ended: BTreeSet<SweepId>,
}

impl Turn {
    /// Adds an entry to the record.
    pub fn record(
        &mut self,
        sweep: SweepId,
        trial: Option<TrialId>,
        attempt: Option<AttemptId>,
        kind: EventKind,
        reason: Option<Reason>,
    ) {
        let event = Event { seq: self.seq, at_ms: self.now, sweep, trial, attempt, kind, reason };
        self.changes.push(Change::Recorded(event));
    }
}

impl Core {
    /// The only way to start: from the open rows, none for a new database. Attempts found open get
    /// `grace_ms` beyond their lease, so that workers which outlived the last daemon find this one.
    ///
    /// # Errors
    /// [`RecoverError`] for a stored sweep that this version cannot run.
    pub fn recover(recovery: Recovery, now: Millis, grace_ms: i64) -> Result<Self, RecoverError> {
        let mut core = Self {
            seq: recovery.seq,
            last: LastIds {
                sweep: recovery.last_sweep,
                trial: recovery.last_trial,
                leg: recovery.last_leg,
                attempt: recovery.last_attempt,
            },
            sweeps: BTreeMap::new(),
            home: HashMap::new(),
            askers: Askers::default(),
            short: BTreeSet::new(),
            sizes: BTreeMap::new(),
            shared: BTreeMap::new(),
            reserved: BTreeMap::new(),
        };
        for sweep in recovery.sweeps {
            core.adopt(sweep, now, grace_ms)?;
        }
        Ok(core)
    }

    /// Handles one input. The changes must be committed before the reply is given.
    pub fn handle(&mut self, input: Input, now: Millis) -> Handled {
        self.seq += 1;
        let mut turn = Turn { now, seq: self.seq, changes: Vec::new(), folds_ended: BTreeSet::new() };
        let synced = !matches!(
            input,
            Input::Report { .. } | Input::Heartbeat { .. } | Input::Device { .. } | Input::Tick
        );
        let mut wakes = false;
        let reply = match input {
            Input::Submit { uid, spec, origin, sources } => {
                self.submit(&mut turn, uid, *spec, (*origin, sources))
            }
            Input::Command { sweep, command } => self.command(&mut turn, sweep, command),
            Input::Claim(seeker) => self.claim(&mut turn, &seeker),
            Input::Ask { sweep, seeker, lease_ms } => self.ask(&mut turn, sweep, &seeker, lease_ms),
            Input::Heartbeat { trial, attempt } => self.heartbeat(&turn, trial, attempt),
            Input::Report { trial, attempt, step, metrics } => {
                self.report(&mut turn, trial, attempt, step, metrics)
            }
            Input::Tell { trial, attempt, state, metrics, reason, weights, text } => {
                let told = super::ending::Told { state, metrics, reason, weights, text };
                self.tell(&mut turn, trial, attempt, told)
            }
            Input::Checkpoint { trial, attempt, step, hash, bytes } => {
                self.checkpoint(&mut turn, trial, attempt, step, hash, bytes)
            }
            Input::Retry(stored) => self.retry(&mut turn, *stored),
            Input::Edit { stored, terms, source } => self.edit(&mut turn, *stored, *terms, source),
            Input::WorkerGone { worker, how } => self.worker_gone(&mut turn, &worker, &how),
            Input::Device { device, memory } => {
                wakes = self.note_memory(device, memory);
                Ok(Reply::Done)
            }
            Input::Tick => self.tick(&mut turn),
        };
        for sweep in std::mem::take(&mut turn.folds_ended) {
            self.give_up_doomed(&mut turn, sweep);
        }
        // A transition that came with an unsynced input is a transition all the same.
        let synced = synced || turn.changes.iter().any(|change| matches!(change, Change::Recorded(_)));
        #[cfg(test)]
        assert!(self.sweeps.values().all(|sweep| sweep.open.is_consistent()), "an index is behind");
        Handled { changes: turn.changes, seq: turn.seq, wakes, synced, reply }
    }

    /// Whether nothing is left to hand out or to wait for; paused sweeps wait for the user.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sweeps.values().all(|sweep| sweep.row.state == SweepState::Paused && sweep.running() == 0)
    }

    /// When something is to happen by itself: a lease runs out, a held trial may start, a sweep's time is up.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        let trials = self.sweeps.values().filter_map(|sweep| sweep.open.next_deadline());
        let limited = self.sweeps.values().filter(|sweep| !sweep.row.state.is_over() && !sweep.time_was_up);
        trials.chain(limited.filter_map(Active::ends_at)).min()
    }

    /// Moves a trial through the one transition function and notes the change.
    pub(super) fn move_trial(
        turn: &mut Turn,
        trial: &mut Open,
        event: TrialEvent,
        reason: Option<Reason>,
    ) -> bool {
        match trial.state.apply(event) {
            Ok(to) => {
                let from = std::mem::replace(&mut trial.state, to);
                if to == TrialState::Queued {
                    trial.waits_since = turn.now;
                }
                turn.changes.push(Change::TrialMoved { trial: trial.row.id, from, to, reason, at: turn.now });
                true
            }
            Err(illegal) => {
                // Every caller has looked at the state; reaching this is a defect, not a user's mistake.
                debug_assert!(false, "{illegal}");
                tracing::error!(trial = %trial.row.id, error = %illegal, "a transition was refused");
                false
            }
        }
    }

    /// Forgets a trial that has ended, and its sweep with the last of them.
    pub(super) fn forget_if_over(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        if active.open.get(trial).is_some_and(|t| t.state.is_over()) {
            active.open.remove(trial);
            self.home.remove(&trial);
        }
        self.complete_if_done(turn, sweep);
    }

    /// Ends a sweep that has nothing left to do: what is paused never goes on.
    pub(super) fn complete_if_done(&mut self, turn: &mut Turn, sweep: SweepId) {
        self.skip_idle_legs(turn, sweep);
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        if active.row.state.is_over() {
            if active.open.is_empty() {
                active.drop_all_heirlooms(turn);
                self.sweeps.remove(&sweep);
            }
            return;
        }
        let time_is_up = active.time_is_up(turn.now);
        if !(active.is_done() || time_is_up && !active.has_open_legs()) {
            return;
        }
        for trial in active.open.ids() {
            self.stop_paused(turn, sweep, trial);
        }
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let (from, to) = (active.row.state, active.returns_to.unwrap_or(SweepState::Completed));
        turn.changes.push(Change::SweepMoved { sweep, from, to, at: turn.now });
        let (kind, reason) = match active.returns_to {
            Some(SweepState::Cancelled) => (EventKind::SweepCancelled, Reason::ByUser),
            Some(_) => (EventKind::SweepCompleted, Reason::TimeLimit),
            None if time_is_up => (EventKind::SweepCompleted, Reason::TimeLimit),
            None if active.may_create() && !active.method.has_population() => {
                let why = active.method.why_exhausted(active.created).cloned();
                let nothing_fits = why.filter(|why| matches!(why, Reason::NothingFits { .. }));
                (EventKind::SweepCompleted, nothing_fits.unwrap_or(Reason::SpaceExhausted))
            }
            None => (EventKind::SweepCompleted, Reason::BudgetSpent),
        };
        active.drop_all_heirlooms(turn);
        turn.record(sweep, None, None, kind, Some(reason));
        self.sweeps.remove(&sweep);
    }

    /// Takes a sweep up whose past this is, without learning from it.
    pub(super) fn activate(&mut self, row: SweepRow, past: &Past) -> Result<&mut Active, RecoverError> {
        let method = Method::new(&row.spec, past).map_err(|why| RecoverError {
            uid: row.uid.clone(),
            name: row.spec.name.clone(),
            why,
        })?;
        let id = row.id;
        let active = Active {
            method,
            row,
            created: 0,
            legs: 0,
            open_legs: BTreeSet::new(),
            idle_legs: 0,
            returns_to: None,
            time_was_up: false,
            heirlooms: BTreeMap::new(),
            open: Trials::default(),
        };
        Ok(self.sweeps.entry(id).insert_entry(active).into_mut())
    }

    /// Takes a stored sweep up with all that is open of it.
    pub(super) fn adopt(
        &mut self,
        stored: OpenSweep,
        now: Millis,
        grace_ms: i64,
    ) -> Result<(), RecoverError> {
        let id = stored.row.id;
        let active = self.activate(stored.row.clone(), &stored.past)?;
        active.returns_to = stored.returns_to;
        active.created = stored.trials;
        active.legs = stored.past.legs;
        active.idle_legs = stored.idle_legs;
        active.open_legs = stored.open_legs.iter().copied().collect();
        active.heirlooms = stored.past.heirlooms.clone();
        active.method.learn(&stored.past);
        let trials: Vec<TrialId> = stored.open.iter().map(|trial| trial.row.id).collect();
        for trial in stored.open {
            let mut open = adopt_trial(trial, &active.row.spec.objective, now, grace_ms);
            for run in &mut open.runs {
                run.has_leg = run.leg.is_some_and(|leg| active.open_legs.contains(&leg.number));
            }
            active.open.insert(open);
        }
        self.home.extend(trials.into_iter().map(|trial| (trial, id)));
        Ok(())
    }

    pub(super) fn next_trial_id(&mut self) -> TrialId {
        self.last.trial += 1;
        TrialId(self.last.trial)
    }

    pub(super) fn next_leg_id(&mut self) -> LegId {
        self.last.leg += 1;
        LegId(self.last.leg)
    }

    pub(super) fn next_attempt_id(&mut self) -> AttemptId {
        self.last.attempt += 1;
        AttemptId(self.last.attempt)
    }
}

/// A trial as it was stored, its legs taken for ended; attempts found open get `grace_ms` beyond their lease.
pub(super) fn adopt_trial(stored: OpenTrial, objective: &Objective, now: Millis, grace_ms: i64) -> Open {
    let runs = usize::try_from(objective.runs()).unwrap_or(usize::MAX);
    let is_alone = runs == 1;
    // Whoever was told to end was told so again at every later step.
    let told = stored.stopping.as_ref().map_or(i64::MAX, |stopping| stopping.seq);
    let to_end = stored.stopping.filter(|stopping| stopping.reason.is_judgement()).and_then(|stopping| {
        let mut reports = stored.folds.iter().flat_map(|fold| &fold.reports);
        let step = reports.find(|report| report.seq == stopping.seq)?.step;
        Some(ToEnd { step, reason: stopping.reason })
    });
    let first_step = stored.row.first_step();
    let mut folds = stored.folds.into_iter();
    let adopt = |_| {
        let mut fold = folds.next().unwrap_or_default();
        // The only one of a trial that waits has ended before: the trial is tried again.
        fold.outcome = fold.outcome.filter(|_| !(is_alone && stored.state == TrialState::Queued));
        Run { first_step, ..adopt_run(fold, objective, told, now, grace_ms) }
    };
    let open = Open {
        row: stored.row,
        state: stored.state,
        runs: (0..runs).map(adopt).collect(),
        to_end,
        given_up: stored.given_up,
        ready: stored.ready,
        alone: stored.alone,
        waits_since: now,
        accumulate: stored.accumulate,
    };
    debug_assert!(open.is_worked_on() || !matches!(open.state, TrialState::Running | TrialState::Stopping));
    open
}

fn adopt_run(stored: OpenFold, objective: &Objective, told: i64, now: Millis, grace_ms: i64) -> Run {
    let step = |report: StepReport| {
        let answer = if report.seq >= told { Decision::Stop } else { Decision::Continue };
        (report.step, Step { metrics: report.metrics, attempt: report.attempt, answer })
    };
    let steps = stored.reports.into_iter().map(step).collect();
    let result = stored.result;
    let attempt = stored.attempt.map(|row| Attempt {
        lease_until: row.lease_ms.map(|lease| now.plus_ms(lease.max(grace_ms))),
        row,
        parts: 1,
        recovered: true,
    });
    Run {
        leg: stored.leg,
        has_leg: false,
        outcome: stored.outcome,
        attempt,
        // Who reported no steps has told.
        best: best_of(&steps, objective).or(result.as_ref().map(|result| (result.step, result.value))),
        steps,
        told: Metrics::default(),
        first_step: 0,
        checkpoints: stored.checkpoints,
        setbacks: stored.setbacks,
        ended: stored.ended,
        result,
        environment: stored.environment,
    }
}

#[cfg(test)]
#[path = "core_test.rs"]
pub(super) mod core_test;

#[cfg(test)]
#[path = "fuse_test.rs"]
mod fuse_test;

#[cfg(test)]
#[path = "faults_test.rs"]
mod faults_test;

#[cfg(test)]
#[path = "patience_test.rs"]
mod patience_test;
