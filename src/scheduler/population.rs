//! Population-based training, as decisions: who is replaced ends, its heir begins at a better trial's checkpoint, and
//! such checkpoints are kept for as long as heirs may come.
//!
//! A checkpoint's bytes are a blob, so that an heir's first checkpoint is a row, not a copy. An heir that has none, as
//! its parent's could not be stored, fails when it begins, and is replaced in its turn.

use super::core::{Core, Turn};
use super::method::{Method, Next};
use super::state::{Active, Run, RunId};
use crate::domain::{Change, Checkpoint, Descent, LegOutcome, Objective, Params, Reason, SweepId, TrialId};
use crate::stopper::Succession;

/// A trial that is to take the place of another.
#[derive(Debug)]
pub(super) struct Heir {
    pub descent: Descent,
    pub params: Params,
    /// Why it is suggested.
    pub reason: Reason,
    /// Why the one that it replaces ends; `None` where that has ended already.
    pub ends: Option<Reason>,
}

impl Method {
    /// What the next leg is in a population: see [`Method::next`].
    pub(super) fn next_of_population<T>(
        &mut self,
        may_go_on: &dyn Fn(u64) -> bool,
        new: Option<u64>,
    ) -> Next<T> {
        if let Some(number) = new.filter(|_| self.wants_newcomers())
            && let Some((params, reason)) = self.suggest(number)
        {
            return Next::New(params, reason);
        }
        let Some(stopper) = &self.stopper else { return Next::Nothing };
        if let Some(number) = new
            && let Some(succession) = stopper.succession(may_go_on)
            && let Some(heir) = self.heir(number, succession)
        {
            return Next::Heir(Box::new(heir));
        }
        stopper.promote(new.is_none(), may_go_on).map_or(Next::Nothing, Next::Promotion)
    }

    /// Trial `number`, that takes the place of another.
    fn heir(&self, number: u64, succession: Succession) -> Option<Heir> {
        let Succession { replaces, step, reason: ends, parents } = succession;
        let key = (self.seed(), number);
        let parent = super::explore::parent_of(key, &parents)?;
        let inherited = self.configurations.get(usize::try_from(parent).ok()?)?;
        let feasible = |params: &Params| self.check(params).is_ok();
        let (params, changed) = self.explorer.as_ref()?.explore(&self.space, key, inherited, &feasible);
        let descent = Descent { parent, step, replaces };
        Some(Heir { descent, params, reason: Reason::Inherited { descent, changed }, ends })
    }

    fn wants_newcomers(&self) -> bool {
        self.stopper.as_ref().is_some_and(|stopper| stopper.wants_newcomers())
    }

    /// Whether one more trial that begins anew finds a place in the population, those that wait taken into account.
    pub(super) fn may_begin_anew(&self) -> bool {
        // Of a population the sampler is told how many members there are.
        self.trials().is_none_or(|members| self.configurations.len() as u64 - self.heirs < members)
    }

    /// Whether the sweep trains a population.
    pub(super) fn has_population(&self) -> bool {
        self.explorer.is_some()
    }

    /// An heir was suggested.
    pub(super) fn inherited(&mut self, trial: u64, descent: Descent) {
        self.heirs += 1;
        if let Some(stopper) = &mut self.stopper {
            stopper.inherited(trial, descent);
        }
    }
}

impl Core {
    /// Ends a trial whose place an heir takes, and adds the heir, which then waits to be handed out.
    pub(super) fn succeed(&mut self, turn: &mut Turn, sweep: SweepId, heir: Heir) -> Option<RunId> {
        let Heir { descent, params, reason, ends } = heir;
        let active = self.sweeps.get(&sweep)?;
        let kept = active.heirlooms.get(&(descent.step, descent.parent)).cloned();
        if let (Some(reason), Some(replaced)) = (ends, active.open.numbered(descent.replaces)) {
            self.end_paused(turn, sweep, replaced, reason);
        }
        let trial = self.insert_trial(turn, sweep, params, reason)?;
        if let Some(kept) = kept {
            let active = self.sweeps.get_mut(&sweep)?;
            let checkpoint = Checkpoint { trial, at: turn.now, ..kept };
            active.open.get_mut(trial)?.runs[0].checkpoints.push(checkpoint.clone());
            turn.changes.push(Change::CheckpointStored(checkpoint));
        }
        Some(RunId { trial, fold: 0 })
    }
}

impl Active {
    /// A trial of a population has come to the end of a leg: heirs may go on from there.
    pub(super) fn keep_heirloom(&mut self, turn: &mut Turn, trial: TrialId) {
        if !self.method.has_population() {
            return;
        }
        let Some(open) = self.open.get(trial) else { return };
        let run = &open.runs[0];
        let until = run.leg.and_then(|leg| leg.until_step);
        let Some(kept) = run.checkpoints.first().filter(|kept| Some(kept.step) == until) else { return };
        turn.changes.push(Change::HeirloomKept(kept.clone()));
        self.heirlooms.insert((kept.step, open.row.number), kept.clone());
    }

    /// Drops those checkpoints that no heir will go on from.
    pub(super) fn drop_heirlooms(&mut self, turn: &mut Turn) {
        let method = &self.method;
        // Ends that no decision has been allowed to see may make parents of whoever is not known yet.
        let wanted = |(step, trial): &(u64, u64)| {
            method.is_unseen(*trial, *step)
                || method.stopper.as_ref().is_some_and(|s| s.may_be_parent(*trial, *step))
        };
        for (_, kept) in self.heirlooms.extract_if(.., |key, _| !wanted(key)) {
            turn.changes.push(Change::HeirloomDropped(kept));
        }
    }

    /// Drops them all: the sweep is over.
    pub(super) fn drop_all_heirlooms(&mut self, turn: &mut Turn) {
        let all = std::mem::take(&mut self.heirlooms);
        turn.changes.extend(all.into_values().map(Change::HeirloomDropped));
    }
}

impl Run {
    /// What a leg that ended so is worth: its best so far; in a population, which goes on from where it
    /// stands, what it is worth there.
    pub(super) fn worth(
        &self,
        objective: &Objective,
        parameter_count: Option<u64>,
        outcome: LegOutcome,
        has_population: bool,
    ) -> (Option<f64>, Vec<Option<f64>>) {
        if !(has_population && outcome == LegOutcome::Paused) {
            return (self.best.map(|(_, value)| value), self.further(objective, parameter_count));
        }
        let last = self.steps.last_key_value().map(|(_, step)| &step.metrics);
        let value = last.and_then(|metrics| metrics.get(&objective.metric)).filter(|value| value.is_finite());
        (value, objective.further_values(last, &self.told, parameter_count))
    }
}

#[cfg(test)]
#[path = "population_test.rs"]
mod population_test;
