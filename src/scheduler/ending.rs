//! How attempts, legs and trials end: what a worker says at the end, silence, and what becomes of the trial.

use super::best::{self, note_end};
use super::core::{Core, Turn};
use super::folds::{FoldEnd, Place, failed};
use super::input::{Refusal, Reply};
use super::judge;
use super::progress::discard_after;
use super::retry::{self, Setback};
use super::state::{Active, Open, Run, RunId};
use crate::domain::sweep::Order;
use crate::domain::trial::TrialEvent;
use crate::domain::{
    AttemptId, AttemptState, Change, EventKind, LegEnd, LegOutcome, Metrics, Reason, SweepId, SweepState,
    TellState, TrialId, TrialState,
};
use crate::stopper::Ended;

/// What happens to a trial, or to one of its folds, and why; and at whose word.
pub(super) struct End {
    pub event: TrialEvent,
    pub reason: Option<Reason>,
    /// The attempt that it came from, if it came from one.
    pub attempt: Option<AttemptId>,
}

/// The end of an attempt, as told.
pub(super) struct Told {
    pub state: TellState,
    pub metrics: Metrics,
    pub reason: Option<Reason>,
    pub weights: Option<String>,
    pub text: String,
}

impl Core {
    /// An attempt ended.
    pub(super) fn tell(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        told: Told,
    ) -> Result<Reply, Refusal> {
        let (row, mut open, fold) = self.open_run(trial, attempt)?;
        let (sweep, objective) = (row.id, &row.spec.objective);
        let (cancelled, out_of_memory) = (row.state == SweepState::Cancelled, objective.out_of_memory);
        let strict = row.spec.search.order == Order::Number;
        let (mut event, mut reason) = match (told.state, open.state) {
            (TellState::Completed, _) => (TrialEvent::Completed, told.reason.or(Some(Reason::BudgetSpent))),
            (TellState::Failed, _) => {
                (TrialEvent::Failed, told.reason.or_else(|| unexplained("it failed without saying why")))
            }
            // It was told to end.
            (TellState::Stopped | TellState::Paused, TrialState::Stopping) => open.told_to_end(cancelled),
            (TellState::Stopped, _) => {
                let reason = told.reason.or_else(|| unexplained("it ended early without saying why"));
                (TrialEvent::Stopped, reason)
            }
            // One that was asked to end may have its whole budget behind it: whoever goes on will say so.
            (TellState::Paused, _) if told.reason == Some(Reason::DaemonStopped) => {
                (TrialEvent::Requeued, told.reason)
            }
            (TellState::Paused, _) if reached_end_of_leg(&open.runs[fold]) => {
                (TrialEvent::Paused, Some(Reason::LegEnded { step: open.runs[fold].last_step() }))
            }
            (TellState::Paused, _) => {
                let reason = told.reason.or_else(|| unexplained("it was handed back without saying why"));
                (TrialEvent::Requeued, reason)
            }
        };
        let judged = judge::stopped_by(&open, told.state, strict);
        let late_weights = strict && judged.is_some();
        if judged.is_some() {
            (event, reason) = (TrialEvent::Stopped, judged);
        }
        if event == TrialEvent::Completed
            && let Err(metric) = note_end(turn, &mut open, fold, objective, told.metrics)
        {
            (event, reason) = (TrialEvent::Failed, Some(Reason::NoValue { metric }));
        }
        // They may be of a step that does not count.
        if let Some(hash) = told.weights.filter(|_| !late_weights) {
            let fold = open.has_folds().then_some(fold as u32);
            turn.changes.push(Change::WeightsStored { trial, fold, hash });
        }
        let state = attempt_state(told.state, event);
        let (slot, recovered) = match &open.runs[fold].attempt {
            Some(attempt) => (attempt.row.slot.clone(), attempt.recovered),
            None => Default::default(),
        };
        drop(open);
        // What was beside it under an earlier daemon, nobody knows.
        let had_company = recovered || self.had_company(&slot, attempt);
        let is_on_largest = self.is_on_largest(&slot);
        let (_, mut guard, fold) = self.open_run(trial, attempt)?;
        let open = &mut *guard;
        if let Some(Reason::OutOfMemory { alone, .. }) = &mut reason {
            // Workers do not know.
            *alone = false;
        }
        if let (TrialEvent::Failed, Some(reason), TrialState::Running) = (event, &mut reason, open.state) {
            if retry::after_setback(turn, open, fold, &Setback { reason, had_company, out_of_memory }) {
                event = TrialEvent::Requeued;
            } else if let Reason::OutOfMemory { alone, .. } = reason {
                *alone = is_on_largest;
            }
        }
        close_attempt(turn, &mut open.runs[fold], state, reason.clone(), Some(told.text));
        drop(guard);
        self.end_attempt(turn, sweep, RunId { trial, fold }, End { event, reason, attempt: Some(attempt) });
        Ok(Reply::Done)
    }

