//! `sweepd edit`: a sweep goes on with another space.

use super::context::Context;
use super::steer::escape;
use super::submit::refused;
use crate::domain::terms::Alteration;
use crate::report;
use crate::worker::client::Client;
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Go on with another space, other constraints or more trials
#[derive(Args, Debug)]
pub struct EditArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// The sweep's file with the changes made; all but space, constraints and trials must be as it was
    pub file: PathBuf,
    /// Say what would change; change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What the daemon answers.
#[derive(Deserialize)]
struct Edited {
    changes: Vec<Alteration>,
    fit: u64,
    trials: u64,
}

/// Sends the file to the daemon and prints what changes, before and after.
///
/// # Errors
/// Where no daemon runs, there is no such sweep, its state does not allow it, or the file has mistakes or changes what
/// may not change.
pub fn run(args: &EditArgs, context: &Context) -> anyhow::Result<()> {
    let file = &args.file;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut path = format!(
        "/api/v1/sweeps/{}/edit?dry_run={}&file={}",
        escape(&args.sweep),
        args.dry_run,
        escape(&file.display().to_string())
    );
    if let Some(folder) = std::env::current_dir().ok().as_deref().and_then(Path::to_str) {
        path.push_str(&format!("&folder={}", escape(folder)));
    }
    let answer = Client::new(&context.home).send("POST", &path, "application/toml", text.as_bytes());
    let answer = answer.map_err(refused)?;
    if context.json {
        println!("{}", String::from_utf8_lossy(&answer));
        return Ok(());
    }
    let edited: Edited = serde_json::from_slice(&answer).context("the daemon's answer was not understood")?;
    let Edited { changes, fit, trials } = edited;
    if changes.is_empty() {
        println!("{}: nothing is different", args.sweep);
        return Ok(());
    }
    println!("{}", report::alteration_table(&changes));
    println!("\n{}", report::still_fit(fit, trials));
    if args.dry_run {
        eprintln!("nothing was changed: that was a dry run");
    } else {
        eprintln!("{}: goes on with that; `sweepd watch {}` follows it", args.sweep, args.sweep);
    }
    Ok(())
}
