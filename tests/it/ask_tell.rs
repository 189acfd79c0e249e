//! The client of docs/ask-tell.md, run as it stands there, and what is known afterwards.

use crate::support::Home;
use std::process::{Command, Stdio};

const GUIDE: &str = include_str!("../../docs/ask-tell.md");

fn client() -> &'static str {
    let (_, after) = GUIDE.split_once("```python\n").unwrap();
    after.split_once("```").unwrap().0
}

#[test]
fn the_client_of_the_guide_searches() {
    assert!(client().lines().count() <= 25, "it has grown to {} lines", client().lines().count());
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no python3");
        return;
    }
    let mut home = Home::new();
    home.serve(1);
    let output = Command::new("python3")
        .args(["-c", client()])
        .env("SWEEPD_HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sweep = home.json(&["show", "bowl"]);
    assert_eq!(sweep["state"], "completed", "{sweep:#}");
    let best = home.json(&["best", "bowl"]);
    let ranked = best["ranked"].as_array().unwrap();
    assert_eq!(ranked.len(), 10);
    assert!(ranked[0]["trial"]["value"].as_f64().unwrap() < 2.0, "{best:#}");
    assert!(home.sweepd(&["replay", "bowl"]).status.success());
    let importance = home.json(&["show", "bowl", "--importance"]);
    assert_eq!(importance["parameters"].as_array().unwrap().len(), 2, "{importance:#}");
}
