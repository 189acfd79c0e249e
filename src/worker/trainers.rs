//! Several trainers as one, each for its own kinds of objective.

use super::run::{Assignment, Crew, Outcome, Trainer};
use crate::domain::{ObjectiveKind, Reason};
use std::collections::BTreeMap;

/// All that a worker can work on.
pub struct Trainers<'a> {
    all: Vec<Box<dyn Trainer + 'a>>,
}

impl<'a> Trainers<'a> {
    /// These, of which no two have a kind in common.
    #[must_use]
    pub fn new(all: Vec<Box<dyn Trainer + 'a>>) -> Self {
        Self { all }
    }
}

impl Trainer for Trainers<'_> {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        self.all.iter().flat_map(|trainer| trainer.kinds()).collect()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.all.iter().flat_map(|trainer| trainer.environment()).collect()
    }

    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>) {
        let kind = lead.work().objective.kind;
        match self.all.iter_mut().find(|trainer| trainer.kinds().contains(&kind)) {
            Some(trainer) => trainer.work(lead, crew),
            None => crew.alone(lead, |_, _| {
                let message = format!("this worker was given a trial of a kind it did not ask for: {kind:?}");
                Outcome::failed(Reason::Error { message })
            }),
        }
    }
}
