//! Trying again: by itself after a setback, or on the user's word; and what time brings about.

use super::core::{Core, Turn, adopt_trial};
use super::input::{Refusal, Reply};
use super::state::{Active, Open, RunId};
use crate::domain::recovery::OpenSweep;
use crate::domain::trial::TrialEvent;
use crate::domain::{Change, EventKind, LegOutcome, OutOfMemory, Reason, SweepId, SweepState, TrialState};

/// How often a leg is tried again after its worker was lost. One that ends its worker every time is not to
/// blame the machine for.
const LOST_WORKER_RETRIES: usize = 3;
/// The pause before the first retry; each is twice as long as the one before, in milliseconds.
const FIRST_PAUSE_MS: i64 = 500;
const LONGEST_PAUSE_MS: i64 = 60_000;

/// The most parts that a batch is split into: an eighth of a batch is a batch that hardly teaches.
pub(super) const MOST_PARTS: u32 = 8;

/// Why an attempt ended without a result, and what decides what follows.
pub(super) struct Setback<'a> {
    pub reason: &'a Reason,
    /// Others worked on its device at some time of the attempt, or may have.
    pub had_company: bool,
    /// What the sweep says of trials that do not fit.
    pub out_of_memory: OutOfMemory,
}

/// Whether the leg is tried again after a setback, and if so, readies it.
pub(super) fn after_setback(turn: &mut Turn, trial: &mut Open, fold: usize, setback: &Setback<'_>) -> bool {
    let reason = setback.reason;
    let parts = trial.runs[fold].attempt.as_ref().map_or(trial.accumulate, |attempt| attempt.parts);
    let earlier = trial.runs[fold].setbacks.iter().filter(|setback| setback.word() == reason.word()).count();
    let again = match reason {
        Reason::WorkerLost { .. } => earlier < LOST_WORKER_RETRIES,
        // Once more with the device for itself.
        Reason::OutOfMemory { .. } if setback.had_company => {
            trial.alone = true;
            true
        }
        // By now the trial is in finer parts.
        Reason::OutOfMemory { .. } if parts < trial.accumulate => {
            trial.alone = true;
            true
        }
        // It had the device for itself: as it is, it does not fit.
        Reason::OutOfMemory { .. } => {
            let finer = setback.out_of_memory == OutOfMemory::Accumulate && trial.accumulate < MOST_PARTS;
            if finer {
                (trial.alone, trial.accumulate) = (true, trial.accumulate * 2);
            }
            finer
        }
        // The same configuration would diverge, or be refused, or fail again.
        _ => false,
    };
    if again {
        let setbacks = &mut trial.runs[fold].setbacks;
        let doublings = u32::try_from(setbacks.len()).unwrap_or(u32::MAX);
        let pause_ms = FIRST_PAUSE_MS.saturating_mul(2i64.saturating_pow(doublings)).min(LONGEST_PAUSE_MS);
        setbacks.push(reason.clone());
        hold(turn, trial, Some(turn.now.plus_ms(pause_ms)));
    }
    again
}

fn hold(turn: &mut Turn, trial: &mut Open, ready: Option<crate::domain::Millis>) {
    trial.ready = ready;
    let (alone, accumulate) = (trial.alone, trial.accumulate);
    turn.changes.push(Change::TrialHeld { trial: trial.row.id, ready, alone, accumulate });
}

