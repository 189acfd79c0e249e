//! A sweep goes on with another space, and another begins with what it found.

use crate::dice::{Dice, rounds};
use crate::support::{Home, toy};
use crate::table;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Writes a sweep file; its path.
fn file(home: &Home, name: &str, text: &str) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Why a command failed, in one line.
fn refused(home: &Home, args: &[&str]) -> String {
    let output = home.sweepd(args);
    assert!(!output.status.success(), "{args:?} was done");
    String::from_utf8(output.stderr).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_sweep_goes_on_with_another_space() {
    let mut home = Home::new();
    home.serve(1);
    let first = toy("edited", 12, 0, "n = { type = \"int\", low = 1, high = 4 }");
    let id = home.submit(&first);
    home.until_over(&id);
    let second = first
        .replace("trials = 12", "trials = 20")
        .replace("high = 1.0", "high = 0.5")
        .replace("[space]", "[space]\nmore = { type = \"float\", low = 5.0, high = 6.0, default = 5.5 }");
    let path = file(&home, "second.toml", &second);
    let fit = home.rows("select cast(count(*) as text) from trial where params ->> 'x' <= 0.5")[0].clone();

    let said = home.ok(&["edit", "edited", &path, "--dry-run"]);
    assert!(said.contains(&format!("{fit} of 12 trials so far still fit")), "{said}");
    let has = |words: &str| said.lines().any(|line| line.split_whitespace().eq(words.split_whitespace()));
    assert!(has("more - 5 to 6, 5.5 for trials without it") && has("trials 12 20"), "{said}");
    let told = home.json(&["edit", "edited", &path, "--dry-run"]);
    let filled = json!([{"name": "more", "value": 5.5, "trials": fit.parse::<u64>().unwrap()}]);
    assert_eq!(told["defaults"], filled, "{told}");
    let unfit = told["unfit"].as_array().unwrap();
    assert_eq!(unfit.len(), 12 - fit.parse::<usize>().unwrap());
    for one in unfit {
        let trial = home.json(&["trial", &one["trial_id"].to_string()]);
        assert_eq!(trial["trial"]["number"], one["number"]);
        assert!(number(&trial["trial"]["params"]["x"]) > 0.5, "{one}");
        let why = one["why"].as_str().unwrap();
        assert!(why.starts_with("x = 0.") && why.ends_with(" is outside its range"), "{one}");
    }
    assert_eq!(home.json(&["show", "edited"])["edits"], 0);
    assert_eq!(home.get("/api/v1/sweeps/edited/edits"), json!([]));
    let edited = home.json(&["edit", "edited", &path]);
    let change = json!({"what": "x", "before": "0 to 1", "after": "0 to 0.5"});
    assert_eq!((&edited["trials"], &edited["changes"][1]), (&json!(12), &change), "{edited}");
    home.until_over(&id);
    let trials = home.json(&["trials", "edited", "--sort", "number"]);
    let trials = trials.as_array().unwrap();
    assert_eq!(trials.len(), 20);
    for trial in &trials[12..] {
        assert!(number(&trial["params"]["x"]) <= 0.5, "{trial}");
        assert!((5.0..=6.0).contains(&number(&trial["params"]["more"])), "{trial}");
    }
    // Those before stay where they were, and can still be asked for.
    assert!(trials[..12].iter().all(|trial| trial["params"]["more"].is_null()));
    assert_eq!(home.json(&["show", "edited"])["edits"], 1);
    assert!(home.ok(&["replay", "edited"]).contains("all agree"));
    let event = home.rows("select reason from event where kind = 'sweep_edited'");
    assert!(event[0].contains("\"version\":1,\"leg\":12,"), "{event:?}");
    let (_, source) = home.call("GET", "/api/v1/sweeps/edited/source", "", "");
    assert_eq!(source, second);
    // The same again is no change.
    assert!(home.ok(&["edit", "edited", &path]).contains("nothing is different"));
    assert_eq!(home.json(&["show", "edited"])["edits"], 1);
    // What is gone from the space can still be asked for.
    let third = second.replace("\nn = ", "\n# n = ").replace("trials = 20", "trials = 22");
    let said = home.ok(&["edit", "edited", &file(&home, "third.toml", &third)]);
    assert!(said.contains("0 of 20 trials so far still fit"), "{said}");
    home.until_over(&id);
    assert_eq!(home.json(&["trials", "edited", "--where", "n >= 1"]).as_array().unwrap().len(), 20);
    assert!(home.ok(&["replay", "edited"]).contains("all agree"));
    // What was changed when, the last first.
    let edits = home.get("/api/v1/sweeps/edited/edits");
    let whats = |at: usize| -> Vec<&str> {
        edits[at]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["what"].as_str().unwrap())
            .collect()
    };
    assert_eq!((whats(0), whats(1)), (vec!["n", "trials"], vec!["more", "x", "trials"]), "{edits}");
    assert_eq!((&edits[0]["leg"], &edits[1]["leg"]), (&json!(20), &json!(12)), "{edits}");
    let at = |at: usize| edits[at]["at_ms"].as_i64().unwrap();
    let submitted = home.json(&["show", "edited"])["created_ms"].as_i64().unwrap();
    assert!(submitted < at(1) && at(1) < at(0), "{edits}");
}

