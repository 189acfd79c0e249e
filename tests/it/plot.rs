//! Learning curves, through the real binaries.

use crate::support::{Home, toy};
use serde_json::Value;

fn numbers(list: &Value, field: &str) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|one| one[field].as_u64().unwrap()).collect()
}

fn refusal(home: &Home, args: &[&str], code: i32) -> String {
    let output = home.sweepd(args);
    assert_eq!(output.status.code(), Some(code), "sweepd {args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn curves_of_sweeps_are_compared_in_one_picture() {
    let mut home = Home::new();
    home.serve(2);
    let choice = "augment = { type = \"choice\", values = [0.0, 0.5] }";
    let with = home.submit(&toy("with", 8, 0, choice));
    let without = home.submit(&toy("without", 4, 0, ""));
    home.until_over(&with);
    home.until_over(&without);
    let file = home.path().join("curves.svg");
    let out = file.to_str().unwrap();

    home.ok(&["plot", "with", "-n", "3", "--out", out]);
    let svg = std::fs::read_to_string(&file).unwrap();
    let (best, drawn) = (home.json(&["best", "with", "-n", "3"]), home.json(&["plot", "with", "-n", "3"]));
    for ranked in best["ranked"].as_array().unwrap() {
        let trial = &ranked["trial"];
        let shown = [trial["number"].to_string(), format!("{:.4}", trial["value"].as_f64().unwrap())];
        for text in shown {
            assert!(svg.contains(&format!(">\n{text}\n<")), "{text} is not in {svg}");
        }
        // Two of three have it in common.
        let named = format!("augment={}, x=", trial["params"]["augment"].as_f64().unwrap());
        let is_common = trial["params"]["augment"] == drawn["common"]["augment"];
        assert_eq!(svg.contains(&named), !is_common, "{named} in {svg}");
    }
    let otherwise = format!("otherwise augment={}", drawn["common"]["augment"].as_f64().unwrap());
    assert!(svg.contains(&otherwise), "{otherwise} is not in {svg}");
    assert!(
        svg.contains("rmse by epoch: with")
            && svg.contains("the best 3 of 8 completed trials; in grey 5 more")
    );

    let data = home.json(&["plot", "with", "without", "-n", "2", "--label", "augment", "--last-step", "2"]);
    let curves = data["curves"].as_array().unwrap();
    assert_eq!((curves.len(), data["background"].as_array().unwrap().len()), (4, 8));
    assert!(curves.is_sorted_by_key(|curve| curve["last"].as_f64().unwrap()), "{data:#}");
    for curve in curves {
        let trial = home.json(&["trial", curve["name"].as_str().unwrap()]);
        let steps = trial["steps"].as_array().unwrap().iter().take(2);
        let steps: Vec<Value> =
            steps.map(|step| serde_json::json!([step["step"], step["metrics"]["rmse"]])).collect();
        assert_eq!(curve["points"], Value::Array(steps));
        assert_eq!(curve["label"]["augment"], trial["trial"]["params"]["augment"]);
    }
    let some = home.json(&["plot", "with", "--where", "number in (1, 6)"]);
    let mut chosen = numbers(&some["curves"], "trial");
    chosen.sort_unstable();
    assert_eq!((chosen, some["background"].as_array().unwrap().len()), (vec![1, 6], 0));
    home.ok(&["plot", "with", "without", "--log", "--metric", "rmse", "--out", out]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("without/"));
}

#[test]
fn what_cannot_be_drawn_is_told_with_what_to_do() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("small", 2, 0, ""));
    let none = home.submit(&toy("none", 1, 0, "").replace("\"toy\"", "\"external\""));
    home.until_over(&id);
    let file = home.path().join("curves.svg");
    let out = file.to_str().unwrap();
    let said = |args: &[&str], code| refusal(&home, &[&["plot"], args].concat(), code);
    assert!(said(&["small"], 2).contains("--out FILE.svg"));
    assert!(said(&["small", "--out", "curves.png"], 2).contains("call it curves.svg"));
    assert!(said(&["absent", "--out", out], 4).contains("`sweepd ls` lists them"));
    assert!(said(&[&none, "--out", out], 4).contains("`sweepd watch none` follows it"));
    let metrics = said(&["small", "--metric", "loss", "--out", out], 4);
    assert!(
        metrics.contains("no trial of small reports loss; trial ") && metrics.contains(" reports "),
        "{metrics}"
    );
    assert!(said(&["small", "--where", "number > 5", "--out", out], 4).contains("`sweepd trials small`"));
    assert!(said(&["small", "--where", "nmber > 5", "--out", out], 1).contains("--where: "));
    assert!(said(&["small", "--label", "y", "--out", out], 1).contains("there are epoch_ms, x"));
    assert!(!file.exists());
}
