//! How long the dashboard's questions take on a large database: over HTTP, from a client with a connection of its own.

use super::generate::{LARGE, PAIRS};
use super::process::Daemon;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::Agent;

/// What the pages of a sweep ask for, and two that a person may ask. `S` is the largest sweep, `P` the one with two
/// objectives, `T` a trial.
const CALLS: &[&str] = &[
    "/sweeps",
    "/sweeps/S",
    "/sweeps/S/trials?limit=50",
    "/sweeps/S/trials?limit=50&where=rmse%20%3C%202.5%20and%20learning_rate%20%3C%200.001",
    "/sweeps/S/trials?limit=50&sort=learning_rate",
    "/sweeps/S/trials?limit=50&sort=rmse%20%2A%202",
    "/sweeps/S/history?most=1200",
    "/sweeps/S/curves?most=100",
    "/sweeps/S/values?most=2000",
    "/sweeps/S/importance",
    "/sweeps/S/timeline?most=2000",
    "/sweeps/S/best?n=10",
    "/compare?sweeps=S,P",
    "/sweeps/P/front",
    "/trials/T",
];
/// All trials as a file: told apart, since it is read as it comes.
const FILE: &str = "/sweeps/S/trials.csv";

/// Asks each call `repeat` times, the first of which finds nothing that was worked out before, and once for the file.
pub fn ask_all(home: &Path, repeat: usize) {
    let daemon = Daemon::start(home);
    let agent = Agent::new_with_defaults();
    let get = |path: &str| {
        let url = format!("{}/api/v1{path}", daemon.address.url);
        let token = format!("Bearer {}", daemon.address.token);
        let started = Instant::now();
        let answer = agent.get(url).header("Authorization", &token).call().unwrap();
        let mut body = answer.into_body().into_reader();
        let mut bytes = vec![0];
        body.read_exact(&mut bytes).unwrap();
        let first_byte = started.elapsed();
        body.read_to_end(&mut bytes).unwrap();
        (bytes, first_byte, started.elapsed())
    };
    let sweeps: Vec<serde_json::Value> = serde_json::from_slice(&get("/sweeps").0).unwrap();
    let id_of = |name: &str| {
        let sweep =
            sweeps.iter().find(|sweep| sweep["name"] == name).expect("no such sweep: generate it anew");
        let trials: u64 = sweep["trials"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        println!("{name}: {trials} trials");
        sweep["id"].as_str().unwrap().to_owned()
    };
    let (large, pairs) = (id_of(LARGE), id_of(PAIRS));
    let page: serde_json::Value =
        serde_json::from_slice(&get(&format!("/sweeps/{large}/trials?limit=1")).0).unwrap();
    let trial = page["trials"][0]["trial_id"].clone();
    let filled = |call: &str| {
        call.replace("/S", &format!("/{large}"))
            .replace("=S,P", &format!("={large},{pairs}"))
            .replace("/P", &format!("/{pairs}"))
            .replace("/T", &format!("/{trial}"))
    };
    for call in CALLS {
        let mut times: Vec<Duration> = Vec::new();
        let mut size = 0;
        for _ in 0..repeat.max(1) {
            let (bytes, _, took) = get(&filled(call));
            size = bytes.len();
            times.push(took);
        }
        let first = times[0];
        times.sort();
        println!(
            "{:8.1} ms first {:8.1} median {:8.1} worst {:6} kB  {call}",
            ms(first),
            ms(times[times.len() / 2]),
            ms(times[times.len() - 1]),
            size / 1000
        );
    }
    let (bytes, first_byte, took) = get(&filled(FILE));
    println!(
        "{:8.1} ms, its first byte after {:.1} ms, {} kB  {FILE}",
        ms(took),
        ms(first_byte),
        bytes.len() / 1000
    );
    println!("the daemon's memory at its peak: {:.0} MB", daemon.peak_mb());
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
