//! `sweepd doctor`: checks the installation and the home folder, and says what to do.

use super::context::Context;
use super::exit::{FAILED, Failure};
use super::run::answers;
use crate::daemon::WorkerProgram;
use crate::store::{DATABASE_FILE, Reader, StoreError, blob};
use crate::worker::process;
use crate::{dataset, home};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Below so little free space a sweep's weights may not fit.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;

/// Check the installation and the home folder
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// The worker program [default: sweepd-worker beside sweepd]
    #[arg(long, value_name = "PATH")]
    pub worker_program: Option<PathBuf>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Note,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    verdict: Verdict,
    found: String,
}

impl Check {
    fn new(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { what, verdict, found: found.into() }
    }
}

/// Runs every check and prints what was found.
///
/// # Errors
/// Where a check found something broken.
pub async fn run(args: &DoctorArgs, context: &Context) -> anyhow::Result<()> {
    let mut checks = vec![home_folder(&context.home), free_space(&context.home)];
    checks.extend(database(&context.home).await);
    checks.push(daemon(&context.home).await);
    checks.push(worker_program(args.worker_program.as_deref()));
    checks.push(gpus());
    checks.extend(datasets(&context.home));
    if context.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        for Check { what, verdict, found } in &checks {
            let mark = match verdict {
                Verdict::Good => "ok  ",
                Verdict::Note => "note",
                Verdict::Bad => "BAD ",
            };
            println!("{mark}  {what:<16}  {found}");
        }
    }
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => Err(Failure::new(FAILED, "one check found something broken").into()),
        n => Err(Failure::new(FAILED, format!("{n} checks found something broken")).into()),
    }
}

fn home_folder(home: &Path) -> Check {
    let what = "home folder";
    if !home.exists() {
        let found =
            format!("{} does not exist yet: the first `sweepd run` or `serve` makes it", home.display());
        return Check::new(what, Verdict::Note, found);
    }
    let probe = home.join(".doctor");
    match std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Check::new(what, Verdict::Good, home.display().to_string()),
        Err(error) => {
            Check::new(what, Verdict::Bad, format!("{} cannot be written: {error}", home.display()))
        }
    }
}

fn free_space(home: &Path) -> Check {
    let what = "free space";
    // The home folder may not exist yet: its nearest ancestor is on the same disk.
    let Some(existing) = home.ancestors().find(|folder| folder.exists()) else {
        return Check::new(what, Verdict::Note, "not known");
    };
    match nix::sys::statvfs::statvfs(existing) {
        Ok(stat) => {
            let bytes = stat.blocks_available().saturating_mul(stat.fragment_size());
            let found = format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64);
            if bytes < LITTLE_SPACE_BYTES {
                Check::new(what, Verdict::Bad, format!("{found}: free some, or choose another --home"))
            } else {
                Check::new(what, Verdict::Good, found)
            }
        }
        Err(error) => Check::new(what, Verdict::Note, format!("not known: {error}")),
    }
}

async fn database(home: &Path) -> Vec<Check> {
    let reader = match Reader::open(home, 1).await {
        Ok(reader) => reader,
        Err(StoreError::Absent { .. }) => {
            return vec![Check::new("database", Verdict::Note, "none yet: nothing has been submitted")];
        }
        Err(error) => return vec![Check::new("database", Verdict::Bad, crate::error_chain(&error))],
    };
    let integrity = match reader.integrity().await {
        Ok(problems) if problems.is_empty() => {
            Check::new("database", Verdict::Good, format!("{DATABASE_FILE}: integrity checked"))
        }
        Ok(problems) => Check::new("database", Verdict::Bad, problems.join("; ")),
        Err(error) => Check::new("database", Verdict::Bad, crate::error_chain(&error)),
    };
    let mut checks = vec![integrity];
    match reader.blobs().await {
        Ok(hashes) => {
            let lost = |hash: &&String| blob::path(home, hash).is_none_or(|path| !path.exists());
            checks.push(match hashes.iter().filter(lost).count() {
                0 => Check::new(
                    "weights",
                    Verdict::Good,
                    format!("{} files of weights and checkpoints", hashes.len()),
                ),
                n => Check::new("weights", Verdict::Bad, format!("{n} of {} files are gone", hashes.len())),
            });
            let stored = blob::count(home);
            if stored > hashes.len() as u64 {
                let n = stored - hashes.len() as u64;
                let found = format!("{n} files that nothing refers to: `sweepd gc` removes them");
                checks.push(Check::new("weights", Verdict::Note, found));
            }
        }
        Err(error) => checks.push(Check::new("weights", Verdict::Bad, crate::error_chain(&error))),
    }
    checks
}

