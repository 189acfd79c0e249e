//! sweepd: a hyperparameter-search daemon that trains CNNs in worker processes and keeps a leaderboard.
//!
//! The rooms, and who may know whom (a test reads the `use` lines and enforces it):
//!
//! ```text
//! domain <- {expr, space, model} <- sampler <- scheduler::core      no I/O, no clock, no global RNG
//! store knows domain and expr; dataset and worker know domain and model, never store
//! scheduler::shell joins core, store and worker; nothing imports cli or http
//! ```
//!
//! The trainer is not here: it lives in the tree of the binary `sweepd-worker`, the only place that
//! names `tch`.

pub mod dataset;
pub mod domain;
pub mod model;
pub mod store;
pub mod worker;
