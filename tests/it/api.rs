//! What the API answers, of a real daemon after real sweeps.

use crate::support::{Home, toy};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A daemon, and a sweep of 40 toy trials that has ended.
fn home() -> (Home, String) {
    let mut home = Home::new();
    home.serve(2);
    let more = r#"
        kind = { type = "choice", values = ["plain", "odd"] }
        deep = { type = "int", low = 1, high = 9, when = { param = "kind", in = ["odd"] } }"#;
    let id = home.submit(&toy("first", 40, 0, more));
    home.until_over(&id);
    (home, id)
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn numbers(trials: &Value) -> Vec<u64> {
    trials.as_array().unwrap().iter().map(|trial| trial["number"].as_u64().unwrap()).collect()
}

#[test]
fn trials_come_page_by_page_and_as_a_file() {
    let (home, id) = home();
    let list = format!("/api/v1/sweeps/{id}/trials");
    // The best come first.
    let mut all = Vec::new();
    let mut next = String::new();
    loop {
        let page = home.get(&format!("{list}?limit=7{next}"));
        all.extend(numbers(&page["trials"]));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let best = home.json(&["trials", &id, "--sort", "value"]);
    assert_eq!(all, numbers(&best));
    let filter = escaped("kind = odd and rmse < 100 and deep > 2");
    let found =
        home.get(&format!("{list}?where={filter}&sort={}&descending=true&limit=500", escaped("deep * 2")));
    let same = home.json(&["trials", &id, "--where", "kind = odd and deep > 2", "--sort", "-deep"]);
    assert_eq!(found["trials"], same);
    assert_eq!(found["next"], Value::Null);
    // A cursor is of its own list alone; what is not understood is said where it is.
    let (status, text) = home.call("GET", &format!("{list}?sort=x{next}"), "", "");
    assert!(status == 400 && text.contains("not of this list"), "{status} {text}");
    for (query, code) in
        [("where=x+%3E", "bad_expression"), ("sort=nothing", "bad_expression"), ("page=2", "bad_query")]
    {
        assert_eq!(home.send("GET", &format!("{list}?{query}"), &Value::Null), (400, code.to_owned()));
    }
    let (status, text) = home.call("GET", &format!("/api/v1/sweeps/{id}/trials.csv?sort=number"), "", "");
    assert_eq!(status, 200);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let known = home.json(&["trials", &id]);
    assert_eq!(rows.len(), 40);
    for (row, trial) in rows.iter().zip(known.as_array().unwrap()) {
        assert_eq!(row[column("number")], trial["number"].to_string());
        assert_eq!(row[column("rmse")].parse::<f64>().unwrap(), trial["value"].as_f64().unwrap());
        let deep = trial["params"].get("deep").map(Value::to_string).unwrap_or_default();
        assert_eq!(row[column("deep")], deep);
    }
}

#[test]
fn pictures_show_few_trials_but_always_the_best_and_the_worst() {
    let (home, id) = home();
    let known = home.json(&["trials", &id]);
    let values: Vec<f64> = known.as_array().unwrap().iter().map(|t| t["value"].as_f64().unwrap()).collect();
    let best = values.iter().copied().fold(f64::INFINITY, f64::min);
    let worst = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let has_both = |rows: &Value| {
        let shown: Vec<f64> =
            rows.as_array().unwrap().iter().map(|row| row["value"].as_f64().unwrap()).collect();
        assert!(shown.len() <= 10 && shown.contains(&best) && shown.contains(&worst), "{rows}");
    };
    let history = home.get(&format!("/api/v1/sweeps/{id}/history?most=10"));
    has_both(&history["points"]);
    assert_eq!(history["trials"], 40);
    assert_eq!(history["objectives"][0]["name"], "rmse");
    let line = history["best"].as_array().unwrap();
    assert_eq!(line.last().unwrap()["value"].as_f64(), Some(best));
    assert!(line.iter().all(|point| point["ended_ms"].is_i64()), "{line:?}");
    let curves = home.get(&format!("/api/v1/sweeps/{id}/curves?most=10"));
    has_both(&curves["curves"]);
    assert!(
        curves["curves"]
            .as_array()
            .unwrap()
            .iter()
            .all(|curve| curve["points"].as_array().unwrap().len() == 3)
    );
    let values = home.get(&format!("/api/v1/sweeps/{id}/values?params=x,deep,kind&most=10"));
    has_both(&values["rows"]);
    let kinds: Vec<&str> =
        values["columns"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["float", "int", "choice"]);
    assert_eq!(values["columns"][2]["choices"], json!(["plain", "odd"]));
    for row in values["rows"].as_array().unwrap() {
        assert_eq!(row["x"][1].is_null(), row["x"][2] == "plain", "{row}");
    }
    let odd = home.get(&format!("/api/v1/sweeps/{id}/values?where={}", escaped("kind = odd")));
    assert!(
        odd["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| !row["x"].as_array().unwrap().contains(&json!("plain")))
    );
    assert_eq!(odd["trials"], odd["rows"].as_array().unwrap().len());
    assert_eq!(home.send("GET", &format!("/api/v1/sweeps/{id}/values?params=none"), &Value::Null).0, 400);
}

#[test]
fn slots_and_sweeps_stand_side_by_side() {
    let (home, first) = home();
    let second = home.submit(&toy("second", 10, 0, ""));
    home.until_over(&second);
    let timeline = home.get(&format!("/api/v1/sweeps/{first}/timeline"));
    let spans: Vec<&Value> = timeline["slots"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|slot| slot["spans"].as_array().unwrap())
        .collect();
    let trials: u64 = spans.iter().map(|span| span["trials"].as_u64().unwrap()).sum();
    let number: BTreeSet<u64> = spans
        .iter()
        .filter(|s| s["sweep"] == first.as_str())
        .map(|s| s["number"].as_u64().unwrap())
        .collect();
    assert!(trials >= 40 && number.len() == 40, "{timeline}");
    let compared = home.get(&format!("/api/v1/compare?sweeps={first},second"));
    assert_eq!(compared["sweeps"][1]["id"], second.as_str());
    assert_eq!(compared["sweeps"][0]["edf"].as_array().unwrap().last().unwrap()[1], 1.0);
    assert_eq!(compared["sweeps"][1]["best"], home.json(&["show", &second])["best"]);
    assert_eq!(home.send("GET", "/api/v1/compare?sweeps=none", &Value::Null).0, 404);
    let trial = home.json(&["trials", &first])[3]["trial_id"].to_string();
    let log = home.get(&format!("/api/v1/trials/{trial}/log?bytes=5"));
    let whole = home.ok(&["logs", &trial]);
    assert_eq!(log["size"], whole.len());
    assert!(log["text"].as_str().unwrap().len() <= 5 && whole.ends_with(log["text"].as_str().unwrap()));
    assert_eq!(home.get(&format!("/api/v1/trials/{trial}/checkpoints")), json!([]));
    assert_eq!(
        home.send("GET", &format!("/api/v1/trials/{trial}/layers"), &Value::Null),
        (409, "no_network".into())
    );
    assert_eq!(home.send("GET", "/api/v1/trials/99999/log", &Value::Null), (404, "not_found".into()));
}

#[test]
fn a_log_that_is_a_link_is_not_followed() {
    let (home, id) = home();
    let log = home.path().join(format!("trials/{id}/2/trial.log"));
    let secret = home.path().join("daemon.json");
    let _ = std::fs::remove_file(&log);
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&secret, &log).unwrap();
    let trial = home.json(&["trials", &id])[2]["trial_id"].to_string();
    assert_eq!(home.get(&format!("/api/v1/trials/{trial}/log"))["text"], "");
}

#[test]
fn the_sweep_of_the_highest_priority_goes_first_from_then_on() {
    let mut home = Home::new();
    home.serve(1);
    let slow = home.submit(&toy("slow", 50, 30, ""));
    let late = home.submit(&toy("late", 2, 0, "").replace("seed", "priority = -1\nseed"));
    let of = |id: &str| home.get(&format!("/api/v1/sweeps/{id}"));
    home.until("the first one runs", || of(&slow)["trials"]["completed"].as_u64() >= Some(1));
    assert_eq!((of(&slow)["queue_place"].as_u64(), of(&late)["queue_place"].as_u64()), (Some(1), Some(2)));
    assert!(of(&slow)["eta_ms"].as_i64() > Some(0));
    assert_eq!(of(&late)["trials"]["completed"], 0);
    home.ok(&["priority", "late", "5"]);
    assert_eq!(of(&late)["queue_place"], 1);
    home.until_over(&late);
    assert_ne!(of(&slow)["state"], "completed");
    // Written down, also for the next daemon; and the record says so.
    let shown = home.json(&["show", "late"]);
    assert_eq!((&shown["priority"], &shown["spec"]["priority"]), (&json!(5), &json!(5)));
    let reasons = home.rows("select reason from event where kind = 'sweep_prioritised'");
    assert_eq!(reasons, [r#"{"kind":"priority","from":-1,"to":5}"#]);
    assert!(home.sweepd(&["replay", "late"]).status.success());
    assert_eq!(
        home.send("POST", "/api/v1/sweeps/late/priority", &json!({"priority": 1})),
        (410, "sweep_over".into())
    );
}

#[test]
fn notes_and_tags_stay_with_what_they_are_about() {
    let (home, id) = home();
    home.ok(&["note", "first", "the", "good", "one"]);
    home.ok(&["note", "first/3", "look at this"]);
    home.ok(&["tag", "first/3", "keep", "paper", "keep"]);
    let sweep = home.get("/api/v1/sweeps/first");
    assert_eq!(sweep["note"], "the good one");
    assert!(home.ok(&["show", "first"]).contains("the good one"));
    let found = home.get(&format!("/api/v1/sweeps/{id}/trials?where={}", escaped("note = 'look at this'")));
    assert_eq!(
        (&found["trials"][0]["number"], &found["trials"][0]["tags"]),
        (&json!(3), &json!(["keep", "paper"]))
    );
    assert!(home.ok(&["trial", "first/3"]).contains("keep paper"));
    home.ok(&["note", "first/3"]);
    assert_eq!(home.json(&["trial", "first/3"])["trial"]["note"], Value::Null);
    assert_eq!(
        home.send("PUT", "/api/v1/trials/1/tags", &json!({"tags": ["no word"]})),
        (422, "bad_note".into())
    );
    assert_eq!(home.send("PUT", "/api/v1/trials/999/tags", &json!({"tags": []})), (404, "not_found".into()));
}

#[test]
fn sweeps_and_trials_are_found_by_their_tags() {
    let (home, id) = home();
    let other = home.submit(&toy("second", 3, 0, ""));
    home.until_over(&other);
    home.ok(&["tag", "first/3", "keep", "paper"]);
    home.ok(&["tag", "first/5", "keep"]);
    home.ok(&["tag", "second", "nightly"]);
    assert!(home.ok(&["show", "second"]).contains("nightly"));
    let numbers = |condition: &str| {
        let trials = home.json(&["trials", &id, "--where", condition, "--sort", "number"]);
        let path = format!("/api/v1/sweeps/{id}/trials?sort=number&where={}", escaped(condition));
        let page = home.get(&path)["trials"].clone();
        assert_eq!(trials, page, "{condition}");
        let number = |trial: &Value| trial["number"].as_u64().unwrap();
        trials.as_array().unwrap().iter().map(number).collect::<Vec<u64>>()
    };
    assert_eq!(numbers("tag = keep"), [3, 5]);
    assert_eq!(numbers("tag = keep and tag = paper"), [3]);
    assert_eq!(numbers("tag in [paper, other]"), [3]);
    assert_eq!(numbers("tag = keep and tag != paper"), [5]);
    assert_eq!(numbers("tag is not null and number > 3"), [5]);
    assert_eq!(numbers("tag = \"kee\""), [0; 0]);
    assert!(!numbers("tag is null").contains(&3) && numbers("not tag = keep").contains(&4));
    let sweeps = |tag: &str| {
        let listed = home.json(&["ls", "--tag", tag]);
        let names = |of: &Value| {
            let name = |sweep: &Value| sweep["name"].as_str().unwrap().to_owned();
            of.as_array().unwrap().iter().map(name).collect::<Vec<String>>()
        };
        assert_eq!(names(&listed), names(&home.get(&format!("/api/v1/sweeps?tag={tag}"))), "{tag}");
        names(&listed)
    };
    assert_eq!(sweeps("nightly"), ["second"]);
    assert_eq!(sweeps("paper"), ["first"], "by a trial");
    assert_eq!(sweeps("none"), [""; 0]);
    // Taken away, by the same word.
    home.ok(&["tag", "second"]);
    assert_eq!(
        (sweeps("nightly"), home.get("/api/v1/sweeps/second")["tags"].clone()),
        (Vec::new(), json!([]))
    );
    let refused = home.sweepd(&["trials", &id, "--sort", "tag"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a single value"), "{refused:?}");
}

#[test]
fn a_sweep_is_checked_without_being_submitted() {
    let (home, id) = home();
    let text = toy("checked", 3, 0, "");
    let (status, answer) = home.call("POST", "/api/v1/sweeps/check", "application/toml", &text);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["sweep"]["name"], "checked");
    assert!(answer["first_params"]["x"].is_f64(), "{answer}");
    let bad = text.replace("trials = 3", "trails = 3");
    let (status, answer) = home.call("POST", "/api/v1/sweeps/check", "application/toml", &bad);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 422);
    assert!(answer["error"]["problems"][0].as_str().unwrap().contains("sweep:"), "{answer}");
    assert_eq!(home.json(&["ls"]).as_array().unwrap().len(), 1);
    let (_, source) = home.call("GET", &format!("/api/v1/sweeps/{id}/source"), "", "");
    assert!(source.contains("name = \"first\""), "{source}");
}

#[test]
fn faces_of_a_dataset_come_as_pixels_and_points() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "30"]);
    home.serve(1);
    let datasets = home.get("/api/v1/datasets");
    assert_eq!((&datasets[0]["name"], &datasets[0]["rows"]), (&json!("few"), &json!(30)));
    assert_eq!(datasets[0]["keypoints"].as_array().unwrap().len(), 15);
    let faces = home.get("/api/v1/datasets/few/faces?offset=28&limit=10");
    let faces = faces["faces"].as_array().unwrap();
    assert_eq!(faces.iter().map(|face| face["row"].as_u64().unwrap()).collect::<Vec<_>>(), [28, 29]);
    // 96 x 96 bytes in base64, and 15 points or nothing in their place.
    assert_eq!(faces[0]["pixels"].as_str().unwrap().len(), 96 * 96 / 3 * 4);
    assert_eq!(faces[0]["truth"].as_array().unwrap().len(), 15);
    assert_eq!(home.send("GET", "/api/v1/datasets/..%2Fx/faces", &Value::Null), (404, "not_found".into()));
}
