//! Deciding legs: a configuration that waits, a paused trial that goes on, a new trial, or nothing.

use super::core::{Core, Turn};
use super::feasible::plan_of;
use super::input::Refusal;
use super::method::Next;
use super::state::{Active, Open};
use crate::domain::sweep::SamplerSpec;
use crate::domain::trial::TrialEvent;
use crate::domain::{
    Change, DecidedLeg, EventKind, Leg, NewTrial, Params, Reason, SweepId, SweepState, TrialId, TrialState,
};
use crate::stopper::Promotion;

impl Core {
    /// Decides legs until one can be worked on; `None` when there is none now, and then the sweep may be over.
    pub(super) fn decide_next(&mut self, turn: &mut Turn, sweep: SweepId) -> Option<TrialId> {
        loop {
            let active = self.sweeps.get_mut(&sweep)?;
            if active.row.state != SweepState::Active || !active.may_decide() {
                return None;
            }
            match active.next() {
                Next::Waiting(trial) => return self.begin_leg(turn, sweep, trial, None),
                Next::Promotion(promotion) => {
                    let trial = active.open.numbered(promotion.trial)?;
                    return self.begin_leg(turn, sweep, trial, Some(promotion));
                }
                Next::New(params, reason) => {
                    let trial = self.insert_trial(turn, sweep, params, reason)?;
                    return self.begin_leg(turn, sweep, trial, None);
                }
                Next::Heir(heir) => {
                    let trial = self.succeed(turn, sweep, *heir)?;
                    return self.begin_leg(turn, sweep, trial, None);
                }
                Next::Copy(params, reason, known) => {
                    self.copy_result(turn, sweep, (params, reason), known)?;
                }
                Next::Nothing => {
                    if !self.skip_leg(turn, sweep) {
                        self.complete_if_done(turn, sweep);
                        return None;
                    }
                }
            }
        }
    }

    /// Where legs are counted, lets numbers that come to nothing pass, so that a sweep ends with its last
    /// report and not with the next question.
    pub(super) fn skip_idle_legs(&mut self, turn: &mut Turn, sweep: SweepId) {
        while let Some(active) = self.sweeps.get_mut(&sweep) {
            let idle = active.row.state == SweepState::Active
                && active.method.counts_idle_legs()
                && active.may_decide()
                && matches!(active.next(), Next::Nothing);
            if !idle || !self.skip_leg(turn, sweep) {
                return;
            }
        }
    }

    /// Lets a leg number come to nothing; `false` where numbers do not count, or enough have passed.
    fn skip_leg(&mut self, turn: &mut Turn, sweep: SweepId) -> bool {
        let id = self.next_leg_id();
        let Some(active) = self.sweeps.get_mut(&sweep) else { return false };
        if !active.method.counts_idle_legs() || active.method.is_over(active.idle_legs, true) {
            self.last.leg -= 1;
            return false;
        }
        let number = active.legs;
        active.legs += 1;
        active.idle_legs += 1;
        turn.changes.push(Change::LegDecided(DecidedLeg { id, sweep, number, leg: None, seq: turn.seq }));
        turn.record(sweep, None, None, EventKind::NothingToDo, None);
        true
    }

