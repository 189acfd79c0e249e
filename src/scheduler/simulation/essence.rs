//! What of a core decides its future, as text that can be compared.

use crate::scheduler::core::Core;
use crate::scheduler::state::{Active, Open, Run};

/// One entry per sweep and open trial. What the next decision may see is shown to it first: when that happens,
/// before or at the decision, makes no difference.
pub fn of(core: &mut Core) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, sweep) in &mut core.sweeps {
        sweep.may_decide();
        lines.push(format!("sweep {id}: {}", sweep_line(sweep)));
        for trial in sweep.open.values() {
            let id = trial.row.id;
            lines.push(format!("trial {id}: {}", trial_line(trial)));
            for (fold, run) in trial.runs.iter().enumerate() {
                // What went wrong with an earlier leg means nothing to the next.
                let setbacks = if run.has_leg { run.setbacks.as_slice() } else { &[] };
                lines.push(format!("trial {id}/{fold}: setbacks {setbacks:?} {}", run_line(run)));
            }
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
    format!(
        "{:?} to end {:?} given up {:?} ready {:?} alone {} accumulate {}",
        trial.state, trial.to_end, trial.given_up, trial.ready, trial.alone, trial.accumulate,
    )
}

fn run_line(run: &Run) -> String {
    let steps: Vec<String> = run
        .steps
        .iter()
        .map(|(n, step)| format!("{n} by {}: {:?} {:?}", step.attempt, step.metrics.0, step.answer))
        .collect();
    format!(
        "leg {:?} at {:?} attempt {:?} best {:?} is worth {:?} checkpoints {:?} in {:?} steps {steps:?}",
        run.leg,
        run.place(),
        run.attempt.as_ref().map(|attempt| &attempt.row),
        run.best,
        run.result,
        run.checkpoints,
        run.environment,
    )
}
