//! `sweepd serve`: from an empty folder to a daemon that answers, and back.

use super::gpus::{Devices, Driver, Gpu};
use super::share::{Living, shares};
use super::supervise::{Phase, Supervisor};
use super::{Machine, PerGpu, Slot, WorkerProgram, history, left, letters, lock, now, web};
use crate::access::{self, May};
use crate::domain::WorkerProcess;
use crate::home;
use crate::http::{
    self, Access, Commits, History, Live, Metrics, Parts, ROOM_FOR_COMMITS, StopRequest, Trainer,
};
use crate::scheduler::device_of;
use crate::scheduler::shell::{Dispatcher, Pulse, Shell, ShellError};
use crate::store::{Reader, StoreError, Writer};
use crate::worker::process::workers_of;
use crate::worker::protocol::DaemonFile;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// How much longer than their lease attempts found open at the start may take to be heard of.
const GRACE_MS: i64 = 120_000;
/// With `--exit-when-idle`: how long to wait for a first sweep, and for another after the last.
const FIRST_SWEEP: Duration = Duration::from_secs(60);
const NEXT_SWEEP: Duration = Duration::from_secs(3);

/// How the daemon is to run.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The home folder.
    pub home: PathBuf,
    /// Where to listen; `None` for 127.0.0.1:7788, or any free port where that is taken.
    pub listen: Option<SocketAddr>,
    /// The indexes of the GPUs to use.
    pub gpus: Vec<u32>,
    /// How many slots each of them gets.
    pub per_gpu: PerGpu,
    /// What else decides the slots.
    pub machine: Machine,
    /// What the workers run.
    pub program: WorkerProgram,
    /// What the checkpoints of all trials may take together, in bytes.
    pub checkpoint_budget_bytes: u64,
    /// Answers before the disk has what they say: a power cut may lose the last moments.
    pub no_sync: bool,
    /// End when nothing is left to do.
    pub exit_when_idle: bool,
    /// Want no token. Loopback only.
    pub no_auth: bool,
    /// Further names under which the daemon is called.
    pub allowed_hosts: Vec<String>,
    /// Given a link that lets a browser in, once the daemon answers.
    pub show_link: Option<fn(&str)>,
}