    /// A worker process ended; answers whether it had work.
    pub(super) fn worker_gone(&mut self, turn: &mut Turn, worker: &str, how: &str) -> Result<Reply, Refusal> {
        self.askers.forget(worker);
        Ok(Reply::HadWork(self.lose_attempts_of(turn, worker, how)))
    }

    /// Takes back whatever that worker has; whether it had anything.
    pub(super) fn lose_attempts_of(&mut self, turn: &mut Turn, worker: &str, how: &str) -> bool {
        let of_sweep = |(id, sweep): (&SweepId, &Active)| {
            sweep.open.of_worker(worker).map(|run| (*id, run)).collect::<Vec<_>>()
        };
        let lost: Vec<(SweepId, RunId)> = self.sweeps.iter().flat_map(of_sweep).collect();
        for (sweep, run) in &lost {
            self.lose(turn, *sweep, *run, how);
        }
        !lost.is_empty()
    }

    /// Takes one attempt back.
    pub(super) fn lose(&mut self, turn: &mut Turn, sweep: SweepId, id: RunId, how: &str) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let cancelled = active.row.state == SweepState::Cancelled;
        let out_of_memory = active.row.spec.objective.out_of_memory;
        let Some(mut guard) = active.open.get_mut(id.trial) else { return };
        let open = &mut *guard;
        let Some(attempt) = open.runs[id.fold].attempt.as_ref() else { return };
        let (attempt, recovered) = (attempt.row.id, attempt.recovered);
        let lost = Reason::WorkerLost { how: how.to_owned() };
        // Not the trial's doing where the daemon's end took the worker along.
        let noted = if recovered { Reason::DaemonStopped } else { lost.clone() };
        close_attempt(turn, &mut open.runs[id.fold], AttemptState::Lost, Some(noted), None);
        let judged = judge::stopped_by(open, TellState::Stopped, true);
        let (event, reason) = match open.state {
            _ if judged.is_some() => (TrialEvent::Stopped, judged),
            TrialState::Stopping => open.told_to_end(cancelled),
            _ => {
                let setback = Setback { reason: &lost, had_company: false, out_of_memory };
                let again = recovered || retry::after_setback(turn, open, id.fold, &setback);
                (if again { TrialEvent::Requeued } else { TrialEvent::Failed }, Some(lost))
            }
        };
        drop(guard);
        self.end_attempt(turn, sweep, id, End { event, reason, attempt: Some(attempt) });
    }

    /// Deals with the end of an attempt, or of a leg that nobody worked on: ends the leg unless it is to be tried
    /// again, and moves the trial.
    pub(super) fn end_attempt(&mut self, turn: &mut Turn, sweep: SweepId, id: RunId, end: End) {
        let (event, attempt) = (end.event, end.attempt);
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let objective = &active.row.spec.objective;
        let strict = active.row.spec.search.order == Order::Number;
        let Some(mut guard) = active.open.get_mut(id.trial) else { return };
        let open = &mut *guard;
        // What came after the stopper's word came by the timing of the answer.
        let last = open.to_end.as_ref().map(|to_end| to_end.step);
        if let (Some(last), TrialEvent::Stopped, true) = (last, event, strict) {
            discard_after(turn, open, id.fold, last, objective);
        }
        if event == TrialEvent::Requeued {
            let run = &open.runs[id.fold];
            let from = run.leg.map_or(0, |leg| leg.from_step);
            let from = run.checkpoints.first().map_or(from, |checkpoint| checkpoint.step);
            discard_after(turn, open, id.fold, from, objective);
        } else {
            keep_checkpoints(turn, &mut open.runs[id.fold], event);
        }
        let has_folds = open.has_folds();
        drop(guard);
        if event == TrialEvent::Requeued {
            turn.record(sweep, Some(id.trial), attempt, EventKind::TrialRequeued, end.reason);
        } else if has_folds {
            turn.record(sweep, Some(id.trial), attempt, EventKind::FoldEnded, end.reason);
            active.end_leg(turn, id, event);
            turn.folds_ended.insert(sweep);
        } else {
            return self.end_only_run(turn, sweep, id, end);
        }
        self.settle(turn, sweep, id.trial, attempt);
    }

    /// The end of a leg of a trial without folds is that of the trial, unless it pauses.
    fn end_only_run(&mut self, turn: &mut Turn, sweep: SweepId, id: RunId, end: End) {
        let event = end.event;
        self.end_trial_with(turn, sweep, id.trial, end);
        if let Some(active) = self.sweeps.get_mut(&sweep) {
            active.end_leg(turn, id, event);
            if event == TrialEvent::Paused {
                active.keep_heirloom(turn, id.trial);
            }
        }
        self.forget_if_over(turn, sweep, id.trial);
    }

    /// Moves a trial whose legs have ended, or pauses it.
    fn end_trial_with(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId, end: End) {
        let End { event, reason, attempt } = end;
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let Some(mut open) = active.open.get_mut(trial) else { return };
        let goes_on = event == TrialEvent::Paused;
        if !Self::move_trial(turn, &mut open, event, reason.clone().filter(|_| !goes_on)) {
            return;
        }
        if !goes_on {
            let ranked = event == TrialEvent::Completed;
            best::value(turn, sweep, &open, &active.row.spec.objective, ranked);
        }
        drop(open);
        let kind = match event {
            TrialEvent::Completed => EventKind::TrialCompleted,
            TrialEvent::Stopped => EventKind::TrialStopped,
            TrialEvent::Failed => EventKind::TrialFailed,
            TrialEvent::Cancelled => EventKind::TrialCancelled,
            _ => EventKind::TrialPaused,
        };
        turn.record(sweep, Some(trial), attempt, kind, reason);
    }

    /// Brings a trial to where its folds are: it waits while nobody works on it, and ends with the last of them.
    pub(super) fn settle(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        attempt: Option<AttemptId>,
    ) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let Some(mut open) = active.open.get_mut(trial) else { return };
        if open.is_worked_on() || open.state.is_over() {
            return;
        }
        let end = open.end();
        if end.is_none() && open.state == TrialState::Running {
            Self::move_trial(turn, &mut open, TrialEvent::Requeued, None);
        }
        if let Some((event, _)) = &end {
            // Of folds that ended otherwise than their trial, too.
            for run in &mut open.runs {
                keep_checkpoints(turn, run, *event);
            }
        }
        drop(open);
        if let Some((event, reason)) = end {
            self.end_trial_with(turn, sweep, trial, End { event, reason: Some(reason), attempt });
            self.forget_if_over(turn, sweep, trial);
        }
    }

    /// Ends the legs of a trial that wait for a slot.
    pub(super) fn drop_waiting_legs(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        event: TrialEvent,
        reason: &Reason,
    ) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let Some(mut open) = active.open.get_mut(trial) else { return };
        let mut waiting = Vec::new();
        for (fold, run) in open.runs.iter_mut().enumerate() {
            if run.place() == Place::Open && run.attempt.is_none() {
                run.ended = Some(reason.clone());
                keep_checkpoints(turn, run, event);
                waiting.push(RunId { trial, fold });
            }
        }
        drop(open);
        for id in waiting {
            turn.record(sweep, Some(trial), None, EventKind::FoldEnded, Some(reason.clone()));
            active.end_leg(turn, id, event);
        }
    }

    /// Ends a trial that waits, of a sweep that is over.
    pub(super) fn stop_paused(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let reason = match active.method.stopper.as_ref().filter(|_| !active.time_is_up(turn.now)) {
            Some(stopper) => active.open.get(trial).map(|open| stopper.verdict(open.row.number)),
            None => Some(Reason::TimeLimit),
        };
        if let Some(reason) = reason {
            self.end_paused(turn, sweep, trial, reason);
        }
    }

    /// Ends a trial that nobody works on.
    pub(super) fn end_paused(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId, reason: Reason) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let Some(mut open) = active.open.get_mut(trial) else { return };
        let event = match open.state {
            TrialState::Paused => TrialEvent::Stopped,
            TrialState::Queued => TrialEvent::Cancelled,
            _ => return,
        };
        for run in &mut open.runs {
            keep_checkpoints(turn, run, event);
        }
        drop(open);
        self.end_trial_with(turn, sweep, trial, End { event, reason: Some(reason), attempt: None });
        if let Some(active) = self.sweeps.get_mut(&sweep) {
            active.open.remove(trial);
        }
        self.home.remove(&trial);
    }
}

