//! Ends a running trial whose value leaves a range, or is not finite.

use super::{Judged, Stopper, Verdict};
use crate::domain::Reason;

/// Ends what leaves a range.
#[derive(Debug)]
pub(super) struct Threshold {
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Steps before the first that is judged.
    pub after_steps: u64,
}

impl Stopper for Threshold {
    fn judge(&mut self, judged: &Judged<'_>) -> Verdict {
        let Some((step, value)) = judged.now() else { return Verdict::Nothing };
        if step <= self.after_steps || judged.at_its_end {
            return Verdict::Nothing;
        }
        let limit = match (self.lower, self.upper) {
            _ if !value.is_finite() => None,
            (Some(lower), _) if value < lower => Some(lower),
            (_, Some(upper)) if value > upper => Some(upper),
            _ => return Verdict::Nothing,
        };
        let value = Some(value).filter(|value| value.is_finite());
        Verdict::Stop(Reason::OutOfBounds { step, value, limit })
    }
}
