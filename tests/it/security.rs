//! Who is let in, to what, and under which names: every sentence of `docs/security.md`.

use crate::support::{Home, toy};
use crate::web::Answer;
use nix::sys::signal::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

impl Home {
    fn with(&self, token: &str, method: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.exchange(
            method,
            path,
            &[("authorization", &bearer), ("content-type", "application/json")],
            b"{}",
        )
    }

    /// Opens a link as a browser does; the cookie that it gets, as it is sent back.
    fn cookie(&self, flags: &[&str]) -> String {
        let link = self.ok(&[&["open", "--print"], flags].concat());
        let (_, path) = link.trim().split_once("/open/").unwrap();
        let opened = self.exchange("GET", &format!("/open/{path}"), &[], b"");
        assert_eq!((opened.status, opened.header("location")), (303, Some("/")), "{opened:?}");
        opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    /// A call as our own page makes it, but for what `headers` says otherwise; an empty one is left out.
    fn page(&self, cookie: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.host());
        let mut all = vec![("cookie", cookie), ("origin", origin.as_str()), ("x-sweepd", "1")];
        all.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
        all.extend(headers);
        self.exchange(method, path, &all, b"")
    }
}

#[test]
fn without_a_token_nothing_is_answered_but_whether_the_daemon_lives() {
    let mut home = Home::new();
    home.serve(1);
    assert_eq!(home.exchange("GET", "/healthz", &[], b"").status, 200);
    let master = home.daemon_file().unwrap()["token"].as_str().unwrap().to_owned();
    let port = home.host().split(':').nth(1).unwrap().to_owned();
    let wrong = [
        ("authorization", String::new()),
        ("authorization", "Bearer ".into()),
        ("authorization", "Bearer wrong".into()),
        ("authorization", format!("Bearer {}", &master[..master.len() - 1])),
        ("authorization", format!("Basic {master}")),
        ("cookie", format!("sweepd-{port}={master}")),
        ("cookie", format!("sweepd-{port}=")),
    ];
    for path in ["/api/v1/sweeps", "/api/v1/events", "/api/v1/workers", "/api/v1/session", "/metrics"] {
        for (name, value) in &wrong {
            let answer = home.exchange("GET", path, &[(name, value)], b"");
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "unauthorized"),
                "{path}, {name}: {value}"
            );
        }
        let in_address = home.exchange("GET", &format!("{path}?token={master}"), &[], b"");
        assert_eq!(in_address.status, 401, "addresses end up in logs: a token in one is none");
    }
}

