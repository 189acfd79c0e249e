//! What runs when: the one place where sweeps, trials and attempts change state.
//!
//! `core` is pure: an input and the time in, changes and a reply out. It must not know tokio, sqlx, a
//! clock or a socket. `shell`, spoken to through a `dispatcher`, owns the core in one task, persists what it
//! decided and only then answers.

mod best;
mod command;
mod core;
mod decide;
mod decided;
mod dispatcher;
mod edit;
mod ending;
mod explore;
mod feasible;
mod folds;
mod fuse;
mod hand_out;
mod input;
mod judge;
mod memory;
mod method;
mod place;
mod population;
mod presence;
mod progress;
mod re_edit;
mod refold;
mod rejudge;
mod replay;
mod reserve;
mod retry;
mod reuse;
pub mod shell;
#[cfg(test)]
mod simulation;
mod state;
mod suggest;
mod trials;

pub use self::core::{Core, Handled, RecoverError};
pub use feasible::{Feasible, check_parameter, check_population, plan_of};
pub use input::{Claimed, Command, DeviceMemory, Input, Refusal, Reply, Seeker};
pub use memory::too_large;
pub use place::{device_of, margin_bytes};
pub use presence::{Overview, Presence};
pub use replay::{Difference, replay};