#[test]
fn what_may_not_change_is_refused_by_name() {
    let mut home = Home::new();
    home.serve(1);
    let first = toy("lasting", 3, 0, "");
    let id = home.submit(&first);
    home.until_over(&id);
    let edit = |from: &str, to: &str| {
        let path = file(&home, "other.toml", &first.replace(from, to));
        refused(&home, &["edit", "lasting", &path])
    };
    let why = edit("seed = 3", "seed = 4");
    assert!(why.contains("this may not change: seed: 3 -> 4"), "{why}");
    let why = edit("sampler = \"random\"", "sampler = \"tpe\"");
    assert!(why.contains("search.sampler.name: \"random\" -> \"tpe\""), "{why}");
    let why = edit("kind = \"toy\"", "kind = \"toy\"\nmetric = \"loss\"");
    assert!(why.contains("objective.metric: \"rmse\" -> \"loss\""), "{why}");
    let why = edit("high = 1.0", "high = 2.0");
    assert!(why.contains("3 trials exist already: search.trials must be at least 4"), "{why}");
    let why = edit("high = 1.0", "high = -1.0");
    assert!(why.contains("other.toml:") && why.contains("space.x"), "{why}");
    let why = edit("[space]", "[[enqueue]]\nx = 0.5\n[space]");
    assert!(why.contains("sweepd enqueue"), "{why}");
    let why = refused(&home, &["edit", "nobody", &file(&home, "same.toml", &first)]);
    assert!(why.contains("nobody"), "{why}");
    assert_eq!(home.rows("select state from sweep"), ["completed"]);

    let bred = crate::kill::stopped_by(crate::kill::POPULATION);
    let id = home.submit(&bred);
    home.until_over(&id);
    let path = file(&home, "bred.toml", &bred.replace("trials = 12", "trials = 20"));
    for flags in [&["--dry-run"][..], &[]] {
        let why = refused(&home, &[&["edit", &id, &path], flags].concat());
        assert!(why.contains("its population") && why.contains("warm_start"), "{why}");
    }

    let grid = toy("grid", 4, 0, "n = { type = \"int\", low = 1, high = 4 }")
        .replace("\"random\"", "{ name = \"grid\", divisions = 4 }");
    let id = home.submit(&grid);
    home.until_over(&id);
    let path =
        file(&home, "grid.toml", &grid.replace("trials = 4", "trials = 9").replace("high = 4", "high = 5"));
    assert!(refused(&home, &["edit", "grid", &path]).contains("a grid"));
    // More of the same grid is no other grid.
    home.ok(&["edit", "grid", &file(&home, "grid.toml", &grid.replace("trials = 4", "trials = 6"))]);
    home.until_over(&id);
    assert_eq!(home.json(&["show", "grid"])["trials"]["completed"], 6);
    assert!(home.ok(&["replay", "grid"]).contains("all agree"));
}

