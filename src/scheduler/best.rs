//! What a trial is worth: the step with its best finite value of the primary metric, the first of equal ones; and by
//! the further objectives, what was reported with that very step. A trial with folds is worth the means of theirs.

use super::core::Turn;
use super::state::{Open, Run, Step};
use crate::domain::spread::mean;
use crate::domain::{Change, FoldResult, Metrics, Objective, SweepId};
use std::collections::BTreeMap;

/// The best of some steps, and its value.
pub(super) fn best_of(steps: &BTreeMap<u64, Step>, objective: &Objective) -> Option<(u64, f64)> {
    let value = |(step, reported): (&u64, &Step)| Some((*step, reported.metrics.get(&objective.metric)?));
    objective.direction.best(steps.iter().filter_map(value))
}

/// Looks at a step that has just been noted: it may be better than all before.
pub(super) fn note_step(turn: &mut Turn, open: &mut Open, fold: usize, objective: &Objective, step: u64) {
    let run = &mut open.runs[fold];
    let value = run.steps.get(&step).and_then(|step| step.metrics.get(&objective.metric));
    if let Some(value) = value.filter(|value| value.is_finite())
        && run.best.is_none_or(|(_, best)| objective.direction.better(value, best))
    {
        run.best = Some((step, value));
        record(turn, open, objective);
    }
}

/// Looks at what is left after steps were taken back.
pub(super) fn look_again(turn: &mut Turn, open: &mut Open, fold: usize, objective: &Objective) {
    let run = &mut open.runs[fold];
    run.best = best_of(&run.steps, objective);
    record(turn, open, objective);
}

/// What a run that spent its budget is told to be worth, where its steps do not say: a client may report no steps
/// at all, and measure some things only at the end.
///
/// # Errors
/// The first metric of which there is no finite value; nothing has changed then.
pub(super) fn note_end(
    turn: &mut Turn,
    open: &mut Open,
    fold: usize,
    objective: &Objective,
    told: Metrics,
) -> Result<(), String> {
    let run = &open.runs[fold];
    let finite = |name: &str| told.get(name).filter(|value| value.is_finite());
    // The one value of a client that reports no steps counts as of no step.
    let best = run.best.or_else(|| Some((0, finite(&objective.metric)?)));
    let best = best.ok_or_else(|| objective.metric.clone())?;
    let step = run.steps.get(&best.0).map(|step| &step.metrics);
    let further = objective.further_values(step, &told, open.row.parameter_count);
    if let Some((target, _)) = objective.further.iter().zip(&further).find(|(_, value)| value.is_none()) {
        return Err(target.name.clone());
    }
    let has_folds = open.has_folds();
    let run = &mut open.runs[fold];
    if run.best.is_none() || !further.is_empty() {
        run.best = Some(best);
        run.told = told;
        record(turn, open, objective);
    }
    if has_folds {
        let result = FoldResult { step: best.0, value: best.1, further };
        let (trial, fold_number) = (open.row.id, fold as u32);
        open.runs[fold].result = Some(result.clone());
        turn.changes.push(Change::FoldValued { trial, fold: fold_number, result });
        record_worth(turn, open, objective);
    }
    Ok(())
}

/// A trial is worth what its one run has come to. One with folds is worth something only once some have ended.
fn record(turn: &mut Turn, open: &Open, objective: &Objective) {
    if !open.has_folds() {
        record_worth(turn, open, objective);
    }
}

fn record_worth(turn: &mut Turn, open: &Open, objective: &Objective) {
    let (trial, best) = (open.row.id, open.best());
    turn.changes.push(Change::BestMoved { trial, best });
    if !objective.further.is_empty() {
        let values = if best.is_some() { open.further(objective) } else { Vec::new() };
        turn.changes.push(Change::FurtherMoved { trial, values });
    }
}

/// Notes what a trial that ends is worth by each objective.
pub(super) fn value(turn: &mut Turn, sweep: SweepId, open: &Open, objective: &Objective, ranked: bool) {
    let Some((step, value)) = open.best() else { return };
    let values = std::iter::once(Some(value)).chain(open.further(objective));
    for (objective, value) in (0..).zip(values) {
        if let Some(value) = value {
            turn.changes.push(Change::Valued { sweep, trial: open.row.id, objective, step, value, ranked });
        }
    }
}

impl Open {
    /// Its best step and the value there; of one with folds, the means over those that have spent their budgets.
    pub(super) fn best(&self) -> Option<(u64, f64)> {
        if !self.has_folds() {
            return self.runs[0].best;
        }
        let results: Vec<&FoldResult> = self.results().collect();
        let count = results.len() as u64;
        let steps: u64 = results.iter().map(|result| result.step).sum();
        let values: Vec<f64> = results.iter().map(|result| result.value).collect();
        // Rounded to the nearest step.
        (count > 0).then(|| ((2 * steps + count) / (2 * count), mean(&values)))
    }

    /// What its best step is worth by the further objectives; nothing where there are none.
    pub(super) fn further(&self, objective: &Objective) -> Vec<Option<f64>> {
        if !self.has_folds() {
            return self.runs[0].further(objective, self.row.parameter_count);
        }
        let over = |at: usize| {
            let values: Option<Vec<f64>> =
                self.results().map(|result| result.further.get(at).copied().flatten()).collect();
            values.filter(|values| !values.is_empty()).map(|values| mean(&values))
        };
        (0..objective.further.len()).map(over).collect()
    }

    fn results(&self) -> impl Iterator<Item = &FoldResult> {
        self.runs.iter().filter_map(|run| run.result.as_ref())
    }
}

impl Run {
    /// What its best step is worth by the further objectives; nothing where there are none.
    pub(super) fn further(&self, objective: &Objective, parameter_count: Option<u64>) -> Vec<Option<f64>> {
        let Some((step, _)) = self.best else { return vec![None; objective.further.len()] };
        let step = self.steps.get(&step).map(|step| &step.metrics);
        match &self.result {
            Some(result) => result.further.clone(),
            None => objective.further_values(step, &self.told, parameter_count),
        }
    }
}

#[cfg(test)]
#[path = "best_test.rs"]
mod best_test;
