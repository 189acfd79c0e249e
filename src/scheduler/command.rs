//! The user's word: submit, pause, resume, reorder, cancel, remove.

use super::core::{Core, Turn};
use super::ending::End;
use super::input::{Command, Refusal, Reply};
use super::state::RunId;
use crate::domain::prior::Source;
use crate::domain::recovery::Past;
use crate::domain::trial::TrialEvent;
use crate::domain::{
    Change, EventKind, Origin, Reason, Sweep, SweepId, SweepRow, SweepState, TrialId, TrialState,
};

impl Core {
    /// A checked sweep begins.
    pub(super) fn submit(
        &mut self,
        turn: &mut Turn,
        uid: String,
        spec: Sweep,
        (origin, sources): (Origin, Vec<Source>),
    ) -> Result<Reply, Refusal> {
        let id = SweepId(self.last.sweep + 1);
        let enqueued = spec.enqueue.clone();
        let past = Past { sources, ..Past::default() };
        let row = SweepRow { id, uid, state: SweepState::Active, spec, origin, created: turn.now };
        if let Err(error) = self.activate(row.clone(), &past) {
            // Whoever submits has checked the space; this is the last line of defence.
            tracing::error!(%error, "a sweep was refused");
            return Err(Refusal::WrongState("the sweep's space is not valid"));
        }
        self.last.sweep += 1;
        turn.changes.push(Change::SweepInserted(Box::new(row)));
        if !past.sources.is_empty() {
            turn.changes.push(Change::SweepWarmed { sweep: id, sources: past.sources });
        }
        turn.record(id, None, None, EventKind::SweepSubmitted, Some(Reason::ByUser));
        for params in &enqueued {
            if let Err(refusal) = self.enqueue(turn, id, params) {
                // Whoever submits has tried them all; this is the last line of defence.
                tracing::error!(%refusal, "a configuration to try first was refused");
            }
        }
        Ok(Reply::Submitted(id))
    }

    /// The user's word on a sweep.
    pub(super) fn command(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        command: Command,
    ) -> Result<Reply, Refusal> {
        match command {
            Command::Pause => self.move_sweep(turn, sweep, SweepState::Active, SweepState::Paused)?,
            Command::Resume => self.move_sweep(turn, sweep, SweepState::Paused, SweepState::Active)?,
            Command::Cancel => self.cancel(turn, sweep)?,
            Command::Remove => {
                if let Some(active) = self.sweeps.get(&sweep) {
                    return Err(if active.row.state.is_over() {
                        Refusal::StillEnding
                    } else {
                        Refusal::WrongState("it is not over: cancel it first")
                    });
                }
                turn.changes.push(Change::SweepRemoved { sweep });
            }
            Command::Enqueue(params) => self.enqueue(turn, sweep, &params)?,
            Command::Prioritise(priority) => self.prioritise(turn, sweep, priority)?,
        }
        Ok(Reply::Done)
    }

    fn move_sweep(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        from: SweepState,
        to: SweepState,
    ) -> Result<(), Refusal> {
        let active =
            self.sweeps.get_mut(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        if active.row.state != from {
            return Err(Refusal::WrongState(match active.row.state {
                SweepState::Paused => "it is paused already",
                _ => "it is not paused",
            }));
        }
        active.row.state = to;
        turn.changes.push(Change::SweepMoved { sweep, from, to, at: turn.now });
        let kind = if to == SweepState::Paused { EventKind::SweepPaused } else { EventKind::SweepResumed };
        turn.record(sweep, None, None, kind, Some(Reason::ByUser));
        Ok(())
    }

    /// Which sweep goes first is asked anew with every leg that is handed out.
    fn prioritise(&mut self, turn: &mut Turn, sweep: SweepId, priority: i64) -> Result<(), Refusal> {
        let active =
            self.sweeps.get_mut(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        let before = std::mem::replace(&mut active.row.spec.priority, priority);
        if before != priority {
            turn.changes.push(Change::SweepPrioritised { sweep, priority });
            let reason = Reason::Priority { from: before, to: priority };
            turn.record(sweep, None, None, EventKind::SweepPrioritised, Some(reason));
        }
        Ok(())
    }

    fn cancel(&mut self, turn: &mut Turn, sweep: SweepId) -> Result<(), Refusal> {
        let active =
            self.sweeps.get_mut(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        let (from, to) = (active.row.state, SweepState::Cancelled);
        (active.row.state, active.returns_to) = (to, None);
        turn.changes.push(Change::SweepMoved { sweep, from, to, at: turn.now });
        turn.record(sweep, None, None, EventKind::SweepCancelled, Some(Reason::ByUser));
        for trial in active.open.ids() {
            self.end_trial(turn, sweep, trial, TrialEvent::Cancelled, &Reason::ByUser);
        }
        self.complete_if_done(turn, sweep);
        Ok(())
    }

    /// Ends a trial that waits, and tells one that runs to end.
    pub(super) fn end_trial(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        event: TrialEvent,
        reason: &Reason,
    ) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let Some(mut open) = active.open.get_mut(trial) else { return };
        let has_folds = open.has_folds();
        if has_folds && !open.state.is_over() {
            open.given_up.get_or_insert_with(|| reason.clone());
        }
        match open.state {
            // One that a stopper has told to end may have a client that never comes back.
            TrialState::Running | TrialState::Stopping => {
                let worked_on = open.runs.iter().enumerate().filter_map(|(fold, run)| {
                    let attempt = run.attempt.as_ref()?;
                    Some((RunId { trial, fold }, attempt.row.id, attempt.lease_until))
                });
                let worked_on: Vec<_> = worked_on.collect();
                let attempt = worked_on.first().map(|(_, attempt, _)| *attempt).filter(|_| !has_folds);
                if open.state == TrialState::Running
                    && Self::move_trial(turn, &mut open, TrialEvent::StopRequested, None)
                {
                    turn.record(sweep, Some(trial), attempt, EventKind::TrialStopping, Some(reason.clone()));
                }
                drop(open);
                self.drop_waiting_legs(turn, sweep, trial, event, reason);
                // A client without a lease may never come back, so it is not waited for.
                for (run, _, _) in worked_on.into_iter().filter(|(_, _, lease)| lease.is_none()) {
                    self.lose(turn, sweep, run, "its sweep ended");
                }
            }
            TrialState::Queued | TrialState::Paused if has_folds => {
                drop(open);
                self.drop_waiting_legs(turn, sweep, trial, event, reason);
                self.settle(turn, sweep, trial, None);
            }
            TrialState::Queued | TrialState::Paused => {
                drop(open);
                let run = RunId { trial, fold: 0 };
                let end = End { event, reason: Some(reason.clone()), attempt: None };
                self.end_attempt(turn, sweep, run, end);
            }
            _ => {}
        }
    }
}
