//! Lines of progress: one per running trial, one for the sweep.

use super::sweeps::done;
use super::{duration_ms, heading, objective_value, value};
use crate::domain::metric::SECONDS;
use crate::domain::{Millis, Objective};
use crate::store::query::{StepRow, SweepSummary, TrialSummary};

/// What a running trial says: `trial 7  epoch 3/12  RMSE 3.4120  best 3.1002  20 s left`.
#[must_use]
pub fn trial_line(trial: &TrialSummary, last: Option<&StepRow>, objective: &Objective) -> String {
    let metric = &objective.metric;
    let name = heading(metric);
    let of = trial.budget_steps.map_or_else(String::new, |budget| format!("/{budget}"));
    let mut line = format!("trial {:<4} epoch {:>3}{of:<4}", trial.number, trial.steps);
    if let Some(step) = last {
        let now = value(step.metrics.get(metric));
        line.push_str(&format!("  {name} {now:>8}  best {:>8}", value(trial.value)));
        for (target, value) in objective.further.iter().zip(&trial.further) {
            line.push_str(&format!("  {} {:>8}", heading(&target.name), objective_value(*value)));
        }
        let left = trial.budget_steps.map(|budget| budget.saturating_sub(trial.steps));
        if let (Some(left), Some(seconds)) = (left, step.metrics.get(SECONDS).filter(|s| s.is_finite())) {
            line.push_str(&format!("  {} left", duration_ms((left as f64 * seconds * 1000.0) as i64)));
        }
    }
    line
}

/// Milliseconds until all of a sweep's planned trials have ended, at the pace since the first one began; `None` while
/// none has ended, or where nobody knows how many there will be.
#[must_use]
pub fn time_left_ms(sweep: &SweepSummary, begun: Millis, now: Millis) -> Option<i64> {
    let ended = Some(sweep.trials.ended()).filter(|ended| *ended > 0)?;
    let left = sweep.planned?.saturating_sub(ended);
    Some((now.since_ms(begun).max(0) as f64 / ended as f64 * left as f64) as i64)
}

/// When a sweep will end, from how it went since it was first looked at.
#[derive(Debug, Clone, Copy)]
pub struct Eta {
    since: Millis,
    ended: u64,
}

impl Eta {
    /// Begins to look, at the time `now`.
    #[must_use]
    pub fn begin(sweep: &SweepSummary, now: Millis) -> Self {
        Self { since: now, ended: sweep.trials.ended() }
    }

    /// Milliseconds until all planned trials have ended at the pace seen so far; `None` while none has.
    #[must_use]
    pub fn left_ms(&self, sweep: &SweepSummary, now: Millis) -> Option<i64> {
        let seen = sweep.trials.ended().checked_sub(self.ended).filter(|n| *n > 0)?;
        let left = sweep.planned?.saturating_sub(sweep.trials.ended());
        Some((now.since_ms(self.since) as f64 / seen as f64 * left as f64) as i64)
    }
}

/// What the sweep says: `quickstart  12/16 trials  best RMSE 1.9034 (trial 3)  mean face 4.9980  40 s left`.
#[must_use]
pub fn sweep_line(sweep: &SweepSummary, eta: &Eta, now: Millis) -> String {
    let mut line = format!("{}  {} trials", sweep.name, done(sweep));
    if sweep.trials.failed > 0 {
        line.push_str(&format!(", {} failed", sweep.trials.failed));
    }
    if let (Some(best), Some(trial)) = (sweep.best, sweep.best_trial) {
        let metric = heading(&sweep.spec.objective.metric);
        line.push_str(&format!("  best {metric} {} (trial {trial})", value(Some(best))));
    }
    if let Some(baseline) = sweep.baseline {
        line.push_str(&format!("  mean face {}", value(Some(baseline))));
    }
    if let Some(left) = eta.left_ms(sweep, now) {
        line.push_str(&format!("  {} left", duration_ms(left)));
    }
    line
}
