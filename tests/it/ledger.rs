//! A program that writes numbered groups of changes as fast as it can and says which are committed: for tests
//! that kill it, or take away what it had not synced.
//!
//! Group k is complete with its trial, parameters, steps, value and entry of the record, all of which follow
//! from k. Every so often a new sweep begins and an old one is removed, so that the database stays small.

use crate::support::{Home, toy};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use sweepd::domain::{
    AttemptId, Change, Event, EventKind, Metrics, Millis, NewTrial, Origin, Reason, StepReport, SweepId,
    SweepRow, SweepState, TrialId, Value,
};
use sweepd::store::{Durability, Writer, blob};
use sweepd::sweepfile;

/// Groups a sweep, and sweeps that are kept.
const GROUPS: i64 = 20;
const KEPT: i64 = 3;

/// The program is this very executable with one test chosen; that test does nothing by itself.
const HOME: &str = "SWEEPD_TEST_LEDGER";

#[test]
fn writes_until_it_is_killed() {
    #[allow(clippy::disallowed_methods, reason = "this is how the program is told from the test")]
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut writer = Writer::open(&home).await.unwrap();
        let first = writer.recover().unwrap().seq + 1;
        println!("from {first}");
        for k in first.. {
            let synced = is_synced(k);
            let weights = synced.then(|| blob::put(&home, &weights_of(k)).unwrap());
            let durability = if synced { Durability::Synced } else { Durability::Batched };
            writer.apply(&group(k, weights), k, durability).unwrap();
            println!("{} {k}", if synced { "synced" } else { "batched" });
        }
    });
}

fn is_synced(k: i64) -> bool {
    // Neither always the same distance apart, nor always near a new sweep.
    k % 7 == 3 || k % 11 == 0
}

fn steps_of(k: i64) -> u64 {
    1 + (k.unsigned_abs() * 5) % 9
}

fn weights_of(k: i64) -> Vec<u8> {
    format!("weights of {k} ").repeat(50).into_bytes()
}

fn sweep_of(k: i64) -> SweepId {
    SweepId((k - 1) / GROUPS + 1)
}

fn group(k: i64, weights: Option<String>) -> Vec<Change> {
    let (sweep, trial, at) = (sweep_of(k), TrialId(k), Millis(k));
    let mut changes = Vec::new();
    if (k - 1) % GROUPS == 0 {
        changes.push(Change::SweepInserted(Box::new(row(sweep))));
        if sweep.0 > KEPT {
            changes.push(Change::SweepRemoved { sweep: SweepId(sweep.0 - KEPT) });
        }
    }
    let params = BTreeMap::from([
        ("x".to_owned(), Value::Float(k as f64 / 7.0)),
        ("word".to_owned(), Value::Text("w".repeat(k as usize % 300))),
    ]);
    changes.push(Change::TrialInserted(Box::new(NewTrial {
        id: trial,
        sweep,
        number: ((k - 1) % GROUPS).unsigned_abs(),
        params,
        suggested: Reason::BudgetSpent,
        parameter_count: None,
        budget_steps: None,
        created: at,
    })));
    for step in 1..=steps_of(k) {
        let metrics = Metrics::default().with("rmse", k as f64 / step as f64);
        let report = StepReport { trial, fold: 0, step, attempt: AttemptId(k), seq: k, at, metrics };
        changes.push(Change::Reported(Box::new(report)));
    }
    changes.push(Change::Valued { sweep, trial, objective: 0, step: 1, value: k as f64, ranked: true });
    changes.extend(weights.map(|hash| Change::WeightsStored { trial, fold: None, hash }));
    changes.push(Change::Recorded(Event {
        seq: k,
        at_ms: at,
        sweep,
        trial: Some(trial),
        attempt: None,
        kind: EventKind::TrialCompleted,
        reason: None,
    }));
    changes
}