#[test]
fn a_sweep_begins_with_what_an_earlier_one_found() {
    let mut home = Home::new();
    home.serve(1);
    let early = toy("early", 15, 0, "rounds = { type = \"int\", low = 1, high = 4 }");
    let id = home.submit(&early);
    let late = |more: &str| {
        early
            .replace("\"early\"", "\"late\"")
            .replace("sampler = \"random\"", "sampler = \"tpe\"\nwarm_start = [\"early\"]")
            .replace("trials = 15", "trials = 8")
            .replace("rounds = ", more)
    };
    home.until_over(&id);
    // What cannot be: no such sweep, nothing that fits, a sampler that learns nothing.
    let lacking = late("other = { type = \"int\", low = 1, high = 4 }\nrounds = ");
    let why = refused(&home, &["submit", &file(&home, "lacking.toml", &lacking)]);
    assert!(why.contains("none of its 15 completed trials") && why.contains("other is missing"), "{why}");
    let nobody = late("rounds = ").replace("[\"early\"]", "[\"nobody\"]");
    let why = refused(&home, &["submit", &file(&home, "nobody.toml", &nobody)]);
    assert!(why.contains("search.warm_start: \"nobody\": there is no such sweep"), "{why}");
    let idle = late("rounds = ").replace("\"tpe\"", "\"sobol\"");
    assert!(refused(&home, &["submit", &file(&home, "idle.toml", &idle)]).contains("learns from no results"));

    let half = late("rounds = ").replace("high = 1.0", "high = 0.6").replace("\"late\"", "\"half\"");
    let fit = home.rows("select cast(count(*) as text) from trial where params ->> 'x' <= 0.6")[0].clone();
    let id = home.submit(&half);
    home.until_over(&id);
    let shown = home.ok(&["show", "half"]);
    assert!(shown.contains(&format!("{fit} of 15 results of early (")), "{shown}");
    let best = "select cast(number as text) from trial where sweep_id = 1 and params ->> 'x' <= 0.6 \
                order by best_value limit 1";
    let best = home.rows(best)[0].clone();
    let trial = home.ok(&["trial", "half/0"]);
    assert!(
        trial.contains(&format!("from early: trial {best} there is number 1 of {fit} earlier results")),
        "{trial}"
    );
    assert!(home.ok(&["replay", "half"]).contains("all agree"));
    // What was taken stays, whatever becomes of the earlier sweep.
    home.ok(&["rm", "early"]);
    assert!(home.ok(&["replay", "half"]).contains("all agree"));
    assert_eq!(home.json(&["show", "half"])["warm_start"][0]["name"], "early");
}

/// Ordered by number, edited once it is over, and begun with results: the table is the same whatever is killed.
#[test]
fn an_edited_sweep_comes_out_the_same_whatever_is_killed() {
    let first = crate::kill::TOYS.replace("\"random\"", "{ name = \"tpe\", startup = 4 }");
    let first = first.replace("parallel = 2", "parallel = 2\nwarm_start = [\"earlier\"]");
    let second = first
        .replace("trials = 12", "trials = 20")
        .replace("[\"a\", \"bb\", \"ccc\"]", "[\"a\", \"bb\", \"dddd\"]")
        .replace("high = 1.0 }", "high = 0.7 }\nmore = { type = \"int\", low = 1, high = 9, default = 3 }");
    let earlier = crate::kill::TOYS.replace("\"killed\"", "\"earlier\"").replace("trials = 12", "trials = 8");
    let earlier = earlier.replace("stopper = ", "# stopper = ");
    let life = |slots: usize, dice: Option<&mut Dice>| -> (String, usize) {
        let mut home = Home::new();
        home.serve_with(slots, &["--no-trainer"], &[]);
        let id = home.submit(&earlier);
        home.until_over(&id);
        let id = home.submit(&first);
        let mut kills = 0;
        let mut dice = dice;
        for part in 0..2 {
            if part == 1 {
                let path = file(&home, "second.toml", &second);
                home.until("the edit is taken", || home.sweepd(&["edit", &id, &path]).status.success());
            }
            for _ in 0..3 {
                let Some(dice) = dice.as_deref_mut() else { break };
                dice.wait_up_to_ms(400);
                home.signal_daemon(Signal::SIGKILL);
                home.serve_with(slots, &["--no-trainer"], &[]);
                kills += 1;
            }
            home.until_over(&id);
        }
        assert!(home.ok(&["replay", &id]).contains("all agree"));
        home.is_sound();
        (table::of(&home, &id), kills)
    };
    let (calm, _) = life(2, None);
    assert!(calm.contains("dddd") && calm.contains("transferred"), "{calm}");
    let mut dice = Dice::new();
    for round in 0..rounds("lives of an edited sweep", 2, 0.05) {
        let slots = 1 + round as usize % 2;
        let (table, kills) = life(slots, Some(&mut dice));
        table::assert_same(&calm, &table, &format!("{slots} slots, {kills} kills"));
    }
}
