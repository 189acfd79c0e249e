//! Ensembles that the daemon puts together on request, with a program in the trainer's place whose networks are what
//! they predict: a trial's weights are its predictions, which it copies.

use crate::support::Home;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use sweepd::dataset::{self, Split};

const SWEEP: &str = r#"
name = "pets"
seed = 3
[objective]
kind = "keypoints"
dataset = "few"
[search]
sampler = "random"
trials = 3
[space]
family = { type = "fixed", value = "cnn" }
blocks = { type = "fixed", value = 2 }
filters = { type = "fixed", value = 4 }
learning_rate = { type = "float", low = 0.001, high = 0.01, log = true }
epochs = { type = "fixed", value = 1 }
"#;

/// Copies the weights; waits as long as a file is there, and fails where another one is.
const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
while [ $# -gt 0 ]; do
    case $1 in --weights) weights=$2 ;; --out) out=$2 ;; esac
    shift
done
while [ -e "$here/wait" ]; do sleep 0.05; done
if [ -e "$here/fail" ]; then echo "error: the weights are of another time" >&2; exit 3; fi
cp "$weights" "$out"
"#;

/// A daemon with a dataset and that program.
struct Pets {
    home: Home,
    sweep: String,
}

impl Pets {
    fn new() -> Self {
        let mut home = Home::new();
        home.ok(&["data", "synth", "few", "--rows", "40", "--seed", "7"]);
        let program = home.path().join("program.sh");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        serve(&mut home);
        let sweep = home.submit(SWEEP);
        Self { home, sweep }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Has a trial complete whose network is off by so many pixels wherever a label is.
    fn trial(&self, off: f32) -> i64 {
        let dataset = dataset::find(self.home.path(), "few").unwrap();
        let rows = Split::default_of(&dataset).unwrap().validation;
        let labels = rows.iter().flat_map(|row| dataset.labels(*row as usize));
        let weights: Vec<u8> = labels.flat_map(|label| (label + off).to_le_bytes()).collect();
        let hash = blake3::hash(&weights).to_hex().to_string();
        let bearer = self.home.bearer();
        let put = self.home.exchange(
            "PUT",
            &format!("/api/v1/blobs/{hash}"),
            &[("authorization", &bearer), ("content-type", "application/octet-stream")],
            &weights,
        );
        assert_eq!(put.status, 204, "{}", put.text());
        let claim =
            json!({"worker": "w", "slot": "s", "request_id": format!("r{off}"), "kinds": ["keypoints"]});
        let (status, work) =
            self.home.call("POST", "/api/v1/work/claim", "application/json", &claim.to_string());
        assert_eq!(status, 200, "{work}");
        let work: Value = serde_json::from_str(&work).unwrap();
        let (trial, attempt) = (work["trial_id"].as_i64().unwrap(), &work["attempt"]);
        let metrics = json!({"rmse": off.abs()});
        let report = json!({"attempt": attempt, "step": 1, "metrics": metrics});
        let path = format!("/api/v1/trials/{trial}");
        assert_eq!(self.home.send("POST", &format!("{path}/report"), &report).0, 200);
        let tell = json!({"attempt": attempt, "state": "completed", "metrics": metrics, "weights": hash});
        assert!(self.home.send("POST", &format!("{path}/tell"), &tell).0 < 300);
        trial
    }

    fn path(&self) -> String {
        format!("/api/v1/sweeps/{}/ensembles", self.sweep)
    }

    /// Asks for one; the status, and the error's code if it is one.
    fn make(&self, wanted: &Value) -> (u16, String) {
        self.home.send("POST", &format!("{}/make", self.path()), wanted)
    }

    fn job(&self) -> Value {
        self.home.get(&format!("{}/make", self.path()))["job"].clone()
    }

    fn until(&self, progress: &str) -> Value {
        self.home.until(progress, || self.job()["progress"] == progress);
        self.job()
    }

    /// The names of those that are kept, the best first.
    fn names(&self) -> Vec<String> {
        let all = self.home.get(&self.path());
        all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn serve(home: &mut Home) {
    let program = home.path().join("program.sh");
    home.serve_with(0, &["--worker-program", program.to_str().unwrap()], &[]);
}

fn numbers(list: &Value, field: &str) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|one| one[field].as_f64().unwrap()).collect()
}

#[test]
fn the_daemon_puts_ensembles_together_one_at_a_time() {
    let pets = Pets::new();
    assert_eq!(pets.make(&json!({})), (409, "no_ensemble".into()), "no trial has weights");
    let trials = [pets.trial(1.0), pets.trial(-1.5), pets.trial(9.0)];
    let asked = pets.home.get(&format!("{}/make", pets.path()));
    assert_eq!(asked, json!({"available": true, "job": null}));
    for wrong in [json!({"top": 0}), json!({"candidates": 101}), json!({"name": "7"})] {
        assert_eq!(pets.make(&wrong), (422, "bad_ensemble".into()), "{wrong}");
    }

    std::fs::write(pets.file("wait"), "").unwrap();
    assert_eq!(pets.make(&json!({})).0, 202);
    let job = pets.job();
    assert_eq!((&job["progress"], &job["of"], &job["predicted"]), (&json!("working"), &json!(3), &json!(0)));
    assert_eq!(pets.make(&json!({"top": 2})), (409, "busy".into()));
    // It is in nobody's way.
    let began = Instant::now();
    assert_eq!(pets.home.json(&["show", "pets"])["trials"]["completed"], 3);
    assert!(began.elapsed() < Duration::from_secs(10) && pets.names().is_empty());
    std::fs::remove_file(pets.file("wait")).unwrap();
    assert_eq!(pets.until("done")["predicted"], 3);

    // Three halves below and two thirds above cancel.
    let kept = &pets.home.get(&pets.path())[0];
    assert_eq!((kept["name"].as_str(), kept["rows"].as_u64()), (Some("greedy"), Some(8)), "{kept}");
    assert!(kept["rmse"].as_f64().unwrap() < 1e-4, "{kept}");
    assert_eq!(numbers(&kept["members"], "trial_id"), [trials[0] as f64, trials[1] as f64]);
    assert_eq!(numbers(&kept["members"], "weight"), [3.0, 2.0]);
    assert_eq!(kept["members"][0]["trial"], "pets/0");
    assert!((numbers(&kept["members"], "rmse")[1] - 1.5).abs() < 1e-4, "{kept}");

    assert_eq!(pets.make(&json!({"top": 2, "name": "pair"})).0, 202);
    pets.until("done");
    assert_eq!(pets.names(), ["greedy", "pair"]);
    let pair = &pets.home.get(&pets.path())[1];
    assert!((pair["rmse"].as_f64().unwrap() - 0.25).abs() < 1e-4, "{pair}");
}

#[test]
fn a_program_that_fails_says_why_and_the_next_request_is_taken() {
    let pets = Pets::new();
    pets.trial(1.0);
    std::fs::write(pets.file("fail"), "").unwrap();
    assert_eq!(pets.make(&json!({"top": 1})).0, 202);
    let job = pets.until("failed");
    assert!(job["error"].as_str().unwrap().contains("the weights are of another time"), "{job}");
    assert!(pets.names().is_empty());
    std::fs::remove_file(pets.file("fail")).unwrap();
    assert_eq!(pets.make(&json!({"top": 1})).0, 202);
    assert_eq!(pets.until("done")["error"], Value::Null);
    assert_eq!(pets.names(), ["top1"]);
}

#[test]
fn a_daemon_that_ends_in_the_middle_forgets_the_request_and_nothing_else() {
    let mut pets = Pets::new();
    pets.trial(1.0);
    assert_eq!(pets.make(&json!({"top": 1})).0, 202);
    pets.until("done");
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        std::fs::write(pets.file("wait"), "").unwrap();
        assert_eq!(pets.make(&json!({"name": "unfinished"})).0, 202);
        let began = Instant::now();
        pets.home.signal_daemon(signal);
        assert!(began.elapsed() < Duration::from_secs(20), "{signal} was not heeded at once");
        std::fs::remove_file(pets.file("wait")).unwrap();
        serve(&mut pets.home);
        assert_eq!((pets.job(), pets.names()), (Value::Null, vec!["top1".to_owned()]), "{signal}");
        pets.home.is_sound();
    }
    assert_eq!(pets.make(&json!({})).0, 202);
    pets.until("done");
    assert_eq!(pets.names().len(), 2);
}

#[test]
fn without_the_trainers_program_it_is_said_how_to_get_it() {
    let mut pets = Pets::new();
    pets.trial(1.0);
    pets.home.signal_daemon(Signal::SIGTERM);
    pets.home.serve(0);
    let path = format!("{}/make", pets.path());
    assert_eq!(pets.home.get(&path), json!({"available": false, "job": null}));
    let (status, said) = pets.home.call("POST", &path, "application/json", "{}");
    assert_eq!(status, 503);
    assert!(said.contains("no_trainer") && said.contains("sweepd-worker"), "{said}");
}