impl Core {
    /// A trial that ended badly is tried again, from its last checkpoint if it has one. A sweep that was over is
    /// open again; for this trial alone where it was cancelled, or its time is up.
    pub(super) fn retry(&mut self, turn: &mut Turn, mut stored: OpenSweep) -> Result<Reply, Refusal> {
        let sweep = stored.row.id;
        let trial = stored.open.pop().ok_or(Refusal::NotOpen)?;
        if !matches!(trial.state, TrialState::Failed | TrialState::Cancelled | TrialState::Stopped) {
            return Err(Refusal::WrongState(
                "only trials that failed, were stopped or were cancelled can be retried",
            ));
        }
        if stored.row.spec.population().is_some() {
            return Err(Refusal::WrongState(
                "its population has gone on without it: whoever fails there is replaced by an heir",
            ));
        }
        if let Some(active) = self.sweeps.get(&sweep) {
            if active.row.state == SweepState::Cancelled {
                return Err(Refusal::WrongState("its sweep is being cancelled: try again in a moment"));
            }
            if active.open.contains(trial.row.id) {
                return Err(Refusal::WrongState("it has not ended"));
            }
        } else {
            let from = stored.row.state;
            stored.row.state = SweepState::Active;
            // It is over only because this trial was: nothing else is decided about it now.
            self.adopt(stored, turn.now, 0)
                .map_err(|_| Refusal::WrongState("its sweep cannot be continued"))?;
            turn.changes.push(Change::SweepMoved { sweep, from, to: SweepState::Active, at: turn.now });
            let active = self.sweeps.get_mut(&sweep).ok_or(Refusal::SweepOver)?;
            let alone = from == SweepState::Cancelled || active.time_is_up(turn.now);
            if alone {
                active.returns_to = Some(from);
                turn.changes.push(Change::SweepReturns { sweep, to: from });
            }
            let reason = if alone { Reason::RetryAlone } else { Reason::ByUser };
            turn.record(sweep, None, None, EventKind::SweepResumed, Some(reason));
        }
        let active = self.sweeps.get_mut(&sweep).ok_or(Refusal::SweepOver)?;
        let id = trial.row.id;
        let mut open = adopt_trial(trial, &active.row.spec.objective, turn.now, 0);
        open.given_up = None;
        // Folds that have completed stand.
        for run in open.runs.iter_mut().filter(|run| run.outcome != Some(LegOutcome::Completed)) {
            run.outcome = None;
            run.setbacks.clear();
        }
        Self::move_trial(turn, &mut open, TrialEvent::Requeued, None);
        // Who needed a finer split has checkpoints of it.
        open.alone = false;
        hold(turn, &mut open, None);
        turn.record(sweep, Some(id), None, EventKind::TrialRetried, Some(Reason::ByUser));
        active.open.insert(open);
        self.home.insert(id, sweep);
        Ok(Reply::Done)
    }

    /// Time passed: takes back what has not been heard of for too long, frees what was held back, and ends
    /// sweeps whose time is up.
    pub(super) fn tick(&mut self, turn: &mut Turn) -> Result<Reply, Refusal> {
        let of_sweep = |(id, sweep): (&SweepId, &Active)| {
            sweep.open.silent(turn.now).into_iter().map(|run| (*id, run)).collect::<Vec<_>>()
        };
        for (sweep, run) in self.sweeps.iter().flat_map(of_sweep).collect::<Vec<(SweepId, RunId)>>() {
            self.lose(turn, sweep, run, "it was silent for too long");
        }
        for sweep in self.sweeps.values_mut() {
            for trial in sweep.open.rested(turn.now) {
                let Some(mut open) = sweep.open.get_mut(trial) else { continue };
                hold(turn, &mut open, None);
            }
        }
        let ending = |(_, sweep): &(&SweepId, &Active)| {
            !sweep.time_was_up && sweep.time_is_up(turn.now) && !sweep.row.state.is_over()
        };
        let ending: Vec<SweepId> = self.sweeps.iter().filter(ending).map(|(id, _)| *id).collect();
        for sweep in ending {
            self.time_is_up(turn, sweep);
        }
        Ok(Reply::Done)
    }

    /// Ends what waits and tells what runs to end.
    fn time_is_up(&mut self, turn: &mut Turn, sweep: SweepId) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        active.time_was_up = true;
        for trial in active.open.ids() {
            self.end_trial(turn, sweep, trial, TrialEvent::Cancelled, &Reason::TimeLimit);
        }
        self.complete_if_done(turn, sweep);
    }
}