fn row(id: SweepId) -> SweepRow {
    let spec = sweepfile::parse_toml("ledger", &toy("ledger", 1, 0, ""), &|_, _| Ok(())).unwrap();
    let (state, created) = (SweepState::Active, Millis(id.0));
    SweepRow { id, uid: format!("sweep{id}"), state, spec, origin: Origin::default(), created }
}

/// The running program.
pub struct Program {
    child: Child,
    said: Receiver<String>,
}

/// What the program had said when it was killed: the last group it called committed, and synced.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    pub any: i64,
    pub synced: i64,
}

impl Program {
    pub fn start(home: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env(HOME, home)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, said }
    }

    /// Waits until the first group is committed; what was said meanwhile counts.
    pub fn until_it_writes(&self, acknowledged: &mut Acknowledged) {
        loop {
            let line = self.said.recv_timeout(Duration::from_secs(60)).expect("the program writes");
            if note(&line, acknowledged) {
                return;
            }
        }
    }

    /// Kills it and hears its last words.
    pub fn kill(mut self, acknowledged: &mut Acknowledged) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");
        for line in self.said.iter() {
            note(&line, acknowledged);
        }
    }
}

/// A line cut short by the kill says nothing.
fn note(line: &str, acknowledged: &mut Acknowledged) -> bool {
    let Some((word, Ok(k))) = line.split_once(' ').map(|(word, k)| (word, k.parse::<i64>())) else {
        return false;
    };
    // A last line without its end may lack digits: the number is then an earlier one, which is true as well.
    match word {
        "synced" => acknowledged.synced = acknowledged.synced.max(k),
        "batched" => {}
        _ => return false,
    }
    acknowledged.any = acknowledged.any.max(k);
    true
}

/// Checks that the database is sound and holds exactly the groups up to some number, each whole; that number.
pub fn check(home: &Home) -> i64 {
    assert_eq!(home.rows("pragma integrity_check"), ["ok"]);
    assert_eq!(home.rows("select \"table\" from pragma_foreign_key_check()"), [""; 0]);
    let last: i64 = home.rows("select value || '' from counter where name = 'seq'")[0].parse().unwrap();
    let first = ((sweep_of(last.max(1)).0 - KEPT).max(0) * GROUPS) + 1;
    let expected: Vec<String> = (first..=last).map(described).collect();
    let found = home.rows(
        "select format('%d: sweep %d, %d parameters, %d steps worth %d, value %d, %d events%s', trial_id, sweep_id,
            (select count(*) from trial_param p where p.trial_id = t.trial_id),
            (select count(*) from report r where r.trial_id = t.trial_id and r.seq = t.trial_id),
            (select sum(step) from report r where r.trial_id = t.trial_id),
            (select value from trial_value v where v.trial_id = t.trial_id),
            (select count(*) from event e where e.trial_id = t.trial_id and e.seq = t.trial_id),
            iif(weights is null, '', ', weights'))
         from trial t order by trial_id",
    );
    assert_eq!(found, expected, "up to {last}");
    for table in ["trial_param", "report", "trial_value", "event"] {
        let strangers =
            format!("select count(*) || '' from {table} where trial_id not in (select trial_id from trial)");
        assert_eq!(home.rows(&strangers), ["0"], "{table}");
    }
    for line in home.rows("select trial_id || ' ' || weights from trial where weights is not null") {
        let (k, hash) = line.split_once(' ').unwrap();
        let stored = std::fs::read(blob::path(home.path(), hash).unwrap());
        assert_eq!(stored.ok(), Some(weights_of(k.parse().unwrap())), "the weights of {k}");
    }
    last
}

fn described(k: i64) -> String {
    let steps = steps_of(k);
    let weights = if is_synced(k) { ", weights" } else { "" };
    let sum = steps * (steps + 1) / 2;
    format!(
        "{k}: sweep {}, 2 parameters, {steps} steps worth {sum}, value {k}, 1 events{weights}",
        sweep_of(k)
    )
}
