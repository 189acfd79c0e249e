//! How many trials a second outside clients can ask for and tell, each alone and many at once, with every answer on
//! the disk before it is given and without.

use super::connection::Connection;
use super::generate;
use super::process::{Daemon, own_cpu_s, spread, submit};
use std::time::{Duration, Instant};
use sweepd::domain::{Metrics, TellState};
use sweepd::worker::protocol::{Ask, Asked, DaemonFile, Tell};

const SECONDS: u64 = 10;

pub async fn run() {
    for (name, flags) in [("synced", &[][..]), ("--no-sync", &["--no-sync"][..])] {
        for clients in [1, 32] {
            let folder = tempfile::tempdir().unwrap();
            let daemon = Daemon::start_with(folder.path(), flags);
            let sweep = submit(&daemon.address, generate::file("asked", 10_000_000)).await;
            let (cpu, own, started) = (daemon.cpu_s(), own_cpu_s(), Instant::now());
            let ends = started + Duration::from_secs(SECONDS);
            let tasks: Vec<_> = (0..clients)
                .map(|_| tokio::spawn(client(daemon.address.clone(), sweep.clone(), ends)))
                .collect();
            let mut times = Vec::new();
            for task in tasks {
                times.extend(task.await.unwrap());
            }
            let (wall, cpu, own) = (started.elapsed().as_secs_f64(), daemon.cpu_s() - cpu, own_cpu_s() - own);
            println!(
                "{name:>9}, {clients:>2} clients: {:.0} trials/s; the daemon used {:.0} % of a core, the clients \
                 {:.0} %; a trial: {}",
                times.len() as f64 / wall,
                100.0 * cpu / wall,
                100.0 * own / wall,
                spread(times)
            );
        }
    }
}

/// Asks and tells until the end; how long each trial took.
pub async fn client(daemon: DaemonFile, sweep: String, ends: Instant) -> Vec<Duration> {
    let mut connection = Connection::open(&daemon).await;
    let mut times = Vec::new();
    while Instant::now() < ends {
        let at = Instant::now();
        let asked: Asked =
            connection.call(&format!("/api/v1/sweeps/{sweep}/ask"), &Ask::default()).await.unwrap();
        let tell = Tell {
            attempt: asked.attempt,
            state: TellState::Completed,
            metrics: Metrics::default().with("rmse", asked.number as f64),
            reason: None,
            weights: None,
        };
        let told: Option<()> =
            connection.call(&format!("/api/v1/trials/{}/tell", asked.trial_id), &tell).await;
        assert!(told.is_none());
        times.push(at.elapsed());
    }
    times
}
