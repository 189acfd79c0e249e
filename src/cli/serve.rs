//! `sweepd serve`: the daemon.

use super::context::Context;
use crate::daemon::{self, ServeOptions, Slot, WorkerProgram};
use anyhow::Context as _;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run the daemon
#[derive(Args, Debug, Clone, Default)]
pub struct ServeArgs {
    /// Address to listen on [default: 127.0.0.1:7788, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Worker processes on the CPU [default: one per core up to 8; none with --gpus]
    #[arg(long, value_name = "N")]
    pub slots: Option<usize>,
    /// GPUs to train on, one worker process each: 0,1
    #[arg(long, value_delimiter = ',', value_name = "INDEX")]
    pub gpus: Vec<u32>,
    /// Threads per worker process [default: the cores shared evenly]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The worker program [default: sweepd-worker beside sweepd]
    #[arg(long, value_name = "PATH")]
    pub worker_program: Option<PathBuf>,
    /// Use no trainer: workers evaluate toy sweeps alone
    #[arg(long, conflicts_with = "worker_program")]
    pub no_trainer: bool,
    /// What checkpoints may take on the disk, in MiB; those of ended trials go first
    #[arg(long, default_value_t = 20_480, value_name = "MIB")]
    pub checkpoint_budget_mb: u64,
    /// End when no sweep is left to work on
    #[arg(long)]
    pub exit_when_idle: bool,
    /// Want no token; on loopback only
    #[arg(long)]
    pub no_auth: bool,
}

/// Runs the daemon until it is told to end.
///
/// # Errors
/// Where it cannot start, or the database fails.
pub async fn run(args: ServeArgs, context: &Context) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let program = if args.no_trainer {
        WorkerProgram::without_trainer()
    } else {
        WorkerProgram::find(args.worker_program.as_deref())
    }
    .with_context(|| {
        format!("the worker program {}", args.worker_program.clone().unwrap_or_default().display())
    })?;
    let options = ServeOptions {
        home: context.home.clone(),
        listen: args.listen,
        slots: Slot::plan(&args.gpus, args.slots, args.threads, cores),
        program,
        checkpoint_budget_bytes: args.checkpoint_budget_mb.saturating_mul(1 << 20),
        exit_when_idle: args.exit_when_idle,
        no_auth: args.no_auth,
    };
    Ok(daemon::serve(options).await?)
}
