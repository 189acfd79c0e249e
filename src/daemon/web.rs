//! Connections: how many there may be, how long each may take to say what it wants, and how all of them end.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// What connections may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many are served at once; others wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take to come, from the end of the request before. Longer than clients of ours
    /// keep an idle connection.
    pub head: Duration,
    /// How long answers that have begun may take once the daemon ends.
    pub end: Duration,
}

/// The daemon's limits.
pub(super) const LIMITS: Limits =
    Limits { connections: 4096, head: Duration::from_secs(30), end: Duration::from_secs(1) };

/// After a connection could not be accepted: too many files are open, most likely.
const REST: Duration = Duration::from_millis(200);

/// Serves until `closing` turns true, then ends all connections.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut closing: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut connections = JoinSet::new();
    let accept = async || {
        let place = Arc::clone(&free).acquire_owned().await;
        (place, listener.accept().await)
    };
    loop {
        let (place, accepted) = tokio::select! {
            accepted = accept() => accepted,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        while connections.try_join_next().is_some() {}
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(REST).await;
                continue;
            }
        };
        // Answers are small, and events are wanted as they come. A connection that is gone already ends by itself.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    // What does not come to its end in time is broken off.
    let _ = timeout(limits.end, graceful.shutdown()).await;
    connections.shutdown().await;
}

/// The address by which a browser on this machine reaches a daemon that may listen on all of its addresses.
#[must_use]
pub fn reachable(url: &str) -> String {
    url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    const CALL: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    #[test]
    fn the_limits_are_those_that_people_are_told() {
        let told = include_str!("../../docs/security.md");
        for row in [
            format!("| head of a request | {} s |", LIMITS.head.as_secs()),
            format!("| connections | {} at once,", LIMITS.connections),
        ] {
            assert!(told.contains(&row), "docs/security.md lacks {row}");
        }
    }

    async fn start(connections: usize) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (closing, receiver) = watch::channel(false);
        let router = Router::new()
            .route("/", axum::routing::get(async || "here"))
            .route("/never", axum::routing::get(std::future::pending::<()>));
        let limits =
            Limits { connections, head: Duration::from_millis(300), end: Duration::from_millis(100) };
        (address, closing, tokio::spawn(serve(listener, router, limits, receiver)))
    }

    /// Whether a call is answered.
    async fn answered(stream: &mut TcpStream) -> bool {
        stream.write_all(CALL).await.unwrap();
        let mut read = [0; 512];
        let n = timeout(Duration::from_millis(150), stream.read(&mut read)).await;
        n.is_ok_and(|n| String::from_utf8_lossy(&read[..n.unwrap_or(0)]).contains("200 OK"))
    }

    #[tokio::test]
    async fn whoever_never_says_what_it_wants_is_not_waited_for() {
        let (address, _closing, _web) = start(10).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let (began, mut rest) = (Instant::now(), Vec::new());
        let mut drip = tokio::time::interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                read = slow.read_buf(&mut rest) => if read.unwrap_or(0) == 0 { break },
                // A byte now and then does not help.
                _ = drip.tick() => { let _ = slow.try_write(b"x"); }
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it is still waited for");
        }
        assert!(began.elapsed() >= Duration::from_millis(250));
    }

    #[tokio::test]
    async fn there_are_no_more_connections_than_allowed() {
        let (address, _closing, _web) = start(1).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(answered(&mut first).await);
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(!answered(&mut second).await, "it waits");
        drop(first);
        let mut read = [0; 512];
        let n = timeout(Duration::from_secs(20), second.read(&mut read)).await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&read[..n]).contains("200 OK"));
    }

    #[tokio::test]
    async fn an_end_waits_for_no_answer_for_ever() {
        let (address, closing, web) = start(10).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        sleep(Duration::from_millis(50)).await;
        closing.send_replace(true);
        timeout(Duration::from_secs(20), web).await.expect("it ends").unwrap();
    }
}
