//! What open event streams cost those who work: trials a second with 200 of them and without, in turn, for workers that
//! train at their own pace and for clients that ask and tell as fast as they can.

use super::ask_tell::client;
use super::generate;
use super::process::{Daemon, own_cpu_s, submit};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use sweepd::worker::protocol::DaemonFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const STREAMS: usize = 200;
const SECONDS: u64 = 10;

/// Trials of three epochs of 20 ms each: two workers report about a hundred a second.
const TOY: &str = r#"
name = "toy"
[objective]
kind = "toy"
[search]
sampler = "random"
trials = 1000000
[space]
x = { type = "float", low = 0.0, high = 1.0 }
epoch_ms = { type = "fixed", value = 20 }
"#;

pub async fn run(repeat: usize) {
    for _ in 0..repeat {
        for streams in [0, STREAMS] {
            train(streams).await;
        }
    }
    for _ in 0..repeat {
        for streams in [0, STREAMS] {
            ask(streams).await;
        }
    }
}

async fn train(streams: usize) {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::with_slots(folder.path(), 2, &[]);
    let read = open(&daemon.address, streams).await;
    submit(&daemon.address, TOY.to_owned()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let measured = Measured::begin(&daemon, completed(folder.path()).await, &read);
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    measured.end("workers", streams, &daemon, completed(folder.path()).await, &read);
    super::process::sweepd(folder.path(), &["stop", "--drain"]);
}

async fn ask(streams: usize) {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(folder.path());
    let read = open(&daemon.address, streams).await;
    let sweep = submit(&daemon.address, generate::file("asked", 10_000_000)).await;
    let measured = Measured::begin(&daemon, 0, &read);
    let ends = Instant::now() + Duration::from_secs(SECONDS);
    let tasks: Vec<_> =
        (0..32).map(|_| tokio::spawn(client(daemon.address.clone(), sweep.clone(), ends))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    measured.end("32 clients", streams, &daemon, completed(folder.path()).await, &read);
}

struct Measured {
    at: Instant,
    cpu: f64,
    own: f64,
    trials: i64,
    bytes: u64,
}

impl Measured {
    fn begin(daemon: &Daemon, trials: i64, read: &AtomicU64) -> Self {
        let bytes = read.load(Ordering::Relaxed);
        Self { at: Instant::now(), cpu: daemon.cpu_s(), own: own_cpu_s(), trials, bytes }
    }

    fn end(self, who: &str, streams: usize, daemon: &Daemon, trials: i64, read: &AtomicU64) {
        let seconds = self.at.elapsed().as_secs_f64();
        println!(
            "{who:>10}, {streams:>3} streams: {:7.1} trials/s; the daemon used {:3.0} % of a core and {:.0} MB, this \
             program {:3.0} %; {:.1} MB/s were read from the streams",
            (trials - self.trials) as f64 / seconds,
            100.0 * (daemon.cpu_s() - self.cpu) / seconds,
            daemon.peak_mb(),
            100.0 * (own_cpu_s() - self.own) / seconds,
            (read.load(Ordering::Relaxed) - self.bytes) as f64 / 1e6 / seconds,
        );
    }
}

/// Opens streams and reads them, counting bytes.
async fn open(daemon: &DaemonFile, streams: usize) -> Arc<AtomicU64> {
    let read = Arc::new(AtomicU64::new(0));
    let host = daemon.url.trim_start_matches("http://").to_owned();
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n",
        daemon.token
    );
    for _ in 0..streams {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 64 << 10];
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..n].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..n]));
        let read = Arc::clone(&read);
        tokio::spawn(async move {
            while let Ok(n) = stream.read(&mut buffer).await {
                if n == 0 {
                    break;
                }
                read.fetch_add(n as u64, Ordering::Relaxed);
            }
        });
    }
    read
}

/// How many trials have completed.
async fn completed(home: &Path) -> i64 {
    let reader = sweepd::store::Reader::open(home, 1).await.unwrap();
    let sweeps = reader.sweeps(None).await.unwrap();
    reader.close().await;
    sweeps.iter().map(|sweep| i64::try_from(sweep.trials.completed).unwrap()).sum()
}
