//! What the machine was used for in the last hour: kept in memory, and gone with the daemon.

use crate::domain::{Millis, Moment};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// An hour, at a moment every five seconds.
const MOST: usize = 720;

/// The moments of the last hour, in order.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Moment>>);

impl History {
    /// Adds a moment.
    pub fn add(&self, moment: Moment) {
        let mut moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moments.len() >= MOST {
            moments.pop_front();
        }
        moments.push_back(moment);
    }

    /// The moments after a time.
    pub(super) fn since(&self, time: Millis) -> Vec<Moment> {
        let moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moments.iter().filter(|moment| moment.at_ms > time).cloned().collect()
    }

    /// The last moment.
    pub(super) fn last(&self) -> Option<Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).back().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let history = History::default();
        for n in 0..2000 {
            history.add(Moment { at_ms: Millis(n * 5000), ..Moment::default() });
        }
        let all = history.since(Millis(0));
        assert_eq!(
            (all.len(), all[0].at_ms, history.last().unwrap().at_ms),
            (720, Millis(6_400_000), Millis(9_995_000))
        );
        assert_eq!(history.since(Millis(9_985_000)).len(), 2);
    }
}
