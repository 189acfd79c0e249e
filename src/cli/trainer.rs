//! The trainer's program, for commands that need libtorch: this program has none.

use super::exit::{FAILED, Failure};
use crate::daemon::WorkerProgram;
use anyhow::Context as _;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Runs a subcommand of the worker program to its end.
///
/// # Errors
/// Where there is no trainer, naming `what` needs it; and what the trainer says when it fails.
pub(super) fn run(
    program: Option<&Path>,
    what: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> anyhow::Result<()> {
    let program = WorkerProgram::find(program)?;
    if !program.trains {
        let message =
            format!("{what} needs sweepd-worker beside sweepd: `make setup`, then `cargo build --release`");
        return Err(Failure::new(FAILED, message).into());
    }
    let said = Command::new(&program.path)
        .args(args)
        .output()
        .with_context(|| format!("starting {}", program.path.display()))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr);
    let why = why.trim().trim_start_matches("error: ");
    Err(Failure::new(FAILED, format!("{} ({}): {why}", program.path.display(), said.status)).into())
}
