//! What every call that the API describes demands of whoever makes it: none is forgotten when one is added.

use crate::support::{Home, toy};
use std::collections::BTreeSet;

/// What changes nothing although it is no GET, and what workers do: lists of their own, so that nobody adds to the
/// daemon's without a look at these.
const HARMLESS: [(&str, &str); 3] = [
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/sweeps/check"),
    ("POST", "/api/v1/datasets/{name}/augment"),
];
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

/// Every call that wants a token: its method and its route.
fn calls() -> Vec<(String, String)> {
    let description = serde_json::to_value(sweepd::http::description()).unwrap();
    let mut calls = Vec::new();
    for (route, methods) in description["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            if methods[method].is_object() && route != "/healthz" {
                calls.push((method.to_uppercase(), route.clone()));
            }
        }
    }
    assert!(calls.len() > 50, "{calls:?}");
    calls
}

/// A path of a route, to something that is not there.
fn path(route: &str) -> String {
    let hash = "0".repeat(64);
    let named = [("{sweep}", "nothing"), ("{trial_id}", "999999"), ("{hash}", &hash), ("{name}", "nothing")];
    named.iter().fold(route.to_owned(), |path, (what, name)| path.replace(what, name))
}

/// The calls that are not refused as forbidden to a token.
fn allowed(home: &Home, token: &str, calls: &[(String, String)]) -> BTreeSet<(String, String)> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let is_allowed = |(method, route): &&(String, String)| {
        let answer = home.exchange(method, &path(route), &headers, b"{}");
        assert_ne!(answer.status, 401, "{method} {route}");
        answer.status != 403
    };
    calls.iter().filter(is_allowed).cloned().collect()
}

fn set(calls: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    calls.iter().map(|(method, route)| ((*method).to_owned(), (*route).to_owned())).collect()
}

#[test]
fn none_is_answered_without_a_token() {
    let mut home = Home::new();
    home.serve(0);
    for (method, route) in calls() {
        let answer = home.exchange(&method, &path(&route), &[], b"{}");
        assert_eq!(answer.status, 401, "{method} {route}");
    }
    for open in ["/healthz", "/", "/sweeps/anything"] {
        assert_eq!(home.exchange("GET", open, &[], b"").status, 200, "{open}");
    }
}

#[test]
fn none_that_changes_something_is_for_readers() {
    let mut home = Home::new();
    home.serve(0);
    let token = home.ok(&["token", "add", "reads", "--may", "read"]).trim().to_owned();
    let changing: Vec<(String, String)> = calls().into_iter().filter(|(method, _)| method != "GET").collect();
    assert_eq!(allowed(&home, &token, &changing), set(&HARMLESS));
}

#[test]
fn none_but_those_of_workers_is_for_workers() {
    let mut home = Home::new();
    home.serve(0);
    let token = home.ok(&["token", "add", "works", "--may", "work"]).trim().to_owned();
    assert_eq!(allowed(&home, &token, &calls()), set(&OF_WORKERS));
}

#[test]
fn none_that_changes_something_is_open_to_a_form_of_another_page() {
    let mut home = Home::new();
    home.serve(0);
    let sweep = home.submit(&toy("held", 1, 1, ""));
    let link = home.ok(&["open", "--print"]);
    let code = link.trim().split_once("/open/").unwrap().1;
    let opened = home.exchange("GET", &format!("/open/{code}"), &[], b"");
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let own = format!("http://{}", home.host());
    for (method, route) in calls().into_iter().filter(|(method, _)| method != "GET") {
        let path = path(&route).replace("nothing", &sweep);
        for headers in [
            [("cookie", cookie.as_str()), ("origin", own.as_str()), ("x-sweepd", "")],
            [("cookie", cookie.as_str()), ("origin", "http://evil.example"), ("x-sweepd", "1")],
            [("cookie", cookie.as_str()), ("origin", ""), ("x-sweepd", "1")],
        ] {
            let answer = home.exchange(&method, &path, &headers, b"{}");
            let got = (answer.status, answer.code());
            assert_eq!(got, (403, "wrong_origin".into()), "{method} {route} {headers:?}");
        }
    }
    assert_eq!(home.json(&["show", &sweep])["state"], "active");
}
