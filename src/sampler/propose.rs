//! From points to suggestions: a method proposes points in the order in which it prefers them, and the first that
//! can exist and is not known yet is taken.

use super::grid::Grid;
use super::random::Random;
use super::{Ask, Sampler, Suggestion};
use crate::domain::{Params, Reason};

/// A method that proposes points of the unit cube.
pub(super) trait Propose: Send + Sync {
    /// The name of the method that answers this question, for reasons.
    fn name(&self, ask: &Ask<'_>) -> &'static str;

    /// Points for trial `ask.number`, the preferred first: a coordinate in `[0, 1]` per entry of the space, in its
    /// order; what does not exist under the others is ignored. Asked again, with the next `round` from 0, when none
    /// of them will do. An empty answer says that it has no more.
    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>>;
}

/// A sampler that takes the first point that will do.
pub(super) struct Proposing<P>(pub P);

/// So many times a method is asked; then random draws take over.
const ROUNDS: u32 = 20;
/// After so many refused draws in a row the space is taken to hold nothing feasible.
const MOST_DRAWS: u32 = 10_000;
/// After so many known points in a row the unknown ones are looked for one by one.
const MOST_KNOWN: u32 = 1_000;

impl<P: Propose> Sampler for Proposing<P> {
    fn suggest(&self, ask: &Ask<'_>) -> Suggestion {
        let mut search = Search { ask, refused: 0, known: 0, refusal: None };
        let methods = [(&self.0 as &dyn Propose, ROUNDS), (&Random, MOST_DRAWS)];
        for (method, rounds) in methods {
            for round in 0..rounds {
                let points = method.propose(ask, round);
                if points.is_empty() || search.known > MOST_KNOWN {
                    break;
                }
                if let Some(params) = points.iter().find_map(|point| search.take(point)) {
                    return search.suggestion(self.0.name(ask), params);
                }
            }
        }
        search.first_unknown(self.0.name(ask))
    }
}

/// The way to a point that will do.
struct Search<'a> {
    ask: &'a Ask<'a>,
    refused: u32,
    known: u32,
    refusal: Option<String>,
}

impl Search<'_> {
    fn take(&mut self, point: &[f64]) -> Option<Params> {
        let params = self.ask.space.decode(point);
        if let Err(why) = (self.ask.feasible)(&params) {
            self.refused += 1;
            self.refusal = Some(why);
            return None;
        }
        if self.is_known(&params) {
            self.known += 1;
            return None;
        }
        Some(params)
    }

    fn suggestion(self, sampler: &str, params: Params) -> Suggestion {
        let (refused, refusal) = (self.refused, self.refusal);
        let reason = Reason::Suggested { sampler: sampler.into(), refused, refusal };
        Suggestion::Trial { params, reason }
    }

    fn is_known(&self, params: &Params) -> bool {
        !self.ask.duplicates && self.ask.history.contains(&self.ask.space.point(params))
    }

    /// The first of all combinations that can exist and is not known, where they are finitely many.
    fn first_unknown(self, sampler: &str) -> Suggestion {
        if self.known > 0 && self.ask.space.size().is_some() {
            let feasible = |params: &Params| match (self.ask.feasible)(params) {
                Ok(()) if self.is_known(params) => Err("it has been tried".into()),
                verdict => verdict,
            };
            let ask = Ask { number: 0, feasible: &feasible, ..*self.ask };
            return match Grid::new(u32::MAX).suggest(&ask) {
                Suggestion::Trial { params, .. } => self.suggestion(sampler, params),
                Suggestion::Exhausted { .. } => Suggestion::Exhausted { reason: Reason::SpaceExhausted },
            };
        }
        let why = self.refusal.unwrap_or_default();
        let message = format!("{} draws in a row cannot exist; the last: {why}", self.refused);
        Suggestion::Exhausted { reason: Reason::BadConfiguration { message } }
    }
}
