//! Sweeps with several objectives, through the real binaries.

use crate::stoppers::post;
use crate::support::{Home, toy};
use serde_json::{Value, json};

/// A toy sweep that wants a good value and large parameters, which exclude each other.
fn two(name: &str, search: &str) -> String {
    let metrics = "metrics = [{ name = \"rmse\" }, { name = \"cost\", direction = \"maximize\" }]";
    let sweep = toy(name, 20, 0, "y = { type = \"int\", low = 0, high = 6 }");
    let sweep = sweep.replace("sampler = \"random\"", search);
    sweep.replace("kind = \"toy\"", &format!("kind = \"toy\"\n{metrics}"))
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The trials that no other dominates, looked for in the simplest way; their numbers and values by the first value.
fn front_of(trials: &Value) -> Vec<(u64, Vec<f64>)> {
    let completed = trials.as_array().unwrap().iter().filter(|trial| trial["state"] == "completed");
    let all: Vec<(u64, Vec<f64>)> = completed
        .map(|trial| {
            let values = vec![trial["value"].as_f64().unwrap(), trial["further"][0].as_f64().unwrap()];
            (trial["number"].as_u64().unwrap(), values)
        })
        .collect();
    let dominates = |a: &[f64], b: &[f64]| a[0] <= b[0] && a[1] >= b[1] && (a[0] < b[0] || a[1] > b[1]);
    let is_best = |trial: &&(u64, Vec<f64>)| !all.iter().any(|other| dominates(&other.1, &trial.1));
    let mut front: Vec<_> = all.iter().filter(is_best).cloned().collect();
    front.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    front
}

#[test]
fn the_front_is_shown_in_every_way() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&two("both", "sampler = \"auto\""));
    home.until_over(&id);
    home.ok(&["replay", &id]);
    let trials = home.json(&["trials", &id]);
    assert!(trials[19]["suggested"]["sampler"].as_str().unwrap().contains("tpe"), "{:#}", trials[19]);
    let expected = front_of(&trials);
    assert!(expected.len() > 2, "{expected:?}");

    let front = home.json(&["best", &id]);
    let shown = |front: &Value| -> Vec<(u64, Vec<f64>)> {
        let members = front["members"].as_array().unwrap().iter();
        members.map(|m| (m["trial"]["number"].as_u64().unwrap(), numbers(&m["values"]))).collect()
    };
    assert_eq!(shown(&front), expected);
    let objectives =
        json!([{"name": "rmse", "direction": "minimize"}, {"name": "cost", "direction": "maximize"}]);
    assert_eq!(front["objectives"], objectives);
    // The area between the front's steps and the corner, counted by hand.
    let reference = numbers(&front["reference"]);
    let ends = expected.iter().skip(1).map(|(_, values)| values[0]).chain([reference[0]]);
    let area: f64 = expected.iter().zip(ends).map(|((_, v), end)| (end - v[0]) * (v[1] - reference[1])).sum();
    let volume = front["hypervolume"].as_f64().unwrap();
    assert!(area > 0.0 && (volume - area).abs() < 1e-9, "{volume} {area}");

    let daemon = home.daemon_file().unwrap();
    let url = format!("{}/api/v1/sweeps/{id}/front?n=2", daemon["url"].as_str().unwrap());
    let token = format!("Bearer {}", daemon["token"].as_str().unwrap());
    let answer: Value =
        ureq::get(url).header("authorization", token).call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(shown(&answer), expected[..2]);
    assert_eq!(answer["size"], expected.len());

    let table = home.ok(&["best", &id, "-n", "2"]);
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().take(3).collect();
    assert_eq!(heading, ["TRIAL", "RMSE", "COST"], "{table}");
    assert!(table.contains(&format!("not shown: {} more of the front", expected.len() - 2)), "{table}");
    let line = format!("{} of 20 completed trials, hypervolume {volume:.4} up to RMSE", expected.len());
    assert!(table.contains(&format!("front: {line}")), "{table}");
    let detail = home.ok(&["show", &id]);
    assert!(
        detail.contains(&format!("front       {line}")) && detail.contains("COST (more is better)"),
        "{detail}"
    );
    assert_eq!(home.json(&["show", &id])["front"]["size"], expected.len());

    let sorted = home.json(&["trials", &id, "--sort", "-cost", "--where", "cost > 3", "-n", "5"]);
    let costs: Vec<f64> =
        sorted.as_array().unwrap().iter().map(|t| t["further"][0].as_f64().unwrap()).collect();
    assert!(costs.len() == 5 && costs.is_sorted_by(|a, b| a >= b) && costs[4] > 3.0, "{costs:?}");
    assert!(home.ok(&["trials", &id]).lines().next().unwrap().contains("COST"));
    assert!(home.ok(&["trial", &format!("{id}/0")]).contains(", there COST "));
    assert!(home.ok(&["watch", &id]).contains("front: "), "what is watched ends with its front");
}

#[test]
fn a_client_that_leaves_an_objective_out_fails_its_trial() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = two("told", "sampler = \"nsga2\"").replace("\"toy\"", "\"external\"");
    let id = home.submit(&sweep);
    let run = |metrics: Value| {
        let trial = post(&home, &format!("/api/v1/sweeps/{id}/ask"), &json!({})).1;
        let body = json!({"attempt": trial["attempt"], "state": "completed", "metrics": metrics});
        let (status, answer) = post(&home, &format!("/api/v1/trials/{}/tell", trial["trial_id"]), &body);
        assert_eq!(status, 204, "{answer}");
        home.json(&["trial", &format!("{id}/{}", trial["number"])])["trial"].clone()
    };
    let trial = run(json!({"rmse": 1.0}));
    assert_eq!(
        (&trial["state"], &trial["ended"]),
        (&json!("failed"), &json!({"kind": "no_value", "metric": "cost"}))
    );
    let trial = run(json!({"rmse": 1.0, "cost": 5.0}));
    assert_eq!((&trial["state"], &trial["further"]), (&json!("completed"), &json!([5.0])));
    let front = home.json(&["best", &id]);
    assert_eq!((&front["size"], &front["completed"]), (&json!(1), &json!(1)));
}

#[test]
fn a_program_may_measure_an_objective_once() {
    let mut home = Home::new();
    home.serve(1);
    let sweep = r#"
name = "once"
[objective]
kind = "command"
command = ["sh", "-c", """
echo '{{"step": 1, "loss": 4}}'; echo '{{"step": 2, "loss": 2}}'; echo '{{"step": 3, "loss": 3}}'; echo '{{"ms": 7}}'
"""]
metrics = [{ name = "loss" }, { name = "ms" }]
[search]
sampler = "random"
trials = 1
[space]
x = { type = "float", low = 0.0, high = 1.0 }
"#;
    let id = home.submit(sweep);
    home.until_over(&id);
    let trial = home.json(&["trial", &format!("{id}/0")])["trial"].clone();
    let worth = (&trial["state"], &trial["value"], &trial["best_step"], &trial["further"]);
    assert_eq!(worth, (&json!("completed"), &json!(2.0), &json!(2), &json!([7.0])));
}
