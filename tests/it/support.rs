//! A daemon of the real binary in a home of its own, and commands against it.

use nix::sys::signal::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use sweepd::worker::process::{signal_group, workers_of};
use tempfile::TempDir;

/// Generous: machines that run tests are slow and shared.
const PATIENCE: Duration = Duration::from_secs(180);

/// A home folder, and the daemon that serves it if one was started.
pub struct Home {
    pub folder: TempDir,
    daemon: Option<Child>,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), daemon: None }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Calls the daemon: the status, and the answer as text.
    pub fn call(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
        let daemon = self.daemon_file().unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", daemon["url"].as_str().unwrap()))
            .header("Authorization", format!("Bearer {}", daemon["token"].as_str().unwrap()))
            .header("Content-Type", kind)
            .body(body.to_owned())
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let body = response.body_mut().read_to_vec().unwrap();
        (response.status().as_u16(), String::from_utf8_lossy(&body).into_owned())
    }

    /// What a question to the daemon is answered with, which must succeed.
    pub fn get(&self, path: &str) -> Value {
        let (status, text) = self.call("GET", path, "application/json", "");
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Sends JSON to the daemon; the status, and the error's code if it is one.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let (status, text) = self.call(method, path, "application/json", &body.to_string());
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// `sweepd --home HERE ARGS...`
    pub fn sweepd(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sweepd"))
            .arg("--home")
            .arg(self.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same, which must succeed; its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.sweepd(args);
        assert!(output.status.success(), "sweepd {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same with `--json`, parsed.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("sweepd {args:?} printed {text}: {e}"))
    }

    /// Starts a daemon whose workers evaluate toy sweeps: no libtorch is needed.
    pub fn serve(&mut self, slots: usize) {
        self.serve_with(slots, &["--no-trainer"], &[]);
    }

    /// Starts a daemon with further flags and variables of the environment.
    pub fn serve_with(&mut self, slots: usize, flags: &[&str], environment: &[(&str, &str)]) {
        self.start(slots, flags, environment);
        // A killed daemon has left its own file.
        let pid = self.daemon_pid();
        self.until("the daemon answers", || self.daemon_file().is_some_and(|file| file["pid"] == pid));
    }

    /// The same without waiting until it answers.
    pub fn start(&mut self, slots: usize, flags: &[&str], environment: &[(&str, &str)]) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path().join("test-daemon.log"))
            .unwrap();
        let sweepd = env!("CARGO_BIN_EXE_sweepd");
        let child = Command::new(sweepd)
            .arg("--home")
            .arg(self.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--slots", &slots.to_string()])
            .args(flags)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemon = Some(child);
    }

    /// What `daemon.json` says.
    pub fn daemon_file(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.path().join("daemon.json")).ok()?).ok()
    }

    pub fn daemon_pid(&self) -> i32 {
        i32::try_from(self.daemon.as_ref().unwrap().id()).unwrap()
    }

    /// Ends the daemon with a signal and waits for it.
    pub fn signal_daemon(&mut self, signal: Signal) -> std::process::ExitStatus {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.daemon_pid()), signal).unwrap();
        self.daemon.take().unwrap().wait().unwrap()
    }

    /// Writes a sweep file and submits it; its id.
    pub fn submit(&self, text: &str) -> String {
        let file = self.path().join("sweep.toml");
        std::fs::write(&file, text).unwrap();
        self.ok(&["submit", file.to_str().unwrap()]).trim().to_owned()
    }

    /// The first column of what a question to the database answers, as text.
    pub fn rows(&self, question: &str) -> Vec<String> {
        use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
        let file = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.path().join("sweepd.db"))
            .read_only(true)
            .busy_timeout(Duration::from_secs(10));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = file.connect().await.unwrap();
            let question = sqlx::query_scalar(AssertSqlSafe(question.to_owned()));
            let rows = question.fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows
        })
    }

    /// `sweepd doctor` finds nothing wrong with the database and the files that it refers to.
    pub fn is_sound(&self) {
        let checks: Value = serde_json::from_slice(&self.sweepd(&["doctor", "--json"]).stdout).unwrap();
        let stored = |check: &&Value| matches!(check["what"].as_str(), Some("database" | "weights"));
        let stored: Vec<&Value> = checks.as_array().unwrap().iter().filter(stored).collect();
        assert!(stored.len() >= 2 && stored.iter().all(|check| check["verdict"] != "bad"), "{stored:#?}");
    }

    /// Waits until something is true.
    pub fn until(&self, what: &str, mut is_true: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_true() {
            let log = || std::fs::read_to_string(self.path().join("test-daemon.log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "waited in vain until {what}; the daemon said:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn until_over(&self, sweep: &str) {
        self.until("the sweep is over", || {
            matches!(self.json(&["show", sweep])["state"].as_str(), Some("completed" | "cancelled"))
        });
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Whatever a failed test left: its own children, found by the pids it noted.
        if self.daemon.is_some() {
            let _ = self.sweepd(&["stop", "--drain"]);
            if let Some(mut daemon) = self.daemon.take() {
                let _ = daemon.kill();
                let _ = daemon.wait();
            }
        }
        // What a killed daemon has left would go on for its grace period.
        for worker in workers_of(self.path()) {
            signal_group(worker.pid, worker.started, Signal::SIGKILL);
        }
    }
}

/// A toy sweep of `trials` trials of three steps, each taking `epoch_ms`.
pub fn toy(name: &str, trials: u64, epoch_ms: u64, more: &str) -> String {
    format!(
        r#"
name = "{name}"
seed = 3
[objective]
kind = "toy"
[search]
sampler = "random"
trials = {trials}
[space]
x = {{ type = "float", low = 0.0, high = 1.0 }}
epoch_ms = {{ type = "fixed", value = {epoch_ms} }}
{more}
"#
    )
}
