//! The command line: one file per subcommand. Knows everything; nothing knows it.

mod backup;
mod best;
mod context;
mod data;
mod doctor;
mod edit;
mod enqueue;
mod ensemble;
pub mod exit;
mod gc;
mod logs;
mod ls;
mod note;
mod open;
mod plot;
mod predict;
mod predictor;
mod priority;
mod replay;
mod retry;
mod run;
mod serve;
mod show;
mod steer;
mod stop;
mod submit;
mod token;
mod trainer;
mod trial;
mod trials;
mod watch;
mod worker;
mod workers;

use crate::telemetry::{self, LogFormat};
use clap::{Parser, Subcommand};
use context::Context;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Hyperparameter search that trains CNNs in worker processes and keeps a leaderboard that survives.
#[derive(Parser)]
#[command(name = "sweepd", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// The folder that holds everything [default: sweepd in the XDG data folder]
    #[arg(long, global = true, env = "SWEEPD_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    /// How log lines look; RUST_LOG sets their level
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one sweep from a file: starts a daemon if none runs, shows progress, then the leaderboard
    Run(run::RunArgs),
    /// Run the daemon
    Serve(serve::ServeArgs),
    /// End the daemon
    Stop(stop::StopArgs),
    /// Let a browser in: prints a link that works once, and opens it where there is a display
    Open(open::OpenArgs),
    /// Tokens for other programs: add, list, remove
    Token(token::TokenArgs),
    /// Queue a sweep
    Submit(submit::SubmitArgs),
    /// List sweeps
    Ls(ls::LsArgs),
    /// Show one sweep
    Show(show::ShowArgs),
    /// Show a sweep's best trials
    Best(best::BestArgs),
    /// List a sweep's trials, filtered and sorted
    Trials(trials::TrialsArgs),
    /// Draw learning curves of trials, to compare them
    Plot(plot::PlotArgs),
    /// Show one trial: parameters, attempts, every epoch
    Trial(trial::TrialArgs),
    /// Show a trial's log
    Logs(logs::LogsArgs),
    /// Follow a sweep until it ends
    Watch(watch::WatchArgs),
    /// Go on with another space, other constraints or more trials
    Edit(edit::EditArgs),
    /// Try a configuration of a sweep next
    Enqueue(enqueue::EnqueueArgs),
    /// Derive a sweep's decisions again and compare them with what is stored
    Replay(replay::ReplayArgs),
    /// Try a trial again that failed, was stopped or was cancelled
    Retry(retry::RetryArgs),
    /// Hand out no new trials of a sweep; running ones finish
    Pause(steer::SteerArgs),
    /// Hand out trials of a paused sweep again
    Resume(steer::SteerArgs),
    /// End a sweep; running trials are stopped
    Cancel(steer::SteerArgs),
    /// Delete a sweep that is over, with its trials and weights
    Rm(steer::SteerArgs),
    /// Give a sweep another priority: the largest gets the next free slot
    Priority(priority::PriorityArgs),
    /// Write a note on a sweep or a trial
    Note(note::NoteArgs),
    /// Give a sweep or a trial the words that it is to be found by
    Tag(note::TagArgs),
    /// List the workers: what each does, when it was last heard of, and its memory
    Workers(workers::WorkersArgs),
    /// Datasets: import, draw synthetic ones, list, show
    Data(data::DataArgs),
    /// Let several trials predict together, and list those that do
    Ensemble(ensemble::EnsembleArgs),
    /// Write submission.csv from a trial's best weights, or an ensemble's
    Predict(predict::PredictArgs),
    /// Copy the database to a file, while everything runs
    Backup(backup::BackupArgs),
    /// Remove checkpoints of ended trials, and files that nothing refers to
    Gc(gc::GcArgs),
    /// Check the installation and the home folder
    Doctor(doctor::DoctorArgs),
    /// Evaluate toy sweeps: the loop that a daemon without a trainer starts
    #[command(hide = true)]
    Worker(crate::worker::run::WorkerArgs),
}

/// Parses the command line, runs it, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if !matches!(cli.command, Command::Serve(_) | Command::Worker(_)) {
        end_quietly_with_the_pipe();
    }
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit::code_of(&error))
        }
    }
}

/// `sweepd trials X | head` is to end when head has seen enough, as other programs do; Rust ignores the signal
/// by itself.
fn end_quietly_with_the_pipe() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    // SAFETY: the default action is no handler at all; sockets are written to without raising the signal.
    if let Err(error) = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) } {
        tracing::debug!(%error, "a closed pipe will be reported as an error");
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    let home = crate::home::choose(cli.home)?;
    let context = Context { home, json: cli.json };
    let format = cli.log_format;
    let colours = std::io::stderr().is_terminal();
    match cli.command {
        Command::Serve(args) => {
            telemetry::start(format, "info", colours, std::io::stderr);
            return tokio::runtime::Runtime::new()?.block_on(serve::run(args, &context));
        }
        Command::Worker(args) => {
            telemetry::start(format, "info", false, || crate::worker::run::WorkerLog);
            return worker::run(&args);
        }
        _ => telemetry::start(format, "warn", colours, std::io::stderr),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(_) | Command::Worker(_) => unreachable!("both returned above"),
            Command::Run(args) => run::run(args, &context).await,
            Command::Stop(args) => stop::run(args, &context).await,
            Command::Open(args) => open::run(&args, &context),
            Command::Token(args) => token::run(args, &context),
            Command::Submit(args) => submit::run(args, &context).await,
            Command::Ls(args) => ls::run(args, &context).await,
            Command::Show(args) => show::run(args, &context).await,
            Command::Best(args) => best::run(args, &context).await,
            Command::Trials(args) => trials::run(args, &context).await,
            Command::Plot(args) => plot::run(args, &context).await,
            Command::Trial(args) => trial::run(args, &context).await,
            Command::Logs(args) => logs::run(args, &context).await,
            Command::Watch(args) => watch::run(args, &context).await,
            Command::Edit(args) => edit::run(&args, &context),
            Command::Enqueue(args) => enqueue::run(&args, &context),
            Command::Replay(args) => replay::run(args, &context).await,
            Command::Retry(args) => retry::run(&args, &context).await,
            Command::Pause(args) => steer::run(&args, steer::Verb::Pause, &context),
            Command::Resume(args) => steer::run(&args, steer::Verb::Resume, &context),
            Command::Cancel(args) => steer::run(&args, steer::Verb::Cancel, &context),
            Command::Rm(args) => steer::run(&args, steer::Verb::Remove, &context),
            Command::Priority(args) => priority::run(&args, &context),
            Command::Note(args) => note::note(args, &context).await,
            Command::Tag(args) => note::tag(args, &context).await,
            Command::Workers(args) => workers::run(args, &context).await,
            Command::Data(args) => data::run(args, &context.home, context.json),
            Command::Ensemble(args) => ensemble::run(args, &context).await,
            Command::Predict(args) => predict::run(args, &context).await,
            Command::Backup(args) => backup::run(args, &context).await,
            Command::Gc(args) => gc::run(args, &context).await,
            Command::Doctor(args) => doctor::run(&args, &context).await,
        }
    })
}
