//! What of a core decides its future, as text that can be compared.

use crate::scheduler::core::Core;
use crate::scheduler::state::{Active, Open};

/// One entry per sweep and open trial. What the next decision may see is shown to it first: when that happens,
/// before or at the decision, makes no difference.
pub fn of(core: &mut Core) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, sweep) in &mut core.sweeps {
        sweep.may_decide();
        lines.push(format!("sweep {id}: {}", sweep_line(sweep)));
        for trial in sweep.open.values() {
            let id = trial.row.id;
            // What went wrong with an earlier leg means nothing to the next.
            let has_leg = trial.leg.is_some_and(|leg| sweep.open_legs.contains(&leg.number));
            let setbacks = if has_leg { trial.setbacks.as_slice() } else { &[] };
            lines.push(format!("trial {id}: setbacks {setbacks:?} {}", trial_line(trial)));
        }
    }
    lines
}

/// The lines that only one of two cores has.
pub fn difference(stored: &[String], running: &[String]) -> String {
    let only = |of: &[String], other: &[String], name: &str| -> String {
        of.iter().filter(|line| !other.contains(line)).map(|line| format!("\n{name} {line}")).collect()
    };
    only(stored, running, "stored ") + &only(running, stored, "running")
}

fn sweep_line(sweep: &Active) -> String {
    format!(
        "{:?} created {} legs {} open {:?} idle {} heirlooms {:?} {}",
        sweep.row.state,
        sweep.created,
        sweep.legs,
        sweep.open_legs,
        sweep.idle_legs,
        sweep.heirlooms,
        sweep.method.essence()
    )
}

fn trial_line(trial: &Open) -> String {
    let steps: Vec<String> = trial
        .steps
        .iter()
        .map(|(n, step)| format!("{n} by {}: {:?} {:?}", step.attempt, step.metrics.0, step.answer))
        .collect();
    format!(
        "{:?} leg {:?} to end {:?} attempt {:?} best {:?} checkpoints {:?} ready {:?} alone {} accumulate {} in {:?} steps {steps:?}",
        trial.state,
        trial.leg,
        trial.to_end,
        trial.attempt.as_ref().map(|attempt| &attempt.row),
        trial.best,
        trial.checkpoints,
        trial.ready,
        trial.alone,
        trial.accumulate,
        trial.environment,
    )
}