async fn daemon(home: &Path) -> Check {
    let what = "daemon";
    match home::read_daemon_file(home) {
        Ok(None) => {
            Check::new(what, Verdict::Note, "none runs: `sweepd serve` or `sweepd run FILE` starts one")
        }
        Ok(Some(daemon)) if answers(home).await => {
            Check::new(what, Verdict::Good, format!("pid {} answers at {}", daemon.pid, daemon.url))
        }
        Ok(Some(daemon)) if process::started_at(daemon.pid).is_none() => {
            let found =
                format!("pid {} ended without saying so; the next one goes on where it was", daemon.pid);
            Check::new(what, Verdict::Note, found)
        }
        Ok(Some(daemon)) => Check::new(what, Verdict::Bad, format!("pid {} does not answer", daemon.pid)),
        Err(error) => Check::new(what, Verdict::Bad, format!("daemon.json: {error}")),
    }
}

fn worker_program(given: Option<&Path>) -> Check {
    let what = "trainer";
    let program = match WorkerProgram::find(given) {
        Ok(program) if program.trains => program,
        Ok(_) => {
            let found = "sweepd-worker is not beside sweepd: `make setup`, then `cargo build --release`";
            return Check::new(what, Verdict::Bad, found);
        }
        Err(error) => return Check::new(what, Verdict::Bad, error.to_string()),
    };
    match Command::new(&program.path).arg("info").output() {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
            Check::new(what, Verdict::Good, format!("{} {line}", program.path.display()))
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Check::new(what, Verdict::Bad, format!("{} does not start: {said}", program.path.display()))
        }
        Err(error) => Check::new(what, Verdict::Bad, format!("{}: {error}", program.path.display())),
    }
}

fn gpus() -> Check {
    let what = "GPUs";
    match crate::daemon::find_gpus() {
        Ok(found) if found.is_empty() => Check::new(what, Verdict::Note, "none: training on the CPU"),
        Ok(found) => {
            let gib = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
            let each = found.iter().map(|gpu| {
                format!(
                    "{}: {}, {:.0} of {:.0} GiB free",
                    gpu.index,
                    gpu.name,
                    gib(gpu.free_bytes),
                    gib(gpu.memory_bytes)
                )
            });
            Check::new(what, Verdict::Good, each.collect::<Vec<_>>().join("; "))
        }
        Err(error) => Check::new(what, Verdict::Bad, format!("NVIDIA's management library: {error}")),
    }
}

fn datasets(home: &Path) -> Vec<Check> {
    let what = "dataset";
    let names = match dataset::list(home) {
        Ok(names) if names.is_empty() => {
            let found = "none: `sweepd data import faces PATH` or `sweepd data synth`";
            return vec![Check::new(what, Verdict::Note, found)];
        }
        Ok(names) => names,
        Err(error) => return vec![Check::new(what, Verdict::Bad, crate::error_chain(&error))],
    };
    let check = |name: &String| match dataset::find(home, name).and_then(|d| d.verify().map(|()| d.rows())) {
        Ok(rows) => Check::new(what, Verdict::Good, format!("{name}: {rows} rows, content matches its hash")),
        Err(error) => Check::new(what, Verdict::Bad, crate::error_chain(&error)),
    };
    names.iter().map(check).collect()
}
