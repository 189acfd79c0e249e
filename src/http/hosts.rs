//! Under which names the daemon is called. A name that anybody on the internet owns may be made to mean this machine
//! (DNS rebinding): a browser then takes that page for ours. So names that are not ours are refused.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use std::net::IpAddr;

/// The names.
#[derive(Debug)]
pub(super) struct Hosts {
    listen: IpAddr,
    allowed: Vec<String>,
}

impl Hosts {
    pub fn new(listen: IpAddr, allowed: Vec<String>) -> Self {
        Self { listen, allowed: allowed.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Whether a call was meant for us: one host, and it is ours.
    pub fn is_own_call(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named = uri.authority().is_none_or(|authority| self.is_own(authority));
        named && host_of(headers).is_some_and(|host| self.is_own(&host))
    }

    /// Whether a page of that origin is ours: it is of the very host and port that are called, or of a name that was
    /// allowed (something in between may call us by another).
    pub fn is_own_origin(&self, origin: &Origin, headers: &HeaderMap) -> bool {
        let Origin(Some(origin)) = origin else { return false };
        let called = host_of(headers);
        let is_called = called.is_some_and(|host| host.as_str().eq_ignore_ascii_case(origin.as_str()));
        is_called || self.is_allowed(origin.host())
    }

    fn is_own(&self, host: &Authority) -> bool {
        // The port says nothing: a tunnel has its own.
        let name = host.host();
        let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let name_is_ours = match literal {
            // Nobody owns a number, so that one cannot be made to mean another machine.
            Ok(_) if self.listen.is_unspecified() => true,
            Ok(ip) => ip == self.listen || (ip.is_loopback() && self.listen.is_loopback()),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        };
        name_is_ours || self.is_allowed(name)
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

/// Where a page comes from that makes a call; nothing in it: from nowhere that has a name.
#[derive(Debug)]
pub(super) struct Origin(Option<Authority>);

/// The origin that a browser gives; `None` where none is given.
pub(super) fn origin_of(headers: &HeaderMap) -> Option<Origin> {
    let value = headers.get(header::ORIGIN)?;
    let uri: Option<Uri> = value.to_str().ok().and_then(|text| text.parse().ok());
    let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    Some(Origin(uri.and_then(|uri| uri.into_parts().authority)))
}

/// The one host that is called.
fn host_of(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let host = hosts.next()?.to_str().ok()?.parse().ok()?;
    hosts.next().is_none().then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(listen: &str, allowed: &[&str], host: &str) -> bool {
        let hosts = Hosts::new(listen.parse().unwrap(), allowed.iter().map(ToString::to_string).collect());
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        hosts.is_own_call(&Uri::from_static("/"), &headers)
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for own in
            ["127.0.0.1:7788", "localhost:7788", "LOCALHOST", "127.0.0.1", "[::1]:7788", "localhost:8000"]
        {
            assert!(calls("127.0.0.1", &[], own), "{own}");
        }
        for strange in [
            "evil.example",
            "evil.example:7788",
            "10.0.0.1",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "",
        ] {
            assert!(!calls("127.0.0.1", &[], strange), "{strange}");
        }
        assert!(
            calls("127.0.0.1", &["gpu.lab"], "GPU.lab:80") && !calls("127.0.0.1", &["gpu.lab"], "x.gpu.lab")
        );
        assert!(calls("10.0.0.1", &[], "10.0.0.1:7788") && !calls("10.0.0.1", &[], "10.0.0.2"));
        assert!(calls("0.0.0.0", &[], "10.0.0.2") && !calls("0.0.0.0", &[], "evil.example"));
    }

    #[test]
    fn two_hosts_are_none() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), Vec::new());
        let mut headers = HeaderMap::new();
        assert!(!hosts.is_own_call(&Uri::from_static("/"), &headers));
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert!(hosts.is_own_call(&Uri::from_static("/"), &headers));
        assert!(!hosts.is_own_call(&Uri::from_static("http://evil.example/"), &headers));
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert!(!hosts.is_own_call(&Uri::from_static("/"), &headers));
    }

    #[test]
    fn an_origin_is_ours_where_it_is_what_was_called() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), vec!["gpu.lab".into()]);
        let own = |origin: &str| {
            let headers = HeaderMap::from_iter([
                (header::HOST, "localhost:7788".parse().unwrap()),
                (header::ORIGIN, origin.parse().unwrap()),
            ]);
            origin_of(&headers).map(|origin| hosts.is_own_origin(&origin, &headers))
        };
        for ours in ["http://localhost:7788", "https://gpu.lab"] {
            assert_eq!(own(ours), Some(true), "{ours}");
        }
        for strange in
            ["http://localhost:9999", "http://localhost", "http://127.0.0.1:7788", "null", "file://", "x"]
        {
            assert_eq!(own(strange), Some(false), "{strange}");
        }
        assert!(origin_of(&HeaderMap::new()).is_none());
    }
}
