//! The method that fits: for those who do not want to choose.
//!
//! - One objective, few results, and few parameters: a Gaussian process, which makes the most of each result.
//! - Else: tree-structured Parzen estimators, which do not mind conditions, categories, several objectives, or a hundred
//!   thousand results. (With two losses they find in a hundred trials what NSGA-II does not: `docs/search.md`.)

use super::gp::Gp;
use super::propose::Propose;
use super::tpe::Tpe;
use super::{Ask, History};
use crate::space::Space;

const STARTUP: u32 = 10;
const CANDIDATES: u32 = 24;
/// Beyond so many results a Gaussian process costs more time than it saves trials.
const MOST_RESULTS: usize = 300;
/// Beyond so many parameters its distances say little.
const MOST_PARAMETERS: usize = 30;

/// Chooses among the others.
pub(super) struct Auto {
    gp: Gp,
    tpe: Tpe,
}

impl Auto {
    pub fn new() -> Self {
        Self { gp: Gp::new(STARTUP), tpe: Tpe::new(STARTUP, CANDIDATES) }
    }

    fn chosen(&self, ask: &Ask<'_>) -> (&'static str, &dyn Propose) {
        if suits_a_process(ask.space, ask.history) {
            ("auto: gp", &self.gp)
        } else {
            ("auto: tpe", &self.tpe)
        }
    }
}

fn suits_a_process(space: &Space, history: &History) -> bool {
    history.objectives() == 1
        && space.varying().count() <= MOST_PARAMETERS
        && history.ends().len() <= MOST_RESULTS
}

impl Propose for Auto {
    fn name(&self, ask: &Ask<'_>) -> &'static str {
        self.chosen(ask).0
    }

    fn propose(&self, ask: &Ask<'_>, round: u32) -> Vec<Vec<f64>> {
        self.chosen(ask).1.propose(ask, round)
    }
}
