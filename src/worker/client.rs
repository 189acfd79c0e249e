//! The worker's side of the protocol: blocking calls that outlast a daemon's restart.
//!
//! Address and token are read again from `daemon.json` before every repeat, so a daemon that came back
//! elsewhere is found. A call that was answered, however unfavourably, is never repeated.

use super::protocol::{Checkpoint, Claim, ErrorBody, Heartbeat, Report, Tell, Verdict, Work};
use crate::domain::{AttemptId, TrialId};
use crate::home;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// How long a call may take: longer than a claim waits for work.
const CALL_TIME: Duration = Duration::from_secs(60);
/// How long a blob may travel: hundreds of megabytes, maybe from afar.
const BLOB_TIME: Duration = Duration::from_secs(600);

/// Why a call failed for good.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The daemon answered with an error; repeating would not change it.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable code.
        code: String,
        /// The sentence for people.
        message: String,
        /// Several mistakes, each with its place, where there are several.
        problems: Vec<String>,
    },
    /// No daemon answered.
    #[error("no daemon answers at {url}: {message}")]
    Unreachable {
        /// Where it was tried.
        url: String,
        /// What the socket said.
        message: String,
    },
    /// There is no `daemon.json`.
    #[error("no daemon runs in {home}: start one with `sweepd serve`, or run a file with `sweepd run FILE`")]
    NoDaemon {
        /// The home folder.
        home: PathBuf,
    },
    /// The answer made no sense.
    #[error("the daemon's answer was not understood: {0}")]
    BadAnswer(String),
}

impl ClientError {
    /// Whether a later try may succeed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoDaemon { .. } => true,
            Self::Refused { status, .. } => matches!(status, 401 | 408 | 429 | 500..),
            Self::BadAnswer(_) => false,
        }
    }
}

/// Speaks to the daemon of one home folder.
#[derive(Debug, Clone)]
pub struct Client {
    home: PathBuf,
    agent: ureq::Agent,
    is_worker: bool,
}

/// An answer with its status.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Client {
    /// A client for the daemon of `home`. Nothing is called yet.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .build()
            .into();
        Self { home: home.to_owned(), agent, is_worker: false }
    }

    /// The same, allowed nothing but what workers do.
    #[must_use]
    pub fn of_worker(home: &Path) -> Self {
        Self { is_worker: true, ..Self::new(home) }
    }

    /// The home folder of the daemon it speaks to.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Asks for work; `None` when there is nothing now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn claim(&self, claim: &Claim) -> Result<Option<Work>, ClientError> {
        let answer = self.post_json("/api/v1/work/claim", claim)?;
        if answer.status == 204 { Ok(None) } else { parse(&answer.body).map(Some) }
    }

    /// Says that the worker lives.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn heartbeat(&self, trial_id: TrialId, attempt: AttemptId) -> Result<Verdict, ClientError> {
        parse(&self.post_json("/api/v1/work/heartbeat", &Heartbeat { trial_id, attempt })?.body)
    }

    /// Reports a step.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn report(&self, trial: TrialId, report: &Report) -> Result<Verdict, ClientError> {
        parse(&self.post_json(&format!("/api/v1/trials/{trial}/report"), report)?.body)
    }

    /// Tells the end of an attempt.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn tell(&self, trial: TrialId, tell: &Tell) -> Result<(), ClientError> {
        self.post_json(&format!("/api/v1/trials/{trial}/tell"), tell).map(|_| ())
    }

    /// Announces a checkpoint whose bytes are stored.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn checkpoint(&self, trial: TrialId, checkpoint: &Checkpoint) -> Result<(), ClientError> {
        self.post_json(&format!("/api/v1/trials/{trial}/checkpoint"), checkpoint).map(|_| ())
    }

    /// Stores bytes as a blob and returns their hash.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn put_blob(&self, bytes: &[u8]) -> Result<String, ClientError> {
        let hash = blake3::hash(bytes).to_hex().to_string();
        self.call_within(
            BLOB_TIME,
            "PUT",
            &format!("/api/v1/blobs/{hash}"),
            "application/octet-stream",
            bytes,
        )?;
        Ok(hash)
    }

    /// A blob's bytes, checked against their hash.
    ///
    /// # Errors
    /// [`ClientError`]; `BadAnswer` where the bytes are others.
    pub fn get_blob(&self, hash: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/api/v1/blobs/{hash}");
        let bytes = self.call_within(BLOB_TIME, "GET", &path, "application/octet-stream", &[])?.body;
        let found = blake3::hash(&bytes).to_hex();
        if found.as_str() == hash {
            return Ok(bytes);
        }
        Err(ClientError::BadAnswer(format!("blob {hash} came as {} bytes that hash to {found}", bytes.len())))
    }

    /// Any call with a JSON body; returns the body of the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<Vec<u8>, ClientError> {
        self.post_json(path, body).map(|answer| answer.body)
    }

    /// Any call with the given method, type and body; returns the body of the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Vec<u8>, ClientError> {
        self.call(method, path, kind, body).map(|answer| answer.body)
    }

    fn post_json<T: Serialize>(&self, path: &str, body: &T) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| ClientError::BadAnswer(e.to_string()))?;
        self.call("POST", path, "application/json", &body)
    }

    fn call(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer, ClientError> {
        self.call_within(CALL_TIME, method, path, kind, body)
    }

    fn call_within(
        &self,
        time: Duration,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<Answer, ClientError> {
        // Read at every call: a daemon that came back may listen elsewhere, with another token.
        let daemon = home::read_daemon_file(&self.home)
            .map_err(|e| ClientError::BadAnswer(format!("{}: {e}", home::daemon_file(&self.home).display())))?
            .ok_or_else(|| ClientError::NoDaemon { home: self.home.clone() })?;
        let token = if self.is_worker { &daemon.worker_token } else { &daemon.token };
        let unreachable = |error: ureq::Error| ClientError::Unreachable {
            url: daemon.url.clone(),
            message: error.to_string(),
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", daemon.url))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .body(body)
            .map_err(|e| ClientError::BadAnswer(e.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(time)).build();
        let mut response = self.agent.run(request).map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(unreachable)?;
        if status < 400 { Ok(Answer { status, body }) } else { Err(refused(status, &body)) }
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|e| ClientError::BadAnswer(e.to_string()))
}

fn refused(status: u16, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error }) => ClientError::Refused {
            status,
            code: error.code,
            message: error.message,
            problems: error.problems,
        },
        Err(_) => ClientError::Refused {
            status,
            code: "unknown".into(),
            message: format!("status {status}: {}", String::from_utf8_lossy(body)),
            problems: Vec::new(),
        },
    }
}
