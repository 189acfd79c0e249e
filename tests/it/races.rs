//! Two clients that ask at once for one waiting trial: exactly one gets it. Against the dispatcher and a real
//! database, without HTTP.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use sweepd::domain::{Metrics, Millis, ObjectiveKind, Origin, Params, SweepId, TellState, TrialId, Value};
use sweepd::intake;
use sweepd::scheduler::shell::{Dispatcher, Shell};
use sweepd::scheduler::{Claimed, Command, Input, Reply, Seeker};
use sweepd::store::Writer;
use tokio::sync::Barrier;

/// Who won how often.
#[derive(Debug, Default)]
pub struct Outcome {
    pub first: u64,
    pub second: u64,
}

/// What there is for the client that comes second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loser {
    /// The sweep runs one trial at a time.
    GetsNothing,
    /// The sampler draws another trial.
    GetsTheNext,
}

/// Lets two clients race for one enqueued trial, `races` times.
///
/// # Panics
/// Where both got it, neither did, or a trial is handed out that was before.
pub async fn race(races: u64, loser: Loser) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let dispatcher = dispatcher(home.path()).await;
    let sweep = submit(&dispatcher, races, loser).await;
    let (mut seen, mut outcome) = (HashSet::new(), Outcome::default());
    for number in 0..races {
        let params = Params::from([("x".into(), Value::Float(2.0))]);
        dispatcher.handle(Input::Command { sweep, command: Command::Enqueue(params) }).await.unwrap();
        let line = Arc::new(Barrier::new(2));
        let runners = ["first", "second"].map(|who| {
            let (dispatcher, line) = (dispatcher.clone(), Arc::clone(&line));
            tokio::spawn(async move {
                line.wait().await;
                ask(&dispatcher, sweep, &format!("{who} {number}")).await
            })
        });
        // Both have their answers before a tell makes room for another.
        let [first, second] = runners;
        let answers = [first.await.unwrap(), second.await.unwrap()];
        let mut winners = 0;
        for (place, answer) in answers.into_iter().enumerate() {
            let Some(claimed) = answer else {
                assert_eq!(loser, Loser::GetsNothing, "race {number}");
                continue;
            };
            let trial = claimed.leg.trial;
            assert!(seen.insert(trial), "race {number}: trial {trial} was handed out again");
            if claimed.params["x"] == Value::Float(2.0) {
                winners += 1;
                *if place == 0 { &mut outcome.first } else { &mut outcome.second } += 1;
            }
            tell(&dispatcher, trial, &claimed).await;
        }
        assert_eq!(winners, 1, "race {number}");
    }
    outcome
}

async fn dispatcher(home: &Path) -> Dispatcher {
    let writer = Writer::open(home).await.unwrap();
    let clock = || Millis(1_700_000_000_000);
    let (shell, dispatcher) = Shell::start(home.to_owned(), writer, 0, u64::MAX, clock).unwrap();
    tokio::task::spawn_blocking(move || shell.run());
    dispatcher
}

/// A sweep whose sampler hardly ever draws what the races enqueue.
async fn submit(dispatcher: &Dispatcher, races: u64, loser: Loser) -> SweepId {
    let (trials, parallel) = match loser {
        Loser::GetsNothing => (races, "parallel = 1"),
        Loser::GetsTheNext => (2 * races, ""),
    };
    let text = format!(
        r#"
name = "races"
[objective]
kind = "external"
metric = "rmse"
[search]
sampler = "random"
trials = {trials}
{parallel}
[space]
x = {{ type = "float", low = 0.0, high = 4.0 }}
"#
    );
    let spec = Box::new(intake::read_toml("races.toml", &text).unwrap());
    let input =
        Input::Submit { uid: "races".into(), spec, origin: Box::new(Origin::default()), sources: Vec::new() };
    match dispatcher.handle(input).await.unwrap() {
        Reply::Submitted(sweep) => sweep,
        other => panic!("{other:?}"),
    }
}

async fn ask(dispatcher: &Dispatcher, sweep: SweepId, request: &str) -> Option<Claimed> {
    let seeker = Seeker {
        worker: format!("client {request}"),
        slot: "client".into(),
        request_id: request.into(),
        is_new: false,
        kinds: vec![ObjectiveKind::External],
        environment: BTreeMap::new(),
        beside: None,
    };
    match dispatcher.handle(Input::Ask { sweep, seeker, lease_ms: None }).await.unwrap() {
        Reply::Work(claimed) => Some(*claimed),
        Reply::Nothing => None,
        other => panic!("{other:?}"),
    }
}

async fn tell(dispatcher: &Dispatcher, trial: TrialId, claimed: &Claimed) {
    let input = Input::Tell {
        trial,
        attempt: claimed.attempt,
        state: TellState::Completed,
        metrics: Metrics::default().with("rmse", 1.0),
        reason: None,
        weights: None,
        text: "told".into(),
    };
    dispatcher.handle(input).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_never_handed_to_both_of_two_clients() {
    for loser in [Loser::GetsNothing, Loser::GetsTheNext] {
        let outcome = race(200, loser).await;
        assert_eq!(outcome.first + outcome.second, 200);
    }
}
