//! Trials of a sweep as a table.

use super::inexact::{explain, numbered};
use super::{TextTable, duration_ms, heading, measured, objective_value, varying};
use crate::domain::Sweep;
use crate::store::query::TrialSummary;

/// The trials as a table, then what it does not show. `width` is the screen's, in characters.
#[must_use]
pub fn trial_list(trials: &[TrialSummary], sweep: &Sweep, width: Option<usize>) -> String {
    let names = varying(sweep);
    let mut table =
        TextTable::new().numbers("TRIAL").words("STATE").numbers(heading(&sweep.objective.metric));
    for target in &sweep.objective.further {
        table = table.numbers(heading(&target.name));
    }
    table = table.numbers("EPOCHS").numbers("TIME");
    for name in &names {
        let is_number = |t: &TrialSummary| t.params.get(name).is_some_and(|value| value.as_f64().is_some());
        table = table.optional(name.as_str(), trials.iter().any(is_number));
    }
    let reasons = trials.iter().any(|trial| trial.ended.is_some() && !is_plain(trial));
    if reasons {
        table = table.optional("WHY", false);
    }
    for trial in trials {
        let time = trial.started_ms.zip(trial.finished_ms).map(|(from, to)| duration_ms(to.since_ms(from)));
        let fixed = [numbered(trial), trial.state.as_str().to_owned(), measured(trial)];
        let further = (0..sweep.objective.further.len())
            .map(|at| objective_value(trial.further.get(at).copied().flatten()));
        let rest = [epochs(trial), time.unwrap_or_default()];
        let params =
            names.iter().map(|name| trial.params.get(name).map(ToString::to_string).unwrap_or_default());
        let why = trial.ended.as_ref().filter(|_| !is_plain(trial)).map(ToString::to_string);
        table
            .row(fixed.into_iter().chain(further).chain(rest).chain(params).chain([why.unwrap_or_default()]));
    }
    let (mut text, left_out) = table.render(width);
    if !left_out.is_empty() {
        text.push_str(&format!("\nnot shown: {} (--wide shows them)", left_out.join(", ")));
    }
    explain(&mut text, trials.iter());
    text
}

/// `12/30`, or `12` where the budget is not known.
pub(super) fn epochs(trial: &TrialSummary) -> String {
    match trial.budget_steps {
        Some(budget) => format!("{}/{budget}", trial.steps),
        None => trial.steps.to_string(),
    }
}

/// Its end needs no explanation.
fn is_plain(trial: &TrialSummary) -> bool {
    matches!(trial.ended, None | Some(crate::domain::Reason::BudgetSpent))
}