impl Open {
    /// What an attempt that was told to end ends with: because the user cancelled it, because the sweep's time is up,
    /// or because its trial was given up.
    fn told_to_end(&self, cancelled: bool) -> (TrialEvent, Option<Reason>) {
        match (&self.given_up, cancelled) {
            (Some(reason), false) => (TrialEvent::Stopped, Some(reason.clone())),
            (_, true) => (TrialEvent::Cancelled, Some(Reason::ByUser)),
            (None, false) => (TrialEvent::Stopped, Some(Reason::TimeLimit)),
        }
    }

    /// How a trial with folds that nobody works on ends, if it does now.
    fn end(&self) -> Option<(TrialEvent, Reason)> {
        let places = self.places();
        if places.contains(&Place::Open) || self.given_up.is_none() && places.contains(&Place::Undecided) {
            return None;
        }
        let reason = match (failed(&places, |_| true), &self.given_up) {
            // A result that comes after the word to end is a result all the same.
            (None, _) if !places.contains(&Place::Undecided) => {
                return Some((TrialEvent::Completed, Reason::BudgetSpent));
            }
            (_, Some(reason)) => reason.clone(),
            (Some(fold), None) => {
                let ended = self.runs[fold].ended.clone();
                ended.unwrap_or(Reason::Error { message: "a fold ended without saying why".into() })
            }
            (None, None) => return None,
        };
        Some((self.end_by(&reason), reason))
    }

