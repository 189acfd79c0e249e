//! `sweepd run FILE`: the one command for a first look.

use super::context::Context;
use super::exit::{FAILED, Failure};
use super::serve::Gpus;
use super::{submit, watch};
use crate::dataset;
use crate::domain::ObjectiveKind;
use crate::home;
use clap::Args;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a daemon may take to answer after its start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Run one sweep from a file
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The sweep file
    pub file: PathBuf,
    /// Worker processes on the CPU, if a daemon has to be started
    #[arg(long, value_name = "N")]
    pub slots: Option<usize>,
    /// GPUs to train on, if a daemon has to be started: 0,1 or all
    #[arg(long, value_name = "INDEXES", default_value = "none")]
    pub gpus: Gpus,
}

/// Starts a daemon if none runs, submits the file and follows it.
///
/// # Errors
/// Where the file has mistakes, no daemon can be started, or no trial completed.
pub async fn run(args: RunArgs, context: &Context) -> anyhow::Result<()> {
    let (sweep, text) = submit::read(&args.file)?;
    // Before a daemon is started for nothing.
    if let (ObjectiveKind::Keypoints, Some(name)) = (sweep.objective.kind, &sweep.objective.dataset) {
        dataset::find(&context.home, name)?;
    }
    if !answers(&context.home).await {
        start_daemon(&args, context).await?;
    }
    let id = submit::send(&args.file, &text, context)?;
    eprintln!("{} is sweep {id}", sweep.name);
    let reader = context.reader().await?;
    let found = context.find_sweep(&reader, &id).await?;
    watch::watch_sweep(context, found.sweep).await
}

/// Whether a daemon answers for this home.
pub(super) async fn answers(home: &Path) -> bool {
    let Ok(Some(daemon)) = home::read_daemon_file(home) else { return false };
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
    let url = format!("{}/healthz", daemon.url);
    tokio::task::spawn_blocking(move || agent.get(&url).call().is_ok()).await.unwrap_or(false)
}

async fn start_daemon(args: &RunArgs, context: &Context) -> anyhow::Result<()> {
    let log = context.home.join("logs").join("daemon.log");
    let mut child = spawn_daemon(args, context, &log)?;
    eprintln!("started a daemon (pid {}); its log is {}", child.id(), log.display());
    let ready = async {
        loop {
            if let Some(status) = child.try_wait()? {
                let message = format!("the daemon ended at once ({status}):\n{}", last_lines(&log));
                return Err(Failure::new(FAILED, message).into());
            }
            if answers(&context.home).await {
                return Ok::<(), anyhow::Error>(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, ready).await {
        Ok(result) => result,
        Err(_) => {
            Err(Failure::new(FAILED, format!("the daemon does not answer:\n{}", last_lines(&log))).into())
        }
    }
}

fn spawn_daemon(args: &RunArgs, context: &Context, log: &Path) -> io::Result<Child> {
    std::fs::create_dir_all(context.home.join("logs"))?;
    let output = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--exit-when-idle", "--home"]).arg(&context.home);
    if let Some(slots) = args.slots {
        command.args(["--slots", &slots.to_string()]);
    }
    command.args(["--gpus", &args.gpus.to_string()]);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    // Its own group: Ctrl-C here ends the watching, not the sweep.
    command.process_group(0);
    command.spawn()
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
