//! Sweeps through the real binaries: submitted, worked on by real worker processes, queried, resumed.

use crate::support::{Home, toy};
use nix::sys::signal::Signal;
use serde_json::Value;

fn states(home: &Home, sweep: &str) -> Vec<String> {
    let trials = home.json(&["trials", sweep]);
    trials.as_array().unwrap().iter().map(|t| t["state"].as_str().unwrap().to_owned()).collect()
}

fn table(home: &Home, sweep: &str) -> Vec<(u64, Value, Value)> {
    let trials = home.json(&["trials", sweep]);
    let row = |t: &Value| (t["number"].as_u64().unwrap(), t["params"].clone(), t["value"].clone());
    trials.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_sweep_runs_and_its_best_trials_are_ranked() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("first", 8, 1, ""));
    home.until_over(&id);
    let board = home.json(&["best", "first", "-n", "3"]);
    let values: Vec<f64> =
        board["ranked"].as_array().unwrap().iter().map(|r| r["trial"]["value"].as_f64().unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert!(values.is_sorted(), "{values:?}");
    assert_eq!(states(&home, &id), vec!["completed"; 8]);
    // Queries work without a daemon too.
    home.ok(&["stop", "--drain"]);
    assert_eq!(home.json(&["best", &id[..5], "-n", "3"]), board);
    assert!(home.ok(&["best", "first"]).contains("RMSE"));
}

#[test]
fn trials_that_crash_or_diverge_end_with_their_reason_and_stop_nothing() {
    let mut home = Home::new();
    home.serve(2);
    let more = r#"behave = { type = "choice", values = ["well", "crash", "diverge"] }"#;
    let id = home.submit(&toy("bad", 12, 1, more));
    home.until_over(&id);
    let trials = home.json(&["trials", &id]);
    let mut seen = std::collections::BTreeSet::new();
    for trial in trials.as_array().unwrap() {
        let behave = trial["params"]["behave"].as_str().unwrap();
        let (state, reason) = (trial["state"].as_str().unwrap(), &trial["ended"]);
        seen.insert(behave.to_owned());
        match behave {
            "well" => assert_eq!(state, "completed"),
            "diverge" => assert_eq!((state, reason["kind"].as_str()), ("failed", Some("diverged"))),
            _ => {
                assert_eq!((state, reason["kind"].as_str()), ("failed", Some("worker_lost")));
                assert!(reason["how"].as_str().unwrap().contains("signal 6"), "{reason}");
            }
        }
    }
    assert_eq!(seen.len(), 3, "the seed must bring every behaviour");
}

#[test]
fn a_restarted_daemon_goes_on_with_the_queue_and_finds_its_workers() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("again", 10, 60, ""));
    home.until("two trials are done", || {
        states(&home, &id).iter().filter(|s| *s == "completed").count() >= 2
    });
    let status = home.signal_daemon(Signal::SIGTERM);
    assert!(status.success(), "{status}");
    home.serve(2);
    home.until_over(&id);
    assert_eq!(states(&home, &id), vec!["completed"; 10]);
    for trial in home.json(&["trials", &id]).as_array().unwrap() {
        let detail = home.json(&["trial", &trial["trial_id"].to_string()]);
        assert_eq!(detail["attempts"].as_array().unwrap().len(), 1, "a restart costs no work: {detail}");
    }
}

#[test]
fn a_daemon_killed_in_the_middle_loses_nothing() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("killed", 10, 30, ""));
    for _ in 0..3 {
        let done = states(&home, &id).iter().filter(|s| *s == "completed").count();
        home.until("another trial is done", || {
            states(&home, &id).iter().filter(|s| *s == "completed").count() > done
                || states(&home, &id).len() == 10
        });
        home.signal_daemon(Signal::SIGKILL);
        std::fs::remove_file(home.path().join("daemon.json")).unwrap();
        home.serve(2);
    }
    home.until_over(&id);
    let killed = table(&home, &id);

    let mut calm = Home::new();
    calm.serve(2);
    let other = calm.submit(&toy("killed", 10, 0, ""));
    calm.until_over(&other);
    let mut expected = table(&calm, &other);
    for row in &mut expected {
        row.1["epoch_ms"] = 30.into();
    }
    assert_eq!(killed, expected);
}

