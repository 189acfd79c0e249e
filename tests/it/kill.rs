//! `kill -9` of the daemon, of a worker, or of everything, at random moments: the sweep comes out the same.

use crate::dice::{Dice, rounds};
use crate::support::Home;
use crate::table;
use nix::sys::signal::Signal;
use sweepd::worker::process::{SeenWorker, signal_group, workers_of};

/// A sweep whose every decision looks at earlier ends: some trials go on from rung to rung.
pub const TOYS: &str = r#"
name = "killed"
seed = 11
[objective]
kind = "toy"
[search]
sampler = "random"
stopper = { name = "asha", min_steps = 2, factor = 2 }
order = "number"
parallel = 2
trials = 12
[space]
x = { type = "float", low = 0.0, high = 1.0 }
units = { type = "int", low = 1, high = 4 }
word = { type = "choice", values = ["a", "bb", "ccc"] }
epochs = { type = "int", low = 1, high = 12 }
epoch_ms = { type = "fixed", value = 20 }
checkpoint_every = { type = "fixed", value = 2 }
"#;

/// A leg whose worker dies under a living daemon more often than this is given up, as it should be: the worst
/// that chance can do to one leg must stay below.
const WORKERS_ALONE: u64 = 3;
const KILLS_A_SWEEP: u64 = 16;

/// A sweep to be disturbed.
pub struct Victim<'a> {
    pub sweep: &'a str,
    pub flags: &'a [&'a str],
    /// What the home needs before, and what to wait at most between two kills.
    pub prepare: &'a dyn Fn(&Home),
    pub pause_ms: u64,
}

impl Victim<'_> {
    /// The table of a run that nothing disturbs.
    pub fn undisturbed(&self, slots: usize) -> String {
        let mut home = Home::new();
        (self.prepare)(&home);
        home.serve_with(slots, self.flags, &[]);
        let id = home.submit(self.sweep);
        home.until_over(&id);
        table::of(&home, &id)
    }

    /// Kills until the sweep is over or enough has been killed; answers how often.
    fn disturbed(&self, slots: usize, dice: &mut Dice, most: u64, expected: &str) -> u64 {
        let mut home = Home::new();
        (self.prepare)(&home);
        home.serve_with(slots, self.flags, &[]);
        let id = home.submit(self.sweep);
        let (mut kills, mut alone) = (0, 0);
        let mut told = Vec::new();
        while kills < most.min(KILLS_A_SWEEP) && !is_over(&home) {
            dice.wait_up_to_ms(self.pause_ms);
            let workers = workers_of(home.path());
            match dice.below(3) {
                0 if alone < WORKERS_ALONE && !workers.is_empty() => {
                    kill(&workers[dice.below(workers.len() as u64) as usize]);
                    alone += 1;
                    told.push("worker");
                }
                kind => {
                    home.signal_daemon(Signal::SIGKILL);
                    // The daemon first: it must not see them die.
                    if kind == 1 {
                        workers_of(home.path()).iter().for_each(kill);
                    }
                    told.push(if kind == 1 { "all" } else { "daemon" });
                    if dice.one_in(3) {
                        home.start(slots, self.flags, &[]);
                        dice.wait_up_to_ms(100);
                        home.signal_daemon(Signal::SIGKILL);
                        told.push("starting daemon");
                        kills += 1;
                    }
                    home.serve_with(slots, self.flags, &[]);
                }
            }
            kills += 1;
        }
        home.until_over(&id);
        table::assert_same(expected, &table::of(&home, &id), &format!("{slots} slots, killed: {told:?}"));
        agrees_with_replay(&home, &id);
        home.is_sound();
        home.ok(&["stop", "--drain"]);
        assert_eq!(workers_of(home.path()), [], "no process is left");
        kills
    }

    /// Disturbs sweep after sweep until so many kills have been made.
    pub fn survives(&self, total: u64) {
        let expected = self.undisturbed(2);
        table::assert_same(&expected, &self.undisturbed(1), "undisturbed, with one slot and with two");
        let (mut dice, mut kills, mut sweeps) = (Dice::new(), 0, 0);
        while kills < total {
            sweeps += 1;
            kills += self.disturbed(1 + sweeps % 2, &mut dice, total - kills, &expected);
        }
        eprintln!("{kills} kills in {sweeps} sweeps");
    }
}

/// A sweep whose trials only pretend to train.
fn toys(sweep: &str) -> Victim<'_> {
    Victim { sweep, flags: &["--no-trainer"], prepare: &|_| {}, pause_ms: 300 }
}

/// The toy sweep with another stopper.
pub fn stopped_by(stopper: &str) -> String {
    TOYS.replace("{ name = \"asha\", min_steps = 2, factor = 2 }", stopper)
}

fn kill(worker: &SeenWorker) {
    signal_group(worker.pid, worker.started, Signal::SIGKILL);
}

