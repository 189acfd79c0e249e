//! What workers say of their attempts: reports, checkpoints, ends, and silence.

use super::best::{self, look_again, note_end, note_step};
use super::core::{Core, Turn};
use super::input::{Refusal, Reply};
use super::judge;
use super::retry::{self, Setback};
use super::state::{Active, Open, Step};
use super::trials::Guard;
use crate::domain::sweep::Order;
use crate::domain::trial::TrialEvent;
use crate::domain::{
    AttemptId, AttemptState, Change, Checkpoint, Decision, EventKind, LegEnd, LegOutcome, Metrics, Objective,
    Reason, StepReport, SweepId, SweepRow, SweepState, TellState, TrialId, TrialState,
};
use crate::stopper::Ended;

/// Checkpoints that are kept of a trial: the newest, and the one before in case the newest is damaged.
const KEPT_CHECKPOINTS: usize = 2;

/// The end of an attempt, as told.
pub(super) struct Told {
    pub state: TellState,
    pub metrics: Metrics,
    pub reason: Option<Reason>,
    pub weights: Option<String>,
    pub text: String,
}

impl Core {
    /// The worker lives; it learns whether to go on.
    pub(super) fn heartbeat(
        &mut self,
        turn: &Turn,
        trial: TrialId,
        attempt: AttemptId,
    ) -> Result<Reply, Refusal> {
        let (_, mut open) = self.open_trial(trial, attempt)?;
        extend_lease(turn, &mut open);
        Ok(Reply::Decision(decision(&open)))
    }

    /// A step's metrics. The same report again gets the first answer. A later attempt may go back behind what
    /// an earlier one reported: what comes after does not count any more.
    pub(super) fn report(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
        metrics: Metrics,
    ) -> Result<Reply, Refusal> {
        let (row, mut guard) = self.open_trial(trial, attempt)?;
        let (objective, open) = (&row.spec.objective, &mut *guard);
        extend_lease(turn, open);
        let last = open.last_step();
        match open.steps.get(&step) {
            Some(first) if first.attempt == attempt => {
                let same = first.metrics.same(&metrics);
                return if same {
                    Ok(Reply::Decision(first.answer))
                } else {
                    Err(Refusal::StepDiffers { step })
                };
            }
            _ if step <= open.first_step() => return Err(Refusal::StepBackwards { step, last }),
            _ if step <= last => {
                let own = open.steps.range(step..).any(|(_, later)| later.attempt == attempt);
                if own {
                    return Err(Refusal::StepBackwards { step, last });
                }
                discard_after(turn, open, step - 1, objective);
                // It went back because it could not go on from these; whoever comes next would miss the steps
                // in between.
                drop_checkpoints(turn, open, |checkpoint| checkpoint.step >= step);
            }
            _ => {}
        }
        let answer = decision(open);
        let fold = open.leg.map_or(0, |leg| leg.fold);
        let report =
            StepReport { trial, fold, step, attempt, seq: turn.seq, at: turn.now, metrics: metrics.clone() };
        turn.changes.push(Change::Reported(Box::new(report)));
        open.steps.insert(step, Step { metrics, attempt, answer });
        note_step(turn, open, objective, step);
        drop(guard);
        Ok(Reply::Decision(self.judge(turn, trial, step)))
    }

    /// A checkpoint is stored: the oldest beyond those kept goes.
    pub(super) fn checkpoint(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
        hash: String,
        bytes: u64,
    ) -> Result<Reply, Refusal> {
        let (_, mut guard) = self.open_trial(trial, attempt)?;
        let open = &mut *guard;
        extend_lease(turn, open);
        let fold = open.leg.map_or(0, |leg| leg.fold);
        let checkpoint = Checkpoint { trial, fold, step, attempt, hash, bytes, at: turn.now };
        // A repeat, maybe one that comes after its successors: an attempt's steps only grow.
        let repeated = |known: &Checkpoint| {
            let same = known.step == step && known.hash == checkpoint.hash;
            known.attempt == attempt && (known.step > step || same)
        };
        if open.checkpoints.first().is_some_and(repeated) {
            return Ok(Reply::Done);
        }
        // Another one of the same step, or of later ones by an attempt that had gone on from elsewhere.
        drop_checkpoints(turn, open, |known| known.step >= step);
        let surplus = open.checkpoints.split_off(open.checkpoints.len().min(KEPT_CHECKPOINTS - 1));
        turn.changes.extend(surplus.into_iter().map(Change::CheckpointDropped));
        turn.changes.push(Change::CheckpointStored(checkpoint.clone()));
        open.checkpoints.insert(0, checkpoint);
        Ok(Reply::Done)
    }

