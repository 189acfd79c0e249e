//! The real programs: a daemon in a home folder, and commands against it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use sweepd::home;
use sweepd::worker::protocol::DaemonFile;

const SWEEPD: &str = env!("CARGO_BIN_EXE_sweepd");

/// A running daemon; dropped, it is ended as by SIGTERM.
pub struct Daemon {
    child: Child,
    pub address: DaemonFile,
    /// From the start of the process to the first answer of `/healthz`.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts a daemon without workers and waits until it answers.
    pub fn start(home: &Path) -> Self {
        Self::start_with(home, &[])
    }

    /// The same with further flags.
    pub fn start_with(home: &Path, flags: &[&str]) -> Self {
        Self::with_slots(home, 0, flags)
    }

    /// The same with workers that evaluate toy sweeps.
    pub fn with_slots(home: &Path, slots: usize, flags: &[&str]) -> Self {
        let log = File::create(home.join("bench-daemon.log")).unwrap();
        // A killed daemon leaves its file; only the new one's is of use.
        let _ = std::fs::remove_file(home::daemon_file(home));
        let started = Instant::now();
        let child = Command::new(SWEEPD)
            .arg("--home")
            .arg(home)
            .args(["serve", "--no-trainer", "--slots", &slots.to_string(), "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = loop {
            if let Ok(Some(address)) = home::read_daemon_file(home)
                && is_healthy(&address)
            {
                break address;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "no daemon answers");
            std::thread::sleep(Duration::from_millis(1));
        };
        Self { child, address, ready_after: started.elapsed() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that the process has ever had resident, in MB.
    pub fn peak_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
    }

    /// User and system time used so far, in seconds.
    pub fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }

    /// Ends it as a power cut would end the process.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already after `kill`.
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

fn is_healthy(address: &DaemonFile) -> bool {
    ureq::get(format!("{}/healthz", address.url)).call().is_ok_and(|answer| answer.status() == 200)
}

/// Submits a sweep by the text of its file; its id.
pub async fn submit(daemon: &DaemonFile, text: String) -> String {
    let (url, token) = (format!("{}/api/v1/sweeps", daemon.url), format!("Bearer {}", daemon.token));
    let sent = tokio::task::spawn_blocking(move || {
        let post =
            ureq::post(&url).header("Authorization", &token).header("Content-Type", "application/toml");
        post.send(text).unwrap().body_mut().read_json::<serde_json::Value>().unwrap()
    });
    sent.await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// How long a process took from its start to its end, and how much of that it computed: on a machine that others
/// use too, the second says more.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Runs `sweepd --home HOME ARGS...`, which must succeed.
pub fn sweepd(home: &Path, args: &[&str]) -> Took {
    let (started, before) = (Instant::now(), cpu_of_children());
    let output =
        Command::new(SWEEPD).arg("--home").arg(home).args(args).stdin(Stdio::null()).output().unwrap();
    let took = Took { wall: started.elapsed(), cpu: cpu_of_children() - before };
    assert!(output.status.success(), "sweepd {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

fn cpu_of_children() -> Duration {
    cpu_of(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)
}

fn cpu_of(who: nix::sys::resource::UsageWho) -> Duration {
    let usage = nix::sys::resource::getrusage(who).unwrap();
    let time = |of: nix::sys::time::TimeVal| {
        Duration::new(of.tv_sec().unsigned_abs(), of.tv_usec().unsigned_abs() as u32 * 1000)
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// User and system time that this process itself has used so far, in seconds.
pub fn own_cpu_s() -> f64 {
    cpu_of(nix::sys::resource::UsageWho::RUSAGE_SELF).as_secs_f64()
}

/// Forgets what the operating system has cached of the database, so that the next reader goes to the disk.
pub fn forget_cached(home: &Path) {
    for name in ["sweepd.db", "sweepd.db-wal"] {
        let path: PathBuf = home.join(name);
        if let Ok(file) = File::open(path) {
            file.sync_all().unwrap();
            let advice = nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED;
            nix::fcntl::posix_fadvise(&file, 0, 0, advice).unwrap();
        }
    }
}

/// The shortest, the middle and the longest of some durations, as text.
pub fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    format!(
        "{:8.1} ms best {:8.1} median {:8.1} worst, of {}",
        ms(times[0]),
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
        times.len()
    )
}