    /// How a trial ends whose folds did not all complete.
    pub(super) fn end_by(&self, reason: &Reason) -> TrialEvent {
        let has_failed = |run: &Run| run.outcome == Some(LegOutcome::Failed);
        match reason {
            Reason::ByUser => TrialEvent::Cancelled,
            Reason::TimeLimit if self.state == TrialState::Queued => TrialEvent::Cancelled,
            Reason::TimeLimit | Reason::Outraced { .. } => TrialEvent::Stopped,
            _ if self.runs.iter().any(has_failed) => TrialEvent::Failed,
            _ => TrialEvent::Stopped,
        }
    }
}

impl Active {
    /// Ends a leg for good and tells sampler and stopper.
    pub(super) fn end_leg(&mut self, turn: &mut Turn, id: RunId, event: TrialEvent) {
        let Some(mut open) = self.open.get_mut(id.trial) else { return };
        let (objective, parameter_count) = (&self.row.spec.objective, open.row.parameter_count);
        let number = open.row.number;
        let run = &mut open.runs[id.fold];
        let Some(leg) = run.leg.filter(|_| run.has_leg) else { return };
        let outcome = outcome_of(event);
        (run.has_leg, run.outcome) = (false, Some(outcome));
        let has_population = self.method.has_population();
        let (value, further) = run.worth(objective, parameter_count, outcome, has_population);
        let out_of_memory = matches!(run.ended, Some(Reason::OutOfMemory { alone: true, .. }))
            && outcome == LegOutcome::Failed;
        let end = LegEnd { outcome, value, further: further.clone(), out_of_memory, seq: turn.seq };
        turn.changes.push(Change::LegEnded { leg: leg.id, end });
        self.open_legs.remove(&leg.number);
        let end = Ended { trial: number, until_step: leg.until_step, outcome, value, further };
        self.method.ended(leg.number, FoldEnd { fold: leg.fold, whole: false, out_of_memory, end });
        if event == TrialEvent::Completed && self.method.needs_curves() {
            self.method.completed(leg.number, &run.curve(&objective.metric));
        }
    }
}

/// How a leg ends with what happens to its trial.
pub(super) fn outcome_of(event: TrialEvent) -> LegOutcome {
    match event {
        TrialEvent::Completed => LegOutcome::Completed,
        TrialEvent::Stopped => LegOutcome::Stopped,
        TrialEvent::Failed => LegOutcome::Failed,
        TrialEvent::Paused => LegOutcome::Paused,
        _ => LegOutcome::Cancelled,
    }
}

/// Whether the last step reported is the leg's last.
fn reached_end_of_leg(run: &Run) -> bool {
    run.leg.and_then(|leg| leg.until_step).is_some_and(|until| run.last_step() >= until)
}

/// Every end is recorded with a reason, also where its worker gives none.
fn unexplained(message: &str) -> Option<Reason> {
    Some(Reason::Error { message: message.into() })
}

fn attempt_state(told: TellState, event: TrialEvent) -> AttemptState {
    match (told, event) {
        (_, TrialEvent::Failed) | (TellState::Failed, _) => AttemptState::Failed,
        (TellState::Completed, _) => AttemptState::Completed,
        (TellState::Stopped, _) => AttemptState::Stopped,
        (TellState::Paused, _) => AttemptState::Paused,
    }
}

fn close_attempt(
    turn: &mut Turn,
    run: &mut Run,
    state: AttemptState,
    reason: Option<Reason>,
    tell: Option<String>,
) {
    if let Some(attempt) = run.attempt.take() {
        run.ended.clone_from(&reason);
        let attempt = attempt.row.id;
        turn.changes.push(Change::AttemptClosed { attempt, state, reason, tell, at: turn.now });
    }
}

/// Drops the checkpoints that nothing will go on from: all of a run that spent its budget or was stopped,
/// all but the newest of one that is paused or may be tried again.
fn keep_checkpoints(turn: &mut Turn, run: &mut Run, event: TrialEvent) {
    let kept = match event {
        TrialEvent::Paused | TrialEvent::Failed | TrialEvent::Cancelled => 1,
        _ => 0,
    };
    let dropped = run.checkpoints.split_off(run.checkpoints.len().min(kept));
    turn.changes.extend(dropped.into_iter().map(Change::CheckpointDropped));
}
