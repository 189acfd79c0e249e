//! What a trial is worth: the step with its best finite value of the primary metric, the first of equal ones; and by
//! the further objectives, what was reported with that very step.

use super::core::Turn;
use super::state::{Open, Step};
use crate::domain::{Change, Metrics, Objective, SweepId};
use std::collections::BTreeMap;

/// The best of some steps, and its value.
pub(super) fn best_of(steps: &BTreeMap<u64, Step>, objective: &Objective) -> Option<(u64, f64)> {
    let value = |(step, reported): (&u64, &Step)| Some((*step, reported.metrics.get(&objective.metric)?));
    objective.direction.best(steps.iter().filter_map(value))
}

/// Looks at a step that has just been noted: it may be better than all before.
pub(super) fn note_step(turn: &mut Turn, open: &mut Open, objective: &Objective, step: u64) {
    let value = open.steps.get(&step).and_then(|step| step.metrics.get(&objective.metric));
    if let Some(value) = value.filter(|value| value.is_finite())
        && open.best.is_none_or(|(_, best)| objective.direction.better(value, best))
    {
        open.best = Some((step, value));
        record(turn, open, objective);
    }
}

/// Looks at what is left after steps were taken back.
pub(super) fn look_again(turn: &mut Turn, open: &mut Open, objective: &Objective) {
    open.best = best_of(&open.steps, objective);
    record(turn, open, objective);
}

/// What a trial that spent its budget is told to be worth, where its steps do not say: a client may report no steps
/// at all, and measure some things only at the end.
///
/// # Errors
/// The first metric of which there is no finite value; nothing has changed then.
pub(super) fn note_end(
    turn: &mut Turn,
    open: &mut Open,
    objective: &Objective,
    told: Metrics,
) -> Result<(), String> {
    let finite = |name: &str| told.get(name).filter(|value| value.is_finite());
    // The one value of a client that reports no steps counts as of no step.
    let best = open.best.or_else(|| Some((0, finite(&objective.metric)?)));
    let best = best.ok_or_else(|| objective.metric.clone())?;
    let step = open.steps.get(&best.0).map(|step| &step.metrics);
    let further = objective.further_values(step, &told, open.row.parameter_count);
    if let Some((target, _)) = objective.further.iter().zip(&further).find(|(_, value)| value.is_none()) {
        return Err(target.name.clone());
    }
    if open.best.is_none() || !further.is_empty() {
        open.best = Some(best);
        open.told = told;
        record(turn, open, objective);
    }
    Ok(())
}

fn record(turn: &mut Turn, open: &Open, objective: &Objective) {
    let trial = open.row.id;
    if let Some((step, value)) = open.best {
        turn.changes.push(Change::BestMoved { trial, step, value });
    }
    if !objective.further.is_empty() {
        let values = if open.best.is_some() { open.further(objective) } else { Vec::new() };
        turn.changes.push(Change::FurtherMoved { trial, values });
    }
}

/// Notes what a trial that ends is worth by each objective.
pub(super) fn value(turn: &mut Turn, sweep: SweepId, open: &Open, objective: &Objective, ranked: bool) {
    let Some((step, value)) = open.best else { return };
    let values = std::iter::once(Some(value)).chain(open.further(objective));
    for (objective, value) in (0..).zip(values) {
        if let Some(value) = value {
            turn.changes.push(Change::Valued { sweep, trial: open.row.id, objective, step, value, ranked });
        }
    }
}

impl Open {
    /// What its best step is worth by the further objectives; nothing where there are none.
    pub(super) fn further(&self, objective: &Objective) -> Vec<Option<f64>> {
        let Some((step, _)) = self.best else { return vec![None; objective.further.len()] };
        let step = self.steps.get(&step).map(|step| &step.metrics);
        objective.further_values(step, &self.told, self.row.parameter_count)
    }
}

#[cfg(test)]
#[path = "best_test.rs"]
mod best_test;
