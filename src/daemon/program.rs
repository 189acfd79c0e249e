//! Which program the worker processes run.

use std::path::{Path, PathBuf};

/// A worker program and the subcommand that starts its loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerProgram {
    /// The executable.
    pub path: PathBuf,
    /// Its first argument.
    pub subcommand: &'static str,
    /// Whether it can train CNNs.
    pub trains: bool,
}

impl WorkerProgram {
    /// `given`; else `sweepd-worker` beside this executable; else this executable itself, which can
    /// evaluate everything but the built-in trainer's sweeps.
    ///
    /// # Errors
    /// Where the given program does not exist, or this executable's own path is unknown.
    pub fn find(given: Option<&Path>) -> std::io::Result<Self> {
        let trainer = |path: PathBuf| Self { path, subcommand: "run", trains: true };
        if let Some(path) = given {
            // An absolute path: workers are started in another folder.
            return path.canonicalize().map(trainer);
        }
        let beside = std::env::current_exe()?.with_file_name("sweepd-worker");
        if beside.is_file() { Ok(trainer(beside)) } else { Self::without_trainer() }
    }

    /// This executable itself.
    ///
    /// # Errors
    /// Where its own path is unknown.
    pub fn without_trainer() -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, subcommand: "worker", trains: false })
    }
}
