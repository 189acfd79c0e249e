//! The daemon and command line: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    sweepd::cli::main()
}
