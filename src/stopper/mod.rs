//! Stoppers: which trials go on, and which end early.
//!
//! Some let trials pause at rungs and say which of them go on ([`Stopper::promote`]); some judge a running trial
//! at its reports ([`Stopper::judge`]). A stopper is fed news: legs that were decided, legs that ended, rungs that
//! were passed, trials that completed. What it answers depends on the set of news alone, not on their order, so
//! it can be rebuilt from stored rows. Pure: no clock, no random numbers, no input or output.
//!
//! Values that are not finite are worse than all others, whatever the direction. Where a sweep has several objectives,
//! successive halving compares trials by all of them (`standings.rs`), and every other stopper by the primary one.

mod asha;
mod extrapolation;
mod halt;
mod hyperband;
mod others;
mod patience;
mod population;
mod ranking;
mod standings;
mod threshold;

use crate::domain::sweep::{Mode, StopperSpec};
use crate::domain::{Descent, Direction, LegOutcome, Reason};

/// News of a leg that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The trial's number.
    pub trial: u64,
    /// The step at which the leg was to end; `None` for the trial's own budget.
    pub until_step: Option<u64>,
    /// How it ended.
    pub outcome: LegOutcome,
    /// The trial's best value so far.
    pub value: Option<f64>,
    /// What that step is worth by the further objectives; nothing where there are none.
    pub further: Vec<Option<f64>>,
}

impl Ended {
    /// A loss per objective: infinite for what has no finite value.
    #[must_use]
    pub fn losses(&self, directions: &[Direction]) -> Vec<f64> {
        losses(directions, self.value, &self.further)
    }
}

/// A paused trial that is to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// The trial's number.
    pub trial: u64,
    /// The step at which its next leg ends.
    pub until_step: u64,
    /// Why.
    pub reason: Reason,
}

/// A trial whose place an heir is to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Succession {
    /// The number of the trial that is replaced.
    pub replaces: u64,
    /// The step at which it was compared, and after which its heir begins.
    pub step: u64,
    /// Why the trial ends; `None` for one that has ended already.
    pub reason: Option<Reason>,
    /// Whose heir it may be, the best first. Not empty.
    pub parents: Vec<u64>,
}

/// A running trial that has just reported a step.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The trial's number.
    pub trial: u64,
    /// The number of the leg it works on.
    pub leg: u64,
    /// Of other trials, only what they did in legs below this number may be seen.
    pub sees_below: u64,
    /// The step was the last of its budget: there is nothing left to save.
    pub at_its_end: bool,
    /// What its best step is worth by the further objectives; nothing where there are none.
    pub further: &'a [Option<f64>],
    /// What it has reported, by step; the last is the step that it is judged at. May be empty: then the
    /// step had no value, and there is nothing to judge.
    pub curve: &'a [(u64, f64)],
}

impl Judged<'_> {
    /// The step it is judged at, and the value there.
    fn now(&self) -> Option<(u64, f64)> {
        self.curve.last().copied()
    }

    /// The best finite value so far.
    fn best(&self, direction: Direction) -> Option<f64> {
        direction.best(self.curve.iter().copied()).map(|(_, value)| value)
    }
}

/// What a stopper says of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing: the trial goes on.
    Nothing,
    /// The trial goes on past a rung, and its value there is known from now on. There may be another rung to be judged.
    Passed(Reason),
    /// The trial is to end here.
    Stop(Reason),
}

/// Decides which trials go on.
pub trait Stopper: Send + Sync {
    /// The step at which the first leg of trial number `trial` ends; `None` for its own budget.
    fn first_rung(&self, _trial: u64) -> Option<u64> {
        None
    }

    /// Whether a trial that begins anew comes before all others, in a population.
    fn wants_newcomers(&self) -> bool {
        false
    }

    /// The step at which an heir's first leg ends that begins after `step`; `None` where there are no heirs.
    fn leg_after(&self, _step: u64) -> Option<u64> {
        None
    }

    /// A trial that no leg was decided for yet is an heir.
    fn inherited(&mut self, _trial: u64, _descent: Descent) {}

