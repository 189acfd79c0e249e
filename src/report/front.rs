//! The front of a sweep with several objectives.

use super::inexact::{explain, numbered};
use super::{TextTable, duration_ms, grouped, heading, objective_value, varying};
use crate::domain::metric::PARAMETERS;
use crate::store::query::{Front, FrontShape};

/// The front as a table with a column per objective, the best by the first one above; then what it covers and what
/// the table does not show. `width` is the screen's, in characters.
#[must_use]
pub fn front_table(front: &Front, width: Option<usize>) -> String {
    let names = varying(&front.sweep.spec);
    let shape = &front.shape;
    let counted = shape.objectives.iter().any(|target| target.name == PARAMETERS);
    let mut table = TextTable::new().numbers("TRIAL");
    for target in &shape.objectives {
        table = table.numbers(heading(&target.name));
    }
    table = table.numbers("EPOCHS").numbers("TIME");
    if !counted {
        table = table.numbers("PARAMETERS");
    }
    for name in &names {
        let is_number = |value: &crate::domain::Value| value.as_f64().is_some();
        let numbers = front.members.iter().any(|member| member.trial.params.get(name).is_some_and(is_number));
        table = table.optional(name.as_str(), numbers);
    }
    for member in &front.members {
        let trial = &member.trial;
        let time = trial.started_ms.zip(trial.finished_ms).map(|(from, to)| duration_ms(to.since_ms(from)));
        let values = member.values.iter().map(|value| objective_value(Some(*value)));
        let rest = [trial.steps.to_string(), time.unwrap_or_default()];
        let weights = (!counted).then(|| trial.parameter_count.map(grouped).unwrap_or_default());
        let params =
            names.iter().map(|name| trial.params.get(name).map(ToString::to_string).unwrap_or_default());
        table.row([numbered(trial)].into_iter().chain(values).chain(rest).chain(weights).chain(params));
    }
    let (mut text, left_out) = table.render(width);
    match front_line(shape) {
        Some(line) => text.push_str(&format!("\nfront: {line}")),
        None => text.push_str("\nno trial of this sweep has completed yet"),
    }
    let more = shape.size.saturating_sub(front.members.len() as u64);
    if more > 0 {
        text.push_str(&format!("\nnot shown: {more} more of the front (-n shows more)"));
    }
    if !left_out.is_empty() {
        text.push_str(&format!("\nnot shown: {} (--wide shows them)", left_out.join(", ")));
    }
    explain(&mut text, front.members.iter().map(|member| &member.trial));
    text
}

/// A front in one line: `5 of 30 completed trials, hypervolume 12.3456 up to RMSE 4.0000, PARAMETERS 100,000`. `None`
/// before any trial has completed.
#[must_use]
pub fn front_line(shape: &FrontShape) -> Option<String> {
    if shape.completed == 0 {
        return None;
    }
    let mut line = format!("{} of {} completed trials", shape.size, shape.completed);
    if let Some(volume) = shape.hypervolume {
        let reference: Vec<String> = shape
            .objectives
            .iter()
            .zip(&shape.reference)
            .map(|(target, value)| format!("{} {}", heading(&target.name), objective_value(Some(*value))))
            .collect();
        let reference = reference.join(", ");
        line.push_str(&format!(", hypervolume {} up to {reference}", objective_value(Some(volume))));
    }
    Some(line)
}
