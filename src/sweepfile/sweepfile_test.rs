use super::*;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{Direction, Millis, ObjectiveKind};
use crate::model::check_value;
use proptest::prelude::*;

const GOOD: &str = r#"
name = "faces-cnn"
seed = 7
priority = 2

[objective]
kind = "keypoints"
dataset = "faces"
metric = "rmse"
direction = "minimize"

[search]
sampler = { name = "grid", divisions = 3 }
parallel = 4
order = "arrival"
stopper = "none"

[space]
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
blocks        = { type = "int", low = 3, high = 6 }
kernel_size   = { type = "choice", values = [3, 5, 7] }
filters       = { type = "choice", values = [[16, 32], [32, 64]] }
dropout       = { type = "float", low = 0.0, high = 0.6, when = { param = "family", in = ["cnn"] } }
family        = { type = "fixed", value = "cnn" }
"#;

fn mistakes(text: &str) -> String {
    parse_toml("a.toml", text, &check_value).unwrap_err().to_string()
}

#[test]
fn a_good_file_is_read_with_its_defaults() {
    let sweep = parse_toml("a.toml", GOOD, &check_value).unwrap();
    assert_eq!((sweep.name.as_str(), sweep.seed, sweep.priority), ("faces-cnn", 7, 2));
    assert_eq!(sweep.search.sampler, SamplerSpec::Grid { divisions: 3 });
    assert_eq!(sweep.search.trials, None);
    assert_eq!(sweep.objective.validation, 0.2);
    assert_eq!(
        (sweep.objective.kind, sweep.objective.direction),
        (ObjectiveKind::Keypoints, Direction::Minimize)
    );
    assert_eq!(sweep.space.len(), 6);
}

#[test]
fn toml_and_json_are_the_same() {
    let json = r#"{"name": "faces-cnn", "seed": 7, "priority": 2,
        "objective": {"kind": "keypoints", "dataset": "faces"},
        "search": {"sampler": {"name": "grid", "divisions": 3}, "parallel": 4},
        "space": {
            "learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": true},
            "blocks": {"type": "int", "low": 3, "high": 6},
            "kernel_size": {"type": "choice", "values": [3, 5, 7]},
            "filters": {"type": "choice", "values": [[16, 32], [32, 64]]},
            "dropout": {"type": "float", "low": 0.0, "high": 0.6, "when": {"param": "family", "in": ["cnn"]}},
            "family": {"type": "fixed", "value": "cnn"}}}"#;
    assert_eq!(parse_json(json, &check_value).unwrap(), parse_toml("a.toml", GOOD, &check_value).unwrap());
}

#[test]
fn every_mistake_is_named_at_once_with_its_line() {
    let text = r#"
name = "two words"
sead = 3
seed = -1
[objective]
kind = "keypoint"
dataset = 3
validation = 1.5
direction = "down"
[search]
sampler = "annealing"
stopper = "asha"
trials = 0
order = "number"
[space]
blocks = { type = "int", low = 6, high = 3 }
growth = { type = "float", low = 0.0, high = 1.0, log = true }
kernel_size = { type = "choice", values = [3, 3] }
kernal = { type = "fixed", value = 1 }
activation = { type = "choice", values = ["relu", "rellu"] }
dropout = { type = "float", low = "none", high = 0.5, lgo = true }
epochs = { type = "integer", low = 1, high = 2 }
batch_size = { type = "choice", values = [] }
when = 5
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    a.toml:2: name: expected a name of letters, digits and -_. (at most 100), not "two words"
    a.toml:3: sead: is not known; did you mean `seed`?
    a.toml:4: seed: expected a whole number of at least 0, not -1
    a.toml:6: objective.kind: expected "keypoints", "command", "toy" or "external", not "keypoint"
    a.toml:7: objective.dataset: expected the name of a dataset, not 3
    a.toml:8: objective.validation: expected a share between 0 and 1, not 1.5
    a.toml:9: objective.direction: expected "minimize" or "maximize", not "down"
    a.toml:10: search: parallel is missing: with order = "number" it says what each decision may see
    a.toml:11: search.sampler: expected "auto", "random", "sobol", "halton", "tpe", "gp", "cmaes", "nsga2", "evolution", "grid", or a table like { name = "tpe", startup = 20 }, not "annealing"
    a.toml:13: search.trials: expected a whole number of at least 1, not 0
    a.toml:16: space.blocks: low = 6 is above high = 3
    a.toml:17: space.growth: log needs low above 0, not 0
    a.toml:17: space.growth: expected a number from 0.25 to 8, not 0
    a.toml:18: space.kernel_size: 3 stands twice among its values
    a.toml:19: space.kernal: the trainer has no such parameter
    a.toml:20: space.activation: expected one of "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", not "rellu"
    a.toml:21: space.dropout.low: expected a finite number, not "none"
    a.toml:21: space.dropout.lgo: is not known; expected one of type, low, high, log, step, when, default
    a.toml:22: space.epochs.type: expected type = "float", "int", "choice" or "fixed", not "integer"
    a.toml:23: space.batch_size: values is empty
    a.toml:24: space.when: expected a table, not 5
    "#);
}

