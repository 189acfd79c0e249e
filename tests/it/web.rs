//! Calls as a browser or a program makes them, byte by byte, where what is sent and what comes back is the point.

use crate::support::Home;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Home {
    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        let file = self.daemon_file().unwrap();
        file["url"].as_str().unwrap().trim_start_matches("http://").to_owned()
    }

    /// `Bearer ...`, of the token that may do everything.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.daemon_file().unwrap()["token"].as_str().unwrap())
    }

    /// One call with these headers (a host is added where none is among them).
    pub fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut reader = self.begin(method, path, headers, body);
        let (status, headers) = head(&mut reader);
        let mut body = Vec::new();
        reader.read_to_end(&mut body).unwrap();
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            body = unchunked(&body);
        }
        Answer { status, headers, body }
    }

    /// A call with the token that may do everything.
    pub fn fetch(&self, path: &str) -> Answer {
        self.exchange("GET", path, &[("authorization", &self.bearer())], b"")
    }

    /// The same without waiting for an answer.
    pub fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> BufReader<TcpStream> {
        let host = self.host();
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += &format!("host: {host}\r\n");
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        // It may be refused before all of it was read.
        let _ = stream.write_all(body);
        BufReader::new(stream)
    }

    /// Opens a stream of events, after the id that was had last.
    pub fn events(&self, query: &str, last: Option<&str>) -> Events {
        let (bearer, path) = (self.bearer(), format!("/api/v1/events{query}"));
        // As a browser would: a stream that came compressed would arrive in gulps.
        let coding = ("accept-encoding", "gzip");
        let headers =
            [("authorization", bearer.as_str()), ("last-event-id", last.unwrap_or_default()), coding];
        let mut reader = self.begin("GET", &path, &headers, b"");
        let (status, headers) = head(&mut reader);
        let kind = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        assert_eq!((status, kind), (200, Some("text/event-stream")), "{headers:?}");
        assert!(headers.iter().all(|(name, _)| name != "content-encoding"), "{headers:?}");
        Events { reader, last: last.map(str::to_owned) }
    }
}

fn head(reader: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return (status, headers),
        }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let n = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + n]);
        body = &body[end + 2 + n + 2..];
    }
    whole
}

/// An event as a client gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

/// An open stream of events.
pub struct Events {
    reader: BufReader<TcpStream>,
    /// The id that the client would come back with.
    pub last: Option<String>,
}

impl Events {
    /// The next event; `None` when the stream has ended or broken off.
    pub fn next(&mut self) -> Option<Event> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(id) = line.strip_prefix("id: ") {
                self.last = Some(id.to_owned());
            } else if let Some(word) = line.strip_prefix("event: ") {
                name = word.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = text.to_owned();
            } else if line.is_empty() && !name.is_empty() {
                return Some(Event { data: serde_json::from_str(&data).unwrap(), name });
            }
        }
    }

    /// Reads what a stream begins with: afterwards the id is known at which it starts.
    pub fn until_placed(&mut self) {
        while self.last.is_none() {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            if let Some(id) = line.trim_end().strip_prefix("id: ") {
                self.last = Some(id.to_owned());
            }
        }
    }
}
