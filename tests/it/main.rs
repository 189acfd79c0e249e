//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the helpers beside the tests are tests too, and wait in real time"
)]

mod care;
mod command;
mod experiments;
mod support;
mod sweeps;
mod tidy;
