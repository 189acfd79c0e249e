//! Population-based training (Jaderberg et al., "Population Based Training of Neural Networks", 2017): members train
//! side by side and pause after every `interval` steps. Who is then among the last of those whose value at that step is
//! known gives its place to an heir of one of the first; all others go on. Nobody waits for the slowest: what counts is
//! what is known when a member's turn comes, and the turn is of whoever has come least far.
//!
//! A place is a line of trials, each the heir of a better one. A line passes each step once: who is replaced at a
//! step has its value there, and its heir begins after it. A member that failed is among the last at the step that it
//! did not reach, so its line goes on as soon as somebody's heir can take its place.

use super::ranking::{Ranking, loss, value};
use super::{Ended, Promotion, Stopper, Succession};
use crate::domain::sweep::Population as Spec;
use crate::domain::{Descent, Direction, LegOutcome, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// Population-based training.
#[derive(Debug)]
pub(super) struct Population {
    spec: Spec,
    direction: Direction,
    trials: BTreeMap<u64, Member>,
    /// Those that begin anew.
    newcomers: BTreeSet<u64>,
    /// What is known at each step.
    rungs: BTreeMap<u64, Rung>,
    /// Who waits for its turn, by the step that it stands at or failed to reach: they are compared there.
    waiting: BTreeSet<(u64, u64)>,
}

/// What is known of a trial.
#[derive(Debug, Default)]
struct Member {
    descent: Option<Descent>,
    /// Its legs that were decided, and those that have ended.
    decided: u64,
    ended: u64,
    /// Where the furthest of them is to end.
    until: u64,
    /// How the last of them ended, and where it was to end.
    last: Option<(LegOutcome, u64)>,
    /// An heir has its place.
    replaced: bool,
}

/// What is known at one step.
#[derive(Debug, Default)]
struct Rung {
    losses: BTreeMap<u64, f64>,
    ranked: Ranking,
}

impl Member {
    /// The step at which its turn comes; `None` while it is worked on, or where its line has ended.
    fn turn(&self) -> Option<u64> {
        let (outcome, step) = self.last?;
        let waits = matches!(outcome, LegOutcome::Paused | LegOutcome::Failed);
        (waits && !self.replaced && self.decided == self.ended).then_some(step)
    }

    /// Whether it may still be compared at a step, or replaced there, as far as is known.
    fn may_come_to(&self, step: u64) -> bool {
        let is_worked_on = !self.replaced && self.decided > self.ended;
        is_worked_on && self.until <= step || self.turn().is_some_and(|stands| stands <= step)
    }
}

impl Rung {
    fn insert(&mut self, trial: u64, loss: f64) {
        if let Some(earlier) = self.losses.insert(trial, loss) {
            self.ranked.remove((earlier, trial));
        }
        self.ranked.insert((loss, trial));
    }

    /// Its place among those known, from 0, and its loss.
    fn place(&self, trial: u64) -> Option<(u64, f64)> {
        let loss = *self.losses.get(&trial)?;
        Some((self.ranked.rank((loss, trial)) as u64, loss))
    }

    fn len(&self) -> u64 {
        self.losses.len() as u64
    }

    /// The first so many that have a finite value, the best first.
    fn first(&self, count: u64) -> Vec<u64> {
        let entry = |rank: u64| usize::try_from(rank).ok().and_then(|rank| self.ranked.get(rank));
        let first = (0..count).map_while(entry).take_while(|(loss, _)| loss.is_finite());
        first.map(|(_, trial)| trial).collect()
    }
}

/// Whose turn it is, and what becomes of it.
struct Turn {
    trial: u64,
    step: u64,
    /// Its place from 1, and its value; `None` for one that failed.
    place: Option<(u64, Option<f64>)>,
    /// How many are known at the step, and how many of the last are replaced.
    of: u64,
    last: u64,
    /// Whose heir may take its place, the best first; empty where it goes on.
    parents: Vec<u64>,
}

impl Population {
    pub fn new(spec: Spec, direction: Direction) -> Self {
        let (trials, newcomers, rungs, waiting) = Default::default();
        Self { spec, direction, trials, newcomers, rungs, waiting }
    }

    /// Changes what is known of a trial, and with it whether its turn comes.
    fn change(&mut self, trial: u64, change: impl FnOnce(&mut Member)) {
        let member = self.trials.entry(trial).or_default();
        if let Some(step) = member.turn() {
            self.waiting.remove(&(step, trial));
        }
        change(member);
        if let Some(step) = member.turn() {
            self.waiting.insert((step, trial));
        }
    }

    /// Whose turn it is: of whoever has come least far. Where there are no heirs, everybody goes on that can.
    fn turn(&self, heirs: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Turn> {
        self.waiting.iter().find_map(|(step, trial)| {
            let (trial, step) = (*trial, *step);
            let rung = self.rungs.get(&step);
            let of = rung.map_or(0, Rung::len);
            let last = self.spec.share_of(of);
            let parents = || rung.filter(|_| heirs).map_or_else(Vec::new, |rung| rung.first(last));
            let has_failed =
                self.trials.get(&trial)?.last.is_some_and(|(outcome, _)| outcome == LegOutcome::Failed);
            if has_failed {
                let turn = Turn { trial, step, place: None, of, last, parents: parents() };
                return Some(turn).filter(|turn| !turn.parents.is_empty());
            }
            let (rank, loss) = rung?.place(trial).filter(|_| may_go_on(trial))?;
            let parents = if rank >= of - last { parents() } else { Vec::new() };
            let place = Some((rank + 1, value(self.direction, loss)));
            Some(Turn { trial, step, place, of, last, parents })
        })
    }
}

impl Stopper for Population {
    fn first_rung(&self, trial: u64) -> Option<u64> {
        let descent = self.trials.get(&trial).and_then(|member| member.descent);
        self.leg_after(descent.map_or(0, |descent| descent.step))
    }

    fn leg_after(&self, step: u64) -> Option<u64> {
        Some(step.saturating_add(self.spec.interval))
    }

    fn wants_newcomers(&self) -> bool {
        (self.newcomers.len() as u64) < self.spec.members
    }

    fn inherited(&mut self, trial: u64, descent: Descent) {
        self.change(trial, |member| member.descent = Some(descent));
        self.change(descent.replaces, |member| member.replaced = true);
    }

    fn decided(&mut self, trial: u64, until_step: Option<u64>) {
        self.change(trial, |member| {
            member.decided += 1;
            member.until = member.until.max(until_step.unwrap_or(u64::MAX));
        });
        if self.trials.get(&trial).is_some_and(|member| member.descent.is_none()) {
            self.newcomers.insert(trial);
        }
    }

    fn ended(&mut self, end: Ended) {
        let Some(step) = end.until_step else { return };
        self.change(end.trial, |member| {
            member.ended += 1;
            member.last = Some((end.outcome, step));
        });
        if end.outcome == LegOutcome::Paused {
            let loss = loss(self.direction, end.value);
            self.rungs.entry(step).or_default().insert(end.trial, loss);
        }
    }

    fn succession(&self, may_go_on: &dyn Fn(u64) -> bool) -> Option<Succession> {
        let turn = self.turn(true, may_go_on).filter(|turn| !turn.parents.is_empty())?;
        let Turn { trial, step, place, of, last, parents } = turn;
        let reason = place.map(|(_, value)| Reason::Replaced { step, value, last, of });
        Some(Succession { replaces: trial, step, reason, parents })
    }

    fn may_be_parent(&self, trial: u64, step: u64) -> bool {
        let Some(rung) = self.rungs.get(&step) else { return false };
        let missing = self.spec.members.saturating_sub(self.newcomers.len() as u64);
        let mut to_come = self.trials.iter().filter(|(_, member)| member.may_come_to(step)).peekable();
        let is_over = missing == 0 && to_come.peek().is_none();
        let more = missing + to_come.filter(|(trial, _)| !rung.losses.contains_key(trial)).count() as u64;
        let is_among = |(rank, _): (u64, f64)| rank < self.spec.share_of(rung.len() + more);
        !is_over && rung.place(trial).is_some_and(is_among)
    }

    fn promote(&self, last: bool, may_go_on: &dyn Fn(u64) -> bool) -> Option<Promotion> {
        let turn = self.turn(!last, may_go_on).filter(|turn| turn.parents.is_empty())?;
        let ((rank, value), Turn { trial, step, of, .. }) = (turn.place?, turn);
        let until_step = self.leg_after(step)?;
        Some(Promotion { trial, until_step, reason: Reason::Survived { step, value, rank, of } })
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        format!("{:?} newcomers {:?} waiting {:?}", self.trials, self.newcomers, self.waiting)
    }
}

#[cfg(test)]
#[path = "population_test.rs"]
mod population_test;