#[test]
fn conditions_are_checked_when_all_else_is_right() {
    let text = GOOD.replace("param = \"family\"", "param = \"famly\"");
    insta::assert_snapshot!(mistakes(&text), @r##"
    a.toml:23: space.dropout: its condition names famly, which is not a parameter
    "##);
    let text = GOOD.replace("in = [\"cnn\"]", "in = [\"dense\"]");
    insta::assert_snapshot!(mistakes(&text), @r##"
    a.toml:23: space.dropout: its condition names family = dense, which family never is
    "##);
}

#[test]
fn several_objectives_are_read_in_their_order() {
    let metrics = r#"metrics = [{ name = "rmse" }, { name = "images_per_second", direction = "maximize" }]"#;
    let text = GOOD.replace("metric = \"rmse\"", metrics).replace("direction = \"minimize\"\n", "");
    let sweep = parse_toml("a.toml", &text, &check_value).unwrap();
    let targets: Vec<_> = sweep.objective.targets().collect();
    assert_eq!(targets, [("rmse", Direction::Minimize), ("images_per_second", Direction::Maximize)]);
    // What is stored is read again as it was; so is what an earlier version stored.
    let stored = serde_json::to_string(&sweep.objective).unwrap();
    assert_eq!(serde_json::from_str::<crate::domain::Objective>(&stored).unwrap(), sweep.objective);
    let one = parse_toml("a.toml", GOOD, &check_value).unwrap().objective;
    assert!(!serde_json::to_string(&one).unwrap().contains("further"));
    let alone = text.replace(", { name = \"images_per_second\", direction = \"maximize\" }", "");
    assert_eq!(parse_toml("a.toml", &alone, &check_value).unwrap().objective, one);
}

#[test]
fn mistakes_in_objectives_have_their_lines() {
    let file = |objective: &str, search: &str| {
        let space = "[space]\nepochs = { type = \"fixed\", value = 1 }";
        format!(
            "name = \"a\"\n[objective]\nkind = \"toy\"\n{objective}\n[search]\ntrials = 1\n{search}\n{space}"
        )
    };
    let text = file(
        "metric = \"rmse\"\ndirection = \"minimize\"\nmetrics = [\n{ name = \"a\", direction = \"down\" },\n{ name = \"a\" },\n\
         { direction = \"maximize\" },\n\"b\", { name = \"c\", nmae = 1 }]",
        "",
    );
    insta::assert_snapshot!(mistakes(&text), @r#"
    a.toml:6: objective.metrics: cannot go with metric: it names every objective with its direction
    a.toml:6: objective.metrics: cannot go with direction: it names every objective with its direction
    a.toml:6: objective.metrics: has 5 objectives, at most 4 are possible
    a.toml:7: objective.metrics[0].direction: expected "minimize" or "maximize", not "down"
    a.toml:8: objective.metrics[1].name: "a" is an objective already
    a.toml:9: objective.metrics[2].name: is missing: expected the name of a reported metric
    a.toml:10: objective.metrics[3]: expected a table, not "b"
    a.toml:10: objective.metrics[4].nmae: is not known; expected one of name, direction
    "#);
    insta::assert_snapshot!(mistakes(&file("metrics = []", "")), @r#"a.toml:4: objective.metrics: is empty: expected a list such as [{ name = "rmse" }, { name = "parameters", direction = "minimize" }]"#);
    insta::assert_snapshot!(mistakes(&file("metrics = \"rmse\"", "")), @r#"a.toml:4: objective.metrics: expected a list such as [{ name = "rmse" }, { name = "parameters", direction = "minimize" }], not "rmse""#);
    for sampler in ["gp", "cmaes", "evolution"] {
        let two = "metrics = [{ name = \"rmse\" }, { name = \"cost\" }]";
        let said = mistakes(&file(two, &format!("sampler = \"{sampler}\"")));
        assert!(
            said.starts_with(&format!("a.toml:7: search.sampler: \"{sampler}\" knows one objective:")),
            "{said}"
        );
    }
    let keypoints = |objective: &str, search: &str| {
        file(objective, search).replace("\"toy\"", "\"keypoints\"\ndataset = \"d\"")
    };
    insta::assert_snapshot!(mistakes(&keypoints("metric = \"parameters\"", "")), @r#"a.toml:5: objective: "parameters" is the same in every epoch, so no epoch is the best by it: name it after a metric that training improves"#);
    let timed = "metrics = [{ name = \"rmse\" }, { name = \"images_per_second\" }]";
    insta::assert_snapshot!(mistakes(&keypoints(timed, "order = \"number\"\nparallel = 1")), @r#"a.toml:5: objective: "images_per_second" cannot go with order = "number": time differs from run to run"#);
}

fn with_stopper(stopper: &str) -> String {
    GOOD.replace("stopper = \"none\"", &format!("stopper = {stopper}"))
}

#[test]
fn every_stopper_is_read_with_its_defaults() {
    let shown = |stopper: &str| {
        let sweep = parse_toml("a.toml", &with_stopper(stopper), &check_value).unwrap();
        sweep.search.stopper.map_or_else(|| "none".to_owned(), |stopper| stopper.to_string())
    };
    let all = [
        r#""none""#,
        r#"{ name = "none" }"#,
        r#""asha""#,
        r#"{ name = "asha", min_steps = 2, factor = 4, mode = "stop" }"#,
        r#""halving""#,
        r#"{ name = "hyperband", max_steps = 81 }"#,
        r#""median""#,
        r#"{ name = "percentile", percentile = 10, startup_trials = 0, warmup_steps = 3, interval_steps = 2, min_trials = 4 }"#,
        r#""extrapolation""#,
        r#"{ name = "extrapolation", startup_trials = 8, warmup_steps = 0, chance = 0.1 }"#,
        r#"{ name = "threshold", upper = 9 }"#,
        r#"{ name = "threshold", lower = 0.5, upper = 0.9, after_steps = 3 }"#,
        r#""patience""#,
        r#"{ name = "patience", patience = 3, min_delta = 0.01 }"#,
    ];
    insta::assert_snapshot!(all.map(shown).join("\n"), @r##"
    none
    none
    asha, first rung 1, factor 3, mode promote
    asha, first rung 2, factor 4, mode stop
    halving, first rung 1, factor 3
    hyperband, first rungs 1 to 81, factor 3, mode promote
    median of completed trials, startup 5 trials, warmup 0 steps, interval 1, at least 1 to compare with
    percentile, the best 10 % of completed trials, startup 0 trials, warmup 3 steps, interval 2, at least 4 to compare with
    extrapolation, a chance of less than 2 % of becoming the best, startup 10 trials, warmup 1 steps
    extrapolation, a chance of less than 10 % of becoming the best, startup 8 trials, warmup 0 steps
    threshold, at most 9, after 0 steps
    threshold, at least 0.5, at most 0.9, after 3 steps
    patience, 10 steps without being better by more than 0
    patience, 3 steps without being better by more than 0.01
    "##);
}

#[test]
fn mistakes_of_a_stopper_are_named() {
    let all = [
        r#""ashes""#,
        r#"3"#,
        r#"{ min_steps = 3 }"#,
        r#"{ name = "ashes" }"#,
        r#"{ name = "asha", min_steps = 0, factor = 1, mode = "pause", max_steps = 9 }"#,
        r#"{ name = "halving", mode = "stop" }"#,
        r#""hyperband""#,
        r#"{ name = "hyperband", min_steps = 9, max_steps = 3 }"#,
        r#"{ name = "median", startup_trials = -1, warmup_steps = 0.5, interval_steps = 0, min_trials = 0, percentile = 3 }"#,
        r#"{ name = "percentile", percentile = 101 }"#,
        r#"{ name = "extrapolation", startup_trials = 0, chance = 2 }"#,
        r#""threshold""#,
        r#"{ name = "threshold", lower = 3, upper = 2, after_steps = "none" }"#,
        r#"{ name = "patience", patience = 0, min_delta = -1 }"#,
        r#""population""#,
        r#"{ name = "population", members = 1, interval = 0, quantile = 0.7, perturb = "x" }"#,
        r#"{ name = "population", members = 3, interval = 2, quantile = 0.1 }"#,
    ];
    insta::assert_snapshot!(all.map(|stopper| mistakes(&with_stopper(stopper))).join("\n"), @r##"
    a.toml:16: search.stopper: expected "none", "asha", "halving", "hyperband", "median", "percentile", "extrapolation", "threshold", "patience", "population", or a table like { name = "asha", min_steps = 1, factor = 3 }, not "ashes"
    a.toml:16: search.stopper: expected "none", "asha", "halving", "hyperband", "median", "percentile", "extrapolation", "threshold", "patience", "population", or a table like { name = "asha", min_steps = 1, factor = 3 }, not 3
    a.toml:16: search.stopper.name: is missing: expected "none", "asha", "halving", "hyperband", "median", "percentile", "extrapolation", "threshold", "patience", "population", or a table like { name = "asha", min_steps = 1, factor = 3 }
    a.toml:16: search.stopper.name: expected "none", "asha", "halving", "hyperband", "median", "percentile", "extrapolation", "threshold", "patience", "population", not "ashes"
    a.toml:16: search.stopper.min_steps: expected a whole number of at least 1, not 0
    a.toml:16: search.stopper.factor: expected a whole number of at least 2, not 1
    a.toml:16: search.stopper.mode: expected "promote" or "stop", not "pause"
    a.toml:16: search.stopper.max_steps: is not known; did you mean `min_steps`?
    a.toml:16: search.stopper.mode: is not known; expected one of name, min_steps, factor
    a.toml:16: search.stopper.max_steps: is missing: expected the most steps of a trial, which say how many brackets there are
    a.toml:16: search.stopper: max_steps = 3 is below min_steps = 9
    a.toml:16: search.stopper.startup_trials: expected a whole number of at least 0, not -1
    a.toml:16: search.stopper.warmup_steps: expected a whole number of at least 0, not 0.5
    a.toml:16: search.stopper.interval_steps: expected a whole number of at least 1, not 0
    a.toml:16: search.stopper.min_trials: expected a whole number of at least 1, not 0
    a.toml:16: search.stopper.percentile: is not known; expected one of name, startup_trials, warmup_steps, interval_steps, min_trials
    a.toml:16: search.stopper.percentile: expected a number from 0 to 100, not 101
    a.toml:16: search.stopper.startup_trials: expected a whole number of at least 1, not 0
    a.toml:16: search.stopper.chance: expected a number from 0 to 1, not 2
    a.toml:16: search.stopper: lower or upper is missing: expected the range that a value may be in
    a.toml:16: search.stopper.after_steps: expected a whole number of at least 0, not "none"
    a.toml:16: search.stopper: lower = 3 is above upper = 2
    a.toml:16: search.stopper.patience: expected a whole number of steps, at least 1, not 0
    a.toml:16: search.stopper.min_delta: expected a number of at least 0, not -1
    a.toml:16: search.stopper.members: is missing: expected how many trials are trained side by side
    a.toml:16: search.stopper.interval: is missing: expected the steps after which they are compared
    a.toml:16: search.stopper.members: expected a whole number of at least 2, not 1
    a.toml:16: search.stopper.interval: expected a whole number of at least 1, not 0
    a.toml:16: search.stopper.quantile: expected a number above 0, at most 0.5, not 0.7
    a.toml:16: search.stopper.perturb: expected a list of parameters, not "x"
    a.toml:16: search.stopper: quantile = 0.1 of 3 members is less than a half: nobody would ever be replaced
    "##);
}

#[test]
fn a_deadline_is_a_point_in_time_with_its_offset() {
    let with = |deadline: &str| GOOD.replace("parallel = 4", &format!("parallel = 4\ndeadline = {deadline}"));
    let read = |deadline: &str| parse_toml("a.toml", &with(deadline), &check_value).unwrap().search.deadline;
    let eight = read("2026-12-01T08:00:00Z");
    assert_eq!(eight.and_then(Millis::to_text).as_deref(), Some("2026-12-01T08:00:00Z"));
    assert_eq!(read("2026-12-01 09:00:00+01:00"), eight);
    assert_eq!(read("\"2026-12-01T08:00:00Z\""), eight, "as JSON has it");
    let stored =
        serde_json::to_string(&parse_toml("a.toml", &with("2026-12-01T08:00:00Z"), &check_value).unwrap());
    let stored = stored.unwrap();
    assert!(stored.contains(r#""deadline":"2026-12-01T08:00:00Z""#), "{stored}");
    assert_eq!(serde_json::from_str::<crate::domain::Sweep>(&stored).unwrap().search.deadline, eight);
    insta::assert_snapshot!(mistakes(&with("2026-12-01T08:00:00")), @"a.toml:15: search.deadline: expected a point in time with its offset, such as 2026-12-01T08:00:00Z, not the date 2026-12-01T08:00:00");
    insta::assert_snapshot!(mistakes(&with("\"tomorrow\"")), @r#"a.toml:15: search.deadline: expected a point in time with its offset, such as 2026-12-01T08:00:00Z, not "tomorrow""#);
    let ordered = with("2026-12-01T08:00:00Z").replace("\"arrival\"", "\"number\"");
    insta::assert_snapshot!(mistakes(&ordered), @r#"a.toml:12: search: deadline cannot go with order = "number": time differs from run to run"#);
}

const COMMAND: &str = r#"
name = "command"
[objective]
kind = "command"
command = [
    "python3", "train.py", "--lr={learning_rate}",
    "{{}}", "{trial}{checkpoint_dir}{params_file}",
]
timeout_s = 60
workdir = "runs"
metric = "loss"
[search]
trials = 1
[space]
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
"#;

#[test]
fn folds_race_where_nothing_is_said_and_go_with_no_stopper() {
    let with = |objective: &str, search: &str| {
        let text = GOOD.replace("dataset = \"faces\"", &format!("dataset = \"faces\"\n{objective}"));
        text.replace("parallel = 4", &format!("parallel = 4\n{search}"))
    };
    let read = |objective: &str, search: &str| {
        let sweep = parse_toml("a.toml", &with(objective, search), &check_value).unwrap();
        (sweep.objective.folds, sweep.search.race)
    };
    assert_eq!(read("", ""), (None, None));
    assert_eq!(read("folds = 5", ""), (Some(5), Some(0.95)));
    assert_eq!(read("folds = 2", "race = 0.8"), (Some(2), Some(0.8)));
    assert_eq!(read("folds = 20", "race = false"), (Some(20), None));
    let text = with("folds = 1\nvalidation = 0.3", "race = 2").replace("\"none\"", "\"median\"");
    insta::assert_snapshot!(mistakes(&text), @r"
    a.toml:9: objective.folds: expected a whole number from 2 to 20, not 1
    a.toml:10: objective.validation: cannot go with folds, each of which validates in its turn: leave one of the two out
    a.toml:17: search.race: expected a confidence from 0.5 to below 1, or false, not 2
    ");
    let text = with("folds = 3", "race = true").replace("\"none\"", "\"asha\"");
    insta::assert_snapshot!(mistakes(&text), @r"
    a.toml:16: search.race: expected a confidence from 0.5 to below 1, or false, not true
    a.toml:18: search.stopper: cannot go with objective.folds, whose trials are stopped between folds: leave it out (see search.race)
    ");
    insta::assert_snapshot!(mistakes(&with("", "race = 0.9")), @"a.toml:16: search.race: is for trials with folds: set objective.folds, or leave it out");
    let several = with("folds = 3", "race = 0.9")
        .replace("metric = \"rmse\"", "metrics = [{ name = \"rmse\" }, { name = \"seconds\" }]");
    insta::assert_snapshot!(mistakes(&several.replace("direction = \"minimize\"\n", "")), @"a.toml:15: search.race: knows one objective: with several, leave it out");
}

#[test]
fn a_command_is_read() {
    let objective = parse_toml("a.toml", COMMAND, &check_value).unwrap().objective;
    assert_eq!(objective.kind, ObjectiveKind::Command);
    assert_eq!(objective.command.unwrap()[2..4], ["--lr={learning_rate}", "{{}}"]);
    assert_eq!((objective.timeout_s, objective.workdir), (Some(60), Some("runs".into())));
}

#[test]
fn mistakes_of_a_command_are_named() {
    let text = COMMAND
        .replace("{learning_rate}", "{learning_rat}")
        .replace("{{}}", "{}")
        .replace("timeout_s = 60", "timeout_s = 0.5")
        .replace("\"runs\"\nmetric = \"loss\"", "3");
    insta::assert_snapshot!(mistakes(&text), @r##"
    a.toml:3: objective: metric is missing: expected the name of a metric that the command prints
    a.toml:6: objective.command[2]: {learning_rat} is not a parameter of the space; did you mean {learning_rate}?
    a.toml:7: objective.command[3]: "{}" is no {name}: for a brace itself write {{ or }}
    a.toml:9: objective.timeout_s: expected a whole number of seconds, at least 1, not 0.5
    a.toml:10: objective.workdir: expected a folder, not 3
    "##);
    let text = COMMAND.replace("learning_rate", "trial").replace("\"python3\"", "3");
    insta::assert_snapshot!(mistakes(&text), @r##"
    a.toml:6: objective.command[0]: expected the name of a program, not 3
    a.toml:6: objective.command[2]: {trial} is both a parameter and a name of sweepd's: rename the parameter
    a.toml:7: objective.command[4]: {trial} is both a parameter and a name of sweepd's: rename the parameter
    "##);
    insta::assert_snapshot!(mistakes(&COMMAND.replace("\"command\"\ncommand", "\"toy\"\ncommand")), @r##"
    a.toml:5: objective.command: is only for kind = "command"
    a.toml:9: objective.timeout_s: is only for kind = "command"
    a.toml:10: objective.workdir: is only for kind = "command"
    "##);
    insta::assert_snapshot!(mistakes(&COMMAND.replace("\ncommand =", "\ncomand =")), @r##"
    a.toml:3: objective.command: is missing: expected a list of words, the program first: ["python3", "train.py", "--lr", "{lr}"]
    a.toml:5: objective.comand: is not known; did you mean `command`?
    "##);
    let (start, end) = (COMMAND.find("[\n    \"python3").unwrap(), COMMAND.find("]\ntimeout_s").unwrap());
    let text = format!("{}\"python3 train.py\"{}", &COMMAND[..start], &COMMAND[end + 1..]);
    insta::assert_snapshot!(mistakes(&text), @r##"
    a.toml:5: objective.command: expected a list of words, the program first: ["python3", "train.py", "--lr", "{lr}"], not "python3 train.py"
    "##);
}

#[test]
fn what_is_missing_is_named() {
    insta::assert_snapshot!(mistakes(""), @r##"
    a.toml:1: objective: is missing: expected a table [objective]
    a.toml:1: search: is missing: expected a table [search]
    a.toml:1: space: is missing: expected a table [space] of parameters
    a.toml: name: is missing: expected a name of letters, digits and -_. (at most 100)
    "##);
    insta::assert_snapshot!(mistakes("name = \"x\"\n[objective]\n[search]\n[space]\n"), @"
    a.toml:2: objective: dataset is missing: expected the name of a dataset (`sweepd data ls` lists them)
    a.toml:3: search: trials is missing: only a grid ends by itself, and a population
    a.toml:4: space: is empty: expected at least one parameter
    ");
}

#[test]
fn bad_syntax_is_named_with_its_line() {
    insta::assert_snapshot!(mistakes("name = \"x\"\nseed = = 3\n[search\ntrials = 1\n"), @r##"
    a.toml:2: extra `=`, expected nothing
    a.toml:2: unexpected key or value, expected newline, `#`
    a.toml:3: unclosed table, expected `]`
    "##);
    insta::assert_snapshot!(parse_json("{\"name\": ", &check_value).unwrap_err().to_string(), @r##"
    EOF while parsing a value at line 1 column 9
    "##);
}

#[test]
fn hostile_sizes_are_refused_quietly() {
    assert!(mistakes(&"#".repeat(MOST_BYTES + 1)).contains("larger than"));
    let deep = format!("name = \"x\"\n[space]\nx = {}1{}\n", "[".repeat(5000), "]".repeat(5000));
    assert!(!mistakes(&deep).is_empty());
    let deep = format!("{{\"space\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(parse_json(&deep, &check_value).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}") {
        let _ = parse_toml("a.toml", &text, &check_value);
        let _ = parse_json(&text, &check_value);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(at in 0..700usize, byte in any::<u8>()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = parse_toml("a.toml", &String::from_utf8_lossy(&bytes), &check_value);
    }
}

#[test]
fn mistakes_in_constraints_have_their_line() {
    let text = "name = \"x\"\n[objective]\nkind = \"toy\"\n[search]\ntrials = 3\nconstraints = [\n  \"x < 3\",\n  \"y > 1\",\n]\n\
                [space]\nx = { type = \"int\", low = 1, high = 9 }\n";
    let said = mistakes(text);
    assert!(said.starts_with("a.toml:8: search.constraints[1]:"), "{said}");
    assert_eq!(said.matches("search.constraints").count(), 1, "{said}");
}

#[test]
fn defaults_and_earlier_sweeps_are_read() {
    let text = GOOD.replace("high = 0.6,", "high = 0.6, default = 0.25,");
    let text =
        text.replace("{ name = \"grid\", divisions = 3 }", "\"tpe\"\nwarm_start = [\"early\", \"ab12\"]");
    let text = text.replace("parallel = 4", "parallel = 4\ntrials = 9");
    let sweep = parse_toml("a.toml", &text, &check_value).unwrap();
    assert_eq!(sweep.space["dropout"].default, Some(Value::Float(0.25)));
    assert_eq!(sweep.space["blocks"].default, None);
    assert_eq!(sweep.search.warm_start, ["early", "ab12"]);
}

#[test]
fn mistakes_in_defaults_and_earlier_sweeps_have_their_line() {
    let text = GOOD.replace("high = 0.6,", "high = 0.6, default = 0.75,");
    insta::assert_snapshot!(mistakes(&text), @"a.toml:23: space.dropout: its default 0.75 is outside its range");
    let text = GOOD.replace("parallel = 4", "warm_start = [\"early\"]");
    insta::assert_snapshot!(mistakes(&text), @r#"a.toml:12: search: warm_start cannot go with sampler = "grid", which learns from no results"#);
    let text =
        GOOD.replace("{ name = \"grid\", divisions = 3 }", "\"tpe\"\nwarm_start = \"early\"\ntrials = 9");
    insta::assert_snapshot!(mistakes(&text), @r#"a.toml:14: search.warm_start: expected a list of earlier sweeps, by name or id, not "early""#);
    let text = GOOD.replace(
        "metric = \"rmse\"\ndirection = \"minimize\"",
        "metrics = [{ name = \"rmse\" }, { name = \"parameters\" }]",
    );
    let text =
        text.replace("{ name = \"grid\", divisions = 3 }", "\"tpe\"\nwarm_start = [\"early\"]\ntrials = 9");
    insta::assert_snapshot!(mistakes(&text), @"a.toml:13: search.warm_start: earlier results are taken over for one objective: with several, leave it out");
}
