//! `sweepd serve`: the daemon.

use super::context::Context;
use crate::daemon::{self, Gpu, Machine, PerGpu, ServeOptions, WorkerProgram};
use anyhow::Context as _;
use clap::Args;
use std::fmt;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Which GPUs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Gpus {
    /// None.
    #[default]
    None,
    /// All that are found.
    All,
    /// Those of these indexes.
    These(Vec<u32>),
}

impl FromStr for Gpus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "all" => Ok(Self::All),
            _ => {
                let indexes = text.split(',').map(|index| index.trim().parse());
                let indexes: Result<Vec<u32>, _> = indexes.collect();
                indexes.map(Self::These).map_err(|_| "expected none, all, or indexes such as 0,1".to_owned())
            }
        }
    }
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::All => f.write_str("all"),
            Self::These(indexes) => {
                f.write_str(&indexes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl Gpus {
    /// The indexes that are meant, given those that were found.
    fn choose(&self, found: &[Gpu]) -> anyhow::Result<Vec<u32>> {
        match self {
            Self::None => {
                if !found.is_empty() {
                    let n = found.len();
                    tracing::info!("{n} GPUs are here and not used: --gpus all uses them");
                }
                Ok(Vec::new())
            }
            Self::All => {
                anyhow::ensure!(
                    !found.is_empty(),
                    "there is no GPU here, or no driver for it (see `nvidia-smi`)"
                );
                Ok(found.iter().map(|gpu| gpu.index).collect())
            }
            Self::These(indexes) => {
                let missing = indexes.iter().find(|index| !found.iter().any(|gpu| gpu.index == **index));
                if let Some(missing) = missing {
                    anyhow::bail!("there is no GPU {missing}: {} are found, numbered from 0", found.len());
                }
                Ok(indexes.clone())
            }
        }
    }
}

/// Run the daemon
#[derive(Args, Debug, Clone, Default)]
pub struct ServeArgs {
    /// Address to listen on [default: 127.0.0.1:7788, or a free port where that is taken]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Worker processes on the CPU [default: one per core up to 8; none with --gpus]
    #[arg(long, value_name = "N")]
    pub slots: Option<usize>,
    /// GPUs to train on: 0,1 or all
    #[arg(long, value_name = "INDEXES", default_value = "none")]
    pub gpus: Gpus,
    /// Worker processes on each of them: a number, or auto for as many as fit its memory by what trials were
    /// measured to need
    #[arg(long, default_value_t, value_name = "N|auto")]
    pub slots_per_gpu: PerGpu,
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
    /// Answer before results are on the disk: faster where trials take milliseconds. A power cut may then lose the
    /// last moments; the end of the process, however it comes, loses nothing
    #[arg(long)]
    pub no_sync: bool,
    /// End when no sweep is left to work on
    #[arg(long)]
    pub exit_when_idle: bool,
    /// Want no token; on loopback only
    #[arg(long)]
    pub no_auth: bool,
    /// A further name under which the daemon is called, by a proxy or from another machine; may be repeated
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allowed_hosts: Vec<String>,
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
    let gpus = args.gpus.choose(&daemon::find_gpus().context("looking for GPUs")?)?;
    let options = ServeOptions {
        home: context.home.clone(),
        listen: args.listen,
        gpus,
        per_gpu: args.slots_per_gpu,
        machine: Machine { cpu_slots: args.slots, threads: args.threads, cores },
        program,
        checkpoint_budget_bytes: args.checkpoint_budget_mb.saturating_mul(1 << 20),
        no_sync: args.no_sync,
        exit_when_idle: args.exit_when_idle,
        no_auth: args.no_auth,
        allowed_hosts: args.allowed_hosts,
        // In a file, a link would lie about.
        show_link: (std::io::stderr().is_terminal() && !args.no_auth).then_some(show_link),
    };
    Ok(daemon::serve(options).await?)
}

fn show_link(link: &str) {
    eprintln!("open {link} in a browser (once, within ten minutes; `sweepd open` makes another)");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn gpus_are_none_all_or_those_that_exist() {
        let gpu = |index| Gpu {
            index,
            name: "a GPU".into(),
            memory_bytes: 8 << 30,
            free_bytes: 8 << 30,
            utilisation: None,
            processes: BTreeMap::new(),
            compute_capability: (9, 0),
        };
        let chosen = |text: &str, found: &[Gpu]| text.parse::<Gpus>().unwrap().choose(found);
        assert_eq!(chosen("none", &[gpu(0)]).unwrap(), Vec::<u32>::new());
        assert_eq!(chosen("all", &[gpu(0), gpu(1)]).unwrap(), [0, 1]);
        assert_eq!(chosen("1", &[gpu(0), gpu(1)]).unwrap(), [1]);
        assert!(chosen("all", &[]).unwrap_err().to_string().contains("nvidia-smi"));
        assert!(chosen("0,7", &[gpu(0)]).unwrap_err().to_string().contains("no GPU 7"));
        assert!("first".parse::<Gpus>().is_err());
    }
}