    /// An attempt ended.
    pub(super) fn tell(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        told: Told,
    ) -> Result<Reply, Refusal> {
        let (row, mut open) = self.open_trial(trial, attempt)?;
        let (sweep, objective) = (row.id, &row.spec.objective);
        let (cancelled, out_of_memory) = (row.state == SweepState::Cancelled, objective.out_of_memory);
        let strict = row.spec.search.order == Order::Number;
        let (mut event, mut reason) = match (told.state, open.state) {
            (TellState::Completed, _) => (TrialEvent::Completed, told.reason.or(Some(Reason::BudgetSpent))),
            (TellState::Failed, _) => {
                (TrialEvent::Failed, told.reason.or_else(|| unexplained("it failed without saying why")))
            }
            // It was told to end: because the user cancelled it, or because the sweep's time is up.
            (TellState::Stopped | TellState::Paused, TrialState::Stopping) if cancelled => {
                (TrialEvent::Cancelled, Some(Reason::ByUser))
            }
            (TellState::Stopped | TellState::Paused, TrialState::Stopping) => {
                (TrialEvent::Stopped, Some(Reason::TimeLimit))
            }
            (TellState::Stopped, _) => {
                let reason = told.reason.or_else(|| unexplained("it ended early without saying why"));
                (TrialEvent::Stopped, reason)
            }
            // One that was asked to end may have its whole budget behind it: whoever goes on will say so.
            (TellState::Paused, _) if told.reason == Some(Reason::DaemonStopped) => {
                (TrialEvent::Requeued, told.reason)
            }
            (TellState::Paused, _) if reached_end_of_leg(&open) => {
                (TrialEvent::Paused, Some(Reason::LegEnded { step: open.last_step() }))
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
            && let Err(metric) = note_end(turn, &mut open, objective, told.metrics)
        {
            (event, reason) = (TrialEvent::Failed, Some(Reason::NoValue { metric }));
        }
        // They may be of a step that does not count.
        if let Some(hash) = told.weights.filter(|_| !late_weights) {
            turn.changes.push(Change::WeightsStored { trial, hash });
        }
        let state = attempt_state(told.state, event);
        let slot = open.attempt.as_ref().map(|attempt| attempt.row.slot.clone()).unwrap_or_default();
        drop(open);
        let shares_device = event == TrialEvent::Failed && self.shares_device(&slot);
        let (_, mut guard) = self.open_trial(trial, attempt)?;
        let open = &mut *guard;
        close_attempt(turn, open, state, reason.clone(), Some(told.text));
        if let (TrialEvent::Failed, Some(reason), TrialState::Running) = (event, &reason, open.state)
            && retry::after_setback(turn, open, &Setback { reason, shares_device, out_of_memory })
        {
            event = TrialEvent::Requeued;
        }
        drop(guard);
        self.end_attempt(turn, sweep, trial, event, reason, Some(attempt));
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
            sweep.open.of_worker(worker).map(|trial| (*id, trial)).collect::<Vec<_>>()
        };
        let lost: Vec<(SweepId, TrialId)> = self.sweeps.iter().flat_map(of_sweep).collect();
        for (sweep, trial) in &lost {
            self.lose(turn, *sweep, *trial, how);
        }
        !lost.is_empty()
    }

    /// Takes one trial's attempt back.
    pub(super) fn lose(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId, how: &str) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let cancelled = active.row.state == SweepState::Cancelled;
        let out_of_memory = active.row.spec.objective.out_of_memory;
        let Some(mut guard) = active.open.get_mut(trial) else { return };
        let open = &mut *guard;
        let Some(attempt) = open.attempt.as_ref() else { return };
        let (id, recovered) = (attempt.row.id, attempt.recovered);
        let lost = Reason::WorkerLost { how: how.to_owned() };
        // Not the trial's doing where the daemon's end took the worker along.
        let noted = if recovered { Reason::DaemonStopped } else { lost.clone() };
        close_attempt(turn, open, AttemptState::Lost, Some(noted), None);
        let stopping = open.state == TrialState::Stopping;
        let judged = judge::stopped_by(open, TellState::Stopped, true);
        let (event, reason) = match (stopping, cancelled) {
            _ if judged.is_some() => (TrialEvent::Stopped, judged),
            (true, true) => (TrialEvent::Cancelled, Some(Reason::ByUser)),
            (true, false) => (TrialEvent::Stopped, Some(Reason::TimeLimit)),
            (false, _) => {
                let setback = Setback { reason: &lost, shares_device: false, out_of_memory };
                let again = recovered || retry::after_setback(turn, open, &setback);
                (if again { TrialEvent::Requeued } else { TrialEvent::Failed }, Some(lost))
            }
        };
        drop(guard);
        self.end_attempt(turn, sweep, trial, event, reason, Some(id));
    }

