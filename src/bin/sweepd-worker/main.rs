//! The trainer of sweepd: a process that trains networks with libtorch.
//!
//! The way of a trial: [`train`] builds the [`network`] that the layer table says, feeds it the dataset's
//! [`samples`], lets the [`optimizer`] change it, asks [`evaluate`] after every epoch, and hands the best
//! [`weights`] on; a [`checkpoint`] lets it go on later; a trunk may begin
//! with [`pretrained`] weights. Only this program names `tch`, and only through its fallible (`f_`) calls: libtorch's
//! errors end a trial, not the process.

mod alone;
mod average;
mod bench;
mod checkpoint;
mod columns;
mod device;
mod environment;
mod error;
mod evaluate;
mod extra;
mod functions;
mod gradient;
mod images;
mod loss;
mod memory;
mod network;
#[cfg(test)]
mod network_test;
mod optimizer;
mod params;
mod pixels;
#[cfg(test)]
mod pixels_test;
mod precision;
mod pretrained;
#[cfg(test)]
mod pretrained_test;
mod preview;
mod pytorch;
mod samples;
mod shim;
mod together;
mod train;
#[cfg(test)]
mod train_test;
mod vector_math;
mod weights;
mod work;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The trainer of sweepd. The daemon starts it; its other subcommands are for people.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(work::Serve),
    Describe(alone::Describe),
    Train(alone::Train),
    Predict(alone::Predict),
    Augment(preview::Augment),
    Bench(bench::Bench),
    Info(alone::Info),
}

fn main() -> ExitCode {
    memory::keep();
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    vector_math::settle().map_err(error::TrainError::from)?;
    match command {
        Command::Run(command) => command.run(),
        Command::Describe(command) => command.run(),
        Command::Train(command) => command.run(),
        Command::Predict(command) => command.run(),
        Command::Augment(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Info(command) => command.run(),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
