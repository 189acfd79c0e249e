//! Stoppers that end running trials, through the real binaries.

use crate::support::{Home, toy};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

pub fn post(home: &Home, path: &str, body: &Value) -> (u16, Value) {
    let daemon = home.daemon_file().unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent
        .post(format!("{}{path}", daemon["url"].as_str().unwrap()))
        .header("authorization", format!("Bearer {}", daemon["token"].as_str().unwrap()))
        .send_json(body)
        .unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or(Value::Null))
}

fn with_stopper(sweep: &str, stopper: &str) -> String {
    sweep.replace("[search]", &format!("[search]\nstopper = {stopper}"))
}

#[test]
fn a_client_hears_that_its_trial_is_to_end_and_hears_it_again_after_a_crash() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = toy("judged", 2, 0, "").replace("\"toy\"", "\"external\"");
    let id = home.submit(&with_stopper(&sweep, r#"{ name = "median", startup_trials = 1 }"#));
    let shown = home.ok(&["show", &id]);
    assert!(shown.contains("stopper     median of completed trials, startup 1 trials"), "{shown}");
    let ask = |home: &Home, request: &str| {
        post(home, &format!("/api/v1/sweeps/{id}/ask"), &json!({"request_id": request})).1
    };
    let report = |home: &Home, trial: &Value, step: u64, rmse: f64| {
        let body = json!({"attempt": trial["attempt"], "step": step, "metrics": {"rmse": rmse}});
        let (status, answer) = post(home, &format!("/api/v1/trials/{}/report", trial["trial_id"]), &body);
        assert_eq!(status, 200, "{answer}");
        answer["decision"].as_str().unwrap().to_owned()
    };
    let tell = |home: &Home, trial: &Value, state: &str| {
        let body = json!({"attempt": trial["attempt"], "state": state});
        let (status, answer) = post(home, &format!("/api/v1/trials/{}/tell", trial["trial_id"]), &body);
        assert_eq!(status, 204, "{answer}");
    };
    let first = ask(&home, "one");
    assert_eq!(report(&home, &first, 1, 2.0), "continue");
    assert_eq!(report(&home, &first, 2, 1.0), "continue");
    tell(&home, &first, "completed");
    let second = ask(&home, "two");
    assert_eq!(report(&home, &second, 1, 2.0), "continue");
    assert_eq!(report(&home, &second, 2, 1.5), "stop");
    home.signal_daemon(Signal::SIGKILL);
    std::fs::remove_file(home.path().join("daemon.json")).unwrap();
    home.serve(1);
    let state = |home: &Home| home.json(&["trial", &format!("{id}/1")])["trial"].clone();
    assert_eq!(state(&home)["state"], "stopping");
    assert_eq!(report(&home, &second, 1, 2.0), "continue");
    assert_eq!(report(&home, &second, 2, 1.5), "stop");
    tell(&home, &second, "stopped");
    assert_eq!(report(&home, &second, 1, 2.0), "continue");
    assert_eq!(report(&home, &second, 2, 1.5), "stop");
    let trial = state(&home);
    assert_eq!((&trial["state"], &trial["ended"]["kind"]), (&json!("stopped"), &json!("worse_than_others")));
    let detail = home.ok(&["trial", &format!("{id}/1")]);
    assert!(detail.contains("step 2: 1.5000 is worse than the median 1.0000 of 1"), "{detail}");
    let ranked = home.json(&["best", &id])["ranked"].as_array().unwrap().len();
    assert_eq!(ranked, 1, "it is not ranked");
    home.until_over(&id);
    home.ok(&["replay", &id]);
}

#[test]
fn a_program_that_leaves_the_range_is_ended() {
    let mut home = Home::new();
    home.serve(1);
    let script = r#"for n in 1 2 3 4 5 6 7 8 9; do echo "{\"loss\": $n}"; sleep 0.3; done; sleep 60"#;
    let sweep = format!(
        r#"
name = "range"
[objective]
kind = "command"
command = ["sh", "-c", "{{script}}"]
metric = "loss"
[search]
sampler = "grid"
stopper = {{ name = "threshold", upper = 2.5 }}
[space]
script = {{ type = "fixed", value = {} }}
"#,
        serde_json::to_string(script).unwrap()
    );
    let id = home.submit(&sweep);
    home.until_over(&id);
    let detail = home.json(&["trial", &format!("{id}/0")]);
    let trial = &detail["trial"];
    assert_eq!((&trial["state"], &trial["ended"]["kind"]), (&json!("stopped"), &json!("out_of_bounds")));
    assert_eq!(trial["value"], 1.0);
    home.ok(&["replay", &id]);
}

#[test]
fn every_stopper_brings_a_sweep_to_its_end_and_replays() {
    let mut home = Home::new();
    home.serve(2);
    let stoppers = [
        r#""asha""#,
        r#"{ name = "asha", mode = "stop", factor = 2 }"#,
        r#""halving""#,
        r#"{ name = "hyperband", max_steps = 9 }"#,
        r#"{ name = "hyperband", max_steps = 9, mode = "stop" }"#,
        r#"{ name = "percentile", startup_trials = 2 }"#,
        r#"{ name = "extrapolation", startup_trials = 2, chance = 0.5 }"#,
        r#"{ name = "patience", patience = 2, min_delta = 0.2 }"#,
    ];
    let submit = |(n, stopper): (usize, &&str)| {
        let sweep = toy(&format!("s{n}"), 9, 0, "epochs = { type = \"fixed\", value = 9 }");
        home.submit(&with_stopper(&sweep, stopper))
    };
    let ids: Vec<String> = stoppers.iter().enumerate().map(submit).collect();
    for (id, stopper) in ids.iter().zip(stoppers) {
        home.until_over(id);
        let counts = &home.json(&["show", id])["trials"];
        let count = |state: &str| counts[state].as_u64().unwrap();
        assert_eq!(count("completed") + count("stopped"), 9, "{stopper}: {counts}");
        home.ok(&["replay", id]);
    }
    // The user's word is the last: a trial that is tried again goes to its end.
    let patience = ids.last().unwrap();
    let trial = format!("{patience}/0");
    assert_eq!(home.json(&["trial", &trial])["trial"]["ended"]["kind"], "stalled");
    home.ok(&["retry", &trial]);
    home.until("it is tried again", || home.json(&["trial", &trial])["trial"]["state"] == "completed");
    assert_eq!(home.json(&["trial", &trial])["trial"]["steps"], 9);
    home.until_over(patience);
    home.ok(&["replay", patience]);
}
