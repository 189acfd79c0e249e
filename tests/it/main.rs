//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

mod command;
mod experiments;
mod support;
mod sweeps;
mod tidy;