    /// Moves a trial whose attempt has just ended, and ends its leg unless it is to be tried again.
    pub(super) fn end_attempt(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        event: TrialEvent,
        reason: Option<Reason>,
        attempt: Option<AttemptId>,
    ) {
        let Some(active) = self.sweeps.get_mut(&sweep) else { return };
        let objective = &active.row.spec.objective;
        let strict = active.row.spec.search.order == Order::Number;
        let Some(mut guard) = active.open.get_mut(trial) else { return };
        let open = &mut *guard;
        let goes_on = matches!(event, TrialEvent::Requeued | TrialEvent::Paused);
        let ended = if goes_on { None } else { reason.clone() };
        if !Self::move_trial(turn, open, event, ended) {
            return;
        }
        let kind = match event {
            TrialEvent::Completed => EventKind::TrialCompleted,
            TrialEvent::Stopped => EventKind::TrialStopped,
            TrialEvent::Failed => EventKind::TrialFailed,
            TrialEvent::Cancelled => EventKind::TrialCancelled,
            TrialEvent::Paused => EventKind::TrialPaused,
            _ => EventKind::TrialRequeued,
        };
        // What came after the stopper's word came by the timing of the answer.
        let last = open.to_end.as_ref().map(|to_end| to_end.step);
        if let (Some(last), TrialEvent::Stopped, true) = (last, event, strict) {
            discard_after(turn, open, last, objective);
        }
        if event == TrialEvent::Requeued {
            let from = open.leg.map_or(0, |leg| leg.from_step);
            let from = open.checkpoints.first().map_or(from, |checkpoint| checkpoint.step);
            discard_after(turn, open, from, objective);
        } else {
            keep_checkpoints(turn, open, event);
            if !goes_on {
                best::value(turn, sweep, open, objective, event == TrialEvent::Completed);
            }
        }
        drop(guard);
        turn.record(sweep, Some(trial), attempt, kind, reason);
        if event != TrialEvent::Requeued {
            active.end_leg(turn, trial, event);
        }
        if event == TrialEvent::Paused {
            active.keep_heirloom(turn, trial);
        }
        self.forget_if_over(turn, sweep, trial);
    }

    /// Ends a paused trial of a sweep that is over.
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
        let Some(mut guard) = active.open.get_mut(trial) else { return };
        let open = &mut *guard;
        let (event, kind) = match open.state {
            TrialState::Paused => (TrialEvent::Stopped, EventKind::TrialStopped),
            TrialState::Queued => (TrialEvent::Cancelled, EventKind::TrialCancelled),
            _ => return,
        };
        Self::move_trial(turn, open, event, Some(reason.clone()));
        keep_checkpoints(turn, open, event);
        best::value(turn, sweep, open, &active.row.spec.objective, false);
        drop(guard);
        turn.record(sweep, Some(trial), None, kind, Some(reason));
        active.open.remove(trial);
        self.home.remove(&trial);
    }

    pub(super) fn sweep_of(&mut self, trial: TrialId) -> Result<&mut Active, Refusal> {
        let sweep = self.home.get(&trial).ok_or(Refusal::NotOpen)?;
        self.sweeps.get_mut(sweep).ok_or(Refusal::NotOpen)
    }

    /// The trial and its sweep, if `attempt` is its open attempt: the fence against everything older.
    fn open_trial(&mut self, trial: TrialId, attempt: AttemptId) -> Result<(&SweepRow, Guard<'_>), Refusal> {
        let Active { row, open, .. } = self.sweep_of(trial)?;
        let open = open.get_mut(trial).ok_or(Refusal::NotOpen)?;
        match &open.attempt {
            Some(current) if current.row.id == attempt => Ok((row, open)),
            Some(_) => Err(Refusal::StaleAttempt { attempt }),
            None => Err(Refusal::NotOpen),
        }
    }
}

