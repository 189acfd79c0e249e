//! `sweepd submit`: queue a sweep, or look at what it would do.

use super::context::Context;
use super::exit::{BAD_SWEEP, Failure};
use super::watch;
use crate::dataset::DatasetError;
use crate::domain::Sweep;
use crate::intake::{self, IntakeError};
use crate::sampler::Suggestion;
use crate::scheduler::plan_of;
use crate::space::Space;
use crate::worker::client::{Client, ClientError};
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Queue a sweep
#[derive(Args, Debug)]
pub struct SubmitArgs {
    /// The sweep file
    pub file: PathBuf,
    /// Check the file, count its space, print three sampled architectures; store nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Follow the sweep until it ends
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
}

/// Submits, or checks, a file.
///
/// # Errors
/// Where the file has mistakes, its dataset is missing, or no daemon runs.
pub async fn run(args: SubmitArgs, context: &Context) -> anyhow::Result<()> {
    let (sweep, text) = read(&args.file)?;
    if args.dry_run {
        return dry_run(&sweep, context);
    }
    let id = send(&args.file, &text, context)?;
    if args.watch {
        let reader = context.reader().await?;
        let sweep = context.find_sweep(&reader, &id).await?;
        return watch::watch_sweep(context, sweep.sweep).await;
    }
    if context.json {
        println!("{}", serde_json::json!({ "id": id, "name": sweep.name }));
    } else {
        println!("{id}");
        eprintln!("queued {} as {id}; follow it with `sweepd watch {id}`", sweep.name);
    }
    Ok(())
}

/// Reads and checks a sweep file.
pub(super) fn read(file: &Path) -> anyhow::Result<(Sweep, String)> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let sweep = intake::read_toml(&file.display().to_string(), &text).map_err(bad_sweep)?;
    intake::check_deadline(&sweep, crate::daemon::now()).map_err(bad_sweep)?;
    Ok((sweep, text))
}

fn bad_sweep(error: IntakeError) -> Failure {
    Failure::new(BAD_SWEEP, error.lines().join("\n       "))
}

#[derive(Deserialize)]
struct Submitted {
    id: String,
}

/// Submits the text of a file that has been checked; returns the sweep's id.
pub(super) fn send(file: &Path, text: &str, context: &Context) -> anyhow::Result<String> {
    let mut path = format!("/api/v1/sweeps?file={}", super::steer::escape(&file.display().to_string()));
    if let Some(commit) = git_commit(file) {
        path.push_str(&format!("&git_commit={commit}"));
    }
    // Where a command runs, unless its sweep says otherwise.
    if let Some(folder) = std::env::current_dir().ok().as_deref().and_then(Path::to_str) {
        path.push_str(&format!("&folder={}", super::steer::escape(folder)));
    }
    let answer = Client::new(&context.home).send("POST", &path, "application/toml", text.as_bytes());
    let answer = answer.map_err(refused)?;
    let submitted: Submitted =
        serde_json::from_slice(&answer).context("the daemon's answer was not understood")?;
    Ok(submitted.id)
}

/// A daemon's refusal of a file: its mistakes, one a line.
pub(super) fn refused(error: ClientError) -> anyhow::Error {
    match &error {
        ClientError::Refused { problems, code, .. } if code == "bad_sweep" && !problems.is_empty() => {
            anyhow::Error::new(Failure::new(BAD_SWEEP, problems.join("\n       ")))
        }
        _ => error.into(),
    }
}

/// The commit of the file's folder, where it lies in a git work tree; with `-dirty` where that differs.
fn git_commit(file: &Path) -> Option<String> {
    let folder = file.canonicalize().ok()?.parent()?.to_owned();
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(&folder).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--verify", "--quiet", "HEAD"])?;
    let is_clean = git(&["status", "--porcelain", "."])?.is_empty();
    Some(if is_clean { commit } else { format!("{commit}-dirty") })
}

fn dry_run(sweep: &Sweep, context: &Context) -> anyhow::Result<()> {
    match intake::origin(&context.home, sweep, String::new(), None) {
        // Files are looked at on machines that do not train, too.
        Err(IntakeError::Dataset(error @ DatasetError::Unknown { .. })) => eprintln!("note: {error}"),
        other => drop(other.map_err(bad_sweep)?),
    }
    let space = Space::new(&sweep.space).map_err(|problems| {
        Failure::new(
            BAD_SWEEP,
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       "),
        )
    })?;
    let size = space.size();
    let suggestions = intake::samples(sweep, 3);
    if context.json {
        let samples: Vec<_> = suggestions
            .iter()
            .filter_map(|suggestion| match suggestion {
                Suggestion::Trial { params, .. } => {
                    let plan = plan_of(sweep.objective.kind, params).ok().flatten();
                    Some(serde_json::json!({
                        "params": params,
                        "parameter_count": plan.map(|plan| plan.parameter_count()),
                    }))
                }
                Suggestion::Exhausted { .. } => None,
            })
            .collect();
        // As text: the number may be larger than JSON readers keep exactly.
        let size = size.map(|n| n.to_string());
        println!("{}", serde_json::json!({ "sweep": sweep, "space_size": size, "samples": samples }));
        return Ok(());
    }
    let size =
        size.map_or_else(|| "infinitely many configurations".to_owned(), |n| format!("{n} configurations"));
    let trials = sweep.search.trials.map_or_else(|| "all".to_owned(), |n| n.to_string());
    println!(
        "{}: {} parameters, {size}, {trials} trials by {}; the file is valid\n",
        sweep.name,
        sweep.space.len(),
        sweep.search.sampler.name()
    );
    if let Some(stopper) = &sweep.search.stopper {
        println!("stopper: {stopper}\n");
    }
    if let Some(when) = crate::report::time_up(sweep) {
        println!("its time is up {when}\n");
    }
    if !sweep.search.warm_start.is_empty() {
        let sources = sweep.search.warm_start.join(", ");
        println!("it begins with what {sources} found by then: the trials below are those without it\n");
    }
    for (number, suggestion) in suggestions.iter().enumerate() {
        match suggestion {
            Suggestion::Exhausted { reason } => println!("no trial {number}: {reason}"),
            Suggestion::Trial { params, .. } => {
                let shown: Vec<String> =
                    params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                println!("trial {number}: {}", shown.join(", "));
                if let Ok(Some(plan)) = plan_of(sweep.objective.kind, params) {
                    println!("{}", plan.layers());
                }
            }
        }
        println!();
    }
    Ok(())
}
