//! How long commands take on a large database: whole processes, from `exec` to their end.

use super::generate::LARGE;
use super::process::{Daemon, Took, forget_cached, spread, sweepd};
use std::path::Path;

/// What is asked of the largest sweep.
const QUESTIONS: &[&[&str]] = &[
    &["--version"],
    &["best", LARGE],
    &["ls"],
    &["show", LARGE],
    &["trial", "large/12345"],
    &["trials", LARGE, "-n", "50"],
    &["trials", LARGE, "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--sort", "-rmse", "-n", "50"],
    &["trials", LARGE, "--sort", "-number", "-n", "50"],
    &["trials", LARGE, "--where", "number > 800000", "-n", "50"],
    &["trials", LARGE, "--where", "state = completed", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "state = failed", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "rmse < 2.2", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "rmse > 5.0", "--sort", "-rmse", "-n", "50"],
    &["trials", LARGE, "--where", "learning_rate < 0.0005 and kernel_size = 3", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "learning_rate > 0.001 and kernel_size = 3", "--sort", "rmse", "-n", "50"],
    &[
        "trials",
        LARGE,
        "--where",
        "learning_rate < 0.000101 and kernel_size = 3",
        "--sort",
        "rmse",
        "-n",
        "50",
    ],
    &["trials", LARGE, "--where", "learning_rate < 0.0001005", "-n", "50"],
    &[
        "trials",
        LARGE,
        "--where",
        "activation = relu and optimizer = sgd and blocks = 4",
        "--sort",
        "rmse",
        "-n",
        "50",
    ],
    &[
        "trials",
        LARGE,
        "--where",
        "activation in [relu, silu] and dropout > 0.5",
        "--sort",
        "rmse",
        "-n",
        "50",
    ],
    &["trials", LARGE, "--where", "kernel_size = 9", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "rmse < 3", "--sort", "learning_rate", "-n", "50"],
    &["trials", LARGE, "--sort", "-dropout", "-n", "50"],
    // No index knows these.
    &["trials", LARGE, "--where", "learning_rate * batch_size < 0.0035", "--sort", "rmse", "-n", "50"],
    &["trials", LARGE, "--where", "learning_rate * batch_size > 1.25", "--sort", "rmse", "-n", "50"],
    &[
        "trials",
        LARGE,
        "--where",
        "blocks * filters > 300 and dropout + growth < 1.01",
        "--sort",
        "rmse",
        "-n",
        "50",
    ],
    &["trials", LARGE, "--sort", "filters * kernel_size", "-n", "50"],
    &[
        "trials",
        LARGE,
        "--where",
        "not (dropout < 0.599) or learning_rate < 0.000101",
        "--sort",
        "-rmse",
        "-n",
        "50",
    ],
    &["trials", LARGE, "--sort", "seconds", "-n", "50"],
    &[
        "trials",
        LARGE,
        "--where",
        "learning_rate < 0.00011 and dropout < 0.01 and weight_decay < 0.000002",
        "--sort",
        "rmse",
        "-n",
        "50",
    ],
];

/// Asks everything without a daemon, the main ones again beside one, and once with nothing cached.
pub fn ask_all(home: &Path, repeat: usize) {
    for question in QUESTIONS {
        ask(home, question, repeat);
    }
    println!("\nbeside a daemon:");
    let daemon = Daemon::start(home);
    for question in &QUESTIONS[1..4] {
        ask(home, question, repeat);
    }
    drop(daemon);
    println!("\nwith nothing of the database cached:");
    for question in [&["best", LARGE][..], &["trials", LARGE, "-n", "50"]] {
        let times = (0..3).map(|_| {
            forget_cached(home);
            sweepd(home, question)
        });
        print(question, &times.collect::<Vec<_>>());
    }
}

fn ask(home: &Path, question: &[&str], repeat: usize) {
    let times: Vec<Took> = (0..repeat.max(1)).map(|_| sweepd(home, question)).collect();
    print(question, &times);
}

fn print(question: &[&str], times: &[Took]) {
    let cpu = times.iter().map(|took| took.cpu).min().unwrap_or_default();
    let wall = times.iter().map(|took| took.wall).collect();
    println!("{}; cpu {:7.1} ms  {}", spread(wall), cpu.as_secs_f64() * 1e3, question.join(" "));
}
