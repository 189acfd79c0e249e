//! `sweepd watch`: progress until the sweep ends, then its best trials.

use super::best;
use super::context::Context;
use super::exit::{FAILED, Failure, NO_DAEMON, NO_RESULT};
use super::run::answers;
use crate::daemon::now;
use crate::domain::{SweepId, SweepState};
use crate::report::{self, Eta};
use crate::store::Reader;
use crate::store::query::SweepSummary;
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the database is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a sweep may wait for a daemon before the watching ends.
const WITHOUT_DAEMON: Duration = Duration::from_secs(15);

/// Follow a sweep until it ends
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
}

/// Follows a sweep.
///
/// # Errors
/// Where there is no such sweep, or it ended without a result.
pub async fn run(args: WatchArgs, context: &Context) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let sweep = context.find_sweep(&reader, &args.sweep).await?;
    watch_sweep(context, sweep.sweep).await
}

/// Shows progress until the sweep ends, then its best trials. Ctrl-C ends the watching, not the sweep.
///
/// # Errors
/// Where the sweep is removed, no daemon works on it, or not one of its trials completed.
pub(super) async fn watch_sweep(context: &Context, sweep: SweepId) -> anyhow::Result<()> {
    let reader = context.reader().await?;
    let summary = tokio::select! {
        ended = until_over(&reader, context, sweep) => ended?,
        _ = tokio::signal::ctrl_c() => {
            let word = reader.sweep(sweep).await?.map_or_else(|| sweep.to_string(), |sweep| sweep.id);
            eprintln!("the sweep goes on: `sweepd watch {word}` follows it, `sweepd cancel {word}` ends it");
            return Ok(());
        }
    };
    let (most, wide) = (None, false);
    best::print(context, &reader, &summary, most, wide).await?;
    match summary.trials.completed {
        0 if summary.trials.created() > 0 => {
            let message = format!("no trial completed: `sweepd trials {}` says why", summary.id);
            Err(Failure::new(NO_RESULT, message).into())
        }
        _ => Ok(()),
    }
}

fn removed() -> Failure {
    Failure::not_found("the sweep was removed while it was watched")
}

async fn until_over(reader: &Reader, context: &Context, id: SweepId) -> anyhow::Result<SweepSummary> {
    let mut sweep = reader.sweep(id).await?.ok_or_else(removed)?;
    let mut bars = Bars::new();
    let eta = Eta::begin(&sweep, now());
    let mut seen = Instant::now();
    loop {
        if sweep.state.is_over() && sweep.trials.created() == sweep.trials.ended() {
            bars.clear();
            return Ok(sweep);
        }
        bars.draw(reader, &sweep, &eta).await?;
        if seen.elapsed() > WITHOUT_DAEMON {
            if answers(&context.home).await {
                seen = Instant::now();
            } else {
                bars.clear();
                let message = format!(
                    "no daemon works on {}: `sweepd serve` goes on where it stopped, `sweepd watch {}` follows it",
                    sweep.name, sweep.id
                );
                return Err(Failure::new(NO_DAEMON, message).into());
            }
        }
        if sweep.state == SweepState::Paused && sweep.trials.running + sweep.trials.stopping == 0 {
            bars.clear();
            let message = format!("{} is paused: `sweepd resume {}` goes on", sweep.name, sweep.id);
            return Err(Failure::new(FAILED, message).into());
        }
        sleep(PAUSE).await;
        sweep = reader.sweep(id).await?.ok_or_else(removed)?;
    }
}

/// One bar per running trial and one for the sweep, on stderr, and only where that is a terminal.
struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    trials: BTreeMap<u64, ProgressBar>,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let sweep = all.add(ProgressBar::new(1).with_style(style("{bar:24.green} {msg}")));
        Self { all, sweep, trials: BTreeMap::new() }
    }

    async fn draw(&mut self, reader: &Reader, sweep: &SweepSummary, eta: &Eta) -> anyhow::Result<()> {
        if self.all.is_hidden() {
            return Ok(());
        }
        let running = reader.running_trials(sweep.sweep).await?;
        for trial in &running {
            let last = reader.last_step(trial.trial_id).await?;
            let bar = self.trials.entry(trial.number).or_insert_with(|| {
                let bar = ProgressBar::new(trial.budget_steps.unwrap_or(1))
                    .with_style(style("{bar:24.cyan} {msg}"));
                self.all.insert_before(&self.sweep, bar)
            });
            bar.set_position(trial.steps);
            bar.set_message(report::trial_line(trial, last.as_ref(), &sweep.spec.objective));
        }
        self.trials.retain(|number, bar| {
            let runs = running.iter().any(|trial| trial.number == *number);
            if !runs {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            runs
        });
        self.sweep.set_length(sweep.planned.unwrap_or_else(|| sweep.trials.created()).max(1));
        self.sweep.set_position(sweep.trials.ended());
        self.sweep.set_message(report::sweep_line(sweep, eta, now()));
        Ok(())
    }

    fn clear(&mut self) {
        self.trials.values().for_each(ProgressBar::finish_and_clear);
        self.sweep.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // A template that does not parse would leave the plain bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
