//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

#![allow(clippy::unwrap_used, reason = "also the helpers beside the tests are tests")]

mod care;
mod command;
mod experiments;
mod support;
mod sweeps;
mod tidy;
