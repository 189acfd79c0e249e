//! `sweepd worker`: evaluates commands and toy sweeps, for which no libtorch is needed.

use crate::worker::command::CommandTrainer;
use crate::worker::run::{self, WorkerArgs};
use crate::worker::toy::ToyTrainer;
use crate::worker::trainers::Trainers;

/// Runs the loop until the daemon ends it.
///
/// # Errors
/// Where the daemon refuses its claims.
pub fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    run::run(args, &mut Trainers::new(vec![Box::new(ToyTrainer), Box::new(CommandTrainer::new(args))]))
}
