//! Trials whose data are divided into folds: when one of them has ended, and when what is left of it is not worth
//! trying.
//!
//! Each fold is a leg of its own. A trial completes with its last fold, and is worth the mean of them all. It is given
//! up when a fold fails, and when it is worse than the best trial so far on the folds that both have: the differences,
//! fold by fold, are tested by Student's t (one-sided), so that what makes a fold hard for everybody does not count.
//! Races of models by their folds: Maron and Moore, "Hoeffding races", NIPS 1994; by t tests of paired differences to
//! the best: Kuhn, "Futility analysis in the cross-validation of machine learning models", arXiv 1405.6974, 2014.

use crate::domain::spread::{deviation, mean};
use crate::domain::{Direction, LegOutcome, Reason, Sweep};
use crate::stopper::Ended;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::collections::{BTreeMap, BTreeSet};

/// Where one fold of an open trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Its next leg is not decided.
    Undecided,
    /// It waits for a slot, or is worked on.
    Open,
    /// Its last leg ended.
    Ended { leg: u64, outcome: LegOutcome },
}

/// Why what is left of a trial is not to be tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Doom {
    /// This fold failed, or was ended early.
    Fold(usize),
    /// It is worse than the best.
    Hopeless(Reason),
}

/// The end of a leg, of whichever fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoldEnd {
    pub fold: u32,
    /// Nobody worked on the leg: it is the whole trial's end, by another's result or because it was given up.
    pub whole: bool,
    /// It ran out of memory with the largest device for itself.
    pub out_of_memory: bool,
    /// Value and outcome of the fold; of the trial where it is the whole trial's.
    pub end: Ended,
}

/// What decisions may see of trials' folds.
pub(super) struct Folds {
    count: usize,
    confidence: Option<f64>,
    direction: Direction,
    /// Completed folds by trial number, as far as they are known; those of trials that are complete are gone.
    known: BTreeMap<u64, Vec<Option<Ended>>>,
    /// Trials that are known to have ended without being complete.
    ended: BTreeSet<u64>,
    /// The best of the complete trials, and its folds' values.
    best: Option<(u64, Vec<f64>)>,
    /// Trials that were given up before. The user had those tried again that still run.
    overruled: BTreeSet<u64>,
}

impl Folds {
    /// `None` for a sweep without folds.
    pub fn of(sweep: &Sweep) -> Option<Self> {
        Some(Self {
            count: sweep.objective.folds? as usize,
            confidence: sweep.search.race,
            direction: sweep.objective.direction,
            known: BTreeMap::new(),
            ended: BTreeSet::new(),
            best: None,
            overruled: BTreeSet::new(),
        })
    }

    /// It was decided that a trial is given up.
    pub fn gave_up(&mut self, trial: u64) {
        self.overruled.insert(trial);
    }

    /// The end of a leg may be seen from now on; what it says of its trial as a whole, if anything.
    pub fn ended(&mut self, end: &FoldEnd) -> Option<Ended> {
        let FoldEnd { fold, whole, end, .. } = end;
        let known = self.known.entry(end.trial).or_insert_with(|| vec![None; self.count]);
        match end.outcome {
            LegOutcome::Completed if *whole => Some(end.clone()),
            LegOutcome::Completed => {
                if let Some(place) = known.get_mut(*fold as usize) {
                    *place = Some(end.clone());
                }
                let all: Vec<Ended> = known.iter().flatten().cloned().collect();
                if all.len() < self.count {
                    return None;
                }
                self.known.remove(&end.trial);
                let (value, further) = mean_of(&all);
                let values: Vec<f64> = all.iter().filter_map(|end| end.value).collect();
                let better = |best: &Vec<f64>| self.direction.better(mean(&values), mean(best));
                if self.best.as_ref().is_none_or(|(_, best)| better(best)) {
                    self.best = Some((end.trial, values));
                }
                Some(Ended { value, further, ..end.clone() })
            }
            // Its trial ends with the first of these, whatever the others come to.
            LegOutcome::Failed | LegOutcome::Stopped => self.ended.insert(end.trial).then(|| end.clone()),
            LegOutcome::Cancelled | LegOutcome::Paused => None,
        }
    }

    /// Why a trial is worse than the best, where that is sure enough.
    pub fn hopeless(&self, trial: u64) -> Option<Reason> {
        let (confidence, (best_trial, best)) = (self.confidence?, self.best.as_ref()?);
        if self.overruled.contains(&trial) {
            return None;
        }
        let known = self.known.get(&trial)?;
        let pairs: Vec<(f64, f64)> =
            known.iter().zip(best).filter_map(|(own, best)| Some((own.as_ref()?.value?, *best))).collect();
        let worse_by: Vec<f64> = pairs.iter().map(|(own, best)| self.direction.signed(own - best)).collect();
        if confidence_above_zero(&worse_by)? < confidence {
            return None;
        }
        let (own, best): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        Some(Reason::Outraced {
            folds: u32::try_from(own.len()).unwrap_or(u32::MAX),
            of: u32::try_from(self.count).unwrap_or(u32::MAX),
            value: mean(&own),
            spread: deviation(&own).unwrap_or(0.0),
            best_trial: *best_trial,
            best: mean(&best),
            confidence: confidence_above_zero(&worse_by)?,
        })
    }

    /// What of a trial's complete folds is known, as one value.
    pub fn mean_of(&self, trial: u64) -> (Option<f64>, Vec<Option<f64>>) {
        let known = self.known.get(&trial).map_or(&[][..], Vec::as_slice);
        mean_of(&known.iter().flatten().cloned().collect::<Vec<_>>())
    }

    /// What of it decides the future, as text.
    #[cfg(test)]
    pub fn essence(&self) -> String {
        let known: BTreeMap<_, _> =
            self.known.iter().filter(|(_, known)| known.iter().any(Option::is_some)).collect();
        format!("{known:?} best {:?} ended {:?} given up {:?}", self.best, self.ended, self.overruled)
    }
}

/// The first of a trial's folds that ended without a result, as far as `sees` lets through legs.
pub(super) fn failed(places: &[Place], sees: impl Fn(u64) -> bool) -> Option<usize> {
    places.iter().position(|place| match place {
        Place::Ended { leg, outcome } => *outcome != LegOutcome::Completed && sees(*leg),
        Place::Undecided | Place::Open => false,
    })
}

fn mean_of(ends: &[Ended]) -> (Option<f64>, Vec<Option<f64>>) {
    let over = |pick: &dyn Fn(&Ended) -> Option<f64>| {
        let values: Option<Vec<f64>> = ends.iter().map(pick).collect();
        values.filter(|values| !values.is_empty()).map(|values| mean(&values))
    };
    let further = ends.first().map_or(0, |end| end.further.len());
    let further = (0..further).map(|at| over(&|end| end.further.get(at).copied().flatten())).collect();
    (over(&|end| end.value), further)
}

/// How sure it is that some differences have a mean above zero, by Student's t; `None` of fewer than two.
fn confidence_above_zero(differences: &[f64]) -> Option<f64> {
    let (mean, deviation) = (mean(differences), deviation(differences)?);
    let count = differences.len() as f64;
    let t = mean / (deviation / count.sqrt());
    if !t.is_finite() {
        // All the same.
        return Some(if mean > 0.0 { 1.0 } else { 0.0 });
    }
    Some(StudentsT::new(0.0, 1.0, count - 1.0).ok()?.cdf(t))
}

#[cfg(test)]
#[path = "folds_test.rs"]
mod folds_test;
