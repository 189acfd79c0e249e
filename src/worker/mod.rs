//! The protocol between daemon and workers, and both its ends.
//!
//! `client` and `run` are the worker's side: `run` is its loop, `session` what a trainer sees of the daemon,
//! `line` the threads that speak to it meanwhile. `process` is the daemon's side. Knows the domain;
//! never the store: only the daemon touches the database.

pub mod client;
pub mod command;
mod crew;
#[cfg(test)]
mod fake_daemon_test;
mod line;
mod log;
pub mod memory;
pub mod predict;
pub mod process;
pub mod protocol;
pub mod run;
pub mod session;
#[cfg(test)]
mod session_test;
pub mod toy;
pub mod trainers;
pub mod unsaid;