#[test]
fn the_files_with_secrets_are_for_their_owner_alone() {
    let mut home = Home::new();
    home.serve(1);
    home.ok(&["token", "add", "ci", "--may", "read"]);
    home.cookie(&[]);
    for name in ["daemon.json", "tokens.json", "sessions.json"] {
        let mode = std::fs::metadata(home.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_read_token_reads_and_changes_nothing() {
    let mut home = Home::new();
    home.serve(0);
    let sweep = home.submit(&toy("held", 1, 1, ""));
    let token = home.ok(&["token", "add", "ci", "--may", "read"]).trim().to_owned();
    for path in
        ["/api/v1/sweeps", "/api/v1/workers", "/api/v1/daemon", &format!("/api/v1/sweeps/{sweep}/best")]
    {
        assert_eq!(home.with(&token, "GET", path).status, 200, "{path}");
    }
    assert_eq!(home.with(&token, "GET", "/api/v1/session").json()["may"], "read");
    let changing = [
        ("POST", "/api/v1/sweeps".to_owned()),
        ("POST", format!("/api/v1/sweeps/{sweep}/cancel")),
        ("DELETE", format!("/api/v1/sweeps/{sweep}")),
        ("POST", format!("/api/v1/sweeps/{sweep}/ask")),
        ("POST", "/api/v1/trials/1/retry".into()),
        ("POST", "/api/v1/trials/1/tell".into()),
        ("POST", "/api/v1/work/claim".into()),
        ("PUT", format!("/api/v1/blobs/{}", "0".repeat(64))),
        ("POST", "/api/v1/session/link".into()),
        ("POST", "/api/v1/daemon/stop".into()),
        ("POST", "/api/v1/daemon/gc".into()),
    ];
    for (method, path) in changing {
        let answer = home.with(&token, method, &path);
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{method} {path}");
    }
    assert_eq!(home.json(&["show", &sweep])["state"], "active");
}

#[test]
fn a_write_token_does_everything_until_it_is_removed() {
    let mut home = Home::new();
    home.serve(0);
    let sweep = home.submit(&toy("held", 1, 1, ""));
    let token = home.ok(&["token", "add", "me", "--may", "write"]).trim().to_owned();
    assert_eq!(home.with(&token, "POST", &format!("/api/v1/sweeps/{sweep}/pause")).status, 204);
    let listed = home.json(&["token", "ls"]);
    assert_eq!((listed[0]["name"].as_str(), listed[0]["may"].as_str()), (Some("me"), Some("write")));
    assert!(!listed.to_string().contains(&token), "it is shown once");
    assert!(!home.sweepd(&["token", "add", "me", "--may", "read"]).status.success(), "the name is taken");
    home.ok(&["token", "rm", "me"]);
    assert_eq!(home.with(&token, "GET", "/api/v1/sweeps").status, 401);
    assert_eq!(home.sweepd(&["token", "rm", "me"]).status.code(), Some(4), "there is none any more");
}

#[test]
fn a_worker_token_works_and_nothing_else() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = home.submit(&toy("external", 2, 1, "").replace("\"toy\"", "\"external\"\nmetric = \"rmse\""));
    let named = home.ok(&["token", "add", "gpu", "--may", "work"]).trim().to_owned();
    let own = home.daemon_file().unwrap()["worker_token"].as_str().unwrap().to_owned();
    assert_ne!(own, home.daemon_file().unwrap()["token"].as_str().unwrap());
    for token in [&named, &own] {
        for (method, path) in [
            ("GET", "/api/v1/sweeps".to_owned()),
            ("GET", "/api/v1/trials/1".into()),
            ("GET", "/api/v1/events".into()),
            ("GET", "/metrics".into()),
            ("POST", "/api/v1/sweeps".into()),
            ("POST", format!("/api/v1/sweeps/{sweep}/cancel")),
            ("POST", "/api/v1/daemon/stop".into()),
            ("POST", "/api/v1/session/link".into()),
        ] {
            let answer = home.with(token, method, &path);
            assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{method} {path}");
        }
        let asked = home.with(token, "POST", &format!("/api/v1/sweeps/{sweep}/ask"));
        assert_eq!(asked.status, 200, "{}", asked.text());
        let (trial, attempt) = (asked.json()["trial_id"].clone(), asked.json()["attempt"].clone());
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let report =
            serde_json::json!({ "attempt": attempt, "step": 1, "metrics": { "rmse": 1.0 } }).to_string();
        let path = format!("/api/v1/trials/{trial}/report");
        assert_eq!(home.exchange("POST", &path, &headers, report.as_bytes()).status, 200);
        let hash = blake3::hash(b"weights").to_hex();
        assert_eq!(home.exchange("PUT", &format!("/api/v1/blobs/{hash}"), &headers, b"weights").status, 204);
        assert_eq!(home.exchange("GET", &format!("/api/v1/blobs/{hash}"), &headers, b"").body, b"weights");
    }
    // The daemon's own workers have no more than that, and work.
    let toy = home.submit(&toy("own", 2, 1, ""));
    home.until_over(&toy);
}

#[test]
fn a_link_lets_one_browser_in_for_as_long_as_its_session_holds() {
    let mut home = Home::new();
    home.serve(0);
    let link = home.ok(&["open", "--print"]);
    let path = format!("/open/{}", link.trim().split_once("/open/").unwrap().1);
    let opened = home.exchange("GET", &path, &[], b"");
    let cookie = opened.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(home.exchange("GET", &path, &[], b"").status, 410, "a second time");
    assert_eq!(home.exchange("GET", "/open/nothing", &[], b"").status, 410);
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(home.page(cookie, "GET", "/api/v1/session", &[]).json()["may"], "write");
    let sweep = home.submit(&toy("held", 1, 1, ""));
    assert_eq!(home.page(cookie, "POST", &format!("/api/v1/sweeps/{sweep}/pause"), &[]).status, 204);
    // A session outlives the daemon, killed or not; the daemon's own token does not.
    let token = home.daemon_file().unwrap()["token"].as_str().unwrap().to_owned();
    home.signal_daemon(Signal::SIGKILL);
    home.serve_with(0, &["--no-trainer"], &[]);
    assert_eq!(home.with(&token, "GET", "/api/v1/sweeps").status, 401, "every start has a token of its own");
    let port = home.host().split(':').nth(1).unwrap().to_owned();
    let secret = cookie.split('=').nth(1).unwrap();
    // Another free port, in this test, and the cookie's name has the port.
    let cookie = format!("other=1; sweepd-{port}={secret}; last=2");
    assert_eq!(home.page(&cookie, "GET", "/api/v1/session", &[]).json()["may"], "write");
    assert_eq!(home.page(&cookie, "DELETE", "/api/v1/session", &[]).status, 204);
    assert_eq!(home.page(&cookie, "GET", "/api/v1/session", &[]).status, 401, "it has ended");
    let reads = home.cookie(&["--read-only"]);
    assert_eq!(home.page(&reads, "GET", "/api/v1/session", &[]).json()["may"], "read");
    assert_eq!(home.page(&reads, "POST", &format!("/api/v1/sweeps/{sweep}/resume"), &[]).code(), "forbidden");
}

#[test]
fn a_foreign_page_can_make_no_browser_change_or_read_anything() {
    let mut home = Home::new();
    home.serve(0);
    let sweep = home.submit(&toy("held", 1, 1, ""));
    let (cookie, cancel) = (home.cookie(&[]), format!("/api/v1/sweeps/{sweep}/cancel"));
    let port = home.host().split(':').nth(1).unwrap().to_owned();
    let neighbour = format!("http://localhost:{port}");
    for headers in [
        &[("x-sweepd", "")][..],
        &[("x-sweepd", "0")],
        &[("origin", "")],
        &[("origin", "null")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://127.0.0.1:1")],
        &[("origin", &neighbour)],
    ] {
        let answer = home.page(&cookie, "POST", &cancel, headers);
        assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_origin"), "{headers:?}");
    }
    let evil = [("origin", "http://evil.example")];
    assert_eq!(home.page(&cookie, "GET", "/api/v1/sweeps", &evil).code(), "wrong_origin");
    assert_eq!(home.page(&cookie, "GET", "/api/v1/events", &evil).code(), "wrong_origin");
    // A token that a foreign page has got hold of does not help it to change anything either.
    let bearer = home.bearer();
    let stolen = [("authorization", bearer.as_str()), ("origin", "http://evil.example")];
    assert_eq!(home.exchange("POST", &cancel, &stolen, b"").code(), "wrong_origin");
    assert_eq!(home.json(&["show", &sweep])["state"], "active");
    let allowed = home.page(&cookie, "OPTIONS", &cancel, &evil);
    assert_eq!(allowed.header("access-control-allow-origin"), None, "no foreign page is told that it may");
    assert_eq!(home.page(&cookie, "POST", &cancel, &[]).status, 204, "our own page may");
}

#[test]
fn without_tokens_foreign_pages_are_kept_out_all_the_same() {
    let mut home = Home::new();
    home.serve_with(0, &["--no-trainer", "--no-auth"], &[]);
    let sweep = home.submit(&toy("held", 1, 1, ""));
    let cancel = format!("/api/v1/sweeps/{sweep}/cancel");
    assert_eq!(
        home.exchange("POST", &cancel, &[("origin", "http://evil.example")], b"").code(),
        "wrong_origin"
    );
    assert_eq!(home.exchange("GET", "/api/v1/sweeps", &[("host", "evil.example")], b"").code(), "wrong_host");
    assert_eq!(home.exchange("GET", "/api/v1/sweeps", &[], b"").status, 200);
}

#[test]
fn to_want_no_token_is_for_loopback_alone() {
    let home = Home::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let mut daemon = Command::new(env!("CARGO_BIN_EXE_sweepd"))
            .args(["--home", home.path().to_str().unwrap()])
            .args(["serve", "--no-trainer", "--no-auth", "--slots", "1", "--listen", address])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (began, mut said) = (Instant::now(), String::new());
        while daemon.try_wait().unwrap().is_none() {
            if began.elapsed() > Duration::from_secs(60) {
                daemon.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(!daemon.wait().unwrap().success() && said.contains("--no-auth is for loopback"), "{said}");
    }
    assert!(home.daemon_file().is_none());
}

#[test]
fn only_our_own_names_are_answered() {
    let mut home = Home::new();
    home.serve_with(0, &["--no-trainer", "--allow-host", "gpu.lab"], &[]);
    let bearer = home.bearer();
    let status = |path: &str, host: &str| {
        home.exchange("GET", path, &[("authorization", bearer.as_str()), ("host", host)], b"").status
    };
    for path in ["/api/v1/sweeps", "/healthz", "/", "/open/code"] {
        assert_eq!(status(path, "evil.example"), 421, "{path}");
    }
    let own = home.host();
    for host in [own.as_str(), "localhost:1234", "127.0.0.1", "[::1]", "gpu.lab", "GPU.lab:80"] {
        assert_eq!(status("/api/v1/sweeps", host), 200, "{host}");
    }
    // A proxy in between calls us by an address, and the page has the name that was allowed.
    let (cookie, sweep) = (home.cookie(&[]), home.submit(&toy("held", 1, 1, "")));
    let path = format!("/api/v1/sweeps/{sweep}/pause");
    assert_eq!(home.page(&cookie, "POST", &path, &[("origin", "https://gpu.lab")]).status, 204);
}

/// No script or style that stands in a page, nothing from elsewhere, no form, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; worker-src 'self'";

#[test]
fn every_answer_says_how_browsers_are_to_treat_it() {
    let mut home = Home::new();
    home.serve(0);
    let evil = home.exchange("GET", "/healthz", &[("host", "evil.example")], b"");
    let open = home.exchange("GET", "/healthz", &[], b"");
    let none = home.exchange("GET", "/nothing/here", &[], b"");
    let refused = home.exchange("GET", "/api/v1/sweeps", &[], b"");
    for answer in
        [evil, open, none, refused, home.fetch("/api/v1/sweeps"), home.exchange("GET", "/open/x", &[], b"")]
    {
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(policy, POLICY, "{answer:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        assert!(answer.header("cache-control").is_some(), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let mut home = Home::new();
    home.serve(0);
    let (bearer, large) = (home.bearer(), vec![b' '; (4 << 20) + 1]);
    for path in ["/api/v1/sweeps", "/api/v1/work/claim", "/api/v1/trials/1/report"] {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        assert_eq!(home.exchange("POST", path, &headers, &large).status, 413, "{path}");
    }
    let hash = blake3::hash(&large).to_hex();
    let put = home.exchange("PUT", &format!("/api/v1/blobs/{hash}"), &[("authorization", &bearer)], &large);
    assert_eq!(put.status, 204, "blobs may be larger");
}

/// Half a minute without a byte.
#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let mut home = Home::new();
    home.serve(0);
    let (bearer, hash) = (home.bearer(), "0".repeat(64));
    let calls = [("POST", "/api/v1/sweeps".to_owned()), ("PUT", format!("/api/v1/blobs/{hash}"))];
    let mut waiting: Vec<TcpStream> = Vec::new();
    for (method, path) in &calls {
        let mut stream = TcpStream::connect(home.host()).unwrap();
        let host = home.host();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\n").unwrap();
        write!(stream, "content-length: 100\r\n\r\nonly the beginning").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(50))).unwrap();
        waiting.push(stream);
    }
    for mut stream in waiting {
        let mut answer = [0; 64];
        let n = stream.read(&mut answer).expect("it is answered, or closed, before the test loses patience");
        let status = String::from_utf8_lossy(&answer[..n]).chars().skip(9).take(1).collect::<String>();
        assert!(n == 0 || status == "4" || status == "5", "{answer:?}");
    }
}

#[test]
fn no_path_leaves_its_folder() {
    let mut home = Home::new();
    home.serve(0);
    std::fs::create_dir_all(home.path().join("blobs/..")).unwrap();
    let secret = home.daemon_file().unwrap()["token"].as_str().unwrap().to_owned();
    for name in [
        "../daemon.json",
        "..%2fdaemon.json",
        "%2e%2e%2fdaemon.json",
        "..%5cdaemon.json",
        "..%2f..%2fetc%2fpasswd",
    ] {
        for folder in ["blobs", "trials", "sweeps", "datasets"] {
            for rest in ["", "/log", "/source", "/faces"] {
                let answer = home.fetch(&format!("/api/v1/{folder}/{name}{rest}"));
                assert!((400..500).contains(&answer.status), "{folder}/{name}{rest}: {answer:?}");
                assert!(!answer.text().contains(&secret), "{folder}/{name}{rest}");
            }
        }
    }
    let put = home.exchange("PUT", "/api/v1/blobs/..%2fplanted", &[("authorization", &home.bearer())], b"x");
    assert!((400..500).contains(&put.status), "{put:?}");
    assert!(!home.path().join("planted").exists() && !home.path().join("blobs/planted").exists());
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = home.submit(&toy("over", 3, 1, ""));
    home.until_over(&sweep);
    let (bearer, trial) = (home.bearer(), home.json(&["trials", &sweep])[0]["trial_id"].to_string());
    let hash = blake3::hash(b"bytes").to_hex().to_string();
    home.exchange("PUT", &format!("/api/v1/blobs/{hash}"), &[("authorization", &bearer)], b"bytes");
    for path in [
        format!("/api/v1/sweeps/{sweep}"),
        format!("/api/v1/sweeps/{sweep}/best"),
        format!("/api/v1/trials/{trial}"),
        format!("/api/v1/blobs/{hash}"),
    ] {
        let first = home.fetch(&path);
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path}: {first:?}")).to_owned();
        assert!(first.header("cache-control").is_some_and(|value| value.contains("private")), "{first:?}");
        let again = |tag: &str| {
            home.exchange("GET", &path, &[("authorization", bearer.as_str()), ("if-none-match", tag)], b"")
        };
        let known = again(&tag);
        assert_eq!(
            (known.status, known.body.len(), known.header("etag")),
            (304, 0, Some(tag.as_str())),
            "{path}"
        );
        let other = again("W/\"other\", \"another\"");
        assert_eq!((other.status, other.body), (200, first.body), "{path}");
        assert_eq!(
            home.exchange("GET", &path, &[("if-none-match", &tag)], b"").status,
            401,
            "a tag is no token"
        );
    }
}

#[test]
fn long_answers_are_compressed_where_the_client_can_read_that() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = home.submit(&toy("over", 30, 0, ""));
    home.until_over(&sweep);
    let bearer = home.bearer();
    let ask = |path: &str, coding: &str| {
        home.exchange("GET", path, &[("authorization", bearer.as_str()), ("accept-encoding", coding)], b"")
    };
    let path = format!("/api/v1/sweeps/{sweep}/best?n=30");
    let (plain, small) = (ask(&path, "identity"), ask(&path, "gzip"));
    assert_eq!((plain.header("content-encoding"), small.header("content-encoding")), (None, Some("gzip")));
    assert!(small.body.len() * 2 < plain.body.len(), "{} of {}", small.body.len(), plain.body.len());
}

/// Whatever was used, with everything being logged: tokens, a cookie, a link's code, the daemon's own.
#[test]
fn nothing_secret_is_logged() {
    let mut home = Home::new();
    home.serve_with(1, &["--no-trainer"], &[("RUST_LOG", "trace")]);
    let sweep = home.submit(&toy("logged", 2, 1, ""));
    home.until_over(&sweep);
    let named =
        ["read", "write", "work"].map(|may| home.ok(&["token", "add", may, "--may", may]).trim().to_owned());
    for token in &named {
        home.with(token, "GET", "/api/v1/sweeps");
        home.with(token, "POST", "/api/v1/nothing");
    }
    let link = home.ok(&["open", "--print"]);
    let code = link.trim().split_once("/open/").unwrap().1.to_owned();
    let opened = home.exchange("GET", &format!("/open/{code}"), &[], b"");
    home.exchange("GET", &format!("/open/{code}"), &[], b"");
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    home.page(&cookie, "GET", "/api/v1/sweeps", &[]);
    home.page(&cookie, "POST", "/api/v1/sweeps", &[("origin", "http://evil.example")]);
    let file = home.daemon_file().unwrap();
    let secret = cookie.split('=').nth(1).unwrap().to_owned();
    let mut secrets = vec![code, secret];
    secrets.extend(["token", "worker_token"].map(|name| file[name].as_str().unwrap().to_owned()));
    secrets.extend(named);
    home.ok(&["stop", "--drain"]);
    let mut logs = vec![home.path().join("test-daemon.log")];
    logs.extend(files_of(&home.path().join("logs")));
    logs.extend(files_of(&home.path().join("trials")));
    assert!(logs.len() >= 2, "the workers log too: {logs:?}");
    let mut lines = 0;
    for log in logs {
        let text = std::fs::read_to_string(&log).unwrap();
        lines += text.lines().count();
        for secret in &secrets {
            assert!(
                secret.len() >= 32 && !text.contains(secret.as_str()),
                "{} tells a secret",
                log.display()
            );
        }
    }
    assert!(lines > 100, "everything is logged: {lines} lines");
}

fn files_of(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}