#[test]
fn a_drained_daemon_hands_its_trials_back_and_they_run_again() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("drained", 2, 400, ""));
    home.until("a trial runs", || states(&home, &id).contains(&"running".to_owned()));
    home.ok(&["stop", "--drain"]);
    assert_eq!(states(&home, &id), ["queued"]);
    home.serve(1);
    home.until_over(&id);
    assert_eq!(states(&home, &id), ["completed", "completed"]);
}

#[test]
fn sweeps_are_paused_resumed_cancelled_and_removed() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("steered", 50, 30, ""));
    home.until("a trial is done", || states(&home, &id).contains(&"completed".to_owned()));
    home.ok(&["pause", "steered"]);
    home.until("nothing runs", || !states(&home, &id).contains(&"running".to_owned()));
    let paused = states(&home, &id).len();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(states(&home, &id).len(), paused);
    home.ok(&["resume", "steered"]);
    home.until("more trials come", || states(&home, &id).len() > paused);
    assert!(!home.sweepd(&["rm", "steered"]).status.success(), "a sweep that is not over is not removed");
    home.ok(&["cancel", "steered"]);
    home.until("its last trial ended", || !states(&home, &id).contains(&"stopping".to_owned()));
    assert_eq!(home.json(&["show", &id])["state"], "cancelled");
    home.ok(&["rm", "steered"]);
    assert_eq!(home.sweepd(&["show", &id]).status.code(), Some(4));
}

#[test]
fn removing_waits_until_workers_have_let_go() {
    let mut home = Home::new();
    home.serve(1);
    // A worker hears of the cancellation at the end of its epoch.
    let id = home.submit(&toy("held", 5, 1500, ""));
    home.until("a trial runs", || states(&home, &id).contains(&"running".to_owned()));
    home.ok(&["cancel", "held"]);
    let (status, code) = home.send("DELETE", &format!("/api/v1/sweeps/{id}"), &Value::Null);
    assert_eq!((status, code.as_str()), (409, "still_ending"));
    let removed = home.sweepd(&["rm", "held"]);
    let said = String::from_utf8(removed.stderr).unwrap();
    assert!(removed.status.success(), "{said}");
    assert!(said.contains("still ending: waiting up to 30 s") && said.contains("held: removed"), "{said}");
    assert_eq!(home.sweepd(&["show", &id]).status.code(), Some(4));
}

#[test]
fn the_urgent_sweep_goes_first() {
    let mut home = Home::new();
    home.serve(1);
    let blocker = home.submit(&toy("blocker", 1, 300, ""));
    home.until("the slot is taken", || states(&home, &blocker).contains(&"running".to_owned()));
    let later = home.submit(&toy("later", 1, 1, ""));
    let urgent = home.submit(&toy("urgent", 1, 1, "").replace("seed = 3", "seed = 3\npriority = 9"));
    home.until_over(&later);
    home.until_over(&urgent);
    let started = |sweep: &str| home.json(&["trials", sweep])[0]["started_ms"].as_i64().unwrap();
    assert!(started(&urgent) < started(&later));
}