impl Active {
    /// Ends a trial's leg for good and tells the stopper.
    pub(super) fn end_leg(&mut self, turn: &mut Turn, trial: TrialId, event: TrialEvent) {
        let Some(mut open) = self.open.get_mut(trial) else { return };
        let Some(leg) = open.leg.filter(|_| open.has_leg) else { return };
        open.has_leg = false;
        let outcome = match event {
            TrialEvent::Completed => LegOutcome::Completed,
            TrialEvent::Stopped => LegOutcome::Stopped,
            TrialEvent::Failed => LegOutcome::Failed,
            TrialEvent::Paused => LegOutcome::Paused,
            _ => LegOutcome::Cancelled,
        };
        let has_population = self.method.has_population();
        let (value, further) = open.worth(&self.row.spec.objective, outcome, has_population);
        let end = LegEnd { outcome, value, further: further.clone(), seq: turn.seq };
        turn.changes.push(Change::LegEnded { leg: leg.id, end });
        self.open_legs.remove(&leg.number);
        let (trial, until_step) = (open.row.number, leg.until_step);
        self.method.ended(leg.number, Ended { trial, until_step, outcome, value, further });
        if event == TrialEvent::Completed && self.method.needs_curves() {
            self.method.completed(leg.number, &open.curve(&self.row.spec.objective.metric));
        }
    }
}

/// Whether the last step reported is the leg's last.
fn reached_end_of_leg(trial: &Open) -> bool {
    trial.leg.and_then(|leg| leg.until_step).is_some_and(|until| trial.last_step() >= until)
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

fn decision(trial: &Open) -> Decision {
    match trial.state {
        TrialState::Stopping => Decision::Stop,
        _ => Decision::Continue,
    }
}

fn extend_lease(turn: &Turn, trial: &mut Open) {
    if let Some(attempt) = &mut trial.attempt {
        attempt.lease_until = attempt.row.lease_ms.map(|lease| turn.now.plus_ms(lease));
        // Heard of under this daemon: from here on its end is its own.
        attempt.recovered = false;
    }
}

fn close_attempt(
    turn: &mut Turn,
    trial: &mut Open,
    state: AttemptState,
    reason: Option<Reason>,
    tell: Option<String>,
) {
    if let Some(attempt) = trial.attempt.take() {
        let attempt = attempt.row.id;
        turn.changes.push(Change::AttemptClosed { attempt, state, reason, tell, at: turn.now });
    }
}

/// What was reported after a step does not count any more: the trial is trained again from there.
fn discard_after(turn: &mut Turn, trial: &mut Open, after_step: u64, objective: &Objective) {
    if trial.last_step() <= after_step {
        return;
    }
    trial.steps.split_off(&(after_step + 1));
    let (id, fold) = (trial.row.id, trial.leg.map_or(0, |leg| leg.fold));
    turn.changes.push(Change::ReportsDiscarded { trial: id, fold, after_step });
    if trial.best.is_none_or(|(step, _)| step <= after_step) {
        return;
    }
    look_again(turn, trial, objective);
}

/// Drops some of a trial's checkpoints.
fn drop_checkpoints(turn: &mut Turn, trial: &mut Open, unwanted: impl Fn(&Checkpoint) -> bool) {
    let known = std::mem::take(&mut trial.checkpoints);
    let (dropped, kept): (Vec<_>, Vec<_>) = known.into_iter().partition(unwanted);
    trial.checkpoints = kept;
    turn.changes.extend(dropped.into_iter().map(Change::CheckpointDropped));
}

/// Drops the checkpoints that nothing will go on from: all of a trial that spent its budget or was stopped,
/// all but the newest of one that is paused or may be tried again.
fn keep_checkpoints(turn: &mut Turn, trial: &mut Open, event: TrialEvent) {
    let kept = match event {
        TrialEvent::Paused | TrialEvent::Failed | TrialEvent::Cancelled => 1,
        _ => 0,
    };
    let dropped = trial.checkpoints.split_off(trial.checkpoints.len().min(kept));
    turn.changes.extend(dropped.into_iter().map(Change::CheckpointDropped));
}
