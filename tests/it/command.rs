//! Programs as trials, through the real binaries.

use crate::support::Home;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use sweepd::worker::process::started_at;

/// A sweep whose trials are these shell scripts, in their order, each told what it wants of its own folder.
fn scripts(name: &str, scripts: &[&str], more: &str) -> String {
    format!(
        r#"
name = "{name}"
[objective]
kind = "command"
command = ["sh", "-c", "{{script}}", "{{checkpoint_dir}}", "{{params_file}}", "{{trial}}"]
metric = "loss"
{more}
[search]
sampler = "grid"
[space]
script = {{ type = "choice", values = {} }}
"#,
        serde_json::to_string(scripts).unwrap()
    )
}

fn trials(home: &Home, sweep: &str) -> Vec<Value> {
    let mut trials = home.json(&["trials", sweep]).as_array().unwrap().clone();
    trials.sort_by_key(|trial| trial["number"].as_u64());
    trials
}

/// Each trial's state, the word for its reason, and the reason's message.
fn ends(home: &Home, sweep: &str) -> Vec<(String, String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let end = |t: &Value| (word(&t["state"]), word(&t["ended"]["kind"]), word(&t["ended"]["message"]));
    trials(home, sweep).iter().map(end).collect()
}

fn trial_folder(home: &Home, sweep: &str, number: u64) -> PathBuf {
    home.path().join("trials").join(sweep).join(number.to_string())
}

