//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the helpers beside the tests are tests too, and wait in real time"
)]

mod api;
mod ask_tell;
mod care;
#[cfg(feature = "torch")]
mod columns;
mod command;
mod dice;
mod edit;
mod ensembles;
mod events;
mod every_call;
mod experiments;
mod folds;
mod full_disk;
mod import;
mod kill;
mod ledger;
mod memory;
mod metrics;
mod objectives;
mod openapi;
mod plot;
mod power_cut;
mod races;
mod restart;
mod security;
mod stoppers;
mod support;
mod sweeps;
mod table;
mod tidy;
#[cfg(feature = "torch")]
mod trainer;
mod trainer_doc;
mod web;
mod writer_killed;
