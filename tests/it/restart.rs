//! A daemon that ends and comes back, or is not let in.

use crate::support::{Home, toy};
use nix::sys::signal::Signal;
use sweepd::worker::process::{signal_group, workers_of};

#[test]
fn a_restart_costs_no_work_and_no_worker() {
    let mut home = Home::new();
    home.serve(2);
    let steady = r#"epochs = { type = "fixed", value = 25 }"#;
    let id = home.submit(&toy("steady", 6, 25, steady));
    home.until("both slots work", || home.rows("select 'x' from trial where state = 'running'").len() == 2);
    let workers = workers_of(home.path());
    assert_eq!(workers.len(), 2);
    for pause_ms in [0, 150, 400] {
        let steps = home.rows("select count(*) || '' from report");
        home.until("trainings go on", || home.rows("select count(*) || '' from report") != steps);
        let status = home.signal_daemon(Signal::SIGTERM);
        assert!(status.success(), "{status}");
        std::thread::sleep(std::time::Duration::from_millis(pause_ms));
        assert_eq!(workers_of(home.path()), workers, "they outlive the daemon");
        home.serve(2);
        home.until("the workers are found again", || home.rows("select name from worker").len() == 2);
        assert_eq!(workers_of(home.path()), workers, "and the next one starts no others");
    }
    home.until_over(&id);
    assert_eq!(workers_of(home.path()), workers);
    let twice = "select number || '' from trial where
        (select count(*) from attempt where attempt.trial_id = trial.trial_id) <> 1
        or (select count(distinct attempt_id) from report where report.trial_id = trial.trial_id) <> 1
        or (select count(*) from report where report.trial_id = trial.trial_id) <> 25
        or state <> 'completed'";
    assert_eq!(home.rows(twice), [""; 0], "one attempt a trial, and every epoch once, by it");
}

#[test]
fn a_worker_that_nobody_wrote_down_is_found_all_the_same() {
    let mut home = Home::new();
    home.serve(1);
    let id = home.submit(&toy("unnoted", 4, 60, ""));
    home.until("a trial runs", || !home.rows("select 'x' from trial where state = 'running'").is_empty());
    let workers = workers_of(home.path());
    home.signal_daemon(Signal::SIGKILL);
    // As if the daemon had been killed between starting the worker and writing it down.
    crate::care::sql(&home, "delete from worker");
    home.serve(1);
    home.until_over(&id);
    assert_eq!(workers_of(home.path()), workers, "it is the only one");
    let lost = home.rows("select attempt_id || '' from attempt where state <> 'completed'");
    assert_eq!(lost, [""; 0]);
}

/// As when a machine is shut down: the daemon first, and then its workers, which find nobody to hand back to.
#[test]
fn what_workers_did_without_a_daemon_counts_when_they_end_without_one() {
    let mut home = Home::new();
    home.serve(2);
    let id = home.submit(&toy("shut-down", 4, 40, r#"epochs = { type = "fixed", value = 40 }"#));
    home.until("trials run", || home.rows("select 'x' from report where step = 3").len() == 2);
    home.signal_daemon(Signal::SIGKILL);
    let heard = numbers(&home.rows("select steps || '' from trial where state = 'running' order by number"));
    let workers = workers_of(home.path());
    std::thread::sleep(std::time::Duration::from_millis(600));
    for worker in &workers {
        signal_group(worker.pid, worker.started, Signal::SIGTERM);
    }
    home.until("they end", || workers_of(home.path()).is_empty());
    home.serve(2);
    home.until_over(&id);
    let first = "select (select count(*) from report where report.attempt_id = attempt.attempt_id) || ''
        from attempt where state = 'paused' order by attempt_id";
    let counted = numbers(&home.rows(first));
    assert_eq!(counted.len(), 2, "both were handed back");
    assert!(counted.iter().zip(&heard).all(|(now, heard)| *now >= heard + 5), "{heard:?}, then {counted:?}");
    let twice = "select number || '' from trial where
        (select count(*) from report where report.trial_id = trial.trial_id) <> 40 or state <> 'completed'";
    assert_eq!(home.rows(twice), [""; 0]);
    let lost = home.rows("select attempt_id || '' from attempt where state not in ('completed', 'paused')");
    assert_eq!(lost, [""; 0], "nobody was lost");
    assert_eq!(
        std::fs::read_dir(home.path().join("unsaid")).unwrap().count(),
        0,
        "what was left is read once"
    );
    home.is_sound();
}

fn numbers(rows: &[String]) -> Vec<u64> {
    rows.iter().map(|row| row.parse().unwrap()).collect()
}

#[test]
fn a_killed_daemon_does_not_keep_the_next_one_out() {
    let mut home = Home::new();
    for _ in 0..5 {
        home.serve(1);
        let second = home.sweepd(&["serve", "--listen", "127.0.0.1:0", "--no-trainer"]);
        let said = String::from_utf8_lossy(&second.stderr);
        assert!(!second.status.success() && said.contains("another daemon"), "{said}");
        home.signal_daemon(Signal::SIGKILL);
    }
    home.serve(1);
    home.ok(&["stop", "--drain"]);
}
