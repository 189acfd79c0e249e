//! A worker and its daemon: present, away, back, and gone for good.

use super::client::Client;
use super::crew::{self, Asker};
use super::fake_daemon_test::{FakeDaemon, Heard};
use super::line::now;
use super::protocol::{CheckpointRef, Work};
use super::run::{Assignment, Crew, Outcome, Session, Trainer, WorkerArgs};
use super::toy::ToyTrainer;
use super::unsaid::letters;
use crate::domain::metric::RMSE;
use crate::domain::{Decision, Metrics, ObjectiveKind, Params, TellState};
use clap::Parser;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    args: WorkerArgs,
}

fn args(home: &Path, more: &[&str]) -> WorkerArgs {
    let home = home.to_str().unwrap();
    let given = ["worker", "--home", home, "--worker", "w", "--slot", "cpu:0"];
    Flags::parse_from([&given, more].concat()).args
}

fn work(home: &Path, params: &str) -> Work {
    let text = serde_json::json!({
        "sweep": "abc", "sweep_name": "toys", "trial_id": 5, "number": 2, "attempt": 9, "fold": 0,
        "from_step": 0, "until_step": null, "params": serde_json::from_str::<Params>(params).unwrap(),
        "objective": { "kind": "toy", "dataset": null, "validation": 0.2, "metric": "rmse",
                       "direction": "minimize" },
        "seed": 1, "dataset": null, "folder": home.join("trials/abc/2"), "lease_ms": 300,
    });
    serde_json::from_value(text).unwrap()
}

/// A trainer that is a function.
struct Acts<F>(F);

impl<F: FnMut(&mut Session) -> TellState> Trainer for Acts<F> {
    fn kinds(&self) -> Vec<ObjectiveKind> {
        vec![ObjectiveKind::Toy]
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn work(&mut self, lead: Assignment, crew: &mut Crew<'_>) {
        crew.alone(lead, |_, session| {
            let state = (self.0)(session);
            Outcome { state, reason: None, metrics: Metrics::default(), weights: None }
        });
    }
}

fn work_on(client: &Client, work: Work, args: &WorkerArgs, trainer: &mut dyn Trainer) -> bool {
    crew::work_on(client, &Asker::of(args, trainer), work, args, trainer)
}

fn act(home: &Path, more: &[&str], acts: impl FnMut(&mut Session) -> TellState) -> bool {
    let client = Client::new(home);
    work_on(&client, work(home, "{}"), &args(home, more), &mut Acts(acts))
}

fn rmse(step: u64) -> Metrics {
    Metrics::default().with(RMSE, step as f64)
}

fn told(daemon: &FakeDaemon) -> Option<TellState> {
    match daemon.mind().heard.last() {
        Some(Heard::Tell(tell)) => Some(tell.state),
        _ => None,
    }
}

fn reported(daemon: &FakeDaemon) -> Vec<u64> {
    daemon.mind().reports.iter().map(|report| report.step).collect()
}

#[test]
fn while_the_daemon_is_away_the_work_goes_on_and_every_step_arrives_once_in_order() {
    let home = tempfile::tempdir().unwrap();
    let mut daemon = FakeDaemon::new(home.path());
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            act(home.path(), &[], |session| {
                for step in 1..=80 {
                    thread::sleep(Duration::from_millis(10));
                    assert_eq!(session.report(step, &rmse(step)), Decision::Continue);
                    session.checkpoint(step, vec![step as u8; 100]);
                    done.store(step, Ordering::SeqCst);
                }
                TellState::Paused
            })
        });
        for absence in 1..=2 {
            daemon.until("some steps", |mind| mind.reports.len() >= 10 * absence);
            daemon.stop();
            let (left_at, heard) = (done.load(Ordering::SeqCst), daemon.mind().reports.len());
            thread::sleep(Duration::from_millis(300));
            assert!(done.load(Ordering::SeqCst) >= left_at + 5, "the work stopped with the daemon");
            assert!(daemon.mind().reports.len() <= heard + 1);
            daemon.start();
        }
        assert!(worker.join().unwrap(), "its end was heard");
    });
    assert_eq!(reported(&daemon), (1..=80).collect::<Vec<_>>());
    assert_eq!(told(&daemon), Some(TellState::Paused));
    let mut last_report = 0;
    let mut last_checkpoint = 0;
    for heard in &daemon.mind().heard {
        match heard {
            Heard::Report(step) => last_report = *step,
            Heard::Checkpoint(step) => {
                assert!(*step <= last_report && *step > last_checkpoint, "{step} after {last_report}");
                last_checkpoint = *step;
            }
            Heard::Tell(_) => assert_eq!((last_report, last_checkpoint), (80, 80)),
        }
    }
}

