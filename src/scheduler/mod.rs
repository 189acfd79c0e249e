//! What runs when: the one place where sweeps, trials and attempts change state.
//!
//! `core` is pure: an input and the time in, changes and a reply out. It must not know tokio, sqlx, a
//! clock or a socket. `shell` owns the core in one task, persists what it decided and only then answers.

mod command;
mod core;
mod decide;
mod feasible;
mod hand_out;
mod input;
mod judge;
mod method;
mod place;
mod progress;
mod rejudge;
mod replay;
mod retry;
pub mod shell;
#[cfg(test)]
mod simulation;
mod state;
mod trials;

pub use self::core::{Core, Handled, RecoverError};
pub use feasible::{Feasible, check_parameter, plan_of};
pub use input::{Claimed, Command, Input, Refusal, Reply, Seeker};
pub use replay::{Difference, replay};