/// Why the daemon could not start or had to end.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another daemon has this home.
    #[error("another daemon serves {home}: `sweepd stop` ends it, and --home FOLDER names another home")]
    Locked {
        /// The home folder.
        home: PathBuf,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `--no-auth` was given with an address that others can reach.
    #[error("--no-auth is for loopback addresses alone: {address} can be reached from outside")]
    OpenToOthers {
        /// The address.
        address: SocketAddr,
    },
    /// A file of the home folder.
    #[error("{path}")]
    Home {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The scheduler.
    #[error(transparent)]
    Shell(#[from] ShellError),
    /// The management library of the GPUs.
    #[error("looking for GPUs")]
    Gpus(#[from] nvml_wrapper::error::NvmlError),
    /// The operating system.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// How long the readers' last questions may take when the daemon ends.
const READERS_END: Duration = Duration::from_secs(1);

/// Why the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// SIGTERM: workers stay and find the next daemon.
    LeaveWorkers,
    /// Ctrl-C, `stop --drain`, or nothing left to do: workers hand back what they have and end.
    Drain,
    /// The dispatcher ended by itself: the database failed.
    Broken,
}

/// Runs the daemon until it is told to end.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let home_error = |path: &PathBuf| {
        let path = path.clone();
        move |source| ServeError::Home { path, source }
    };
    std::fs::create_dir_all(&options.home).map_err(home_error(&options.home))?;
    let Some(_lock) = lock::take(&options.home).map_err(home_error(&options.home))? else {
        return Err(ServeError::Locked { home: options.home });
    };
    let mut writer = Writer::open(&options.home).await?;
    if options.no_sync {
        writer.never_sync();
    }
    let left = writer.noted_workers()?;
    let reader = Reader::open(&options.home, 4).await?;
    let driver = Driver::open()?;
    let slots = plan_slots(&options, &driver, &reader).await?;
    let (mut shell, dispatcher) =
        Shell::start(options.home.clone(), writer, GRACE_MS, options.checkpoint_budget_bytes, now)?;
    let listener = listen(&options).await?;
    let address = listener.local_addr()?;
    let secret = || if options.no_auth { Ok(String::new()) } else { access::secret() };
    let (token, worker_token) = (secret()?, secret()?);
    let access = Arc::new(Access::new(
        &options.home,
        address,
        options.allowed_hosts.clone(),
        (!options.no_auth).then_some(&token),
        &worker_token,
    )?);
    let daemon = DaemonFile {
        url: format!("http://{address}"),
        token,
        worker_token,
        // Process ids fit: Linux limits them to 4,194,304.
        pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
        started_ms: now(),
    };
    let daemon_file = home::daemon_file(&options.home);
    home::write_daemon_file(&options.home, &daemon).map_err(home_error(&daemon_file))?;
    let stop = Arc::new(StopRequest::default());
    let (draining, draining_receiver) = watch::channel(false);
    let (closing, closing_receiver) = watch::channel(false);
    let (devices, devices_receiver) = watch::channel(Vec::new());
    let history = Arc::<History>::default();
    let keep = history::keep(options.home.clone(), devices_receiver.clone(), Arc::clone(&history));
    let keeper = tokio::spawn(keep);
    let (metrics, live) = look_on(&options.home, &mut shell, &reader, &closing_receiver);
    let parts = Parts {
        home: options.home.clone(),
        dispatcher: dispatcher.clone(),
        reader: reader.clone(),
        known: Arc::default(),
        counted: Arc::default(),
        trainer: Arc::new(Trainer::new(options.program.trains.then(|| options.program.path.clone()))),
        maker: Arc::default(),
        access: Arc::clone(&access),
        live,
        metrics,
        history,
        stop: Arc::clone(&stop),
        clock: now,
        started: daemon.started_ms,
        devices: devices_receiver,
        draining: draining_receiver,
        closing: closing_receiver.clone(),
    };
    tracing::info!(url = daemon.url, home = %options.home.display(), slots = slots.len(), "serving");
    if !options.program.trains {
        tracing::warn!(
            "sweepd-worker is not beside sweepd: keypoint sweeps will wait until a worker can train"
        );
    }
    let mut shell = tokio::task::spawn_blocking(move || shell.run());
    let web = tokio::spawn(web::serve(listener, http::router(parts), web::LIMITS, closing_receiver));
    if let Some(show_link) = options.show_link {
        show_link(&format!("{}{}", web::reachable(&daemon.url), access.make_link(May::Write, now())?));
    }
    let (phase, phase_receiver) = watch::channel(Phase::Run);
    letters::take(&options.home, &dispatcher).await;
    let left = left::find(left, &options.home, &dispatcher).await;
    let mut supervisors = supervise(&options, &slots, &dispatcher, &phase_receiver, left);
    let used: Vec<String> = options.gpus.iter().map(|index| format!("cuda:{index}")).collect();
    let watcher = (!used.is_empty())
        .then(|| tokio::spawn(super::watch::watch(Box::new(driver), used, dispatcher.clone(), devices)));
    let end = until_end(&options, &dispatcher, &stop, &mut shell).await?;
    tracing::info!(?end, "stopping");
    match end {
        End::LeaveWorkers => supervisors.abort_all(),
        End::Drain => {
            draining.send_replace(true);
            drain(&phase, &mut supervisors).await?;
        }
        End::Broken => {}
    }
    drop(supervisors);
    if let Some(watcher) = watcher {
        watcher.abort();
        let _ = watcher.await;
    }
    keeper.abort();
    closing.send_replace(true);
    // The web task held the last handles besides this one: the dispatcher ends when all are gone.
    let _ = web.await;
    // Readers that close last would leave the log unfolded; a question that still runs is not waited for.
    let _ = timeout(READERS_END, reader.close()).await;
    drop(dispatcher);
    let result = match end {
        End::Broken => shell.await,
        _ => match timeout(Duration::from_secs(5), shell).await {
            Ok(result) => result,
            // A call still runs; everything acknowledged is stored.
            Err(_) => Ok(Ok(())),
        },
    };
    std::fs::remove_file(&daemon_file).map_err(home_error(&daemon_file))?;
    result.map_err(io::Error::other)??;
    Ok(())
}

/// Those who are told of every commit: what is counted, and what is streamed. Their tasks end with the dispatcher.
fn look_on(
    home: &Path,
    shell: &mut Shell,
    reader: &Reader,
    closing: &watch::Receiver<bool>,
) -> (Arc<Metrics>, Live) {
    let (sender, receiver) = mpsc::channel(ROOM_FOR_COMMITS);
    shell.announce_to(sender);
    let metrics = Arc::<Metrics>::default();
    let commits = Commits::new(receiver, Arc::clone(&metrics));
    let (moved, workers) = (commits.moved(), commits.workers());
    let (reader, counted) = (reader.clone(), Arc::clone(&metrics));
    let (live, feed) = Live::new(reader, counted, &era_of(home), moved, workers, closing.clone());
    tokio::spawn(feed.run());
    tokio::spawn(commits.tell());
    (metrics, live)
}

/// What cursors of events are good for: this home, until the machine starts again. A power cut may take back what was
/// reported last, and its numbers are then given again.
fn era_of(home: &Path) -> String {
    // Where the kernel does not tell, what a power cut took is not noticed.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hash = blake3::hash(format!("{boot}{}", home.display()).as_bytes());
    hash.to_hex().chars().take(12).collect()
}

/// The slots to serve, given what is free on the GPUs now and what trials were measured to need.
async fn plan_slots(
    options: &ServeOptions,
    driver: &dyn Devices,
    reader: &Reader,
) -> Result<Vec<Slot>, ServeError> {
    let mut gpus: Vec<Gpu> = if options.gpus.is_empty() { Vec::new() } else { driver.read()? };
    gpus.retain(|gpu| options.gpus.contains(&gpu.index));
    let living = workers_of(&options.home);
    let living: Vec<Living> = living
        .into_iter()
        .map(|seen| Living { pid: seen.pid, device: device_of(&seen.slot).to_owned() })
        .collect();
    let need = reader.device_memory_need().await?;
    let shares = shares(options.per_gpu, &gpus, &living, need).into_iter().map(|(share, why)| {
        tracing::info!(gpu = share.gpu, slots = share.slots, "slots on a GPU: {why}");
        share
    });
    Ok(Slot::plan(&shares.collect::<Vec<_>>(), &options.machine))
}

async fn listen(options: &ServeOptions) -> Result<TcpListener, ServeError> {
    const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7788);
    let address = options.listen.unwrap_or(DEFAULT);
    if options.no_auth && !address.ip().is_loopback() {
        return Err(ServeError::OpenToOthers { address });
    }
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        // Another home's daemon may have the default port; clients read the address from daemon.json.
        Err(error) if options.listen.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(DEFAULT.ip(), 0);
            TcpListener::bind(any).await.map_err(|source| ServeError::Listen { address: any, source })
        }
        Err(source) => Err(ServeError::Listen { address, source }),
    }
}

