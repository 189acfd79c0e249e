//! A sweep goes on with another space: the user's word, and what follows from it.
//!
//! The new terms count from the next leg on. Sampler and stopper begin anew with all that is stored, just as after a
//! restart, and so see the past in the new space. Trials that exist go on, whatever their configuration.

use super::core::{Core, Turn};
use super::input::{Refusal, Reply};
use super::method::Method;
use crate::domain::recovery::OpenSweep;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{Change, EventKind, Millis, PastTerms, Reason, SweepRow, SweepState, Terms};

impl Core {
    /// Other terms take the place of a sweep's. One that had completed is active again.
    pub(super) fn edit(
        &mut self,
        turn: &mut Turn,
        mut stored: OpenSweep,
        terms: Terms,
        source: String,
    ) -> Result<Reply, Refusal> {
        let (sweep, leg, before) = (stored.row.id, stored.past.legs, stored.row.spec.terms());
        let changes: Vec<String> = before.alterations(&terms).iter().map(ToString::to_string).collect();
        if changes.is_empty() {
            return Ok(Reply::Done);
        }
        self.may_edit(turn.now, &stored.row, stored.trials, &terms)?;
        let spec = stored.row.spec.with_terms(terms);
        let past = PastTerms { terms: before, until_leg: leg, seq: turn.seq };
        stored.past.terms.push(past.clone());
        let version = u32::try_from(stored.past.terms.len()).unwrap_or(u32::MAX);
        stored.row.spec = spec.clone();
        let from = stored.row.state;
        let invalid = Refusal::WrongState("the sweep's new space is not valid");
        match self.sweeps.get_mut(&sweep) {
            Some(active) => {
                // Whoever edits has checked the space; this is the last line of defence.
                active.method = Method::new(&spec, &stored.past).map_err(|_| invalid)?;
                active.method.learn(&stored.past);
                active.row.spec = spec.clone();
            }
            None => {
                stored.row.state = SweepState::Active;
                self.adopt(stored, turn.now, 0).map_err(|_| invalid)?;
                turn.changes.push(Change::SweepMoved { sweep, from, to: SweepState::Active, at: turn.now });
            }
        }
        let (past, spec) = (Box::new(past), Box::new(spec));
        turn.changes.push(Change::SweepEdited { sweep, version, past, spec, source, at: turn.now });
        turn.record(
            sweep,
            None,
            None,
            EventKind::SweepEdited,
            Some(Reason::Edited { version, leg, changes }),
        );
        self.complete_if_done(turn, sweep);
        Ok(Reply::Done)
    }

    /// Whether other terms may take the place of those of a sweep that has so many trials. Changes nothing.
    pub(super) fn may_edit(
        &self,
        now: Millis,
        stored: &SweepRow,
        trials: u64,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        let active = self.sweeps.get(&stored.id);
        let state = active.map_or(stored.state, |active| active.row.state);
        let time_is_up = |at| at <= now;
        if state == SweepState::Cancelled {
            return Err(Refusal::WrongState("it was cancelled: submit it as a new sweep, with warm_start"));
        }
        if active.is_some_and(|active| active.returns_to.is_some()) {
            return Err(Refusal::WrongState("it had ended, and is open for what is retried alone"));
        }
        if stored.ends_at().is_some_and(time_is_up) || active.is_some_and(|a| a.time_was_up) {
            return Err(Refusal::WrongState("its time is up: submit it as a new sweep, with warm_start"));
        }
        if stored.spec.population().is_some() {
            return Err(Refusal::WrongState(
                "the heirs of its population keep to the space it began with: submit it as a new sweep, with warm_start",
            ));
        }
        let is_grid = matches!(stored.spec.search.sampler, SamplerSpec::Grid { .. });
        if is_grid && !stored.spec.terms().differ_in_trials_alone(terms) {
            return Err(Refusal::WrongState(
                "a grid finds its combinations by their number, which would be others: submit what is new as a sweep of its own",
            ));
        }
        let least = trials + u64::from(active.is_none());
        match terms.trials {
            Some(wanted) if wanted < least => Err(Refusal::TooFewTrials { trials, least }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "edit_test.rs"]
mod edit_test;
