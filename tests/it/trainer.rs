//! The trainer through the command line.

use crate::support::Home;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const TRAINER: &str = env!("CARGO_BIN_EXE_sweepd-worker");

fn experiment(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(name)
}

fn said(home: &Home, args: &[&str]) -> String {
    let output = home.sweepd(args);
    assert!(!output.status.success(), "{args:?} went well");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn augmentation_can_be_looked_at() {
    let home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "20"]);
    let picture = home.path().join("augmented.png");
    let (picture, params) = (picture.to_str().unwrap(), experiment("augmented.json"));
    let show = [
        "data",
        "show",
        "few",
        "--picture",
        picture,
        "--rows",
        "3",
        "--worker-program",
        TRAINER,
        "--augment",
    ];
    home.ok(&[&show[..], &[params.to_str().unwrap()]].concat());
    let first = fs::read(picture).unwrap();
    assert!(first.starts_with(b"\x89PNG"));
    home.ok(&[&show[..], &[params.to_str().unwrap()]].concat());
    assert!(fs::read(picture).unwrap() == first, "the same seed draws the same");
    home.ok(&[&show[..], &[params.to_str().unwrap(), "--seed", "1"]].concat());
    assert!(fs::read(picture).unwrap() != first);
    let plain = home.path().join("plain.json");
    fs::write(&plain, "{}").unwrap();
    let message = said(&home, &[&show[..], &[plain.to_str().unwrap()]].concat());
    assert!(message.contains("asks for no augmentation"), "{message}");
    fs::write(&plain, r#"{ "augment_flipp": 0.5 }"#).unwrap();
    let message = said(&home, &[&show[..], &[plain.to_str().unwrap()]].concat());
    assert!(message.contains("did you mean `augment_flip`"), "{message}");
}

#[test]
fn a_trunk_goes_from_one_sweep_to_another() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "60", "--seed", "3"]);
    home.serve_with(1, &["--worker-program", TRAINER], &[]);
    let sweep = |name: &str, more: &str| {
        format!(
            r#"name = "{name}"
[objective]
kind = "keypoints"
dataset = "few"
[search]
sampler = "random"
trials = 1
[space]
family = {{ type = "fixed", value = "residual" }}
filters = {{ type = "fixed", value = [4, 8] }}
epochs = {{ type = "fixed", value = 1 }}
{more}"#
        )
    };
    let first = home.submit(&sweep("first", "dense = { type = \"fixed\", value = [8] }"));
    home.until_over(&first);
    let file = home.path().join("trunk.safetensors");
    let file = file.to_str().unwrap();
    home.ok(&["trial", "first/0", "--weights", file]);
    let of = |file: &str| {
        format!(
            r#"head = {{ type = "fixed", value = "heatmap" }}
pretrained = {{ type = "fixed", value = "{file}" }}
trunk_learning_rate = {{ type = "fixed", value = 0 }}"#
        )
    };
    let second = home.submit(&sweep("second", &of(file)));
    home.until_over(&second);
    assert_eq!(home.json(&["trial", "second/0"])["trial"]["state"], "completed");
    let third = home.submit(&sweep("third", &of("/nowhere.safetensors")));
    home.until_over(&third);
    let failed = home.json(&["trial", "third/0"]);
    assert_eq!(failed["trial"]["state"], "failed");
    assert!(failed.to_string().contains("/nowhere.safetensors: it cannot be read"), "{failed}");
}

/// Test images in Kaggle's layout: of the first all points are asked for, of the second only the common ones.
fn write_test(folder: &Path) {
    let pixels: Vec<String> = (0..9216).map(|i| (i % 251).to_string()).collect();
    let pixels = pixels.join(" ");
    fs::write(folder.join("test.csv"), format!("ImageId,Image\n1,{pixels}\n2,{pixels}\n")).unwrap();
    let mut lookup = String::from("RowId,ImageId,FeatureName,Location\n");
    let asked = [(1, "left_eye_center_x"), (1, "mouth_left_corner_x"), (2, "left_eye_center_x")];
    for (row, (image, feature)) in asked.into_iter().enumerate() {
        writeln!(lookup, "{},{image},{feature},", row + 1).unwrap();
    }
    fs::write(folder.join("IdLookupTable.csv"), lookup).unwrap();
}

/// Trains some small networks for an epoch on the dataset `few`.
fn train(home: &Home, name: &str, trials: u32, space: &str) {
    let sweep = home.submit(&format!(
        r#"name = "{name}"
[objective]
kind = "keypoints"
dataset = "few"
[search]
sampler = "random"
trials = {trials}
[space]
dense = {{ type = "fixed", value = [8] }}
batch_size = {{ type = "fixed", value = 16 }}
epochs = {{ type = "fixed", value = 1 }}
{space}"#
    ));
    home.until_over(&sweep);
}

