//! sweepd: a hyperparameter-search daemon that trains CNNs in worker processes and keeps a leaderboard.
//!
//! The rooms, and who may know whom (a test reads the `use` lines and enforces it):
//!
//! ```text
//! domain <- {expr, space, model} <- {sampler, stopper} <- scheduler::core      no I/O, no clock, no global RNG
//! store knows domain and expr; dataset and worker know domain and model, never store
//! scheduler::shell joins core, store and worker; report knows what the store answers; nothing imports cli or http
//! ```
//!
//! The trainer is not here: it lives in the tree of the binary `sweepd-worker`, the only place that
//! names `tch`.

pub mod access;
pub mod augment;
pub mod cli;
pub mod daemon;
pub mod dataset;
pub mod domain;
pub mod ensembling;
pub mod expr;
pub mod home;
pub mod http;
pub mod intake;
pub mod model;
pub mod report;
pub mod sampler;
pub mod scheduler;
pub mod space;
pub mod stopper;
pub mod store;
pub mod sweepfile;
pub mod telemetry;
pub mod worker;

/// An error and its causes on one line: `opening x: permission denied`.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
