//! Trials that are cross-validated, through the real binaries.

use crate::stoppers::post;
use crate::support::{Home, toy};
use serde_json::{Value, json};

const EXTERNAL: &str = r#"
name = "asked"
[objective]
kind = "external"
metric = "loss"
folds = 3
[search]
sampler = "random"
trials = 1
[space]
x = { type = "float", low = 0.0, high = 1.0 }
"#;

fn values(trial: &Value) -> Vec<Option<f64>> {
    trial["folds"].as_array().unwrap().iter().map(|fold| fold["value"].as_f64()).collect()
}

#[test]
fn the_folds_of_a_trial_are_shown_with_their_mean_and_spread_in_every_way() {
    let mut home = Home::new();
    home.serve(3);
    let sweep = toy("crossed", 4, 0, "y = { type = \"int\", low = 0, high = 6 }");
    let sweep = sweep.replace("kind = \"toy\"", "kind = \"toy\"\nfolds = 3");
    let sweep = sweep.replace("sampler = \"random\"", "sampler = \"random\"\nrace = false");
    let id = home.submit(&sweep);
    home.until_over(&id);
    home.ok(&["replay", &id]);
    let board = home.json(&["best", &id]);
    let best = &board["ranked"][0]["trial"];
    let folds: Vec<f64> = values(best).into_iter().map(Option::unwrap).collect();
    let mean = folds.iter().sum::<f64>() / 3.0;
    assert_eq!((folds.len(), best["value"].as_f64()), (3, Some(mean)), "{best:#}");
    let squares: f64 = folds.iter().map(|value| (value - mean).powi(2)).sum();
    let spread = best["spread"].as_f64().unwrap();
    assert!((spread - (squares / 2.0).sqrt()).abs() < 1e-12 && spread > 0.0);
    let shown = format!("{mean:.4} ± {spread:.4}");
    let number = best["number"].to_string();
    for text in
        [home.ok(&["best", &id]), home.ok(&["trials", &id]), home.ok(&["trial", &format!("{id}/{number}")])]
    {
        assert!(text.contains(&shown), "{shown}\n{text}");
    }
    let csv = home.fetch(&format!("/api/v1/sweeps/{id}/trials.csv")).text();
    let headings: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let column = |name: &str| headings.iter().position(|heading| *heading == name).unwrap();
    let line = csv.lines().find(|line| line.split(',').nth(1) == Some(&number)).unwrap();
    let cells: Vec<&str> = line.split(',').collect();
    assert_eq!(cells[column("spread")].parse(), Ok(spread));
    assert_eq!(cells[column("fold_2")].parse(), Ok(folds[2]));
    let steps = best["steps"].as_u64();
    assert_eq!(steps, Some(9), "three epochs of each of three folds");
}

/// Folds are handed out side by side; one that failed is worked on again, and no other.
#[test]
fn a_retry_is_of_the_fold_that_failed_alone() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(EXTERNAL);
    let ask = || post(&home, &format!("/api/v1/sweeps/{id}/ask"), &json!({})).1;
    let asked = [ask(), ask(), ask()];
    assert_eq!(asked.each_ref().map(|one| one["fold"].as_u64()), [Some(0), Some(1), Some(2)]);
    assert_eq!(asked[0]["trial_id"], asked[2]["trial_id"]);
    let tell = |one: &Value, state: &str, loss: f64| {
        let body = json!({ "attempt": one["attempt"], "state": state, "metrics": { "loss": loss } });
        assert_eq!(post(&home, &format!("/api/v1/trials/{}/tell", one["trial_id"]), &body).0, 204);
    };
    let trial = || home.json(&["trial", &format!("{id}/0")])["trial"].clone();
    tell(&asked[0], "completed", 1.0);
    assert_eq!((trial()["state"].as_str(), values(&trial())), (Some("running"), vec![Some(1.0)]));
    tell(&asked[1], "failed", 0.0);
    // Whoever works on another fold is told to end.
    let report = json!({ "attempt": asked[2]["attempt"], "step": 1, "metrics": { "loss": 9.0 } });
    let said = post(&home, &format!("/api/v1/trials/{}/report", asked[2]["trial_id"]), &report).1;
    assert_eq!(said["decision"], "stop");
    assert_eq!(trial()["state"], "stopping");
    tell(&asked[2], "stopped", 0.0);
    assert_eq!((trial()["state"].as_str(), trial()["value"].as_f64()), (Some("failed"), Some(1.0)));

    home.ok(&["retry", &format!("{id}/0")]);
    let again = [ask(), ask()];
    assert_eq!(again.each_ref().map(|one| one["fold"].as_u64()), [Some(1), Some(2)]);
    assert_eq!(post(&home, &format!("/api/v1/sweeps/{id}/ask"), &json!({})).0, 204, "fold 0 stands");
    tell(&again[0], "completed", 2.0);
    tell(&again[1], "completed", 9.0);
    assert_eq!((trial()["state"].as_str(), trial()["value"].as_f64()), (Some("completed"), Some(4.0)));
    assert_eq!(values(&trial()), [Some(1.0), Some(2.0), Some(9.0)]);
    home.ok(&["replay", &id]);
    home.is_sound();
}

/// What is open of a trial outlives the daemon: folds that have completed, that wait and that are worked on.
#[test]
fn half_a_trial_is_found_again() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(EXTERNAL);
    let ask = |home: &Home| post(home, &format!("/api/v1/sweeps/{id}/ask"), &json!({})).1;
    let tell = |home: &Home, one: &Value, loss: f64| {
        let body = json!({ "attempt": one["attempt"], "state": "completed", "metrics": { "loss": loss } });
        assert_eq!(post(home, &format!("/api/v1/trials/{}/tell", one["trial_id"]), &body).0, 204);
    };
    let (first, second) = (ask(&home), ask(&home));
    tell(&home, &first, 1.0);
    home.signal_daemon(nix::sys::signal::Signal::SIGKILL);
    std::fs::remove_file(home.path().join("daemon.json")).unwrap();
    home.serve(1);
    tell(&home, &second, 3.0);
    home.ok(&["pause", &id]);
    assert_eq!(post(&home, &format!("/api/v1/sweeps/{id}/ask"), &json!({})).0, 204);
    home.ok(&["resume", &id]);
    let third = ask(&home);
    assert_eq!(third["fold"], 2);
    tell(&home, &third, 5.0);
    let trial = home.json(&["trial", &format!("{id}/0")])["trial"].clone();
    assert_eq!((trial["state"].as_str(), trial["value"].as_f64()), (Some("completed"), Some(3.0)));
}

/// Folds that are worked on when a sweep is cancelled end, and those that wait never begin.
#[test]
fn a_cancelled_trial_ends_with_all_its_folds() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(EXTERNAL);
    let lease = json!({ "lease_s": 60 });
    let ask = || post(&home, &format!("/api/v1/sweeps/{id}/ask"), &lease).1;
    let asked = [ask(), ask()];
    home.ok(&["cancel", &id]);
    let state = || home.rows("select state from trial")[0].clone();
    for one in &asked {
        assert_eq!(state(), "stopping");
        let body = json!({ "attempt": one["attempt"], "state": "stopped" });
        assert_eq!(post(&home, &format!("/api/v1/trials/{}/tell", one["trial_id"]), &body).0, 204);
    }
    assert_eq!(state(), "cancelled");
    let open = "select count(*) || '' from leg where trial_id is not null and outcome is null";
    assert_eq!(home.rows(open), ["0"]);
}
