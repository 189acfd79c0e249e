//! `sweepd worker`: evaluates toy sweeps, so that a search can be tried without libtorch.

use crate::worker::run::{self, WorkerArgs};
use crate::worker::toy::ToyTrainer;

/// Runs the loop until the daemon ends it.
///
/// # Errors
/// Where the daemon refuses its claims.
pub fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    run::run(args, &mut ToyTrainer)
}
