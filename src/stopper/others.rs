//! A running trial against those that completed: it ends when its best so far is worse than the median, or another
//! percentile, of what they had reached by the same step (Golovin et al., "Google Vizier: A Service for
//! Black-Box Optimization", KDD 2017, section 3.5.2; with the best so far in place of running averages).
//!
//! A completed trial counts at every step up to its last.

use super::halt::visible;
use super::ranking::{Entry, Ranking, loss, value};
use super::{Judged, Stopper, Verdict};
use crate::domain::sweep::Against;
use crate::domain::{Direction, Reason};
use std::collections::BTreeMap;

/// Ends what is worse than a percentile of the others.
#[derive(Debug)]
pub(super) struct Others {
    percentile: f64,
    against: Against,
    direction: Direction,
    /// Of completed trials, by leg.
    completed: BTreeMap<u64, Completed>,
    /// The losses at steps that were asked for: found again from what is above.
    columns: BTreeMap<u64, Ranking>,
}

/// How a completed trial got better.
#[derive(Debug)]
struct Completed {
    last_step: u64,
    /// The steps with a new least loss, and that.
    better: Vec<(u64, f64)>,
}

impl Completed {
    /// The least loss up to a step; `None` beyond the trial's last.
    fn at(&self, step: u64) -> Option<f64> {
        let so_far = self.better.partition_point(|(at, _)| *at <= step);
        let least = so_far.checked_sub(1).map_or(f64::INFINITY, |last| self.better[last].1);
        Some(least).filter(|_| step <= self.last_step)
    }
}

impl Others {
    pub fn new(percentile: f64, against: Against, direction: Direction) -> Self {
        let (completed, columns) = (BTreeMap::new(), BTreeMap::new());
        Self { percentile, against, direction, completed, columns }
    }

    /// Whether a trial is judged at its last step: the first that it reports of every `interval_steps` steps after
    /// the first `warmup_steps`.
    fn is_due(&self, curve: &[(u64, f64)]) -> bool {
        let interval = |step: u64| {
            Some(step.checked_sub(self.against.warmup_steps + 1)? / self.against.interval_steps.max(1))
        };
        match curve {
            [.., (before, _), (step, _)] => interval(*before) < interval(*step),
            [(step, _)] => interval(*step).is_some(),
            [] => false,
        }
    }
}

impl Stopper for Others {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let Some((step, _)) = judged.now() else { return Verdict::Nothing };
        let hidden = self.completed.range(judged.sees_below..);
        let startup = self.completed.len() - hidden.clone().count();
        if judged.at_its_end || !self.is_due(judged.curve) || (startup as u64) < self.against.startup_trials {
            return Verdict::Nothing;
        }
        let entry = |(leg, trial): (&u64, &Completed)| Some((trial.at(step)?, *leg));
        let hidden: Vec<Entry> = hidden.filter_map(entry).collect();
        let column = self
            .columns
            .entry(step)
            .or_insert_with(|| Ranking::of(self.completed.iter().filter_map(entry).collect()));
        let of = column.len() - hidden.len();
        if of == 0 || (of as u64) < self.against.min_trials {
            return Verdict::Nothing;
        }
        let best = judged.best(self.direction);
        let bound = between(column, &hidden, of, self.percentile);
        if loss(self.direction, best) <= bound {
            return Verdict::Nothing;
        }
        Verdict::Stop(Reason::WorseThanOthers {
            step,
            value: best,
            bound: value(self.direction, bound),
            percentile: self.percentile,
            of: of as u64,
        })
    }

    fn completed(&mut self, leg: u64, curve: &[(u64, f64)]) {
        let Some((last_step, _)) = curve.last().copied() else { return };
        if self.completed.contains_key(&leg) {
            return;
        }
        let mut better: Vec<(u64, f64)> = Vec::new();
        for (step, value) in curve {
            let loss = loss(self.direction, Some(*value));
            if better.last().map_or(f64::INFINITY, |(_, least)| *least) > loss {
                better.push((*step, loss));
            }
        }
        let completed = Completed { last_step, better };
        for (step, column) in self.columns.range_mut(..=last_step) {
            if let Some(loss) = completed.at(*step) {
                column.insert((loss, leg));
            }
        }
        self.completed.insert(leg, completed);
    }

    #[cfg(test)]
    fn essence(&self) -> String {
        format!("{:?}", self.completed)
    }
}

/// The loss that so many percent of `of` visible ones do not exceed; between two of them in proportion.
fn between(column: &Ranking, hidden: &[Entry], of: usize, percentile: f64) -> f64 {
    let place = (of - 1) as f64 * percentile / 100.0;
    let (below, part) = (place.floor(), place.fract());
    let low = visible(column, hidden.to_vec(), below as usize);
    if part == 0.0 {
        return low;
    }
    let high = visible(column, hidden.to_vec(), below as usize + 1);
    if low == high { low } else { low + (high - low) * part }
}

#[cfg(test)]
#[path = "others_test.rs"]
mod others_test;
