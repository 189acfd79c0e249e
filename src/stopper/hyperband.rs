//! Hyperband (Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", JMLR 2018): several
//! brackets of successive halving beside each other, each with a later first rung than the one before, because
//! nobody knows how many steps it takes to tell a good trial from a bad one. The last bracket trains every
//! trial to `max_steps`.
//!
//! Asynchronous, as in Li et al. 2020: every bracket goes on with what it knows. A trial's number says its bracket.
//! Each gets as many trials as make it spend as much as any other, spread evenly over the numbers.

use super::asha::step_of_rung;
use super::{Ended, Judged, Promotion, Stopper, Verdict};
use crate::domain::Reason;

pub(super) struct Hyperband {
    brackets: Vec<Box<dyn Stopper>>,
    /// How many of `shares.last()` trials belong to this bracket or an earlier one.
    shares: Vec<u64>,
}

impl Hyperband {
    /// One bracket per rung up to `max_steps`; `bracket` makes one from its first rung.
    pub fn new(
        min_steps: u64,
        max_steps: u64,
        factor: u64,
        bracket: impl Fn(u64) -> Box<dyn Stopper>,
    ) -> Self {
        let (min_steps, factor) = (min_steps.max(1), factor.max(2));
        let first_rungs = (0..64).map(|s| step_of_rung(min_steps, factor, s));
        let mut brackets: Vec<_> = first_rungs.take_while(|step| *step <= max_steps).map(&bracket).collect();
        if brackets.is_empty() {
            brackets.push(bracket(min_steps));
        }
        let (count, mut total) = (brackets.len() as u64, 0u64);
        // The more rungs a bracket has, the earlier most of its trials end, and the more it can have.
        let trials = (1..=count).rev().map(|rungs| {
            let power = u32::try_from(rungs - 1).unwrap_or(u32::MAX);
            count.saturating_mul(factor.saturating_pow(power)).div_ceil(rungs)
        });
        let shares = trials.map(|trials| {
            total = total.saturating_add(trials);
            total
        });
        Self { shares: shares.collect(), brackets }
    }

    /// The bracket that a trial belongs to: the golden ratio spreads every share evenly.
    fn bracket(&self, trial: u64) -> usize {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let total = self.shares.last().copied().unwrap_or(1);
        let at = (u128::from(trial.wrapping_mul(GOLDEN)) * u128::from(total)) >> 64;
        self.shares.partition_point(|share| u128::from(*share) <= at).min(self.brackets.len() - 1)
    }

    fn of(&self, trial: u64) -> &dyn Stopper {
        self.brackets[self.bracket(trial)].as_ref()
    }

    fn of_mut(&mut self, trial: u64) -> &mut dyn Stopper {
        let bracket = self.bracket(trial);
        self.brackets[bracket].as_mut()
    }
}

impl Stopper for Hyperband {
    fn first_rung(&self, trial: u64) -> Option<u64> {
        self.of(trial).first_rung(trial)
    }

    fn decided(&mut self, trial: u64, until_step: Option<u64>) {
        self.of_mut(trial).decided(trial, until_step);
    }

    fn ended(&mut self, end: Ended) {
        self.of_mut(end.trial).ended(end);
    }

    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        let promotions = self.brackets.iter().filter_map(|bracket| bracket.promote(last, may_go_on));
        // The highest rung first, as within a bracket; of equals the first.
        promotions.reduce(|best, other| if other.until_step > best.until_step { other } else { best })
    }

    fn verdict(&self, trial: u64) -> Reason {
        self.of(trial).verdict(trial)
    }

    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        self.of_mut(judged.trial).judge(judged)
    }

    fn remember(&mut self, trial: u64, leg: u64, reason: &Reason) {
        self.of_mut(trial).remember(trial, leg, reason);
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        self.brackets.iter().map(|bracket| bracket.essence()).collect::<Vec<_>>().join(" / ")
    }
}

#[cfg(test)]
#[path = "hyperband_test.rs"]
mod hyperband_test;
