//! Deciding legs: a trial that is given up, a configuration or a fold that waits, a paused trial that goes on, a new
//! trial, or nothing.

use super::core::{Core, Turn};
use super::ending::outcome_of;
use super::feasible::plan_of;
use super::folds::{Doom, FoldEnd};
use super::input::Refusal;
use super::method::Next;
use super::state::{Active, Open, RunId};
use crate::domain::sweep::{Order, SamplerSpec};
use crate::domain::trial::TrialEvent;
use crate::domain::{
    Change, DecidedLeg, EventKind, Leg, LegEnd, NewTrial, Params, Reason, SweepId, SweepState, TrialId,
    TrialState,
};
use crate::stopper::{Ended, Promotion};

impl Core {
    /// Decides legs until one can be worked on; `None` when there is none now, and then the sweep may be over.
    pub(super) fn decide_next(&mut self, turn: &mut Turn, sweep: SweepId) -> Option<RunId> {
        loop {
            let active = self.sweeps.get_mut(&sweep)?;
            if active.row.state != SweepState::Active || !active.may_decide() {
                return None;
            }
            if let Some((trial, doom)) = active.doomed() {
                self.give_up(turn, sweep, trial, doom)?;
                continue;
            }
            match active.next() {
                Next::Waiting(run) => return self.begin_leg(turn, sweep, run, None),
                Next::Promotion(promotion) => {
                    let trial = active.open.numbered(promotion.trial)?;
                    return self.begin_leg(turn, sweep, RunId { trial, fold: 0 }, Some(promotion));
                }
                Next::New(params, reason) => {
                    let trial = self.insert_trial(turn, sweep, params, reason)?;
                    return self.begin_leg(turn, sweep, RunId { trial, fold: 0 }, None);
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
                && active.has_nothing();
            if !idle || !self.skip_leg(turn, sweep) {
                return;
            }
        }
    }

    /// Gives up what need not wait for somebody to ask: trials of which some folds have ended.
    pub(super) fn give_up_doomed(&mut self, turn: &mut Turn, sweep: SweepId) {
        while let Some(active) = self.sweeps.get_mut(&sweep) {
            if active.row.state.is_over() || !active.may_decide() {
                return;
            }
            let Some((trial, doom)) = active.doomed() else { return };
            if self.give_up(turn, sweep, trial, doom).is_none() {
                return;
            }
        }
    }

    /// What is left of a trial's folds is not tried any more. The leg under which that is decided ends with it. Folds
    /// that are worked on are told to end; but not where the sweep must come out the same whatever the timing: there
    /// they would have come to more or less of it.
    fn give_up(&mut self, turn: &mut Turn, sweep: SweepId, trial: TrialId, doom: Doom) -> Option<()> {
        let id = self.next_leg_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let strict = active.row.spec.search.order == Order::Number;
        let mut open = active.open.get_mut(trial)?;
        let reason = match doom {
            Doom::Hopeless(reason) => reason,
            Doom::Fold(fold) => open.runs[fold].ended.clone()?,
        };
        let event = open.end_by(&reason);
        open.given_up = Some(reason.clone());
        let (of, folds, is_worked_on) = (open.row.number, open.runs.len() as u32, open.is_worked_on());
        if is_worked_on && !strict {
            Self::move_trial(turn, &mut open, TrialEvent::StopRequested, None);
        }
        drop(open);
        let (number, seq) = (active.legs, turn.seq);
        let leg = Some(Leg { id, sweep, number, trial, fold: folds, from_step: 0, until_step: None });
        turn.changes.push(Change::LegDecided(DecidedLeg { id, sweep, number, leg, seq }));
        let (value, further) = active.method.mean_of(of);
        let (outcome, out_of_memory) = (outcome_of(event), false);
        let end = LegEnd { outcome, value, further: further.clone(), out_of_memory, seq };
        turn.changes.push(Change::LegEnded { leg: id, end });
        active.legs += 1;
        active.idle_legs = 0;
        active.method.decided(of, None, false);
        active.method.gave_up(of);
        let end = Ended { trial: of, until_step: None, outcome, value, further };
        active.method.ended(number, FoldEnd { fold: folds, whole: true, out_of_memory, end });
        turn.record(sweep, Some(trial), None, EventKind::FoldsGivenUp, Some(reason.clone()));
        if !strict {
            self.drop_waiting_legs(turn, sweep, trial, TrialEvent::Cancelled, &reason);
            if is_worked_on {
                turn.record(sweep, Some(trial), None, EventKind::TrialStopping, Some(reason));
            }
        }
        self.settle(turn, sweep, trial, None);
        Some(())
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

    /// Cuts the next leg of a trial's fold; it then waits to be handed out.
    fn begin_leg(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        run_id: RunId,
        promotion: Option<Promotion>,
    ) -> Option<RunId> {
        let RunId { trial, fold } = run_id;
        let id = self.next_leg_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let mut open = active.open.get_mut(trial)?;
        let of = open.row.number;
        let run = &mut open.runs[fold];
        let from_step = run.checkpoints.first().map_or(run.last_step(), |checkpoint| checkpoint.step);
        let until_step = match &promotion {
            Some(promotion) => Some(promotion.until_step),
            // A trial that is tried again ends where it was to end.
            None => match run.leg.take() {
                Some(earlier) => earlier.until_step,
                None => active.method.first_rung(of),
            },
        };
        let number = active.legs;
        let leg = Leg { id, sweep, number, trial, fold: fold as u32, from_step, until_step };
        (run.leg, run.has_leg, run.outcome) = (Some(leg), true, None);
        run.setbacks.clear();
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
        active.method.decided(of, until_step, false);
        if let Some(promotion) = promotion {
            Self::move_trial(turn, &mut open, TrialEvent::Requeued, None);
            turn.record(sweep, Some(trial), None, EventKind::TrialContinued, Some(promotion.reason));
        }
        drop(open);
        active.drop_heirlooms(turn);
        Some(run_id)
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
        let folds = active.row.spec.objective.runs();
        let plan = plan_of(active.row.spec.objective.kind, &params).ok().flatten();
        let row = NewTrial {
            id,
            sweep,
            number: active.created,
            suggested: reason.clone(),
            parameter_count: plan.as_ref().map(crate::model::Plan::parameter_count),
            budget_steps: plan.as_ref().map(|plan| plan.epochs() * u64::from(folds)),
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
        active.open.insert(Open::new(row, folds));
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
    fn next(&mut self) -> Next<RunId> {
        let waiting = self.open.first_undecided();
        let may_go_on = |number| {
            let trial = self.open.numbered(number).and_then(|trial| self.open.get(trial));
            trial.is_some_and(|trial| trial.state == TrialState::Paused)
        };
        let new = self.may_create().then_some(self.created);
        self.method.next(waiting, &may_go_on, new)
    }

    /// The oldest trial whose remaining folds are not worth trying, as far as the next decision may know.
    fn doomed(&self) -> Option<(TrialId, Doom)> {
        self.open.partial().find_map(|open| {
            let doom = self.method.doom(open.row.number, self.legs, &open.places())?;
            Some((open.row.id, doom))
        })
    }

    /// Whether nothing is left to do or to wait for.
    pub(super) fn is_done(&mut self) -> bool {
        if self.has_open_legs() {
            return false;
        }
        self.has_nothing() && self.method.is_over(self.idle_legs, false)
    }

    /// Whether the next decision comes to nothing.
    fn has_nothing(&mut self) -> bool {
        self.doomed().is_none() && matches!(self.next(), Next::Nothing)
    }
}