fn is_over(home: &Home) -> bool {
    home.rows("select state from sweep") == ["completed"]
}

/// Where this version can derive a sweep's decisions again, it must come to the same.
fn agrees_with_replay(home: &Home, sweep: &str) {
    let known = String::from_utf8(home.sweepd(&["help"]).stdout).unwrap();
    if known.lines().any(|line| line.trim_start().starts_with("replay ")) {
        home.ok(&["replay", sweep]);
    }
}

#[test]
fn a_sweep_comes_out_the_same_whatever_is_killed() {
    let victim = toys(TOYS);
    victim.survives(rounds("kills of toy sweeps", 10, 1.0));
}

/// Trials that are told to end as they report, also while nobody hears it.
#[test]
fn a_sweep_that_judges_running_trials_comes_out_the_same_whatever_is_killed() {
    let median = "{ name = \"median\", startup_trials = 2 }";
    let sweep = stopped_by(median);
    let victim = toys(&sweep);
    let undisturbed = victim.undisturbed(1);
    assert!(undisturbed.contains("worse_than_others"), "{undisturbed}");
    victim.survives(rounds("kills of judged toy sweeps", 5, 0.5));
}

/// Every sampler and every stopper that no other test here has, in pairs; and what of the stopper the table must tell.
const PAIRS: [(&str, &str, &str); 8] = [
    ("\"auto\"", "\"halving\"", "promoted"),
    ("{ name = \"tpe\", startup = 4 }", "{ name = \"hyperband\", max_steps = 9 }", "promoted"),
    ("{ name = \"gp\", startup = 4 }", "{ name = \"asha\", mode = \"stop\", factor = 2 }", "below_rung"),
    (
        "{ name = \"cmaes\", population = 4 }",
        "{ name = \"percentile\", startup_trials = 2 }",
        "worse_than_others",
    ),
    ("{ name = \"evolution\", population = 4, tournament = 2 }", EXTRAPOLATION, "unlikely_to_win"),
    ("\"sobol\"", "{ name = \"patience\", patience = 1, min_delta = 0.5 }", "stalled"),
    ("\"halton\"", "{ name = \"threshold\", upper = 1.0 }", "out_of_bounds"),
    (
        "{ name = \"grid\", divisions = 3 }",
        "{ name = \"hyperband\", max_steps = 9, mode = \"stop\" }",
        "below_rung",
    ),
];
const EXTRAPOLATION: &str = "{ name = \"extrapolation\", startup_trials = 2, chance = 0.5 }";

#[test]
fn with_every_sampler_and_stopper_it_comes_out_the_same_whatever_is_killed() {
    for (sampler, stopper, told) in PAIRS {
        let sweep = stopped_by(stopper).replace("\"random\"", sampler);
        let victim = toys(&sweep);
        let undisturbed = victim.undisturbed(1);
        assert!(undisturbed.contains(&format!("\"{told}\"")), "{sampler}, {stopper}\n{undisturbed}");
        victim.survives(rounds("kills of a pair of sampler and stopper", 2, 0.05));
    }
}

/// What every decision compares are fronts.
#[test]
fn a_sweep_with_two_objectives_comes_out_the_same_whatever_is_killed() {
    let metrics = "metrics = [{ name = \"rmse\" }, { name = \"cost\", direction = \"maximize\" }]";
    let sweep = TOYS.replace("kind = \"toy\"", &format!("kind = \"toy\"\n{metrics}"));
    let sweep = sweep.replace("\"random\"", "{ name = \"nsga2\", population = 4 }");
    let victim = toys(&sweep);
    let undisturbed = victim.undisturbed(1);
    assert!(undisturbed.contains("promoted") && undisturbed.contains("not_promoted"), "{undisturbed}");
    victim.survives(rounds("kills of toy sweeps with two objectives", 5, 0.5));
}

/// A result that stands in for a new one is decided like any other leg, and as lasting.
#[test]
fn a_sweep_that_reuses_results_comes_out_the_same_whatever_is_killed() {
    let sweep = TOYS.replace("trials = 12", "trials = 24\nduplicates = \"reuse\"");
    let sweep =
        sweep.replace("{ type = \"float\", low = 0.0, high = 1.0 }", "{ type = \"fixed\", value = 1 }");
    let sweep = sweep.replace("low = 1, high = 12", "low = 2, high = 3");
    let victim = toys(&sweep);
    let undisturbed = victim.undisturbed(1);
    let copies =
        undisturbed.lines().filter(|line| line.starts_with("trial ") && line.contains("\"copied\"")).count();
    assert!(copies > 2, "{copies} copies\n{undisturbed}");
    victim.survives(rounds("kills of toy sweeps that reuse results", 5, 0.5));
}

