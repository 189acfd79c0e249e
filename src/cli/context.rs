//! What every subcommand needs: the home folder, the database, and what people's words mean.

use super::exit::{FAILED, Failure};
use crate::store::Reader;
use crate::store::query::{SweepSummary, TrialDetail};
use serde::Serialize;
use std::path::PathBuf;

/// What was asked for on every command line.
#[derive(Debug, Clone)]
pub struct Context {
    /// The home folder.
    pub home: PathBuf,
    /// Whether programs read the answer.
    pub json: bool,
}

impl Context {
    /// The database, for reading; works with and without a daemon.
    pub async fn reader(&self) -> anyhow::Result<Reader> {
        Ok(Reader::open(&self.home, 1).await?)
    }

    /// The sweep that a word means: its id, the start of it, or a name (the newest of that name).
    pub async fn find_sweep(&self, reader: &Reader, word: &str) -> anyhow::Result<SweepSummary> {
        let found = reader.sweeps_called(word).await?;
        let id = match found.as_slice() {
            [] => {
                let message = format!("there is no sweep {word}: `sweepd ls` lists them");
                return Err(Failure::not_found(message).into());
            }
            [one] => *one,
            several => {
                let message =
                    format!("{} sweeps have an id that starts with {word}: give more of it", several.len());
                return Err(Failure::new(FAILED, message).into());
            }
        };
        let sweep = reader.sweep(id).await?;
        sweep.ok_or_else(|| Failure::not_found(format!("sweep {word} has just been removed")).into())
    }

    /// The trial that a word means: its id, or `SWEEP/NUMBER`.
    pub async fn find_trial(&self, reader: &Reader, word: &str) -> anyhow::Result<TrialDetail> {
        let none = || Failure::not_found(format!("there is no trial {word}: give its id, or SWEEP/NUMBER"));
        let id = match word.rsplit_once('/') {
            Some((sweep, number)) => {
                let sweep = self.find_sweep(reader, sweep).await?;
                let number = number.parse().map_err(|_| none())?;
                reader.trial_numbered(sweep.sweep, number).await?.ok_or_else(none)?
            }
            None => crate::domain::TrialId(word.parse().map_err(|_| none())?),
        };
        reader.trial(id).await?.ok_or_else(|| none().into())
    }

    /// The screen's width in characters; `None` where the output is not a screen, or `wide` is wanted.
    #[must_use]
    pub fn width(&self, wide: bool) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size()?;
        (!wide).then_some(usize::from(width.0))
    }

    /// Prints JSON for programs.
    pub fn print_json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(value)?);
        Ok(())
    }
}
