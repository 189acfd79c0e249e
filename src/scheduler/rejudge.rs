//! Deriving again what a stopper said of running trials at their reports.
//!
//! Reports that still count are judged again as they came, so also that a trial went on is derived. What was
//! reported before a trial was taken back or tried again is gone; then its record says enough to judge it.

use super::replay::{Difference, Replay, difference};
use crate::domain::decisions::StoredEvent;
use crate::domain::{EventKind, Reason};
use crate::stopper::Verdict;

impl Replay<'_> {
    /// What was said of the report that came with an input.
    pub(super) fn judge(&mut self, seq: i64, events: &[&StoredEvent]) -> Result<(), Box<Difference>> {
        if !self.method.judges() {
            return Ok(());
        }
        let mut said = events.iter().filter(|event| is_judgement(event)).peekable();
        let (trial, curve, further) = match (self.reports.remove(&seq), said.peek()) {
            (Some(report), _) => {
                let curve = self.curves.entry(report.trial).or_default();
                curve.retain(|(step, _)| *step < report.step);
                curve.push((report.step, report.value));
                let curve = curve.clone();
                let steps = self.further.entry(report.trial).or_default();
                steps.insert(report.step, &report.further);
                let best = self.spec.objective.direction.best(curve.iter().copied());
                let further = best.and_then(|(step, _)| steps.get(&step)).map(|further| further.to_vec());
                let none = || vec![None; self.spec.objective.further.len()];
                (report.trial, curve, further.unwrap_or_else(none))
            }
            (None, Some(StoredEvent { trial: Some(trial), reason: Some(reason), .. })) => {
                (*trial, curve_of(reason), further_of(reason))
            }
            _ => return Ok(()),
        };
        let row = usize::try_from(trial).ok().and_then(|at| self.stored.trials.get(at));
        let budget = row.and_then(|row| row.budget_steps);
        let step = curve.last().map_or(0, |(step, _)| *step);
        let at_its_end = budget.is_some_and(|budget| step >= budget);
        loop {
            let verdict = match self.leg_of.get(&trial) {
                // Whoever was told to end is judged no more.
                Some(leg) if !self.stopping.contains(&trial) => {
                    self.method.judge(trial, *leg, at_its_end, (&curve, &further))
                }
                _ => Verdict::Nothing,
            };
            let derived = match &verdict {
                Verdict::Nothing => None,
                Verdict::Passed(reason) => Some((EventKind::TrialPassed, reason)),
                Verdict::Stop(reason) => Some((EventKind::TrialStopping, reason)),
            };
            let stored = said.next().and_then(|event| Some((event.kind, event.reason.as_ref()?)));
            if stored != derived {
                return Err(difference(None, in_words(trial, step, stored), in_words(trial, step, derived)));
            }
            let Some((kind, reason)) = derived else { return Ok(()) };
            self.decisions += 1;
            if let Some(leg) = self.leg_of.get(&trial) {
                self.method.remember(trial, *leg, reason);
            }
            if kind == EventKind::TrialStopping {
                self.stopping.insert(trial);
            }
        }
    }
}

fn is_judgement(event: &StoredEvent) -> bool {
    match event.kind {
        EventKind::TrialPassed => true,
        // Users and clocks are not derived.
        EventKind::TrialStopping => !matches!(event.reason, Some(Reason::ByUser | Reason::TimeLimit)),
        _ => false,
    }
}

/// As much of a trial's reports as its judgement tells.
fn curve_of(reason: &Reason) -> Vec<(u64, f64)> {
    let number = |value: &Option<f64>| value.unwrap_or(f64::NAN);
    match reason {
        Reason::PassedRung { step, value, .. }
        | Reason::BelowRung { step, value, .. }
        | Reason::WorseThanOthers { step, value, .. }
        | Reason::OutOfBounds { step, value, .. } => vec![(*step, number(value))],
        // The best came before the steps that it tells, if it is not among them.
        Reason::UnlikelyToWin { value, curve, .. } => {
            let before = value.filter(|value| curve.iter().all(|(_, other)| other != value));
            before.map(|value| (0, value)).into_iter().chain(curve.iter().copied()).collect()
        }
        Reason::Stalled { step, value, best_step, best, .. } => {
            let best = best.map(|best| (*best_step, best));
            best.into_iter().chain([(*step, number(value))]).collect()
        }
        _ => Vec::new(),
    }
}

fn further_of(reason: &Reason) -> Vec<Option<f64>> {
    match reason {
        Reason::PassedRung { further, .. } | Reason::BelowRung { further, .. } => further.clone(),
        _ => Vec::new(),
    }
}

fn in_words(trial: u64, step: u64, said: Option<(EventKind, &Reason)>) -> String {
    match said {
        None => format!("trial {trial} goes on past step {step}"),
        Some((EventKind::TrialPassed, reason)) => format!("trial {trial} passes: {reason}"),
        Some((_, reason)) => format!("trial {trial} is to end: {reason}"),
    }
}