    /// Cuts a trial's next leg; it then waits to be handed out.
    fn begin_leg(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        promotion: Option<Promotion>,
    ) -> Option<TrialId> {
        let id = self.next_leg_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let mut open = active.open.get_mut(trial)?;
        let from_step = open.checkpoints.first().map_or(open.last_step(), |checkpoint| checkpoint.step);
        let until_step = match &promotion {
            Some(promotion) => Some(promotion.until_step),
            // A trial that is tried again ends where it was to end.
            None => match open.leg.take() {
                Some(earlier) => earlier.until_step,
                None => active.method.first_rung(open.row.number),
            },
        };
        let number = active.legs;
        let leg = Leg { id, sweep, number, trial, fold: 0, from_step, until_step };
        turn.changes.push(Change::LegDecided(DecidedLeg {
            id,
            sweep,
            number,
            leg: Some(leg),
            seq: turn.seq,
        }));
        active.legs += 1;
        active.idle_legs = 0;
        active.open_legs.insert(number);
        active.method.decided(open.row.number, until_step, false);
        (open.leg, open.has_leg) = (Some(leg), true);
        open.setbacks.clear();
        if let Some(promotion) = promotion {
            Self::move_trial(turn, &mut open, TrialEvent::Requeued, None);
            turn.record(sweep, Some(trial), None, EventKind::TrialContinued, Some(promotion.reason));
        }
        drop(open);
        active.drop_heirlooms(turn);
        Some(trial)
    }

    /// Adds a trial, which then waits to be handed out.
    pub(super) fn insert_trial(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        params: Params,
        reason: Reason,
    ) -> Option<TrialId> {
        let id = self.next_trial_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let plan = plan_of(active.row.spec.objective.kind, &params).ok().flatten();
        let row = NewTrial {
            id,
            sweep,
            number: active.created,
            suggested: reason.clone(),
            parameter_count: plan.as_ref().map(crate::model::Plan::parameter_count),
            budget_steps: plan.as_ref().map(crate::model::Plan::epochs),
            params,
            created: turn.now,
        };
        active.created += 1;
        active.method.suggested(&row.params);
        if let Some(descent) = row.suggested.descent() {
            active.method.inherited(row.number, descent);
        }
        turn.changes.push(Change::TrialInserted(Box::new(row.clone())));
        turn.record(sweep, Some(id), None, EventKind::TrialSuggested, Some(reason));
        active.open.insert(Open::new(row));
        self.home.insert(id, sweep);
        Some(id)
    }

    /// A configuration that the user asks for becomes the next trial: it waits before any that the sampler
    /// has not suggested yet, and there is one of it, however many workers ask.
    pub(super) fn enqueue(&mut self, turn: &mut Turn, sweep: SweepId, given: &Params) -> Result<(), Refusal> {
        let active = self.sweeps.get(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        if matches!(active.row.spec.search.sampler, SamplerSpec::Grid { .. }) {
            return Err(Refusal::WrongState("a grid visits every combination in its own order"));
        }
        if active.returns_to.is_some() {
            return Err(Refusal::WrongState("it had ended, and is open for what is retried alone"));
        }
        if !active.may_create() {
            return Err(Refusal::WrongState("all of the sweep's trials exist already"));
        }
        if active.method.has_population() && !active.method.may_begin_anew() {
            return Err(Refusal::WrongState("its population is complete: only heirs come to it now"));
        }
        let filled = active.method.fill_in(active.created, given);
        let (params, reason) = filled.map_err(Refusal::BadConfiguration)?;
        self.insert_trial(turn, sweep, params, reason);
        Ok(())
    }
}

impl Active {
    /// Whether the next leg may be decided now, with what may be seen then shown to the stopper.
    pub(super) fn may_decide(&mut self) -> bool {
        let may = self.method.may_decide(self.legs, self.open_legs.first().copied());
        if may {
            self.method.show_for(self.legs);
        }
        may
    }

    /// What the next leg would be.
    fn next(&mut self) -> Next<TrialId> {
        let waiting = self.open.first_undecided();
        let may_go_on = |number| {
            let trial = self.open.numbered(number).and_then(|trial| self.open.get(trial));
            trial.is_some_and(|trial| trial.state == TrialState::Paused)
        };
        let new = self.may_create().then_some(self.created);
        self.method.next(waiting, &may_go_on, new)
    }

    /// Whether nothing is left to do or to wait for.
    pub(super) fn is_done(&mut self) -> bool {
        if self.has_open_legs() {
            return false;
        }
        matches!(self.next(), Next::Nothing) && self.method.is_over(self.idle_legs, false)
    }
}