#[test]
fn a_second_daemon_for_one_home_is_refused() {
    let mut home = Home::new();
    home.serve(1);
    let second = home.sweepd(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another daemon") && said.contains("sweepd stop"), "{said}");
}

#[test]
fn the_api_wants_the_token_and_the_token_is_not_for_others_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let mut home = Home::new();
    home.serve(1);
    let file = home.path().join("daemon.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let daemon: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = daemon["url"].as_str().unwrap();
    let status = |path: &str, token: Option<&str>| {
        let mut request = agent.get(format!("{url}{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().unwrap().status().as_u16()
    };
    assert_eq!(status("/healthz", None), 200);
    assert_eq!(status("/api/v1/sweeps", None), 401);
    assert_eq!(status("/api/v1/sweeps", Some("wrong")), 401);
    assert_eq!(status("/api/v1/sweeps", daemon["token"].as_str()), 200);
    assert_eq!(status("/nowhere", daemon["token"].as_str()), 404);
}

#[test]
fn mistakes_of_a_file_are_all_named_before_anything_is_stored() {
    let mut home = Home::new();
    home.serve(1);
    let file = home.path().join("bad.toml");
    std::fs::write(&file, "name = \"bad\"\nsead = 1\n[objective]\nkind = \"toy\"\n[search]\ntrials = -3\n")
        .unwrap();
    let output = home.sweepd(&["submit", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("bad.toml:2") && said.contains("bad.toml:6"), "{said}");
    assert_eq!(home.json(&["ls"]).as_array().unwrap().len(), 0);
}

#[test]
fn outside_clients_ask_and_tell_and_repeats_change_nothing() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("external", 2, 0, "").replace("\"toy\"", "\"external\""));
    let daemon: Value =
        serde_json::from_slice(&std::fs::read(home.path().join("daemon.json")).unwrap()).unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |path: &str, body: Value| {
        let mut answer = agent
            .post(format!("{}{path}", daemon["url"].as_str().unwrap()))
            .header("authorization", format!("Bearer {}", daemon["token"].as_str().unwrap()))
            .send_json(body)
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json::<Value>().unwrap_or(Value::Null))
    };
    let ask = || post(&format!("/api/v1/sweeps/{id}/ask"), serde_json::json!({"request_id": "one"}));
    let (status, trial) = ask();
    assert_eq!(status, 200);
    assert_eq!(ask(), (200, trial.clone()));
    let path = |verb: &str| format!("/api/v1/trials/{}/{verb}", trial["trial_id"]);
    let report =
        |rmse: f64| serde_json::json!({"attempt": trial["attempt"], "step": 1, "metrics": {"rmse": rmse}});
    assert_eq!(post(&path("report"), report(2.0)), (200, serde_json::json!({"decision": "continue"})));
    assert_eq!(post(&path("report"), report(2.0)).0, 200);
    assert_eq!(post(&path("report"), report(9.0)).0, 409);
    let tell = serde_json::json!({"attempt": trial["attempt"], "state": "completed"});
    assert_eq!(post(&path("tell"), tell.clone()).0, 204);
    assert_eq!(post(&path("tell"), tell).0, 204);
    let (status, refused) = ask();
    assert_eq!((status, &refused["error"]["code"]), (409, &"request_ended".into()), "not another trial");
    let other = serde_json::json!({"attempt": trial["attempt"], "state": "failed"});
    assert_eq!(post(&path("tell"), other).0, 409);
    assert_eq!(post(&path("report"), report(2.0)).0, 200);
    assert_eq!(home.json(&["best", &id])["ranked"][0]["trial"]["value"], 2.0);
    assert_eq!(
        post("/api/v1/trials/999/tell", serde_json::json!({"attempt": 1, "state": "completed"})).0,
        404
    );
    // Without a name of its own, each request is another.
    let ask = || post(&format!("/api/v1/sweeps/{id}/ask"), serde_json::json!({}));
    let (status, second) = ask();
    assert_eq!((status, &second["number"]), (200, &1.into()));
    assert_eq!(ask().0, 204, "both trials are taken");
    let tell = serde_json::json!({"attempt": second["attempt"], "state": "failed"});
    assert_eq!(post(&format!("/api/v1/trials/{}/tell", second["trial_id"]), tell).0, 204);
    assert_eq!(ask().0, 410, "it is over");
    home.ok(&["rm", &id]);
    assert_eq!(ask().0, 404, "it is gone");
}

#[test]
fn workers_are_told_with_and_without_a_daemon() {
    let mut home = Home::new();
    assert_eq!(home.sweepd(&["workers"]).status.code(), Some(4), "nothing has run here");
    home.serve(2);
    let id = home.submit(&toy("slow", 1, 2000, ""));
    let workers = |home: &Home| home.json(&["workers"]);
    let in_state = |told: &Value, state: &str| {
        told["workers"].as_array().unwrap().iter().find(|worker| worker["state"] == state).cloned()
    };
    home.until("one works", || {
        let told = workers(&home);
        in_state(&told, "working").is_some() && in_state(&told, "idle").is_some()
    });
    let told = workers(&home);
    let (busy, idle) = (&in_state(&told, "working").unwrap(), &in_state(&told, "idle").unwrap());
    assert_eq!(told["known_from"], "daemon");
    assert_eq!(busy["work"]["sweep"], id.as_str());
    assert!(busy["lease_until_ms"].as_i64() > told["at_ms"].as_i64(), "{busy}");
    for worker in [busy, idle] {
        assert!(worker["heard_ms"].as_i64().is_some() && worker["pid"].as_i64().is_some(), "{worker}");
        assert!(worker["resident_bytes"].as_u64().unwrap() > 1 << 20, "{worker}");
    }
    assert!(home.ok(&["workers"]).contains("slow/0"));
    home.signal_daemon(Signal::SIGTERM);
    let output = home.sweepd(&["workers"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no daemon runs"));
    let told = workers(&home);
    assert_eq!(told["known_from"], "database");
    assert!(in_state(&told, "working").is_some(), "it outlives its daemon: {told}");
    for worker in sweepd::worker::process::workers_of(home.path()) {
        sweepd::worker::process::signal_group(worker.pid, worker.started, Signal::SIGKILL);
    }
    home.until("their ends are seen", || {
        workers(&home)["workers"].as_array().unwrap().iter().all(|worker| worker["state"] == "gone")
    });
}

#[test]
fn a_retried_trial_of_a_cancelled_sweep_runs_alone() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("ended", 400, 20, ""));
    home.until("some trials are done", || states(&home, &id).len() > 4);
    home.ok(&["cancel", &id]);
    home.until("its last trials ended", || !states(&home, &id).contains(&"stopping".to_owned()));
    let before = table(&home, &id);
    let cancelled = states(&home, &id).iter().position(|state| state == "cancelled").unwrap();
    home.ok(&["retry", &format!("{id}/{cancelled}")]);
    home.until("it is done", || states(&home, &id)[cancelled] == "completed");
    home.until("the sweep is as it was", || home.json(&["show", &id])["state"] == "cancelled");
    let after = table(&home, &id);
    assert_eq!(after.len(), before.len(), "no trial was added");
    assert!(home.ok(&["replay", &id]).contains("agree"), "its decisions can be derived");
}

#[test]
fn a_configuration_that_has_completed_gets_its_result_again_and_says_from_where() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = toy("again", 9, 0, "y = { type = \"choice\", values = [1, 2] }");
    let sweep =
        sweep.replace("{ type = \"float\", low = 0.0, high = 1.0 }", "{ type = \"fixed\", value = 1 }");
    let id = home.submit(&sweep.replace("[search]", "[search]\nduplicates = \"reuse\""));
    home.until_over(&id);
    let trials = home.json(&["trials", &id]);
    let trials = trials.as_array().unwrap();
    assert_eq!(trials.len(), 9);
    for trial in trials {
        assert_eq!(trial["state"], "completed", "{trial:#}");
        let first = trials.iter().find(|other| other["params"] == trial["params"]).unwrap();
        if first["number"] == trial["number"] {
            assert_eq!(trial["ended"]["kind"], "budget_spent");
            continue;
        }
        assert_eq!(trial["ended"], serde_json::json!({"kind": "copied", "from": first["number"]}));
        assert_eq!((&trial["value"], &trial["best_step"]), (&first["value"], &first["best_step"]));
        let detail = home.json(&["trial", &format!("{id}/{}", trial["number"])]);
        assert_eq!(detail["attempts"].as_array().unwrap().len(), 0, "nobody worked on it");
    }
    assert_eq!(home.json(&["best", &id])["ranked"].as_array().unwrap().len(), 9);
    assert!(
        home.ok(&["trials", &id, "--where", "reason = 'copied'"])
            .contains("which has the same configuration")
    );
    home.ok(&["replay", &id]);
    home.is_sound();
}
