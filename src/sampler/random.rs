//! Random search: independent draws, uniform in each parameter's own scale (Bergstra and Bengio, "Random
//! Search for Hyper-Parameter Optimization", JMLR 13, 2012).

use super::{Ask, Sampler, Suggestion};
use crate::domain::Reason;
use crate::domain::stream::{Key, stream, uniform};

/// After so many refused draws in a row the space is taken to hold nothing feasible.
const MOST_DRAWS: u32 = 10_000;

/// Independent draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Random;

impl Sampler for Random {
    fn suggest(&self, ask: &Ask<'_>) -> Suggestion {
        let mut refusal = None;
        for refused in 0..MOST_DRAWS {
            // A stream per parameter, keyed by its name: an added parameter changes no other.
            let params = ask.space.build(|entry| {
                let keys = [Key::Number(ask.number), Key::Number(refused.into()), Key::Name(&entry.name)];
                entry.dimension.decode(uniform(&mut stream(ask.seed, "suggest", &keys)))
            });
            match (ask.feasible)(&params) {
                Ok(()) => {
                    let reason = Reason::Suggested { sampler: "random".into(), refused, refusal };
                    return Suggestion::Trial { params, reason };
                }
                Err(why) => refusal = Some(why),
            }
        }
        let why = refusal.unwrap_or_default();
        let message = format!("{MOST_DRAWS} draws in a row cannot exist; the last: {why}");
        Suggestion::Exhausted { reason: Reason::BadConfiguration { message } }
    }

    fn needs_observations(&self) -> bool {
        false
    }
}

#[cfg(test)]
#[path = "random_test.rs"]
mod random_test;
