//! Ends a running trial that has not become better by more than `min_delta` for a number of steps.

use super::{Judged, Stopper, Verdict};
use crate::domain::{Direction, Reason};

/// Ends what does not get better.
#[derive(Debug)]
pub(super) struct Patience {
    pub patience: u64,
    pub min_delta: f64,
    pub direction: Direction,
}

impl Stopper for Patience {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let Some((step, value)) = judged.now() else { return Verdict::Nothing };
        // The last value that counts as better, and its step; nothing has been reached in step 0.
        let mut best: Option<(u64, f64)> = None;
        for (step, value) in judged.curve.iter().filter(|(_, value)| value.is_finite()) {
            let gain = |best: f64| match self.direction {
                Direction::Minimize => best - value,
                Direction::Maximize => value - best,
            };
            if best.is_none_or(|(_, best)| gain(best) > self.min_delta) {
                best = Some((*step, *value));
            }
        }
        let best_step = best.map_or(0, |(step, _)| step);
        if step - best_step < self.patience || judged.at_its_end {
            return Verdict::Nothing;
        }
        Verdict::Stop(Reason::Stalled {
            step,
            value: Some(value).filter(|value| value.is_finite()),
            best_step,
            best: best.map(|(_, value)| value),
            patience: self.patience,
        })
    }
}
