//! Judging running trials at their reports, where the stopper does.
//!
//! A stopper's word to end outlives the daemon: it is in the record, with the step and the reason. What was said of
//! a rung is there too, because the reports themselves may be taken back when a worker is lost.

use super::core::{Core, Turn};
use super::state::{Active, Open, ToEnd};
use crate::domain::trial::TrialEvent;
use crate::domain::{Decision, EventKind, Reason, TellState, TrialId, TrialState};
use crate::stopper::Verdict;

impl Core {
    /// What the worker is to do after a step that has just been noted.
    pub(super) fn judge(&mut self, turn: &mut Turn, trial: TrialId, fold: usize, step: u64) -> Decision {
        let Ok(Active { method, open, row, .. }) = self.sweep_of(trial) else { return Decision::Continue };
        let Some(mut guard) = open.get_mut(trial) else { return Decision::Continue };
        let open = &mut *guard;
        if !method.judges() || open.state != TrialState::Running {
            return open.runs[fold].steps.get(&step).map_or(Decision::Continue, |step| step.answer);
        }
        let objective = &row.spec.objective;
        let run = &open.runs[fold];
        let (Some(leg), curve) = (run.leg, run.curve(&objective.metric)) else {
            return Decision::Continue;
        };
        // A step without the metric says nothing.
        if curve.last().is_none_or(|(last, _)| *last != step) {
            return Decision::Continue;
        }
        let attempt = run.attempt.as_ref().map(|attempt| attempt.row.id);
        let (number, at_its_end) = (open.row.number, open.is_spent_at(step));
        let further = open.further(objective);
        loop {
            match method.judge(number, leg.number, at_its_end, (&curve, &further)) {
                Verdict::Nothing => return Decision::Continue,
                Verdict::Passed(reason) => {
                    method.remember(number, leg.number, &reason);
                    turn.record(row.id, Some(trial), attempt, EventKind::TrialPassed, Some(reason));
                }
                Verdict::Stop(reason) => {
                    method.remember(number, leg.number, &reason);
                    Self::move_trial(turn, open, TrialEvent::StopRequested, None);
                    if let Some(step) = open.runs[fold].steps.get_mut(&step) {
                        step.answer = Decision::Stop;
                    }
                    open.to_end = Some(ToEnd { step, reason: reason.clone() });
                    turn.record(row.id, Some(trial), attempt, EventKind::TrialStopping, Some(reason));
                    return Decision::Stop;
                }
            }
        }
    }
}

/// The stopper's reason, where an attempt that ended in `state` ends as stopped by it. A result that comes after
/// the word to end counts all the same; but where the sweep must come out the same whatever the timing
/// (`strict`), nothing that comes after it does.
pub(super) fn stopped_by(open: &Open, state: TellState, strict: bool) -> Option<Reason> {
    let to_end = open.to_end.as_ref()?;
    let obeys = matches!(state, TellState::Stopped | TellState::Paused);
    (obeys || strict).then(|| to_end.reason.clone())
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod judge_test;
