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
use super::{Judged, Stopper, Verdict};
use crate::domain::{Direction, Reason};
use std::collections::BTreeMap;

/// Successive halving that ends running trials.
#[derive(Debug)]
pub(super) struct Halt {
    min_steps: u64,
    factor: u64,
    direction: Direction,
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
}

impl Halt {
    pub fn new(min_steps: u64, factor: u64, direction: Direction) -> Self {
        Self { min_steps: min_steps.max(1), factor: factor.max(2), direction, rungs: BTreeMap::new() }
    }

    /// The first rung up to a step at which a trial has not been judged.
    fn due(&self, trial: u64, step: u64) -> Option<u64> {
        let rungs = (0..64).map(|rung| step_of_rung(self.min_steps, self.factor, rung));
        let mut reached = rungs.take_while(|rung| *rung <= step && *rung < u64::MAX);
        reached.find(|rung| !self.rungs.get(rung).is_some_and(|known| known.known.contains_key(&trial)))
    }
}

impl Stopper for Halt {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let Some((step, _)) = judged.now() else { return Verdict::Nothing };
        let Some(rung) = self.due(judged.trial, step) else { return Verdict::Nothing };
        let best = judged.best(self.direction);
        let own = loss(self.direction, best);
        let nobody = Rung::default();
        let at = self.rungs.get(&rung).unwrap_or(&nobody);
        let hidden: Vec<Entry> = at.by_leg.range(judged.sees_below..).map(|(_, entry)| *entry).collect();
        let hidden_less = hidden.iter().filter(|entry| entry.0.total_cmp(&own).is_lt()).count();
        let less = at.ranked.rank((own, 0)) - hidden_less;
        let of = at.ranked.len() - hidden.len() + 1;
        let allowed = (of / usize::try_from(self.factor).unwrap_or(usize::MAX)).max(1);
        // The worst of them all that goes on; its own place is before those that are as good.
        let bound = match allowed - 1 {
            last if last < less => visible(&at.ranked, hidden, last),
            last if last == less => own,
            last => visible(&at.ranked, hidden, last - 1),
        };
        let (value, bound) = (best, value(self.direction, bound));
        let of = of as u64;
        let factor = self.factor;
        if less < allowed || judged.at_its_end {
            Verdict::Passed(Reason::PassedRung { rung, step, value, bound, of, factor })
        } else {
            Verdict::Stop(Reason::BelowRung { rung, step, value, bound, of, factor })
        }
    }

    fn remember(&mut self, trial: u64, leg: u64, reason: &Reason) {
        let (Reason::PassedRung { rung, value, .. } | Reason::BelowRung { rung, value, .. }) = *reason else {
            return;
        };
        let entry = (loss(self.direction, value), trial);
        let rung = self.rungs.entry(rung).or_default();
        if rung.known.insert(trial, entry.0).is_none() {
            rung.ranked.insert(entry);
            rung.by_leg.insert(leg, entry);
        }
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        let rungs: Vec<_> = self.rungs.iter().map(|(step, rung)| (step, &rung.by_leg)).collect();
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