#[test]
fn a_report_whose_answer_was_lost_is_repeated_word_for_word() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    act(home.path(), &[], |session| {
        session.report(1, &rmse(1));
        daemon.mind().swallow = 2;
        session.report(2, &rmse(2));
        session.report(3, &rmse(3));
        TellState::Completed
    });
    assert_eq!(reported(&daemon), [1, 2, 2, 2, 3]);
    assert!(daemon.mind().reports[1..4].windows(2).all(|two| two[0] == two[1]));
    assert_eq!(told(&daemon), Some(TellState::Completed));
}

#[test]
fn a_word_to_stop_is_the_answer_to_its_report() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    daemon.mind().stop_from = Some(3);
    let heard = act(home.path(), &[], |session| {
        assert_eq!(session.report(1, &rmse(1)), Decision::Continue);
        assert_eq!(session.report(2, &rmse(2)), Decision::Continue);
        assert_eq!(session.report(3, &rmse(3)), Decision::Stop);
        assert_eq!(session.decision(), Decision::Stop);
        TellState::Stopped
    });
    assert!(heard);
    assert_eq!(told(&daemon), Some(TellState::Stopped));
}

#[test]
fn a_slow_daemon_holds_nobody_up_for_long_and_its_word_counts_later() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    daemon.mind().hold = Some("/report");
    daemon.mind().stop_from = Some(2);
    act(home.path(), &[], |session| {
        let began = now();
        for step in 1..=5 {
            assert_eq!(session.report(step, &rmse(step)), Decision::Continue);
        }
        let took = began.elapsed();
        assert!(took > Duration::from_secs(1) && took < Duration::from_secs(4), "{took:?}");
        daemon.release();
        daemon.until("the reports", |mind| mind.reports.len() == 5);
        while session.decision() == Decision::Continue {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(session.decision(), Decision::Stop);
        TellState::Stopped
    });
    assert_eq!(reported(&daemon), [1, 2, 3, 4, 5]);
    assert_eq!(told(&daemon), Some(TellState::Stopped));
}

#[test]
fn without_a_daemon_for_too_long_it_pauses_and_leaves_its_last_words_in_writing() {
    let home = tempfile::tempdir().unwrap();
    let mut daemon = FakeDaemon::new(home.path());
    let mut step = 0;
    let heard = act(home.path(), &["--grace-s", "1"], |session| {
        for next in 1.. {
            step = next;
            if session.report(step, &rmse(step)) == Decision::Pause {
                break;
            }
            if step == 3 {
                session.checkpoint(step, b"early".to_vec());
                daemon.until("a checkpoint", |mind| mind.checkpoints.len() == 1);
                daemon.stop();
            }
            thread::sleep(Duration::from_millis(20));
        }
        session.checkpoint(step, b"last".to_vec());
        TellState::Paused
    });
    assert!(!heard);
    assert!(step > 10, "it went on for a while");
    assert_eq!(reported(&daemon), [1, 2, 3]);
    let letters = letters(home.path()).unwrap();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter.checkpoint().unwrap(), b"last");
    let unsaid = &letter.unsaid;
    assert_eq!(unsaid.checkpoint.as_ref().map(|checkpoint| checkpoint.step), Some(step));
    let steps: Vec<u64> = unsaid.reports.iter().map(|report| report.step).collect();
    assert_eq!(steps, (4..=step).collect::<Vec<_>>(), "those that nobody answered");
    assert_eq!(unsaid.tell.state, TellState::Paused);
}

#[test]
fn a_daemon_that_returns_after_all_is_told_everything() {
    let home = tempfile::tempdir().unwrap();
    let mut daemon = FakeDaemon::new(home.path());
    let heard = act(home.path(), &["--grace-s", "1"], |session| {
        daemon.stop();
        let mut step = 0;
        while session.decision() == Decision::Continue {
            step += 1;
            session.report(step, &rmse(step));
            thread::sleep(Duration::from_millis(50));
        }
        daemon.start();
        daemon.until("reports", |mind| mind.reports.len() as u64 == step);
        session.checkpoint(step, b"last".to_vec());
        TellState::Paused
    });
    assert!(heard);
    assert_eq!(daemon.mind().checkpoints.len(), 1);
    assert_eq!(told(&daemon), Some(TellState::Paused));
}

