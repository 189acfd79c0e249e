//! Handing out work: which sweep, which trial, to whom.

use super::core::{Core, LEASE_MS, Turn};
use super::feasible::plan_of;
use super::input::{Claimed, Refusal, Reply, Seeker};
use super::state::{Active, Attempt, Open};
use crate::domain::sweep::SamplerSpec;
use crate::domain::trial::TrialEvent;
use crate::domain::{
    Change, EventKind, Leg, NewAttempt, NewTrial, ObjectiveKind, Params, Reason, SweepId, TrialId,
};
use crate::sampler::{self, Ask, Suggestion};
use std::cmp::Reverse;

impl Core {
    /// A worker's slot is free: the most urgent sweep's oldest waiting trial, or a new one.
    pub(super) fn claim(&mut self, turn: &mut Turn, seeker: &Seeker) -> Result<Reply, Refusal> {
        if let Some(again) = self.answered(&seeker.request_id) {
            return Ok(Reply::Work(Box::new(again)));
        }
        self.lose_attempts_of(turn, &seeker.worker, "its worker asked for other work");
        let mut candidates: Vec<SweepId> = self
            .sweeps
            .iter()
            .filter(|(_, sweep)| {
                let kind = sweep.row.spec.objective.kind;
                kind != ObjectiveKind::External && seeker.kinds.contains(&kind)
            })
            .map(|(id, _)| *id)
            .collect();
        candidates.sort_by_key(|id| (Reverse(self.sweeps[id].row.spec.priority), *id));
        for sweep in candidates {
            if let Some(claimed) = self.hand_out(turn, sweep, seeker, Some(LEASE_MS)) {
                return Ok(Reply::Work(Box::new(claimed)));
            }
        }
        Ok(Reply::Nothing)
    }

    /// A client wants a trial of one sweep.
    pub(super) fn ask(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        seeker: &Seeker,
        lease_ms: Option<i64>,
    ) -> Result<Reply, Refusal> {
        if let Some(again) = self.answered(&seeker.request_id) {
            return Ok(Reply::Work(Box::new(again)));
        }
        let active = self.sweeps.get(&sweep).filter(|s| !s.row.state.is_over()).ok_or(Refusal::SweepOver)?;
        if active.row.spec.objective.kind != ObjectiveKind::External {
            return Err(Refusal::NotExternal);
        }
        match self.hand_out(turn, sweep, seeker, lease_ms) {
            Some(claimed) => Ok(Reply::Work(Box::new(claimed))),
            None if self.sweeps.contains_key(&sweep) => Ok(Reply::Nothing),
            None => Err(Refusal::SweepOver),
        }
    }

    /// What the same request was answered, while its attempt is open.
    fn answered(&self, request_id: &str) -> Option<Claimed> {
        self.sweeps.values().find_map(|sweep| {
            let is_it =
                |trial: &&Open| trial.attempt.as_ref().is_some_and(|a| a.row.request_id == request_id);
            sweep.open.values().find(is_it).and_then(|trial| claimed(sweep, trial))
        })
    }

    fn hand_out(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        seeker: &Seeker,
        lease_ms: Option<i64>,
    ) -> Option<Claimed> {
        if !self.sweeps.get(&sweep)?.may_start() {
            return None;
        }
        let trial = match self.sweeps.get(&sweep)?.first_queued() {
            Some(queued) => queued,
            None => self.create_trial(turn, sweep)?,
        };
        self.open_attempt(turn, sweep, trial, seeker, lease_ms)
    }

    /// Asks the sampler for the next trial; `None` when there is none, and then the sweep may be over.
    fn create_trial(&mut self, turn: &mut Turn, sweep: SweepId) -> Option<TrialId> {
        let active = self.sweeps.get_mut(&sweep)?;
        if !active.may_create() {
            return None;
        }
        let kind = active.row.spec.objective.kind;
        let suggestion = active.sampler.suggest(&Ask {
            space: &active.space,
            seed: active.row.spec.seed,
            number: active.created,
            // The samplers at hand look at no observations (`needs_observations`).
            observations: &[],
            feasible: &|params| plan_of(kind, params).map(|_| ()),
        });
        match suggestion {
            Suggestion::Trial { params, reason } => self.insert_trial(turn, sweep, params, reason),
            Suggestion::Exhausted { reason } => {
                active.exhausted = true;
                tracing::info!(sweep = active.row.uid, %reason, "the sampler has no further configuration");
                self.complete_if_done(turn, sweep);
                None
            }
        }
    }

    /// Adds a trial, which then waits to be handed out.
    fn insert_trial(
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
        turn.changes.push(Change::TrialInserted(Box::new(row.clone())));
        turn.record(sweep, Some(id), None, EventKind::TrialSuggested, Some(reason));
        active.open.insert(id, Open::new(row));
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
        if !active.may_create() {
            return Err(Refusal::WrongState("all of the sweep's trials exist already"));
        }
        let kind = active.row.spec.objective.kind;
        let ask = Ask {
            space: &active.space,
            seed: active.row.spec.seed,
            number: active.created,
            observations: &[],
            feasible: &|params| plan_of(kind, params).map(|_| ()),
        };
        let filled = sampler::fill_in(active.sampler.as_ref(), &ask, given);
        let (params, reason) = filled.map_err(Refusal::BadConfiguration)?;
        self.insert_trial(turn, sweep, params, reason);
        Ok(())
    }

    fn open_attempt(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        trial: TrialId,
        seeker: &Seeker,
        lease_ms: Option<i64>,
    ) -> Option<Claimed> {
        let attempt_id = self.next_attempt_id();
        let leg_id = self.next_leg_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let open = active.open.get_mut(&trial)?;
        let leg = match open.leg {
            // A retry keeps its leg.
            Some(leg) => leg,
            None => {
                let number = active.legs;
                active.legs += 1;
                let leg = Leg { id: leg_id, sweep, number, trial, fold: 0, from_step: 0, until_step: None };
                turn.changes.push(Change::LegInserted(leg));
                open.leg = Some(leg);
                leg
            }
        };
        let row = NewAttempt {
            id: attempt_id,
            leg: leg.id,
            trial,
            worker: seeker.worker.clone(),
            slot: seeker.slot.clone(),
            request_id: seeker.request_id.clone(),
            environment: seeker.environment.clone(),
            lease_ms,
            started: turn.now,
        };
        turn.changes.push(Change::AttemptOpened(Box::new(row.clone())));
        let lease_until = lease_ms.map(|lease| turn.now.plus_ms(lease));
        open.attempt = Some(Attempt { row, lease_until, recovered: false });
        Self::move_trial(turn, open, TrialEvent::Started, None::<Reason>);
        turn.record(sweep, Some(trial), Some(attempt_id), EventKind::AttemptStarted, None);
        claimed(active, active.open.get(&trial)?)
    }
}

fn claimed(sweep: &Active, trial: &Open) -> Option<Claimed> {
    let attempt = trial.attempt.as_ref()?;
    Some(Claimed {
        sweep_uid: sweep.row.uid.clone(),
        spec: sweep.row.spec.clone(),
        dataset_hash: sweep.row.origin.dataset_hash.clone(),
        leg: trial.leg?,
        number: trial.row.number,
        attempt: attempt.row.id,
        params: trial.row.params.clone(),
        lease_ms: attempt.row.lease_ms,
    })
}
