//! Asynchronous successive halving that never pauses: at each rung a running trial ends unless it is among the
//! best `1/factor` of the values known there, those of trials that still run and its own among them. Other
//! frameworks know it as their ASHA or successive halving: it needs no checkpoints, and spends less on waiting
//! and more on trials that came early than promotion does (`asha.rs`).
//!
//! A trial's value at a rung is its best up to the first step at or beyond the rung that it reports. It is judged
//! there once, also if it trains that step again. As long as fewer than `factor` values are known, the best of
//! them goes on; as good as the worst that goes on is good enough.

use super::asha::step_of_rung;
use super::ranking::{Entry, Ranking, loss, value};
use super::{Judged, Stopper, Verdict, losses};
use crate::domain::{Direction, Reason, pareto};
use std::collections::BTreeMap;

/// Successive halving that ends running trials.
#[derive(Debug)]
pub(super) struct Halt {
    min_steps: u64,
    factor: u64,
    /// One per objective.
    directions: Vec<Direction>,
    /// By the rung's step.
    rungs: BTreeMap<u64, Rung>,
}

/// What is known at one rung.
#[derive(Debug, Default)]
struct Rung {
    /// By trial.
    known: BTreeMap<u64, f64>,
    ranked: Ranking,
    /// The same by the leg in which it became known.
    by_leg: BTreeMap<u64, Entry>,
    /// All losses by leg, where there are several objectives.
    all: BTreeMap<u64, Vec<f64>>,
}

/// How a trial compares with the others that are known at its rung.
struct Comparison {
    /// It is among the best that go on.
    passes: bool,
    /// The worst value that goes on, where values decide.
    bound: Option<f64>,
    /// How many values are known, its own among them.
    of: usize,
}

impl Halt {
    pub fn new(min_steps: u64, factor: u64, directions: &[Direction]) -> Self {
        let (min_steps, factor) = (min_steps.max(1), factor.max(2));
        Self { min_steps, factor, directions: directions.to_vec(), rungs: BTreeMap::new() }
    }

    /// The first rung up to a step at which a trial has not been judged.
    fn due(&self, trial: u64, step: u64) -> Option<u64> {
        let rungs = (0..64).map(|rung| step_of_rung(self.min_steps, self.factor, rung));
        let mut reached = rungs.take_while(|rung| *rung <= step && *rung < u64::MAX);
        reached.find(|rung| !self.rungs.get(rung).is_some_and(|known| known.known.contains_key(&trial)))
    }

    /// That of the primary objective.
    fn direction(&self) -> Direction {
        self.directions.first().copied().unwrap_or(Direction::Minimize)
    }

    /// Of so many, how many go on.
    fn allowed(&self, of: usize) -> usize {
        (of / usize::try_from(self.factor).unwrap_or(usize::MAX)).max(1)
    }

    /// By the value, where that is all that counts.
    fn by_value(&self, at: &Rung, own: f64, sees_below: u64) -> Comparison {
        let hidden: Vec<Entry> = at.by_leg.range(sees_below..).map(|(_, entry)| *entry).collect();
        let hidden_less = hidden.iter().filter(|entry| entry.0.total_cmp(&own).is_lt()).count();
        let less = at.ranked.rank((own, 0)) - hidden_less;
        let of = at.ranked.len() - hidden.len() + 1;
        let allowed = self.allowed(of);
        // The worst of them all that goes on; its own place is before those that are as good.
        let bound = match allowed - 1 {
            last if last < less => visible(&at.ranked, hidden, last),
            last if last == less => own,
            last => visible(&at.ranked, hidden, last - 1),
        };
        Comparison { passes: less < allowed, bound: value(self.direction(), bound), of }
    }

    /// By fronts, as in `standings.rs`. As good as one that goes on is good enough.
    fn by_fronts(&self, at: &Rung, own: &[f64], sees_below: u64) -> Comparison {
        let mut all: Vec<&[f64]> = at.all.range(..sees_below).map(|(_, losses)| losses.as_slice()).collect();
        all.push(own);
        let order = pareto::best_first(&all);
        let before = order.iter().position(|place| all[*place] == own).unwrap_or(order.len());
        Comparison { passes: before < self.allowed(all.len()), bound: None, of: all.len() }
    }
}

impl Stopper for Halt {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let Some((step, _)) = judged.now() else { return Verdict::Nothing };
        let Some(rung) = self.due(judged.trial, step) else { return Verdict::Nothing };
        let best = judged.best(self.direction());
        let own = losses(&self.directions, best, judged.further);
        let nobody = Rung::default();
        let at = self.rungs.get(&rung).unwrap_or(&nobody);
        let Comparison { passes, bound, of } = match own.as_slice() {
            [own] => self.by_value(at, *own, judged.sees_below),
            own => self.by_fronts(at, own, judged.sees_below),
        };
        let (value, of, factor, further) = (best, of as u64, self.factor, judged.further.to_vec());
        if passes || judged.at_its_end {
            Verdict::Passed(Reason::PassedRung { rung, step, value, bound, of, factor, further })
        } else {
            Verdict::Stop(Reason::BelowRung { rung, step, value, bound, of, factor, further })
        }
    }

    fn remember(&mut self, trial: u64, leg: u64, reason: &Reason) {
        let (Reason::PassedRung { rung, value, further, .. }
        | Reason::BelowRung { rung, value, further, .. }) = reason
        else {
            return;
        };
        let entry = (loss(self.direction(), *value), trial);
        let rung = self.rungs.entry(*rung).or_default();
        if rung.known.insert(trial, entry.0).is_none() {
            rung.ranked.insert(entry);
            rung.by_leg.insert(leg, entry);
            if self.directions.len() > 1 {
                rung.all.insert(leg, losses(&self.directions, *value, further));
            }
        }
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        let rungs: Vec<_> = self.rungs.iter().map(|(step, rung)| (step, &rung.by_leg, &rung.all)).collect();
        format!("{rungs:?}")
    }
}

/// The loss at a rank among those that are not hidden.
pub(super) fn visible(ranked: &Ranking, mut hidden: Vec<Entry>, rank: usize) -> f64 {
    hidden.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut at = rank;
    for entry in hidden {
        if ranked.rank(entry) <= at {
            at += 1;
        }
    }
    ranked.get(at).map_or(f64::INFINITY, |(loss, _)| loss)
}

#[cfg(test)]
#[path = "halt_test.rs"]
mod halt_test;