#[test]
fn faces_are_shown_with_what_is_predicted_and_what_augmentation_does() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "100", "--seed", "3"]);
    home.serve_with(1, &["--worker-program", TRAINER], &[]);
    train(&home, "seen", 1, "filters = { type = \"fixed\", value = [4] }");
    let trial = home.json(&["trial", "seen/0"])["trial"].clone();
    let faces = home.get(&format!("/api/v1/trials/{}/faces?most=5", trial["trial_id"]));
    let near = |a: &serde_json::Value, b: &serde_json::Value| {
        let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
        assert!((a - b).abs() < 0.02 * b, "{a} is not {b}");
    };
    near(&faces["rmse"], &trial["value"]);
    let errors = |which: &str| -> Vec<f64> {
        faces[which].as_array().unwrap().iter().map(|face| face["rmse"].as_f64().unwrap()).collect()
    };
    let (best, worst) = (errors("best"), errors("worst"));
    assert_eq!((best.len(), worst.len()), (5, 5));
    assert!(best.is_sorted() && worst.iter().rev().is_sorted() && best[0] < worst[0], "{best:?} {worst:?}");
    assert_eq!(faces["per_keypoint"].as_array().unwrap().len(), 15);
    let path = "/api/v1/datasets/few/augment";
    let ask = |params: serde_json::Value| {
        let body = serde_json::json!({ "params": params, "rows": [0, 7] }).to_string();
        home.call("POST", path, "application/json", &body)
    };
    let (status, text) = ask(serde_json::json!({ "augment_flip": 1.0 }));
    assert_eq!(status, 200, "{text}");
    let drawn: serde_json::Value = serde_json::from_str(&text).unwrap();
    for face in drawn["faces"].as_array().unwrap() {
        let variants = face["variants"].as_array().unwrap();
        assert_eq!(variants.len(), 7);
        for variant in variants {
            // A mirrored face: what was the right eye is the left one, as far from the other edge.
            let (eye, other) = (&variant["truth"][0], &face["truth"][1]);
            let sum = eye[0].as_f64().unwrap() + other[0].as_f64().unwrap();
            assert!((sum - 95.0).abs() < 1.5, "{eye} mirrors {other}");
            assert_ne!(variant["pixels"], face["pixels"]);
        }
    }
    let (status, text) = ask(serde_json::json!({}));
    assert!(status == 422 && text.contains("ask for no augmentation"), "{status} {text}");
}

#[test]
fn an_image_is_read_as_its_source_would() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "60", "--seed", "3"]);
    home.serve_with(1, &["--worker-program", TRAINER], &[]);
    train(
        &home,
        "sources",
        1,
        "filters = { type = \"fixed\", value = [4] }\nsources = { type = \"fixed\", value = \"heads\" }",
    );
    let trial = home.json(&["trial", "sources/0"]);
    let environment = &trial["attempts"][0]["environment"];
    assert!(["f32", "bf16"].contains(&environment["precision"].as_str().unwrap()), "{environment}");
    write_test(home.path());
    let (test, out) = (home.path().to_str().unwrap(), home.path().join("submission.csv"));
    let program = ["--worker-program", TRAINER, "--out", out.to_str().unwrap()];
    home.ok(&[&["predict", "sources/0", "--test", test][..], &program].concat());
    let text = fs::read_to_string(&out).unwrap();
    let located: Vec<f64> =
        text.lines().skip(1).map(|line| line.split_once(',').unwrap().1.parse().unwrap()).collect();
    assert_eq!(located.len(), 3);
    assert!((located[0] - located[2]).abs() > 1e-3, "the same image, read by two heads: {text}");
}

