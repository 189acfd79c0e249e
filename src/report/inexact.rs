//! Trials that are marked, since they were not computed as their configuration says.

use crate::store::query::TrialSummary;

/// A trial's number in a list, with a mark where it is inexact.
pub(super) fn numbered(trial: &TrialSummary) -> String {
    format!("{}{}", trial.number, if trial.inexact { "~" } else { "" })
}

/// What the mark means, as a last line; nothing where no trial has it.
pub(super) fn explain<'a>(text: &mut String, mut trials: impl Iterator<Item = &'a TrialSummary>) {
    if trials.any(|trial| trial.inexact) {
        text.push_str("\n~ inexact: not computed by itself in whole batches (`sweepd trial` says how)");
    }
}
