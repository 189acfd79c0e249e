//! One trial with all that is known of it.

use super::trials::epochs;
use super::{TextTable, bytes, duration_ms, grouped, heading, moment, objective_value, value};
use crate::domain::metric::{DEVICE_MEMORY_BYTES, RESIDENT_BYTES};
use crate::domain::{Event, Millis, Objective};
use crate::store::query::{AttemptDetail, FoldSummary, StepRow, TrialDetail};
use std::collections::BTreeSet;

/// A trial: its state, parameters, attempts, decisions and every step. `objective` is the sweep's.
#[must_use]
pub fn trial_detail(detail: &TrialDetail, objective: &Objective) -> String {
    let trial = &detail.trial;
    let mut lines = vec![
        ("trial", format!("{} of {} ({}/{})", trial.number, detail.sweep_name, detail.sweep, trial.number)),
        ("id", trial.trial_id.to_string()),
        ("state", trial.state.as_str().to_owned()),
        ("suggested", trial.suggested.to_string()),
    ];
    if let (Some(parent), Some(step)) = (trial.parent, trial.parent_step) {
        lines.push(("parent", format!("trial {parent}, of which it has the first {step} epochs")));
    }
    if let Some(ended) = &trial.ended {
        lines.push(("ended", ended.to_string()));
    }
    if let (Some(best), Some(step)) = (trial.value, trial.best_step) {
        let mut text = format!("{} {}", heading(&objective.metric), value(Some(best)));
        text.push_str(&match trial.spread {
            Some(spread) => format!(" ± {} over its folds, in epoch {step} on average", value(Some(spread))),
            None => format!(" in epoch {step}"),
        });
        for (target, value) in objective.further.iter().zip(&trial.further) {
            text.push_str(&format!(", there {} {}", heading(&target.name), objective_value(*value)));
        }
        lines.push(("best", text));
    }
    lines.push(("epochs", epochs(trial)));
    if let Some(count) = trial.parameter_count {
        lines.push(("weights", format!("{} numbers", grouped(count))));
    }
    let memory = [(trial.device_memory_bytes, "of its device"), (trial.resident_bytes, "of the machine")];
    let memory: Vec<String> =
        memory.iter().filter_map(|(held, whose)| Some(format!("{} {whose}", bytes((*held)?)))).collect();
    if !memory.is_empty() {
        lines.push(("memory", format!("{} at most", memory.join(", "))));
    }
    if trial.inexact {
        let mut said = detail.attempts.iter().rev().filter_map(|attempt| attempt.environment.get("inexact"));
        lines.extend(said.next().map(|how| ("inexact", how.clone())));
    }
    if !trial.tags.is_empty() {
        lines.push(("tags", trial.tags.join(" ")));
    }
    lines.extend(trial.note.clone().map(|note| ("note", note)));
    if let Some(hash) = &trial.weights {
        lines.push(("stored as", hash.clone()));
    }
    if let (Some(from), Some(to)) = (trial.started_ms, trial.finished_ms) {
        lines.push(("time", format!("{}, from {}", duration_ms(to.since_ms(from)), moment(from))));
    }
    let mut text: String = lines.iter().map(|(name, value)| format!("{name:<10}  {value}\n")).collect();
    let mut params = TextTable::new().words("PARAMETER").words("VALUE");
    for (name, value) in &trial.params {
        params.row([name.clone(), value.to_string()]);
    }
    let sections = [
        Some(params.render(None).0),
        folds(&trial.folds, objective),
        attempts(&detail.attempts, !trial.folds.is_empty()),
        steps(&detail.steps),
        events(&detail.events),
    ];
    for section in sections.into_iter().flatten() {
        text.push('\n');
        text.push_str(&section);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// What each fold came to.
fn folds(folds: &[FoldSummary], objective: &Objective) -> Option<String> {
    folds.first()?;
    let mut table = TextTable::new().numbers("FOLD").numbers(heading(&objective.metric));
    for target in &objective.further {
        table = table.numbers(heading(&target.name));
    }
    table = table.numbers("BEST EPOCH").words("STORED AS");
    for fold in folds {
        let further =
            (0..objective.further.len()).map(|at| objective_value(fold.further.get(at).copied().flatten()));
        let step = fold.best_step.map(|step| step.to_string()).unwrap_or_default();
        let rest = [step, fold.weights.clone().unwrap_or_default()];
        table.row([fold.fold.to_string(), value(fold.value)].into_iter().chain(further).chain(rest));
    }
    Some(table.render(None).0)
}

fn attempts(attempts: &[AttemptDetail], folds: bool) -> Option<String> {
    let last = attempts.last()?;
    let mut table = TextTable::new().numbers("ATTEMPT");
    if folds {
        table = table.numbers("FOLD");
    }
    table = table.words("SLOT").words("STATE").numbers("TIME").words("WHY");
    for attempt in attempts {
        let time = attempt.finished_ms.map(|to| duration_ms(to.since_ms(attempt.started_ms)));
        let fold = folds.then(|| attempt.fold.to_string());
        let rest = [
            attempt.slot.clone(),
            attempt.state.clone(),
            time.unwrap_or_default(),
            attempt.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        table.row([attempt.attempt_id.to_string()].into_iter().chain(fold).chain(rest));
    }
    let environment: Vec<String> = last.environment.iter().map(|(k, v)| format!("{k} {v}")).collect();
    let mut text = table.render(None).0;
    if !environment.is_empty() {
        text.push_str(&format!("\non {}", environment.join(", ")));
    }
    Some(text)
}

fn steps(steps: &[StepRow]) -> Option<String> {
    let mut names: BTreeSet<&String> = steps.iter().flat_map(|step| step.metrics.0.keys()).collect();
    // What counts of them is their maximum, which stands above.
    names.retain(|name| ![DEVICE_MEMORY_BYTES, RESIDENT_BYTES].contains(&name.as_str()));
    if names.is_empty() {
        return None;
    }
    let folds = steps.iter().any(|step| step.fold > 0);
    let mut table = TextTable::new().numbers("EPOCH");
    if folds {
        table = table.numbers("FOLD");
    }
    for name in &names {
        table = table.numbers(heading(name));
    }
    for step in steps {
        let numbers = names.iter().map(|name| step.metrics.get(name).map(shown).unwrap_or_default());
        let fold = folds.then(|| step.fold.to_string());
        table.row([step.step.to_string()].into_iter().chain(fold).chain(numbers));
    }
    Some(table.render(None).0)
}

/// Four digits after the point, or four that count where the number is small.
fn shown(x: f64) -> String {
    if x == 0.0 || x.abs() >= 0.1 { format!("{x:.4}") } else { format!("{x:.3e}") }
}

fn events(events: &[Event]) -> Option<String> {
    let first: Millis = events.first()?.at_ms;
    let mut table = TextTable::new().numbers("INPUT").numbers("AFTER").words("DECISION").words("WHY");
    for event in events {
        table.row([
            event.seq.to_string(),
            duration_ms(event.at_ms.since_ms(first)),
            event.kind.as_str().replace('_', " "),
            event.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]);
    }
    Some(table.render(None).0)
}