fn supervise(
    options: &ServeOptions,
    slots: &[Slot],
    dispatcher: &Dispatcher,
    phase: &watch::Receiver<Phase>,
    mut left: Vec<WorkerProcess>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for slot in slots {
        let at = left.iter().position(|worker| worker.slot == slot.name);
        let supervisor = Supervisor {
            home: options.home.clone(),
            slot: slot.clone(),
            program: options.program.clone(),
            dispatcher: dispatcher.clone(),
            phase: phase.clone(),
        };
        tasks.spawn(supervisor.run(at.map(|index| left.swap_remove(index))));
    }
    for stranger in left {
        // Its slot is not served any more: it ends by itself when it gets nothing to do.
        tracing::warn!(
            worker = stranger.name,
            pid = stranger.pid,
            "a worker of an earlier daemon has no slot here"
        );
        crate::worker::process::signal_group(
            stranger.pid,
            stranger.pid_started,
            nix::sys::signal::Signal::SIGTERM,
        );
    }
    tasks
}

async fn until_end(
    options: &ServeOptions,
    dispatcher: &Dispatcher,
    stop: &StopRequest,
    shell: &mut JoinHandle<Result<(), ShellError>>,
) -> io::Result<End> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => End::LeaveWorkers,
        _ = interrupt.recv() => End::Drain,
        () = stop.asked.notified() => {
            if stop.drain.load(Ordering::SeqCst) { End::Drain } else { End::LeaveWorkers }
        }
        () = until_idle(dispatcher.pulse()), if options.exit_when_idle => End::Drain,
        () = until_finished(shell) => End::Broken,
    })
}

/// Waits without taking the result, which is wanted later.
async fn until_finished(shell: &mut JoinHandle<Result<(), ShellError>>) {
    while !shell.is_finished() {
        sleep(Duration::from_millis(100)).await;
    }
}

async fn until_idle(mut pulse: watch::Receiver<Pulse>) {
    loop {
        let Pulse { version, idle } = *pulse.borrow_and_update();
        let patience = if version == 0 { FIRST_SWEEP } else { NEXT_SWEEP };
        let changed = if idle {
            match timeout(patience, pulse.changed()).await {
                Err(_) => return,
                Ok(changed) => changed,
            }
        } else {
            pulse.changed().await
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Ends the workers, politely; a second signal ends them at once.
async fn drain(phase: &watch::Sender<Phase>, supervisors: &mut JoinSet<()>) -> io::Result<()> {
    phase.send_replace(Phase::Drain);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            ended = supervisors.join_next() => if ended.is_none() { return Ok(()) },
            _ = terminate.recv() => { phase.send_replace(Phase::Kill); }
            _ = interrupt.recv() => { phase.send_replace(Phase::Kill); }
        }
    }
}