/// Folds of a trial run side by side, and some trials are given up after some of them.
#[test]
fn a_sweep_with_folds_comes_out_the_same_whatever_is_killed() {
    let sweep = TOYS.replace("kind = \"toy\"", "kind = \"toy\"\nfolds = 5");
    let sweep = sweep.replace("stopper = { name = \"asha\", min_steps = 2, factor = 2 }", "race = 0.9");
    let sweep = sweep.replace("trials = 12", "trials = 8").replace("low = 1, high = 12", "low = 4, high = 8");
    let victim = toys(&sweep);
    let undisturbed = victim.undisturbed(1);
    assert!(undisturbed.contains("outraced"), "{undisturbed}");
    assert!(undisturbed.lines().any(|line| line.starts_with("fold 0/4 ")), "{undisturbed}");
    victim.survives(rounds("kills of toy sweeps with folds", 5, 0.5));
}

/// Trials that go on from the checkpoints of others, which have gone on themselves meanwhile.
pub const POPULATION: &str = r#"{ name = "population", members = 4, interval = 2, quantile = 0.25, perturb = ["x", "units", "word"] }"#;

#[test]
fn a_population_comes_out_the_same_whatever_is_killed() {
    let sweep = stopped_by(POPULATION).replace("low = 1, high = 12", "low = 6, high = 12");
    let sweep = sweep.replace("trials = 12", "trials = 16");
    let victim = toys(&sweep);
    let undisturbed = victim.undisturbed(1);
    assert!(
        undisturbed.contains("\"replaced\"") && !undisturbed.contains("nothing is left"),
        "{undisturbed}"
    );
    victim.survives(rounds("kills of populations", 5, 0.5));
}

#[cfg(feature = "torch")]
const TRAINED_FLAGS: &[&str] = &["--worker-program", env!("CARGO_BIN_EXE_sweepd-worker"), "--threads", "1"];

#[cfg(feature = "torch")]
fn tiny(home: &Home) {
    home.ok(&["data", "synth", "tiny", "--rows", "64", "--seed", "7"]);
}

/// The same with real trainings: an heir's weights are its parent's, trained on, down to the bits.
#[cfg(feature = "torch")]
#[test]
fn trained_heirs_come_out_the_same_whatever_is_killed() {
    let sweep = r#"
name = "bred"
seed = 5
[objective]
kind = "keypoints"
dataset = "tiny"
[search]
stopper = { name = "population", members = 4, interval = 1, quantile = 0.25 }
sampler = "random"
order = "number"
parallel = 2
[space]
learning_rate = { type = "float", low = 1e-3, high = 1e-2, log = true }
filters = { type = "fixed", value = [4, 8] }
dropout = { type = "float", low = 0.0, high = 0.4 }
batch_size = { type = "choice", values = [8, 16, 32] }
epochs = { type = "fixed", value = 4 }
ema = { type = "choice", values = [0.0, 0.9] }
augment_flip = { type = "float", low = 0.0, high = 0.5 }
"#;
    let victim = Victim { sweep, flags: TRAINED_FLAGS, prepare: &tiny, pause_ms: 2000 };
    let undisturbed = victim.undisturbed(1);
    assert!(
        undisturbed.contains("\"replaced\"") && !undisturbed.contains("nothing is left"),
        "{undisturbed}"
    );
    victim.survives(rounds("kills of trained populations", 3, 0.2));
}

/// The same with real trainings, down to the bits of their weights.
#[cfg(feature = "torch")]
#[test]
fn trained_weights_come_out_the_same_whatever_is_killed() {
    let sweep = r#"
name = "trained"
seed = 5
[objective]
kind = "keypoints"
dataset = "tiny"
[search]
sampler = "random"
stopper = { name = "asha", min_steps = 1, factor = 2 }
order = "number"
parallel = 2
trials = 4
[space]
learning_rate = { type = "float", low = 1e-3, high = 1e-2, log = true }
blocks = { type = "fixed", value = 2 }
filters = { type = "fixed", value = [4, 8] }
dropout = { type = "float", low = 0.0, high = 0.4 }
batch_size = { type = "fixed", value = 16 }
epochs = { type = "int", low = 3, high = 6 }
ema = { type = "choice", values = [0.0, 0.9] }
loss = { type = "choice", values = ["mse", "wing"] }
sources = { type = "fixed", value = "heads" }
test_flip = { type = "fixed", value = true }
augment_flip = { type = "fixed", value = 0.5 }
augment_rotation = { type = "fixed", value = 10 }
augment_distortion = { type = "fixed", value = 2 }
augment_noise = { type = "fixed", value = 0.05 }
"#;
    let victim = Victim { sweep, flags: TRAINED_FLAGS, prepare: &tiny, pause_ms: 3000 };
    victim.survives(rounds("kills of trainings", 4, 0.1));
}
