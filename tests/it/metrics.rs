//! `/metrics`: parsed as Prometheus parses it, and held against `docs/metrics.md`.

use crate::support::{Home, toy};
use std::collections::{BTreeMap, BTreeSet};

/// The samples by name and labels as they stand, and the type of every family.
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

/// Reads version 0.0.4 of the text format; panics at what is not of it.
fn parse(text: &str) -> Scrape {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::<String, String>::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "two families {name}");
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line}"));
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(
                types.contains_key(name) || family.is_some_and(|family| types[family] == "histogram"),
                "{line}"
            );
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                let inner = labels.strip_prefix('{').and_then(|labels| labels.strip_suffix('}')).unwrap();
                for label in inner.split("\",") {
                    let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                    assert!(
                        key.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !value.contains('\n'),
                        "{line}"
                    );
                }
            }
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {series}");
        }
    }
    Scrape { samples, types }
}

impl Scrape {
    fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("no {series} among {:#?}", self.samples.keys()))
    }

    /// The sum of all series of a name.
    fn sum(&self, name: &str) -> f64 {
        let of_name = |series: &&String| series.split('{').next() == Some(name);
        self.samples.iter().filter(|(series, _)| of_name(series)).map(|(_, value)| value).sum()
    }
}

fn scrape(home: &Home) -> Scrape {
    let answer = home.fetch("/metrics");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/plain; version=0.0.4; charset=utf-8"))
    );
    parse(&answer.text())
}

#[test]
fn what_happened_is_counted_and_what_is_documented_is_there() {
    let mut home = Home::new();
    home.serve(2);
    let over = home.submit(&toy("over", 5, 1, ""));
    home.until_over(&over);
    // A second one is in the middle of its work: one of its trials takes long, and is tried again as its worker is killed.
    let open = home.submit(&toy("open", 4, 1, "").replace(
        "epoch_ms = { type = \"fixed\", value = 1 }",
        "epoch_ms = { type = \"choice\", values = [1, 100000] }\n",
    ));
    home.until("a long trial runs", || {
        let long = home.json(&["trials", &open, "--where", "epoch_ms = 100000"]);
        long.as_array().unwrap().iter().any(|trial| trial["state"] == "running")
    });
    for worker in sweepd::worker::process::workers_of(home.path()) {
        let pid = nix::unistd::Pid::from_raw(worker.pid);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
    home.until("the loss is counted", || scrape(&home).sum("sweepd_leases_lost_total") >= 1.0);
    home.until("the trial is tried again", || scrape(&home).sum("sweepd_queue_wait_seconds_sum") >= 0.5);
    let _stream = home.events("", None);
    let looked = ["sweepd_cpu_share", "sweepd_worker_resident_bytes"];
    home.until("the machine was looked at", || {
        looked.iter().all(|name| scrape(&home).types.contains_key(*name))
    });
    let seen = scrape(&home);
    assert!(seen.sum("sweepd_steps_total") >= 15.0, "five trials of three steps");
    assert_eq!(seen.value("sweepd_event_streams"), 1.0);
    let shown = home.json(&["show", &open])["trials"]["running"].as_f64().unwrap();
    let running = format!("sweepd_trials{{sweep=\"{open}\",name=\"open\",state=\"running\"}}");
    assert!((seen.value(&running) - shown).abs() <= 1.0);
    assert!(!seen.samples.keys().any(|series| series.contains(&over)), "what is over is not listed");
    let route = "sweepd_http_seconds_count{method=\"GET\",route=\"/metrics\",status=\"200\"}";
    assert!(seen.value(route) >= 2.0);
    assert!(seen.sum("sweepd_database_commit_seconds_count") >= 10.0);
    assert!(seen.value("sweepd_memory_used_bytes") > 1e6);

    let documented: BTreeSet<String> = include_str!("../../docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `sweepd_"))
        .map(|rest| format!("sweepd_{}", rest.split('`').next().unwrap()))
        .collect();
    let served: BTreeSet<String> = seen.types.keys().cloned().collect();
    assert_eq!(
        served.difference(&documented).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "is in docs/metrics.md"
    );
    // Of a toy on the CPU there is none of these; and whether a trial has completed by now is chance.
    let absent = ["sweepd_baseline", "sweepd_gpu_memory_used_bytes", "sweepd_gpu_utilisation", "sweepd_best"];
    let missing: Vec<&String> =
        documented.difference(&served).filter(|name| !absent.contains(&name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "is served");
}

#[test]
fn clients_cannot_make_up_series() {
    let mut home = Home::new();
    home.serve(0);
    let bearer = home.bearer();
    scrape(&home);
    let before = scrape(&home).samples.len();
    for n in 0..40 {
        let made_up = format!("MADEUP{n}");
        home.exchange(&made_up, &format!("/api/v1/sweeps/{n}"), &[("authorization", &bearer)], b"");
        home.exchange("GET", &format!("/nowhere/{n}"), &[("authorization", &bearer)], b"");
        home.exchange("GET", &format!("/api/v1/trials/{n}"), &[("authorization", &bearer)], b"");
    }
    let after = scrape(&home).samples.len();
    assert!(after - before <= 4 * 14, "{before} series, then {after}");
}

#[test]
fn workers_have_a_history() {
    let mut home = Home::new();
    home.serve(1);
    let mut answer = serde_json::Value::Null;
    home.until("the machine was looked at twice", || {
        answer = home.fetch("/api/v1/workers").json();
        answer["history"].as_array().is_some_and(|history| history.len() >= 2)
    });
    let last = answer["history"].as_array().unwrap().last().unwrap();
    assert!(last["cpu_share"].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)), "{last}");
    assert!(last["memory_used_bytes"].as_u64() > Some(1 << 20), "{last}");
    assert_eq!(last["workers"][0]["worker"], "local-cpu-0");
    assert!(last["workers"][0]["resident_bytes"].as_u64() > Some(1 << 20), "{last}");
    let at = last["at_ms"].as_i64().unwrap();
    let newer = home.fetch(&format!("/api/v1/workers?since_ms={at}")).json();
    assert!(newer["history"].as_array().is_none_or(|history| history.len() <= 1), "{newer}");
}
