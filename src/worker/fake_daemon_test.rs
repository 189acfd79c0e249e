//! A daemon as far as a worker can tell, on loopback: it notes what it answers, and can go away and come
//! back elsewhere.

use super::protocol::{Checkpoint, DaemonFile, Heartbeat, Report, Tell, Verdict};
use crate::domain::{Decision, Millis};
use crate::home;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// A call that was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Report(u64),
    Checkpoint(u64),
    Tell(Tell),
}

/// What the daemon knows and how it behaves, over all its lives.
#[derive(Default)]
pub struct Mind {
    /// Everything but heartbeats and blobs, in order.
    pub heard: Vec<Heard>,
    pub reports: Vec<Report>,
    pub checkpoints: Vec<Checkpoint>,
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// Blobs that were asked for.
    pub fetched: Vec<String>,
    /// Answered from this step on.
    pub stop_from: Option<u64>,
    /// Whether the attempt was given to somebody else.
    pub given_away: bool,
    /// How many reports to hear without answering: the connection breaks.
    pub swallow: u32,
    /// Calls whose path contains this are not answered yet.
    pub hold: Option<&'static str>,
}

#[derive(Default)]
struct Shared {
    mind: Mutex<Mind>,
    changed: Condvar,
}

pub struct FakeDaemon {
    home: PathBuf,
    shared: Arc<Shared>,
    life: Option<Life>,
}

/// From a start to the next stop.
struct Life {
    ending: Arc<AtomicBool>,
    port: u16,
    thread: thread::JoinHandle<()>,
}

impl FakeDaemon {
    /// A daemon of this home, which answers.
    pub fn new(home: &Path) -> Self {
        let mut daemon = Self { home: home.to_owned(), shared: Arc::default(), life: None };
        daemon.start();
        daemon
    }

    pub fn mind(&self) -> MutexGuard<'_, Mind> {
        self.shared.mind.lock().unwrap()
    }

    /// Waits until it knows what is wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Mind) -> bool) {
        let all = self
            .shared
            .changed
            .wait_timeout_while(self.mind(), Duration::from_secs(20), |mind| !wanted(mind));
        assert!(!all.unwrap().1.timed_out(), "not within 20 seconds: {what}");
    }

    /// Answers what was held back.
    pub fn release(&self) {
        self.mind().hold = None;
        self.shared.changed.notify_all();
    }

    /// Listens, at another port than before.
    pub fn start(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ending, shared) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.shared));
        let flag = Arc::clone(&ending);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || answer(&stream.unwrap(), &shared));
            }
        });
        let url = format!("http://127.0.0.1:{port}");
        let file =
            DaemonFile { url, token: "t".into(), worker_token: "w".into(), pid: 1, started_ms: Millis(0) };
        home::write_daemon_file(&self.home, &file).unwrap();
        self.life = Some(Life { ending, port, thread });
    }

    /// Goes away like a killed process: its file stays, its port is closed.
    pub fn stop(&mut self) {
        let Some(life) = self.life.take() else { return };
        life.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", life.port));
        life.thread.join().unwrap();
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        self.stop();
    }
}

fn answer(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut mind = shared.mind.lock().unwrap();
    while mind.hold.is_some_and(|part| path.contains(part)) {
        mind = shared.changed.wait(mind).unwrap();
    }
    let (status, body) = mind.answer(&method, &path, &body);
    if path.ends_with("/report") && mind.swallow > 0 {
        mind.swallow -= 1;
        return;
    }
    drop(mind);
    shared.changed.notify_all();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

impl Mind {
    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let blob = path.strip_prefix("/api/v1/blobs/");
        if let Some(hash) = blob {
            if method == "PUT" {
                self.blobs.insert(hash.to_owned(), body.to_vec());
                return (204, Vec::new());
            }
            self.fetched.push(hash.to_owned());
            return self.blobs.get(hash).map_or((404, Vec::new()), |bytes| (200, bytes.clone()));
        }
        if self.given_away {
            let error = r#"{"error": {"code": "stale_attempt", "message": "another attempt took over"}}"#;
            return (409, error.into());
        }
        let continued = Verdict { decision: Decision::Continue };
        let verdict = |verdict: Verdict| (200, serde_json::to_vec(&verdict).unwrap());
        match path.rsplit('/').next().unwrap() {
            "heartbeat" => {
                let _: Heartbeat = serde_json::from_slice(body).unwrap();
                verdict(continued)
            }
            "report" => {
                let report: Report = serde_json::from_slice(body).unwrap();
                self.heard.push(Heard::Report(report.step));
                let stop = self.stop_from.is_some_and(|from| report.step >= from);
                self.reports.push(report);
                verdict(if stop { Verdict { decision: Decision::Stop } } else { continued })
            }
            "checkpoint" => {
                let checkpoint: Checkpoint = serde_json::from_slice(body).unwrap();
                assert_eq!(self.blobs[&checkpoint.hash].len() as u64, checkpoint.bytes);
                self.heard.push(Heard::Checkpoint(checkpoint.step));
                self.checkpoints.push(checkpoint);
                (204, Vec::new())
            }
            "tell" => {
                self.heard.push(Heard::Tell(serde_json::from_slice(body).unwrap()));
                (204, Vec::new())
            }
            other => panic!("a worker called {method} {other}"),
        }
    }
}
