//! Devices that are kept free for a trial that needs one for itself.
//!
//! Such a trial starts where nobody else runs. On a busy device that may be never: whenever one trial ends, the
//! next one starts beside the others. So once it has waited long enough, nothing more starts on one device that it
//! can use, until it has had its turn there. Nothing of this is stored: after a start, waiting begins anew.

use super::core::Core;
use super::input::Seeker;
use super::place::{device_of, suits};
use super::state::RunId;
use crate::domain::{Millis, ObjectiveKind, SweepId};
use std::cmp::Reverse;

/// How long a trial waits for a device to fall free by itself.
pub(super) const PATIENCE_MS: i64 = 60_000;

impl Core {
    /// The trial that the seeker's device is kept free for, if there is one: nothing else may start there.
    pub(super) fn reserved(&mut self, now: Millis, seeker: &Seeker) -> Option<RunId> {
        // Clients of ours share no device that we know of.
        if seeker.kinds.contains(&ObjectiveKind::External) {
            return None;
        }
        let device = device_of(&seeker.slot);
        if let Some(trial) = self.reserved.get(device).copied() {
            if self.waits_alone(trial, now) {
                // Who cannot take it does not keep an empty device empty: whoever can may be gone.
                let can = self.can_take(trial, seeker);
                return (can || self.is_busy(&seeker.slot)).then_some(trial);
            }
            self.reserved.remove(device);
        }
        let trial = self.impatient(now, seeker)?;
        tracing::info!(device, trial = %trial.trial, "kept free for a trial that needs it for itself and has waited");
        self.reserved.insert(device.to_owned(), trial);
        Some(trial)
    }

    /// Of the trials that have waited long enough for a device of their own and that the seeker can take: the
    /// oldest of the most urgent sweep. Those that a device is kept free for already have had theirs.
    fn impatient(&self, now: Millis, seeker: &Seeker) -> Option<RunId> {
        let mut found: Vec<(Reverse<i64>, SweepId, RunId)> = Vec::new();
        for (id, sweep) in &self.sweeps {
            for (trial, run) in sweep.open.waiting_alone() {
                let waits = trial.ready.is_none_or(|ready| ready <= now)
                    && now.since_ms(trial.waits_since) >= PATIENCE_MS
                    && self.waits_alone(run, now)
                    && self.can_take(run, seeker)
                    && !self.reserved.values().any(|reserved| *reserved == run);
                if waits {
                    found.push((Reverse(sweep.row.spec.priority), *id, run));
                }
            }
        }
        found.into_iter().min().map(|(_, _, trial)| trial)
    }

    /// Whether a trial still waits for a device of its own, and nothing but the device is missing.
    fn waits_alone(&self, run: RunId, now: Millis) -> bool {
        let sweep = self.home.get(&run.trial).and_then(|sweep| self.sweeps.get(sweep));
        let waits = |sweep: &&super::state::Active| {
            sweep.open.is_ready(run) && sweep.open.get(run.trial).is_some_and(|open| open.alone)
        };
        sweep.filter(waits).is_some_and(|sweep| sweep.may_start(now))
    }

    fn can_take(&self, run: RunId, seeker: &Seeker) -> bool {
        let sweep = self.home.get(&run.trial).and_then(|sweep| self.sweeps.get(sweep));
        sweep.is_some_and(|sweep| {
            seeker.kinds.contains(&sweep.row.spec.objective.kind)
                && sweep.open.get(run.trial).is_some_and(|open| suits(&open.runs[run.fold], seeker))
        })
    }
}
