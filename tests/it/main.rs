//! Tests from outside: the structure of the code, the sweep files, and the real binaries.

mod care;
mod command;
mod dice;
mod experiments;
mod kill;
mod ledger;
mod restart;
mod support;
mod sweeps;
mod table;
mod tidy;
mod writer_killed;
