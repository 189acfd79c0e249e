//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

mod care;
mod command;
mod experiments;
mod races;
mod support;
mod sweeps;
mod tidy;
