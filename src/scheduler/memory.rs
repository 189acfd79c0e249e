//! What a sweep's decisions may know of how much fits into memory, and the configurations that they do not try for it.
//!
//! All comes from ends that may be seen, like what sampler and stopper know; so it holds after a restart, in a replay
//! and in another space. The only failures that count are of trials that had the largest device for themselves.

use super::folds::FoldEnd;
use super::method::end_of;
use super::retry::MOST_PARTS;
use crate::domain::{LegOutcome, LegRecord, MemoryLimit, OutOfMemory, Params, Sweep, TooLarge, memory_size};
use crate::model::Plan;

/// What is known of a sweep's needs of memory.
#[derive(Debug)]
pub(super) struct Memory {
    /// Into how many parts a batch is split before a trial fails. What completed in fewer would fit in as many, so
    /// all estimates are of that many.
    parts: u32,
    /// Every trial's estimate, by number.
    estimates: Vec<Option<u64>>,
    limit: MemoryLimit,
}

impl Memory {
    /// `None` for a sweep whose trials' needs cannot be estimated, or that tries everything.
    pub fn of(sweep: &Sweep) -> Option<Self> {
        let parts = match sweep.objective.out_of_memory {
            OutOfMemory::Fail => 1,
            OutOfMemory::Accumulate => MOST_PARTS,
        };
        sweep.learns_memory().then(|| Self { parts, estimates: Vec::new(), limit: MemoryLimit::default() })
    }

    /// The next trial, by number, has this configuration.
    pub fn suggested(&mut self, params: &Params) {
        let plan = Plan::from_params(params).ok();
        self.estimates.push(plan.and_then(|plan| self.estimate(&plan)));
    }

    /// The end of a leg may be seen from now on.
    pub fn ended(&mut self, FoldEnd { end, out_of_memory, .. }: &FoldEnd) {
        let estimate = usize::try_from(end.trial).ok().and_then(|trial| self.estimates.get(trial));
        let Some(bytes) = estimate.copied().flatten() else { return };
        match end.outcome {
            LegOutcome::Failed if *out_of_memory => self.limit.failed(end.trial, bytes),
            LegOutcome::Completed | LegOutcome::Paused => self.limit.fitted(bytes),
            LegOutcome::Stopped if end.value.is_some() => self.limit.fitted(bytes),
            LegOutcome::Failed | LegOutcome::Stopped | LegOutcome::Cancelled => {}
        }
    }

    /// Whether a configuration may fit.
    ///
    /// # Errors
    /// Why not, as a sentence.
    pub fn check(&self, plan: &Plan) -> Result<(), String> {
        let Some(bytes) = self.estimate(plan).filter(|bytes| self.limit.refuses(*bytes)) else {
            return Ok(());
        };
        let why = self.limit.too_large().map_or_else(String::new, |too_large| format!(", and {too_large}"));
        Err(format!("it needs about {}{why}", memory_size(bytes)))
    }

    /// What was learned.
    pub fn limit(&self) -> &MemoryLimit {
        &self.limit
    }

    fn estimate(&self, plan: &Plan) -> Option<u64> {
        plan.least_memory_bytes(self.parts)
    }
}

/// What a sweep does not try for lack of memory, by its trials' configurations and its legs, each by number; `None` while
/// it may try everything.
#[must_use]
pub fn too_large(sweep: &Sweep, configurations: &[Params], legs: &[LegRecord]) -> Option<TooLarge> {
    let mut memory = Memory::of(sweep)?;
    configurations.iter().for_each(|params| memory.suggested(params));
    legs.iter().filter_map(end_of).for_each(|(_, _, end)| memory.ended(&end));
    memory.limit.too_large()
}

#[cfg(test)]
#[path = "memory_test.rs"]
pub(super) mod memory_test;
