//! How much memory the configurations of a sweep may need, learned from trials that ran out of it and from those that
//! did not.
//!
//! Which configurations fit is an unknown constraint of the search (Gelbart, Snoek and Adams, "Bayesian Optimization with
//! Unknown Constraints", UAI 2014). What each needs is estimated beforehand, so all that is to be learned is one number.
//! The estimates are rough: what has been trained outweighs every failure of something smaller, and only what is well
//! above a failure is taken to fail as well.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;

/// How far above a failure, as one of so many parts of it, an estimate may be and still be given a try.
const MARGIN: u64 = 4;
/// So many failures settle that something does not fit. One may have been somebody else's fault, who held the device's
/// memory for a while.
const ENOUGH: usize = 3;
/// So many trials are named.
const NAMED: usize = 6;

/// What trials have shown of how much fits. It follows from the set of them, in whatever order they are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryLimit {
    /// The largest estimate of what was trained.
    fits: u64,
    /// Estimates of what ran out of memory, with the trials' numbers.
    failed: BTreeSet<(u64, u64)>,
}

/// What is not tried for lack of memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TooLarge {
    /// Configurations that need more than this, by the estimate.
    pub above_bytes: u64,
    /// The trials that ran out of memory, by number; what needs just as much as one of them is not tried either.
    pub trials: Vec<u64>,
}

impl MemoryLimit {
    /// A configuration of that estimate was trained.
    pub fn fitted(&mut self, bytes: u64) {
        self.fits = self.fits.max(bytes);
    }

    /// A trial of that estimate ran out of memory.
    pub fn failed(&mut self, trial: u64, bytes: u64) {
        self.failed.insert((bytes, trial));
    }

    /// Whether a configuration of that estimate is taken not to fit.
    #[must_use]
    pub fn refuses(&self, bytes: u64) -> bool {
        let Some(above) = self.above() else { return false };
        let is_of_a_failure = || self.failed.range((bytes, 0)..=(bytes, u64::MAX)).next().is_some();
        bytes > self.fits && (bytes > above || is_of_a_failure())
    }

    /// Whether enough trials have failed to settle that nothing as large will ever fit.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.believed().count() >= ENOUGH
    }

    /// What is not tried; `None` while everything may be.
    #[must_use]
    pub fn too_large(&self) -> Option<TooLarge> {
        let above_bytes = self.above()?;
        let trials: BTreeSet<u64> = self.believed().map(|(_, trial)| trial).collect();
        Some(TooLarge { above_bytes, trials: trials.into_iter().collect() })
    }

    /// The estimate above which nothing is tried.
    fn above(&self) -> Option<u64> {
        self.believed().next().map(|(bytes, _)| bytes.saturating_add(bytes / MARGIN))
    }

    /// Failures that nothing as large has belied, the smallest first.
    fn believed(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.failed.range((Bound::Excluded((self.fits, u64::MAX)), Bound::Unbounded)).copied()
    }
}

/// One line for people.
impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> = self.trials.iter().take(NAMED).map(u64::to_string).collect();
        let (word, more) =
            (if self.trials.len() == 1 { "trial" } else { "trials" }, self.trials.len() - named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (size, named) = (memory_size(self.above_bytes), named.join(", "));
        write!(f, "what needs more than about {size} is not tried: {word} {named}{more} ran out of memory")
    }
}

/// An amount of memory: `512 MiB`, `3.2 GiB`.
#[must_use]
pub fn memory_size(bytes: u64) -> String {
    let mib = bytes as f64 / (1 << 20) as f64;
    if mib < 1000.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

#[cfg(test)]
#[path = "memory_limit_test.rs"]
mod memory_limit_test;