/// A process id that a script has written into its folder, once it is there.
fn pid_in(home: &Home, sweep: &str, name: &str) -> i32 {
    let file = trial_folder(home, sweep, 0).join("checkpoint").join(name);
    let mut pid = None;
    home.until(&format!("{name} is noted"), || {
        pid = fs::read_to_string(&file).ok().and_then(|text| text.strip_suffix('\n')?.parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

#[test]
fn the_example_runs_and_its_best_trials_are_ranked() {
    let mut home = Home::new();
    home.serve(2);
    // Tests run in the repository's folder, and so does the command.
    let id = home.ok(&["submit", "experiments/command.toml"]).trim().to_owned();
    home.until_over(&id);
    let ranked = home.json(&["best", &id, "-n", "12"])["ranked"].as_array().unwrap().clone();
    let values: Vec<f64> = ranked.iter().map(|r| r["trial"]["value"].as_f64().unwrap()).collect();
    assert_eq!(values.len(), 12, "{:?}", ends(&home, &id));
    assert!(values.is_sorted() && values[0] < 0.05 && values[11] > values[0], "{values:?}");
    let best = home.json(&["trial", &ranked[0]["trial"]["trial_id"].to_string()]);
    assert_eq!(best["steps"].as_array().map(Vec::len), Some(20), "{best}");
    assert!(trial_folder(&home, &id, 0).join("checkpoint/state.json").is_file());
}

#[test]
fn programs_that_fail_end_their_trial_with_what_they_said() {
    let mut home = Home::new();
    home.serve(2);
    let failing = [
        "for n in 1 2 3 4 5 6; do echo error $n >&2; done; exit 3",
        "echo '{\"loss\": 1}'; kill -9 $$",
        "sleep 300",
        "echo '{\"lr\": 1}'",
        "echo '{\"loss\": 2}'; sleep 300 >/dev/null 2>&1 &",
    ];
    let id = home.submit(&scripts("failing", &failing, "timeout_s = 2"));
    let missing = scripts("missing", &["true"], "").replace("\"sh\"", "\"no-such-program\"");
    let missing = home.submit(&missing);
    let elsewhere = home.submit(&scripts("elsewhere", &["true"], "workdir = \"no/such/folder\""));
    for sweep in [&id, &missing, &elsewhere] {
        home.until_over(sweep);
    }
    let ended = ends(&home, &id);
    let end = |n: usize| (ended[n].0.as_str(), ended[n].1.as_str(), ended[n].2.as_str());
    let said = "the command ended with exit code 3: error 2 | error 3 | error 4 | error 5 | error 6";
    assert_eq!(end(0), ("failed", "error", said));
    assert_eq!(end(1), ("failed", "error", "the command ended with signal 9 (SIGKILL)"));
    assert_eq!(end(2), ("failed", "error", "it took longer than 2 s"));
    assert_eq!((end(3).0, end(3).1), ("failed", "no_value"));
    assert_eq!(end(4).0, "completed", "what it left behind does not keep it: {:?}", end(4));
    let (state, kind, message) = ends(&home, &missing).remove(0);
    assert_eq!((state.as_str(), kind.as_str()), ("failed", "bad_configuration"));
    assert!(message.contains("no-such-program") && message.contains("PATH"), "{message}");
    let (state, kind, message) = ends(&home, &elsewhere).remove(0);
    assert_eq!((state.as_str(), kind.as_str()), ("failed", "bad_configuration"));
    assert!(message.contains("no/such/folder"), "{message}");
}

#[test]
fn an_heir_finds_what_its_parent_left_and_its_own_steps_begin_after_that() {
    // What a trial is worth is the sum of its and its forebears' rates: each step is a line of the checkpoint.
    let script = r#"cd "$0"; touch steps; n=$(wc -l < steps); end=7
        if [ "${SWEEPD_UNTIL_STEP:-7}" -lt 7 ]; then end=$SWEEPD_UNTIL_STEP; fi
        while [ $n -lt $end ]; do n=$((n + 1)); echo "$1" >> steps
        printf '{"step": %d, "loss": %s}\n' $n "-$(awk '{ s += $1 } END { print s }' steps)"; done"#;
    let sweep = format!(
        r#"
name = "bred"
[objective]
kind = "command"
command = ["sh", "-c", {}, "{{checkpoint_dir}}", "{{rate}}"]
metric = "loss"
[search]
sampler = "random"
stopper = {{ name = "population", members = 4, interval = 2, quantile = 0.25, perturb = ["rate"] }}
order = "number"
parallel = 1
[space]
rate = {{ type = "float", low = 1.0, high = 9.0 }}
"#,
        serde_json::to_string(&script.replace('{', "{{").replace('}', "}}")).unwrap()
    );
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&sweep);
    home.until_over(&id);
    let all = trials(&home, &id);
    let rate = |number: u64| all[number as usize]["params"]["rate"].as_f64().unwrap();
    let heirs: Vec<&Value> = all.iter().filter(|trial| trial["parent"].is_u64()).collect();
    assert_eq!(heirs.len(), 3, "{all:#?}");
    // The first generation's best is the parent of the first heir.
    let heir = heirs[0];
    let parent = heir["parent"].as_u64().unwrap();
    assert_eq!(heir["parent_step"], 2);
    assert!((0..4).all(|number| rate(number) <= rate(parent)), "{all:#?}");
    let detail = home.json(&["trial", &heir["trial_id"].to_string()]);
    let first = &detail["steps"][0];
    assert_eq!(first["step"], 3, "{detail:#}");
    let expected = -(2.0 * rate(parent) + heir["params"]["rate"].as_f64().unwrap());
    assert!((first["metrics"]["loss"].as_f64().unwrap() - expected).abs() < 1e-3, "{detail:#}");
    let shown = home.ok(&["trial", &heir["trial_id"].to_string()]);
    assert!(shown.contains(&format!("goes on from trial {parent} at step 2: rate")), "{shown}");
    home.ok(&["replay", &id]);
}

#[test]
fn garbage_and_lines_without_end_do_no_harm() {
    let mut home = Home::new();
    home.serve(1);
    let script = r#"
head -c 3000000 /dev/zero | tr '\0' x; echo
head -c 3000000 /dev/zero | tr '\0' x >&2
echo '{"loss": 9'; echo '[1, 2]'; printf '\377\376{}\n'; echo 'loss: 7'
echo '{"note": "only words"}'
echo '{"loss": NaN, "seconds": 1}'
echo '{"step": 5, "lr": 0.5}'; echo '{"step": 5, "loss": 0.25}'
echo '{"step": 4, "loss": 0.01}'
printf '{"loss": 0.125}'"#;
    let id = home.submit(&scripts("garbage", &[script], ""));
    home.until_over(&id);
    let detail = home.json(&["trial", &format!("{id}/0")]);
    assert_eq!(
        (&detail["trial"]["state"], detail["trial"]["value"].as_f64()),
        (&"completed".into(), Some(0.125)),
        "{detail}"
    );
    let steps: Vec<u64> =
        detail["steps"].as_array().unwrap().iter().map(|s| s["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [1, 5, 6]);
    let log = home.ok(&["logs", &format!("{id}/0")]);
    assert!(log.contains("loss: 7") && log.contains("step 4 is passed over"), "{log}");
    assert!(log.len() < 100_000, "the log has {} bytes", log.len());
}

const STUBBORN: &str = r#"
trap '' TERM
sleep 300 & echo $! > "$0/grandchild"
echo $$ > "$0/program"
while :; do sleep 1; done"#;

#[test]
fn nothing_is_left_of_a_cancelled_program_that_does_not_listen() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&scripts("stubborn", &[STUBBORN], ""));
    let (grandchild, program) = (pid_in(&home, &id, "grandchild"), pid_in(&home, &id, "program"));
    assert!(started_at(program).is_some() && started_at(grandchild).is_some());
    home.ok(&["cancel", &id]);
    home.until("the trial is over", || ends(&home, &id)[0].0 == "cancelled");
    assert_eq!((started_at(program), started_at(grandchild)), (None, None));
}

#[test]
fn a_program_dies_with_its_worker_and_is_started_again() {
    let mut home = Home::new();
    home.serve(1);
    let script = r#"
[ -e "$0/program" ] && echo '{"loss": 1}' && exit
echo $PPID > "$0/worker"; echo $$ > "$0/program"; sleep 300"#;
    let id = home.submit(&scripts("orphan", &[script], ""));
    let (worker, program) = (pid_in(&home, &id, "worker"), pid_in(&home, &id, "program"));
    assert!(started_at(program).is_some());
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    home.until("the program is dead", || started_at(program).is_none());
    home.until_over(&id);
    assert_eq!(ends(&home, &id)[0].0, "completed");
}

/// Counts to nine; its checkpoint is how far it came. It does not look at `SWEEPD_UNTIL_STEP`.
const COUNTING: &str = r#"
done=$(cat "$0/done" 2>/dev/null || echo 0)
echo "starting after $done with $SWEEPD_TRIAL $SWEEPD_THREADS"
for step in 1 2 3 4 5 6 7 8 9; do
    [ $step -le $done ] || { sleep 0.2; echo $step > "$0/done"; }
    echo "{\"step\": $step, \"loss\": $SWEEPD_TRIAL.$step}"
done"#;

#[test]
fn a_program_handed_back_goes_on_from_its_checkpoint() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&scripts("counting", &[COUNTING], ""));
    let done = trial_folder(&home, &id, 0).join("checkpoint/done");
    home.until("two steps are done", || fs::read_to_string(&done).is_ok_and(|n| n.trim() >= "2"));
    home.ok(&["stop", "--drain"]);
    assert_eq!(ends(&home, &id)[0].0, "queued");
    home.serve(1);
    home.until_over(&id);
    let detail = home.json(&["trial", &format!("{id}/0")]);
    assert_eq!(
        (&detail["trial"]["state"], detail["trial"]["value"].as_f64()),
        (&"completed".into(), Some(0.1)),
        "{detail}"
    );
    assert_eq!(detail["steps"].as_array().map(Vec::len), Some(9));
    let log = home.ok(&["logs", &format!("{id}/0")]);
    // As a line of output, not in the script that the log also shows.
    assert!(log.contains("}: starting after 0 with 0 ") && !log.contains("}: starting after 9"), "{log}");
    assert_eq!(log.matches("}: starting after").count(), 2, "{log}");
}

#[test]
fn a_stopper_pauses_programs_at_its_rungs_and_lets_the_best_go_on() {
    let mut home = Home::new();
    home.serve(2);
    let two = format!("{COUNTING}\n# another");
    let three = format!("{COUNTING}\n# a third");
    let sweep = scripts("rungs", &[COUNTING, &two, &three], "");
    let asha = "[search]\nstopper = { name = \"asha\", min_steps = 2, factor = 3 }";
    let id = home.submit(&sweep.replace("[search]", asha));
    home.until_over(&id);
    let steps: Vec<(String, u64)> = trials(&home, &id)
        .iter()
        .map(|t| (t["state"].as_str().unwrap().to_owned(), t["steps"].as_u64().unwrap()))
        .collect();
    assert_eq!(steps[0], ("completed".to_owned(), 9));
    assert_eq!(steps[1..], [("stopped".to_owned(), 2), ("stopped".to_owned(), 2)]);
}

#[test]
fn a_sweep_without_a_folder_to_run_in_is_refused() {
    let mut home = Home::new();
    home.serve(1);
    let daemon: Value = serde_json::from_slice(&fs::read(home.path().join("daemon.json")).unwrap()).unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let submit = |query: &str| {
        let mut answer = agent
            .post(format!("{}/api/v1/sweeps{query}", daemon["url"].as_str().unwrap()))
            .header("authorization", format!("Bearer {}", daemon["token"].as_str().unwrap()))
            .header("content-type", "application/toml")
            .send(scripts("placeless", &["true"], ""))
            .unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    for query in ["", "?folder=relative"] {
        let (status, body) = submit(query);
        assert!(status == 422 && body.contains("objective.workdir"), "{status} {body}");
    }
    assert_eq!(submit("?folder=/tmp").0, 201);
}
