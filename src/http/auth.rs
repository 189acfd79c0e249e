//! Who may make which call: every route but the open ones wants a token or a session.

use super::App;
use super::error::ApiError;
use super::hosts::{Hosts, origin_of};
use crate::access::{Hash, Links, May, Sessions, TokenFile};
use crate::domain::Millis;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// The header that a page must send with whatever changes something: no form and no foreign page can.
const OWN_HEADER: &str = "x-sweepd";

/// What a worker's token is good for, and nothing else.
const OF_WORKERS: [(&str, &str); 8] = [
    ("POST", "/api/v1/work/claim"),
    ("POST", "/api/v1/work/heartbeat"),
    ("POST", "/api/v1/sweeps/{sweep}/ask"),
    ("POST", "/api/v1/trials/{trial_id}/report"),
    ("POST", "/api/v1/trials/{trial_id}/checkpoint"),
    ("POST", "/api/v1/trials/{trial_id}/tell"),
    ("PUT", "/api/v1/blobs/{hash}"),
    ("GET", "/api/v1/blobs/{hash}"),
];

/// What changes nothing, although its method may.
const OF_READERS: [(&str, &str); 3] = [
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/sweeps/check"),
    ("POST", "/api/v1/datasets/{name}/augment"),
];

/// Everything that lets anybody in.
#[derive(Debug)]
pub struct Access {
    /// The token of `daemon.json`; `None`: nobody needs one.
    master: Option<Hash>,
    worker: Hash,
    tokens: TokenFile,
    pub(super) sessions: Sessions,
    pub(super) links: Links,
    pub(super) hosts: Hosts,
    /// Browsers do not tell ports apart where cookies are concerned: the port is part of the name.
    pub(super) cookie: String,
}

/// Somebody who was let in, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub may: May,
    /// By what a browser sends by itself, whoever wrote the page.
    by_cookie: bool,
}

impl Access {
    /// The access to the daemon of a home folder that listens at `listen` and is also called by the names `allowed`.
    /// `master` is its own token, `None` where nobody needs one, and `worker` that of its workers.
    ///
    /// # Errors
    /// Where the sessions of earlier daemons cannot be read.
    pub fn new(
        home: &Path,
        listen: SocketAddr,
        allowed: Vec<String>,
        master: Option<&str>,
        worker: &str,
    ) -> io::Result<Self> {
        Ok(Self {
            master: master.map(Hash::of),
            worker: Hash::of(worker),
            tokens: TokenFile::new(home),
            sessions: Sessions::open(home)?,
            links: Links::default(),
            hosts: Hosts::new(listen.ip(), allowed),
            cookie: format!("sweepd-{}", listen.port()),
        })
    }

    /// The path that a browser opens once to be let in.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn make_link(&self, may: May, now: Millis) -> io::Result<String> {
        Ok(format!("/open/{}", self.links.make(may, now)?))
    }

    /// The secret of the session that a browser has.
    pub(super) fn session_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).map(|(_, secret)| secret)
    }

    /// Who calls; `None` where nobody knows.
    fn caller(&self, headers: &HeaderMap, now: Millis) -> io::Result<Option<Caller>> {
        let Some(master) = &self.master else {
            return Ok(Some(Caller { may: May::Write, by_cookie: false }));
        };
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let Some(token) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
                return Ok(None);
            };
            let may = if master.is_of(token) {
                Some(May::Write)
            } else if self.worker.is_of(token) {
                Some(May::Work)
            } else {
                self.tokens.allows(token)?
            };
            return Ok(may.map(|may| Caller { may, by_cookie: false }));
        }
        let may = self.session_of(headers).and_then(|secret| self.sessions.allows(secret, now));
        Ok(may.map(|may| Caller { may, by_cookie: true }))
    }
}

/// Lets nobody through who may not make the call.
pub(super) async fn check(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match allowed(&app, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn allowed(app: &App, request: &Request) -> Result<Caller, ApiError> {
    let found = app.access.caller(request.headers(), (app.clock)()).map_err(|error| {
        tracing::error!(%error, "tokens.json cannot be read: none of its tokens is worth anything");
        let message = "tokens.json in sweepd's home folder cannot be read: its owner must mend or remove it";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    let Some(caller) = found else {
        let message = "a token is needed: `Authorization: Bearer TOKEN`; it stands in daemon.json in sweepd's home \
                       folder, `sweepd token add` makes others, and `sweepd open` lets a browser in";
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message));
    };
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let call = (request.method().as_str(), route);
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let suffices = match caller.may {
        May::Write => true,
        May::Read => is_safe || OF_READERS.contains(&call),
        May::Work => OF_WORKERS.contains(&call),
    };
    if !suffices {
        let message = match caller.may {
            May::Work => "this token is a worker's: it may ask, report and tell, and nothing else",
            _ => {
                "this token may read, and change nothing: `sweepd token add NAME --may write` makes one that may"
            }
        };
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    check_origin(app, request.headers(), caller, is_safe)?;
    Ok(caller)
}

/// A foreign page may make a browser call, with its cookie: such calls are told by their origin, and by the header that
/// only our own page can send.
fn check_origin(app: &App, headers: &HeaderMap, caller: Caller, is_safe: bool) -> Result<(), ApiError> {
    let refused = |message| Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_origin", message));
    if is_safe && !caller.by_cookie {
        return Ok(());
    }
    match origin_of(headers) {
        Some(origin) if !app.access.hosts.is_own_origin(&origin, headers) => {
            return refused("the call comes from a page of another origin: see `serve --allow-host`");
        }
        None if !is_safe && caller.by_cookie => {
            return refused("a call by cookie that changes something needs an Origin");
        }
        _ => {}
    }
    if !is_safe && caller.by_cookie && headers.get(OWN_HEADER).is_none_or(|value| value != "1") {
        return refused("a call by cookie that changes something needs the header `X-Sweepd: 1`");
    }
    Ok(())
}
