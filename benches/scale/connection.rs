//! One keep-alive HTTP/1.1 connection to the daemon. A whole client library would take more of the two
//! machines' shared cores than the daemon that is measured.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sweepd::worker::protocol::DaemonFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    host: String,
    token: String,
    read: Vec<u8>,
}

impl Connection {
    pub async fn open(daemon: &DaemonFile) -> Self {
        let host = daemon.url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host, token: daemon.token.clone(), read: Vec::new() }
    }

    /// Sends JSON; the status and the body of the answer.
    async fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Posts JSON; the answer's body, or `None` for "no content".
    pub async fn call<T: DeserializeOwned>(&mut self, path: &str, body: &impl Serialize) -> Option<T> {
        let (status, answer) = self.send("POST", path, &serde_json::to_string(body).unwrap()).await;
        match status {
            204 => None,
            200 | 201 => Some(serde_json::from_slice(&answer).unwrap()),
            _ => panic!("{path}: {status} {}", String::from_utf8_lossy(&answer)),
        }
    }

    /// Asks whether the daemon lives: an answer in which neither the dispatcher nor the database has a part.
    pub async fn ping(&mut self) {
        assert_eq!(self.send("GET", "/healthz", "").await.0, 200);
    }

    async fn answer(&mut self) -> (u16, Vec<u8>) {
        self.read.clear();
        let head_end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await;
        };
        let head = std::str::from_utf8(&self.read[..head_end]).unwrap().to_ascii_lowercase();
        let status = head[9..12].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        while self.read.len() < head_end + length {
            self.more().await;
        }
        (status, self.read[head_end..].to_vec())
    }

    async fn more(&mut self) {
        let n = self.stream.read_buf(&mut self.read).await.unwrap();
        assert!(n > 0, "the daemon closed the connection");
    }
}
