//! The protocol between daemon and workers, and both its ends.
//!
//! `client` and `run` are the worker's side, `supervise` the daemon's. Knows the domain; never the store:
//! only the daemon touches the database.

pub mod client;
pub mod command;
pub mod process;
pub mod protocol;
pub mod run;
pub mod toy;