#[test]
fn an_attempt_that_was_given_away_ends_unheard() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    let heard = act(home.path(), &[], |session| {
        session.report(1, &rmse(1));
        daemon.mind().given_away = true;
        assert_eq!(session.report(2, &rmse(2)), Decision::Stop);
        session.checkpoint(2, b"x".to_vec());
        TellState::Stopped
    });
    assert!(heard, "the worker goes on with other work");
    assert_eq!(daemon.mind().heard, [Heard::Report(1)]);
}

#[test]
fn of_checkpoints_that_wait_only_the_newest_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    daemon.mind().hold = Some("/blobs");
    act(home.path(), &["--checkpoint-s", "0"], |session| {
        assert!(session.checkpoint_due(0));
        session.checkpoint(1, b"1".to_vec());
        assert!(!session.checkpoint_due(1), "one is on its way");
        // The first is taken up; those between wait and give way.
        thread::sleep(Duration::from_millis(200));
        for step in 2..=6 {
            session.checkpoint(step, step.to_string().into_bytes());
        }
        daemon.release();
        TellState::Paused
    });
    let steps: Vec<u64> = daemon.mind().checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
    assert_eq!(steps, [1, 6]);
    assert_eq!(told(&daemon), Some(TellState::Paused));
}

#[test]
fn the_newest_intact_checkpoint_is_found() {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let file = home.path().join("three");
    std::fs::write(&file, b"damaged").unwrap();
    let local = home.path().join("one");
    std::fs::write(&local, b"one").unwrap();
    daemon.mind().blobs.insert(hash(b"three"), b"damaged too".to_vec());
    daemon.mind().blobs.insert(hash(b"two"), b"two".to_vec());
    let known = |step, bytes, path| CheckpointRef { step, hash: hash(bytes), path };
    let mut work = work(home.path(), "{}");
    work.checkpoints = vec![
        known(4, b"four", None),
        known(3, b"three", Some(file)),
        known(2, b"two", Some(home.path().join("missing"))),
        known(1, b"one", Some(local)),
    ];
    let mut trainer = Acts(|session: &mut Session| {
        let found: Vec<_> = session.checkpoints().map(|found| (found.step, found.bytes)).collect();
        assert_eq!(found, [(2, b"two".to_vec()), (1, b"one".to_vec())]);
        TellState::Completed
    });
    work_on(&Client::new(home.path()), work, &args(home.path(), &[]), &mut trainer);
    assert_eq!(daemon.mind().fetched, [hash(b"four"), hash(b"three"), hash(b"two")]);
    assert_eq!(told(&daemon), Some(TellState::Completed));
}

/// Runs toy legs until `until`, each from the checkpoints of those before.
fn toy_legs(params: &str, until: &[Option<u64>]) -> (Vec<(u64, f64)>, Vec<TellState>) {
    let home = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::new(home.path());
    let mut ends = Vec::new();
    for until_step in until {
        let mut work = work(home.path(), params);
        work.until_step = *until_step;
        let stored = daemon.mind().checkpoints.clone();
        let known = |stored: &super::protocol::Checkpoint| CheckpointRef {
            step: stored.step,
            hash: stored.hash.clone(),
            path: None,
        };
        work.checkpoints = stored.iter().rev().map(known).collect();
        assert!(work_on(&Client::new(home.path()), work, &args(home.path(), &[]), &mut ToyTrainer));
        ends.extend(told(&daemon));
    }
    let mind = daemon.mind();
    let values = mind.reports.iter().map(|report| (report.step, report.metrics.get(RMSE).unwrap()));
    (values.collect(), ends)
}

#[test]
fn a_toy_goes_on_from_its_checkpoints() {
    use TellState::{Completed, Paused};
    let params = r#"{ "x": 0.5, "epochs": 9, "checkpoint_every": 2 }"#;
    let (whole, ends) = toy_legs(params, &[None]);
    assert_eq!((whole.len(), ends), (9, vec![Completed]));
    let (parts, ends) = toy_legs(params, &[Some(1), Some(4), Some(4), None]);
    assert_eq!(parts, whole);
    assert_eq!(ends, [Paused, Paused, Paused, Completed]);
}
