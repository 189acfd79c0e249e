//! Results that stand in for new ones: a configuration that has completed before is not tried again, where a sweep
//! says so (`duplicates = "reuse"`).

use super::core::{Core, Turn};
use super::folds::FoldEnd;
use crate::domain::trial::TrialEvent;
use crate::domain::{Change, DecidedLeg, EventKind, Leg, LegEnd, LegOutcome, Params, Reason, SweepId};
use crate::sampler::{History, signature};
use crate::space::Space;
use crate::stopper::Ended;
use std::collections::HashMap;

/// After so many copies in a row only a configuration that is new will do: a space of which all is known has nothing
/// more to say, and its sweep ends.
const MOST_IN_A_ROW: u64 = 20;

/// What a completed trial came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// Its number.
    pub trial: u64,
    pub value: Option<f64>,
    pub further: Vec<Option<f64>>,
}

/// The results that a sweep's decisions may take over.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// By configuration, the first that was known.
    known: HashMap<Vec<u64>, Known>,
    /// How many of the last legs were copies.
    in_a_row: u64,
}

impl Results {
    /// A leg was decided.
    pub fn decided(&mut self, copied: bool) {
        self.in_a_row = if copied { self.in_a_row + 1 } else { 0 };
    }

    /// The end of a leg may be seen from now on.
    pub fn ended(&mut self, history: &History, end: &Ended) {
        if end.outcome == LegOutcome::Completed && history.sees(end.trial) {
            let known = Known { trial: end.trial, value: end.value, further: end.further.clone() };
            self.known.entry(signature(history.point(end.trial))).or_insert(known);
        }
    }

    /// Whether the next configuration may be one that is known.
    pub fn may_repeat(&self) -> bool {
        self.in_a_row < MOST_IN_A_ROW
    }

    /// What a configuration came to.
    pub fn of(&self, space: &Space, params: &Params) -> Option<&Known> {
        self.known.get(&signature(&space.point(params)))
    }

    /// What of it decides the future, as text.
    #[cfg(test)]
    pub fn essence(&self) -> String {
        let known: std::collections::BTreeMap<_, _> = self.known.iter().collect();
        format!("{known:?} {} in a row", self.in_a_row)
    }
}

impl Core {
    /// Adds a trial that has its result at once. Its leg, of which nobody hears, begins and ends with the decision.
    pub(super) fn copy_result(
        &mut self,
        turn: &mut Turn,
        sweep: SweepId,
        (params, reason): (Params, Reason),
        known: Known,
    ) -> Option<()> {
        let trial = self.insert_trial(turn, sweep, params, reason)?;
        let id = self.next_leg_id();
        let active = self.sweeps.get_mut(&sweep)?;
        let Known { trial: from, value, further } = known;
        let (number, outcome, seq) = (active.legs, LegOutcome::Completed, turn.seq);
        let leg = Some(Leg { id, sweep, number, trial, fold: 0, from_step: 0, until_step: None });
        turn.changes.push(Change::LegDecided(DecidedLeg { id, sweep, number, leg, seq }));
        active.legs += 1;
        active.idle_legs = 0;
        let mut open = active.open.get_mut(trial)?;
        let of = open.row.number;
        let reason = Some(Reason::Copied { from });
        Self::move_trial(turn, &mut open, TrialEvent::Copied, reason.clone());
        drop(open);
        turn.changes.push(Change::ResultCopied { trial, sweep, from });
        let end = LegEnd { outcome, value, further: further.clone(), out_of_memory: false, seq };
        turn.changes.push(Change::LegEnded { leg: id, end });
        turn.record(sweep, Some(trial), None, EventKind::TrialCopied, reason);
        active.method.decided(of, None, true);
        let end = Ended { trial: of, until_step: None, outcome, value, further };
        active.method.ended(number, FoldEnd { fold: 0, whole: true, out_of_memory: false, end });
        active.open.remove(trial);
        self.home.remove(&trial);
        Some(())
    }
}

#[cfg(test)]
#[path = "reuse_test.rs"]
mod reuse_test;
