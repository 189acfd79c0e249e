//! Looks every few seconds at what the machine is used for.

use super::now;
use crate::domain::{DeviceMoment, DeviceReading, Moment, WorkerMoment};
use crate::http::History;
use crate::worker::process::{resident_bytes_of, workers_of};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

const PAUSE: Duration = Duration::from_secs(5);

/// Adds a moment to the history every five seconds, until the task is ended.
pub(super) async fn keep(home: PathBuf, devices: watch::Receiver<Vec<DeviceReading>>, history: Arc<History>) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        ticks.tick().await;
        let (home, seen) = (home.clone(), devices.borrow().iter().map(device).collect());
        // Many small files are read.
        let looked = tokio::task::spawn_blocking(move || look(&home, seen, before)).await;
        let Ok((moment, cores)) = looked else { return };
        before = cores;
        history.add(moment);
    }
}

/// Ticks of all cores since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cores {
    idle: u64,
    all: u64,
}

fn look(
    home: &std::path::Path,
    devices: Vec<DeviceMoment>,
    before: Option<Cores>,
) -> (Moment, Option<Cores>) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cores = cores(&read("/proc/stat"));
    let worker = |seen: crate::worker::process::SeenWorker| WorkerMoment {
        resident_bytes: resident_bytes_of(seen.pid, seen.started),
        worker: seen.name,
        slot: seen.slot,
    };
    let mut workers: Vec<WorkerMoment> = workers_of(home).into_iter().map(worker).collect();
    workers.sort_by(|a, b| (&a.slot, &a.worker).cmp(&(&b.slot, &b.worker)));
    let moment = Moment {
        at_ms: now(),
        workers,
        devices,
        cpu_share: before.zip(cores).and_then(|(before, now)| share(before, now)),
        memory_used_bytes: memory_used(&read("/proc/meminfo")),
    };
    (moment, cores)
}

fn device(reading: &DeviceReading) -> DeviceMoment {
    DeviceMoment {
        device: reading.device.clone(),
        used_bytes: reading.total_bytes.saturating_sub(reading.free_bytes),
        utilisation: reading.utilisation,
    }
}

/// The first line of proc(5), `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; guests are counted
/// as users already.
fn cores(stat: &str) -> Option<Cores> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|ticks| ticks.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some(Cores { idle, all: ticks.iter().sum() })
}

fn share(before: Cores, now: Cores) -> Option<f64> {
    let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
    let idle = now.idle.saturating_sub(before.idle).min(all);
    Some((all - idle) as f64 / all as f64)
}

/// What cannot be had without taking it from somebody, by proc(5), `/proc/meminfo`.
fn memory_used(meminfo: &str) -> Option<u64> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    bytes("MemTotal")?.checked_sub(bytes("MemAvailable")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_cores_is_what_was_not_idle() {
        let before = cores("cpu  100 0 50 800 50 0 0 0 7 7\ncpu0 1 2 3\n").unwrap();
        let after = cores("cpu  160 0 70 850 70 0 0 0 9 9\n").unwrap();
        assert_eq!(before, Cores { idle: 850, all: 1000 });
        assert!((share(before, after).unwrap() - 80.0 / 150.0).abs() < 1e-12);
        assert_eq!((share(after, after), share(after, before), cores("nothing")), (None, None, None));
    }

    #[test]
    fn used_memory_is_what_is_not_available() {
        assert_eq!(
            memory_used("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable:    400 kB\n"),
            Some(600 * 1024)
        );
        assert_eq!(memory_used("MemTotal: 1000 kB\n"), None);
    }
}