#[test]
fn trials_predict_together() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "120", "--seed", "3"]);
    home.serve_with(2, &["--worker-program", TRAINER], &[]);
    let rates = "learning_rate = { type = \"float\", low = 0.001, high = 0.01, log = true }";
    train(&home, "several", 3, &format!("filters = {{ type = \"fixed\", value = [4, 8] }}\n{rates}"));
    let program = ["--worker-program", TRAINER];
    let none = said(&home, &["ensemble", "toys"]);
    assert!(none.contains("there is no sweep toys"), "{none}");
    let all = home.json(&[&["ensemble", "several", "--top", "3"][..], &program].concat());
    let members = all["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    for member in members {
        let shown = home.json(&["trial", member["trial"].as_str().unwrap()]);
        let (stored, again) = (shown["trial"]["value"].as_f64().unwrap(), member["rmse"].as_f64().unwrap());
        assert!((stored - again).abs() < 0.02 * stored, "validated {stored}, now {again}");
    }
    let best = members.iter().map(|member| member["rmse"].as_f64().unwrap()).fold(f64::INFINITY, f64::min);
    let worst = members.iter().map(|member| member["rmse"].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(all["rmse"].as_f64().unwrap() <= worst, "a mean errs less than the worst");
    // The daemon has it, and without one it is kept all the same.
    home.ok(&["stop", "--drain"]);
    let greedy = home.json(&[&["ensemble", "several", "--greedy"][..], &program].concat());
    assert!(greedy["rmse"].as_f64().unwrap() <= best, "{greedy}");
    let listed = home.json(&["ensemble", "several"]);
    let mut names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["greedy", "top3"]);
    write_test(home.path());
    let test = home.path().to_str().unwrap();
    let predicted = |who: &str| {
        let out = home.path().join("submission.csv");
        let to = ["--out", out.to_str().unwrap()];
        home.ok(&[&["predict", who, "--test", test][..], &program, &to].concat());
        let text = fs::read_to_string(&out).unwrap();
        let line = text.lines().nth(1).unwrap().to_owned();
        line.split_once(',').unwrap().1.parse::<f64>().unwrap()
    };
    let mean = (0..3).map(|number| predicted(&format!("several/{number}"))).sum::<f64>() / 3.0;
    let together = predicted("several/top3");
    assert!((together - mean).abs() < 1e-3, "{together} is not the mean {mean}");
    let unknown = said(&home, &["predict", "several/top9", "--test", test]);
    assert!(unknown.contains("`sweepd ensemble several` lists them"), "{unknown}");
}

/// A worker program that trains several trials in one step on a CPU too.
fn fusing_trainer(home: &Home) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let program = home.path().join("fusing-trainer");
    fs::write(&program, format!("#!/bin/sh\nexec {TRAINER} \"$@\" --fuse-on-cpu\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

#[test]
fn one_worker_trains_several_trials_in_one_step() {
    let mut home = Home::new();
    home.ok(&["data", "synth", "few", "--rows", "120", "--seed", "3"]);
    let program = fusing_trainer(&home);
    home.serve_with(1, &["--worker-program", &program], &[]);
    let sweep = home.submit(
        r#"name = "s"
[objective]
kind = "keypoints"
dataset = "few"
[search]
sampler = "random"
trials = 5
fuse = 3
[space]
filters = { type = "fixed", value = [4, 8] }
dense = { type = "fixed", value = [8] }
dropout = { type = "float", low = 0.1, high = 0.5 }
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
augment_flip = { type = "choice", values = [0.0, 0.5] }
epochs = { type = "int", low = 6, high = 10 }
batch_size = { type = "fixed", value = 16 }
"#,
    );
    let running = || home.get(&format!("/api/v1/sweeps/{sweep}"))["trials"]["running"].as_u64().unwrap();
    home.until("three trials are trained by one worker", || running() == 3);
    // What is lost with the worker goes on with the next one.
    let workers = home.json(&["workers"]);
    let pid = workers["workers"][0]["pid"].as_i64().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    home.until_over(&sweep);
    let mut together = 0;
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for number in 0..5 {
        let trial = home.json(&["trial", &format!("s/{number}")]);
        assert_eq!(trial["trial"]["state"], "completed", "{trial}");
        assert_eq!(trial["trial"]["inexact"], true);
        let said = home.ok(&["trial", &format!("s/{number}")]);
        assert!(said.contains("in one step with up to 2 others"), "{said}");
        let steps = trial["steps"].as_array().unwrap().len() as i64;
        assert_eq!(Some(steps), trial["trial"]["params"]["epochs"].as_i64());
        for attempt in trial["attempts"].as_array().unwrap() {
            let at = |name: &str| attempt[name].as_i64().unwrap();
            let span = (at("started_ms"), at("finished_ms"));
            together += spans.iter().filter(|other| span.0 < other.1 && other.0 < span.1).count();
            spans.push(span);
        }
        let log = home.ok(&["logs", &format!("s/{number}")]);
        assert!(log.contains(&format!("trial={number}")), "{log}");
        for other in (0..5).filter(|other| *other != number) {
            assert!(!log.contains(&format!("trial={other} ")), "another trial's lines in {number}'s: {log}");
        }
    }
    assert!(together >= 4, "{together} pairs of attempts were at work at the same time");
    home.is_sound();
}
