//! `sweepd logs`: a trial's log.

use super::context::Context;
use super::exit::Failure;
use crate::domain::TrialId;
use crate::home::{TRIAL_LOG, trial_folder};
use crate::store::Reader;
use anyhow::Context as _;
use clap::Args;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// How often a followed log is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Show a trial's log
#[derive(Args, Debug)]
pub struct LogsArgs {
    /// A trial: its id, or SWEEP/NUMBER
    pub trial: String,
    /// Go on until the trial ends
    #[arg(long, short)]
    pub follow: bool,
}

/// Prints the log, and with `--follow` what is added to it until the trial ends.
///
/// # Errors
/// Where there is no such trial, or it has no log.
pub async fn run(args: LogsArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let detail = context.find_trial(&reader, &args.trial).await?;
    let path = trial_folder(&context.home, &detail.sweep, detail.trial.number).join(TRIAL_LOG);
    if args.follow {
        return follow(&path, &reader, detail.trial.trial_id).await;
    }
    let mut file = File::open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::Error::new(Failure::not_found(format!(
            "trial {} has no log: it has not started",
            args.trial
        ))),
        _ => anyhow::Error::new(error).context(path.display().to_string()),
    })?;
    copy(&mut file, &path)
}

async fn follow(path: &Path, reader: &Reader, trial: TrialId) -> anyhow::Result<()> {
    let mut file = None;
    loop {
        // Looked at before the file is read: what is written up to its end is then not missed.
        let is_over = reader.trial_state(trial).await?.is_none_or(crate::domain::TrialState::is_over);
        if file.is_none() {
            file = File::open(path).ok();
        }
        if let Some(file) = file.as_mut() {
            copy(file, path)?;
        }
        if is_over {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Everything from where the last reading ended.
fn copy(file: &mut File, path: &Path) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    let mut out = io::stdout().lock();
    match out.write_all(&bytes).and_then(|()| out.flush()) {
        // The reader of a pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
