//! What workers say of their attempts: reports, ends, and silence.

use super::core::{Core, Turn};
use super::input::{Refusal, Reply};
use super::state::{Active, Attempt, Open};
use crate::domain::trial::TrialEvent;
use crate::domain::{
    AttemptId, AttemptState, Change, Decision, EventKind, Metrics, Reason, StepReport, SweepId, TellState,
    TrialId, TrialState,
};

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
        let (_, open) = self.open_trial(trial, attempt)?;
        extend_lease(turn, open);
        Ok(Reply::Decision(decision(open)))
    }

    /// A step's metrics. The same report again gets the first answer.
    pub(super) fn report(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        step: u64,
        metrics: Metrics,
    ) -> Result<Reply, Refusal> {
        let objective = self.objective_of(trial)?;
        let (_, open) = self.open_trial(trial, attempt)?;
        extend_lease(turn, open);
        if let Some((first, answer)) = open.steps.get(&step) {
            let same = first.same(&metrics);
            return if same { Ok(Reply::Decision(*answer)) } else { Err(Refusal::StepDiffers { step }) };
        }
        let last = open.steps.last_key_value().map_or(0, |(last, _)| *last);
        if step <= last {
            return Err(Refusal::StepBackwards { step, last });
        }
        let answer = decision(open);
        let fold = open.leg.map_or(0, |leg| leg.fold);
        let report =
            StepReport { trial, fold, step, attempt, seq: turn.seq, at: turn.now, metrics: metrics.clone() };
        turn.changes.push(Change::Reported(Box::new(report)));
        if let Some(value) = metrics.get(&objective.0).filter(|value| value.is_finite()) {
            if open.best.is_none_or(|(_, best)| objective.1.better(value, best)) {
                open.best = Some((step, value));
                turn.changes.push(Change::BestMoved { trial, step, value });
            }
        }
        open.steps.insert(step, (metrics, answer));
        Ok(Reply::Decision(answer))
    }

    /// An attempt ended.
    pub(super) fn tell(
        &mut self,
        turn: &mut Turn,
        trial: TrialId,
        attempt: AttemptId,
        told: Told,
    ) -> Result<Reply, Refusal> {
        let (metric, _) = self.objective_of(trial)?;
        let (sweep, open) = self.open_trial(trial, attempt)?;
        let (event, mut reason) = match (told.state, open.state) {
            (TellState::Completed, _) => (TrialEvent::Completed, told.reason.or(Some(Reason::BudgetSpent))),
            (TellState::Failed, _) => (TrialEvent::Failed, Some(told.reason.unwrap_or_else(unexplained))),
            // It was told to end because the user cancelled it.
            (TellState::Stopped | TellState::Paused, TrialState::Stopping) => {
                (TrialEvent::Cancelled, Some(Reason::ByUser))
            }
            (TellState::Stopped, _) => (TrialEvent::Stopped, told.reason),
            (TellState::Paused, _) => (TrialEvent::Requeued, told.reason),
        };
        let mut event = event;
        if event == TrialEvent::Completed && open.best.is_none() {
            match told.metrics.get(&metric).filter(|value| value.is_finite()) {
                // A client that reports no steps: its one value counts as of no step.
                Some(value) => {
                    open.best = Some((0, value));
                    turn.changes.push(Change::BestMoved { trial, step: 0, value });
                }
                None => {
                    event = TrialEvent::Failed;
                    let message = format!("it completed without a finite value of {metric:?}");
                    reason = Some(Reason::Error { message });
                }
            }
        }
        if let Some(hash) = told.weights {
            turn.changes.push(Change::WeightsStored { trial, hash });
        }
        let state = attempt_state(told.state, event);
        close_attempt(turn, open, state, reason.clone(), Some(told.text));
        self.end_leg(turn, sweep, trial, event, reason, Some(attempt));
        Ok(Reply::Done)
    }

    /// A worker process ended.
    pub(super) fn worker_gone(&mut self, turn: &mut Turn, worker: &str, how: &str) -> Result<Reply, Refusal> {
        self.lose_attempts_of(turn, worker, how);
        Ok(Reply::Done)
    }

    /// Takes back what has not been heard of for too long.
    pub(super) fn expire_leases(&mut self, turn: &mut Turn) -> Result<Reply, Refusal> {
        let silent = |a: &Attempt| a.lease_until.is_some_and(|until| until <= turn.now);
        for (sweep, trial) in self.trials_whose_attempt(silent) {
            self.lose(turn, sweep, trial, "it was silent for too long");
        }
        Ok(Reply::Done)
    }

    /// Takes back whatever that worker has.
    pub(super) fn lose_attempts_of(&mut self, turn: &mut Turn, worker: &str, how: &str) {
        for (sweep, trial) in self.trials_whose_attempt(|attempt| attempt.row.worker == worker) {
            self.lose(turn, sweep, trial, how);
        }
    }

    fn trials_whose_attempt(&self, wanted: impl Fn(&Attempt) -> bool) -> Vec<(SweepId, TrialId)> {
        let mut found = Vec::new();
        for (sweep, active) in &self.sweeps {
            let trials = active.open.iter().filter(|(_, t)| t.attempt.as_ref().is_some_and(&wanted));
            found.extend(trials.map(|(trial, _)| (*sweep, *trial)));
        }
        found
    }

    /// Takes one trial's attempt back.
    pub(super) fn lose(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId, how: &str) {
        let Some(open) = self.sweeps.get_mut(&sweep).and_then(|s| s.open.get_mut(&trial)) else { return };
        let Some(attempt) = open.attempt.as_ref() else { return };
        let (id, recovered) = (attempt.row.id, attempt.recovered);
        let lost = Reason::WorkerLost { how: how.to_owned() };
        close_attempt(turn, open, AttemptState::Lost, Some(lost.clone()), None);
        let (event, reason) = match open.state {
            TrialState::Stopping => (TrialEvent::Cancelled, Reason::ByUser),
            // Not the trial's doing: the daemon's end took the worker along.
            _ if recovered => (TrialEvent::Requeued, lost),
            _ => (TrialEvent::Failed, lost),
        };
        self.end_leg(turn, sweep, trial, event, Some(reason), Some(id));
    }

    /// Moves a trial whose attempt has just ended, and records why.
    fn end_leg(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        event: TrialEvent,
        reason: Option<Reason>,
        attempt: Option<AttemptId>,
    ) {
        let Some(open) = self.sweeps.get_mut(&sweep).and_then(|s| s.open.get_mut(&trial)) else { return };
        let requeued = event == TrialEvent::Requeued;
        let ended = if requeued { None } else { reason.clone() };
        if !Self::move_trial(turn, open, event, ended) {
            return;
        }
        if requeued {
            rewind(turn, open);
        } else if let Some((step, value)) = open.best {
            let ranked = event == TrialEvent::Completed;
            turn.changes.push(Change::Valued { sweep, trial, objective: 0, step, value, ranked });
        }
        let kind = match event {
            TrialEvent::Completed => EventKind::TrialCompleted,
            TrialEvent::Stopped => EventKind::TrialStopped,
            TrialEvent::Failed => EventKind::TrialFailed,
            TrialEvent::Cancelled => EventKind::TrialCancelled,
            _ => EventKind::TrialRequeued,
        };
        turn.record(sweep, Some(trial), attempt, kind, reason);
        self.forget_if_over(turn, sweep, trial);
    }

    fn sweep_of(&mut self, trial: TrialId) -> Result<&mut Active, Refusal> {
        let sweep = self.home.get(&trial).ok_or(Refusal::NotOpen)?;
        self.sweeps.get_mut(sweep).ok_or(Refusal::NotOpen)
    }

    fn objective_of(&mut self, trial: TrialId) -> Result<(String, crate::domain::Direction), Refusal> {
        let objective = &self.sweep_of(trial)?.row.spec.objective;
        Ok((objective.metric.clone(), objective.direction))
    }

    /// The trial, if `attempt` is its open attempt: the fence against everything older.
    fn open_trial(&mut self, trial: TrialId, attempt: AttemptId) -> Result<(SweepId, &mut Open), Refusal> {
        let active = self.sweep_of(trial)?;
        let sweep = active.row.id;
        let open = active.open.get_mut(&trial).ok_or(Refusal::NotOpen)?;
        match &open.attempt {
            Some(current) if current.row.id == attempt => Ok((sweep, open)),
            Some(_) => Err(Refusal::StaleAttempt { attempt }),
            None => Err(Refusal::NotOpen),
        }
    }
}

fn unexplained() -> Reason {
    Reason::Error { message: "it failed without saying why".into() }
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

/// The leg starts again where it began: what was reported after that does not count any more.
fn rewind(turn: &mut Turn, trial: &mut Open) {
    let Some(leg) = trial.leg else { return };
    trial.steps.split_off(&(leg.from_step + 1));
    if trial.best.is_some_and(|(step, _)| step > leg.from_step) {
        trial.best = None;
    }
    let (trial, fold, after_step) = (trial.row.id, leg.fold, leg.from_step);
    turn.changes.push(Change::ReportsDiscarded { trial, fold, after_step });
}