    /// The trial whose place an heir is to take now, if one is.
    fn succession(&self, _may_go_on: &dyn Fn(u64) -> bool) -> Option<Succession> {
        None
    }

    /// Whether an heir may still come to go on from where `trial` stood at `step`.
    fn may_be_parent(&self, _trial: u64, _step: u64) -> bool {
        false
    }

    /// A leg of `trial` up to `until_step` was decided.
    fn decided(&mut self, _trial: u64, _until_step: Option<u64>) {}

    /// A leg ended.
    fn ended(&mut self, _end: Ended) {}

    /// The paused trial that is to go on now, if one is. `last` says that no new trial will come, `may_go_on` of a
    /// trial whether it is still there: the user may have ended it.
    fn promote(&self, _last: bool, _may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        None
    }

    /// Why a trial that is paused for good did not go on.
    fn verdict(&self, _trial: u64) -> Reason {
        Reason::Error { message: "nothing let it go on".into() }
    }

    /// Whether a running trial goes on past the step it has just reported. It only looks, but may sort for that.
    fn judge(&mut self, _judged: &Judged<'_>) -> Verdict {
        Verdict::Nothing
    }

    /// What [`Stopper::judge`] said of a trial in some leg, once it is decided: whoever is judged later may be compared with it.
    fn remember(&mut self, _trial: u64, _leg: u64, _reason: &Reason) {}

    /// A trial completed in some leg, with this behind it; by step.
    fn completed(&mut self, _leg: u64, _curve: &[(u64, f64)]) {}

    /// What of it decides the future, as text.
    #[cfg(test)]
    fn essence(&self) -> String {
        String::new()
    }
}

/// The stopper that a sweep names, for objectives of these directions, the primary one first.
#[must_use]
pub fn build(spec: &StopperSpec, directions: &[Direction]) -> Box<dyn Stopper> {
    let direction = directions.first().copied().unwrap_or(Direction::Minimize);
    let halving = |mode: Mode, min_steps: u64, factor: u64| -> Box<dyn Stopper> {
        match mode {
            Mode::Promote => Box::new(asha::Asha::new(min_steps, factor, directions)),
            Mode::Stop => Box::new(halt::Halt::new(min_steps, factor, directions)),
        }
    };
    match *spec {
        StopperSpec::Asha { min_steps, factor, mode } => halving(mode, min_steps, factor),
        StopperSpec::Halving { min_steps, factor } => {
            Box::new(asha::Asha::new(min_steps, factor, directions).synchronous())
        }
        StopperSpec::Hyperband { min_steps, max_steps, factor, mode } => {
            let bracket = |first_rung| halving(mode, first_rung, factor);
            Box::new(hyperband::Hyperband::new(min_steps, max_steps, factor, bracket))
        }
        StopperSpec::Median(against) => Box::new(others::Others::new(50.0, against, direction)),
        StopperSpec::Percentile { percentile, against } => {
            Box::new(others::Others::new(percentile, against, direction))
        }
        StopperSpec::Extrapolation { startup_trials, warmup_steps, chance } => {
            Box::new(extrapolation::Extrapolation::new(startup_trials, warmup_steps, chance, direction))
        }
        StopperSpec::Threshold { lower, upper, after_steps } => {
            Box::new(threshold::Threshold { lower, upper, after_steps })
        }
        StopperSpec::Patience { patience, min_delta } => {
            Box::new(patience::Patience { patience, min_delta, direction })
        }
        StopperSpec::Population(ref spec) => Box::new(population::Population::new(spec.clone(), direction)),
    }
}

/// A loss per objective; infinite for what has no finite value.
fn losses(directions: &[Direction], value: Option<f64>, further: &[Option<f64>]) -> Vec<f64> {
    let values = std::iter::once(value).chain(further.iter().copied()).chain(std::iter::repeat(None));
    directions.iter().zip(values).map(|(direction, value)| direction.loss(value)).collect()
}

#[cfg(test)]
#[path = "judges_test.rs"]
mod judges_test;
