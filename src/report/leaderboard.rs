//! The leaderboard of a sweep.

use super::inexact::{explain, numbered};
use super::{TextTable, duration_ms, grouped, heading, measured, value, varying};
use crate::store::query::{Leaderboard, Ranked};

/// The ranking as a table, the mean face (what a model scores that has learned nothing) as its last row; then
/// what it does not show. `width` is the screen's, in characters.
#[must_use]
pub fn leaderboard(board: &Leaderboard, width: Option<usize>) -> String {
    let sweep = &board.sweep;
    let names = varying(&sweep.spec);
    let mut table = TextTable::new()
        .numbers("RANK")
        .numbers("TRIAL")
        .numbers(heading(&sweep.spec.objective.metric))
        .numbers("EPOCHS")
        .numbers("TIME")
        .numbers("PARAMETERS");
    for name in &names {
        table = table.optional(name.as_str(), board.ranked.iter().any(|r| is_number(r, name)));
    }
    for ranked in &board.ranked {
        let trial = &ranked.trial;
        let time = trial.started_ms.zip(trial.finished_ms).map(|(from, to)| duration_ms(to.since_ms(from)));
        let fixed = [
            ranked.rank.to_string(),
            numbered(trial),
            measured(trial),
            trial.steps.to_string(),
            time.unwrap_or_default(),
            trial.parameter_count.map(grouped).unwrap_or_default(),
        ];
        let params =
            names.iter().map(|name| trial.params.get(name).map(ToString::to_string).unwrap_or_default());
        table.row(fixed.into_iter().chain(params));
    }
    if let Some(baseline) = sweep.baseline {
        table.row([String::new(), "mean face".to_owned(), value(Some(baseline))]);
    }
    let (mut text, left_out) = table.render(width);
    if board.ranked.is_empty() {
        text.push_str("\nno trial of this sweep has completed yet");
    }
    if !left_out.is_empty() {
        text.push_str(&format!("\nnot shown: {} (--wide shows them)", left_out.join(", ")));
    }
    explain(&mut text, board.ranked.iter().map(|ranked| &ranked.trial));
    text
}

fn is_number(ranked: &Ranked, name: &str) -> bool {
    ranked.trial.params.get(name).is_some_and(|value| value.as_f64().is_some())
}
