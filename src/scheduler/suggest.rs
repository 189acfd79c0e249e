//! Which configuration the sampler suggests, of those that can exist and, as far as is known, fit into memory.

use super::method::Method;
use crate::domain::sweep::Duplicates;
use crate::domain::{Params, Reason};
use crate::sampler::{self, Ask, Suggestion};

/// Whether a configuration will do.
type Check<'a> = &'a dyn Fn(&Params) -> Result<(), String>;

impl Method {
    /// The sampler's configuration of trial `number`; `None` where it has nothing more.
    pub fn suggest(&mut self, number: u64) -> Option<(Params, Reason)> {
        let suggestion = match self.last.take().filter(|(known, _)| *known == number) {
            Some((_, suggestion)) => suggestion,
            None => self.draw(number),
        };
        match &self.last.insert((number, suggestion)).1 {
            Suggestion::Trial { params, reason } => Some((params.clone(), reason.clone())),
            Suggestion::Exhausted { reason } => {
                tracing::info!(%reason, "the sampler has no further configuration");
                None
            }
        }
    }

    /// Where all that is left seems too large, it is tried all the same until enough trials have failed to be sure: the
    /// first failures may not have been the configuration's doing.
    fn draw(&self, number: u64) -> Suggestion {
        let suggestion = self.sampler.suggest(&self.ask(number, &|params| self.check(params)));
        let limit = self.memory.as_ref().map(super::memory::Memory::limit);
        let Some((limit, too_large)) = limit.and_then(|limit| Some((limit, limit.too_large()?))) else {
            return suggestion;
        };
        if matches!(suggestion, Suggestion::Trial { .. }) {
            return suggestion;
        }
        match self.sampler.suggest(&self.ask(number, &|params| self.feasible.check(params))) {
            Suggestion::Trial { .. } if limit.is_settled() => {
                Suggestion::Exhausted { reason: Reason::NothingFits { too_large } }
            }
            any => any,
        }
    }

    /// Whether a configuration may be tried: it can exist, and may fit into memory.
    ///
    /// # Errors
    /// Why not, as a sentence.
    pub(super) fn check(&self, params: &Params) -> Result<(), String> {
        match (self.feasible.plan(params)?, &self.memory) {
            (Some(plan), Some(memory)) => memory.check(&plan),
            _ => Ok(()),
        }
    }

    /// Why the sampler had nothing more for trial `number` when it was last asked.
    pub(super) fn why_exhausted(&self, number: u64) -> Option<&Reason> {
        match self.last.as_ref()? {
            (known, Suggestion::Exhausted { reason }) if *known == number => Some(reason),
            _ => None,
        }
    }

    /// A configuration that the user asked for, completed for trial `number`. It is the user's word that it is tried,
    /// however much memory it needs.
    ///
    /// # Errors
    /// Why it cannot exist, as a sentence.
    pub fn fill_in(&self, number: u64, given: &Params) -> Result<(Params, Reason), String> {
        let (fits, exists) =
            (|params: &Params| self.check(params), |params: &Params| self.feasible.check(params));
        sampler::fill_in(self.sampler.as_ref(), &self.ask(number, &fits), given, &exists)
    }

    fn ask<'a>(&'a self, number: u64, feasible: Check<'a>) -> Ask<'a> {
        Ask {
            space: &self.space,
            seed: self.seed(),
            number,
            trials: self.trials(),
            history: &self.history,
            duplicates: match (self.duplicates, &self.results) {
                _ if !self.needs_points => true,
                (Duplicates::Skip, _) => false,
                (Duplicates::Allow, _) | (_, None) => true,
                (Duplicates::Reuse, Some(results)) => results.may_repeat(),
            },
            feasible,
        }
    }
}
