//! Random search: independent draws, uniform in each parameter's own scale (Bergstra and Bengio, "Random
//! Search for Hyper-Parameter Optimization", JMLR 13, 2012).

use super::Ask;
use super::propose::Propose;
use crate::domain::stream::{Key, stream, uniform};

/// Independent draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Random;

impl Propose for Random {
    fn name(&self, _ask: &Ask<'_>) -> &'static str {
        "random"
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        // A stream per parameter, keyed by its name: an added parameter changes no other.
        let draw = |name: &str| {
            let keys = [Key::Number(ask.number), Key::Number(round.into()), Key::Name(name)];
            uniform(&mut stream(ask.seed, "suggest", &keys))
        };
        vec![ask.space.entries().iter().map(|entry| draw(&entry.name)).collect()]
    }
}

#[cfg(test)]
#[path = "random_test.rs"]
mod random_test;
