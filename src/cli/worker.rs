//! `sweepd worker`: evaluates commands and toy sweeps, for which no libtorch is needed.

use crate::domain::ObjectiveKind;
use crate::worker::command::CommandTrainer;
use crate::worker::protocol::Work;
use crate::worker::run::{self, Assignment, Crew, Outcome, Session, Trainer, WorkerArgs};
use crate::worker::toy::ToyTrainer;
use std::collections::BTreeMap;

/// Runs the loop until the daemon ends it.
///
/// # Errors
/// Where the daemon refuses its claims.
pub fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    run::run(args, &mut AnyTrainer { toy: ToyTrainer, command: CommandTrainer::new(args) })
}

/// Whatever can be evaluated without the built-in trainer.
struct AnyTrainer {
    toy: ToyTrainer,
    command: CommandTrainer,
}

impl Trainer for AnyTrainer {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        [self.toy.kinds(), self.command.kinds()].concat()
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.toy.environment()
    }

    fn work_together(&mut self, mut lead: Assignment, crew: &mut Crew<'_>) {
        if lead.work().objective.kind == ObjectiveKind::Toy {
            return self.toy.work_together(lead, crew);
        }
        let outcome = lead.in_its_log(|work, session| self.work(work, session));
        crew.end(lead, outcome);
    }

    fn work(&mut self, work: &Work, session: &mut Session) -> Outcome {
        match work.objective.kind {
            ObjectiveKind::Command => self.command.work(work, session),
            _ => self.toy.work(work, session),
        }
    }
}
