//! The core alone: no database, no clock, no process.

use super::*;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{
    AttemptState, Direction, Metrics, Objective, ObjectiveKind, Origin, Parameter, ParameterKind, Search,
    Sweep, TellState,
};
use crate::scheduler::{Claimed, Command, Seeker};

pub(super) fn toy_sweep(name: &str, priority: i64, trials: u64) -> Sweep {
    let kind = ParameterKind::Int { low: 0, high: 1000, log: false, step: None };
    Sweep {
        name: name.into(),
        seed: 1,
        priority,
        objective: Objective {
            kind: ObjectiveKind::Toy,
            dataset: None,
            validation: 0.2,
            metric: "rmse".into(),
            direction: Direction::Minimize,
            command: None,
            timeout_s: None,
            workdir: None,
        },
        search: Search { sampler: SamplerSpec::Random, trials: Some(trials), parallel: None },
        space: BTreeMap::from([("x".into(), Parameter { kind, when: None })]),
        enqueue: Vec::new(),
    }
}

pub(super) fn seeker(worker: &str, request: &str) -> Seeker {
    Seeker {
        worker: worker.into(),
        slot: "cpu:0".into(),
        request_id: request.into(),
        kinds: vec![ObjectiveKind::Toy, ObjectiveKind::Keypoints],
        environment: BTreeMap::new(),
    }
}

/// A core with a clock that the test turns.
struct World {
    core: Core,
    now: Millis,
}

impl World {
    fn new() -> Self {
        Self { core: Core::recover(Recovery::default(), Millis(0), 1000).unwrap(), now: Millis(0) }
    }

    fn handle(&mut self, input: Input) -> Handled {
        self.now = self.now.plus_ms(1);
        self.core.handle(input, self.now)
    }

    fn submit(&mut self, spec: Sweep) -> SweepId {
        let input = Input::Submit {
            uid: spec.name.clone(),
            spec: Box::new(spec),
            origin: Box::new(Origin::default()),
        };
        match self.handle(input).reply {
            Ok(Reply::Submitted(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn claim(&mut self, worker: &str, request: &str) -> Option<Claimed> {
        match self.handle(Input::Claim(seeker(worker, request))).reply {
            Ok(Reply::Work(claimed)) => Some(*claimed),
            Ok(Reply::Nothing) => None,
            other => panic!("{other:?}"),
        }
    }

    fn report(&mut self, claimed: &Claimed, step: u64, rmse: f64) -> Result<Reply, Refusal> {
        let metrics = Metrics::default().with("rmse", rmse);
        let (trial, attempt) = (claimed.leg.trial, claimed.attempt);
        self.handle(Input::Report { trial, attempt, step, metrics }).reply
    }

    fn tell(&mut self, claimed: &Claimed, state: TellState) -> Handled {
        self.handle(Input::Tell {
            trial: claimed.leg.trial,
            attempt: claimed.attempt,
            state,
            metrics: Metrics::default(),
            reason: None,
            weights: None,
            text: "the call".into(),
        })
    }
}

fn moves(handled: &Handled) -> Vec<(TrialState, TrialState)> {
    let moved = |change: &Change| match change {
        Change::TrialMoved { from, to, .. } => Some((*from, *to)),
        _ => None,
    };
    handled.changes.iter().filter_map(moved).collect()
}

#[test]
fn the_most_urgent_sweep_goes_first_and_the_oldest_among_equals() {
    let mut world = World::new();
    world.submit(toy_sweep("first", 0, 1));
    world.submit(toy_sweep("second", 0, 1));
    world.submit(toy_sweep("urgent", 5, 1));
    let order: Vec<String> =
        (0..3).map(|n| world.claim(&format!("w{n}"), &format!("r{n}")).unwrap().spec.name).collect();
    assert_eq!(order, ["urgent", "first", "second"]);
    assert!(world.claim("w3", "r3").is_none());
}

#[test]
fn the_same_request_gets_the_same_trial() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 5));
    let first = world.claim("w", "r").unwrap();
    let again = world.claim("w", "r").unwrap();
    assert_eq!(first, again);
    let other = world.claim("v", "q").unwrap();
    assert_ne!(first.leg.trial, other.leg.trial);
}

#[test]
fn a_report_repeated_gets_the_first_answer_and_a_differing_one_is_refused() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    let first = world.report(&claimed, 1, 3.0);
    assert_eq!(first, Ok(Reply::Decision(Decision::Continue)));
    assert_eq!(world.report(&claimed, 1, 3.0), first);
    assert_eq!(world.report(&claimed, 1, 2.0), Err(Refusal::StepDiffers { step: 1 }));
    assert_eq!(world.report(&claimed, 0, 2.0), Err(Refusal::StepBackwards { step: 0, last: 1 }));
}

#[test]
fn a_trial_ends_with_its_best_step_and_the_sweep_with_its_last_trial() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    for (step, rmse) in [(1, 3.0), (2, 2.0), (3, f64::NAN), (4, 2.5)] {
        world.report(&claimed, step, rmse).unwrap();
    }
    let handled = world.tell(&claimed, TellState::Completed);
    assert!(handled.synced);
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Completed)]);
    let valued = handled.changes.iter().find_map(|c| match c {
        Change::Valued { step, value, ranked, .. } => Some((*step, *value, *ranked)),
        _ => None,
    });
    assert_eq!(valued, Some((2, 2.0, true)));
    assert!(
        handled.changes.iter().any(|c| matches!(c, Change::SweepMoved { to: SweepState::Completed, .. }))
    );
    assert!(world.core.is_idle());
    // The late repeat is the shell's to answer, from the database.
    assert_eq!(world.tell(&claimed, TellState::Completed).reply, Err(Refusal::NotOpen));
}

#[test]
fn completing_without_a_value_is_a_failure() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    world.report(&claimed, 1, f64::INFINITY).unwrap();
    let handled = world.tell(&claimed, TellState::Completed);
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Failed)]);
}

#[test]
fn a_dead_worker_fails_its_trial_and_nothing_else() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 3));
    let lost = world.claim("w", "r").unwrap();
    let other = world.claim("v", "q").unwrap();
    let handled = world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() });
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Failed)]);
    assert_eq!(world.report(&lost, 1, 1.0), Err(Refusal::NotOpen));
    assert!(world.report(&other, 1, 1.0).is_ok());
    assert_eq!(world.claim("w", "r2").unwrap().number, 2);
}

#[test]
fn a_silent_worker_is_lost_when_its_lease_runs_out_and_not_before() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    let deadline = world.core.next_deadline().unwrap();
    let handled = world.core.handle(Input::Tick, Millis(deadline.0 - 1));
    assert_eq!(handled.changes, []);
    let heartbeat = Input::Heartbeat { trial: claimed.leg.trial, attempt: claimed.attempt };
    world.core.handle(heartbeat, Millis(deadline.0 - 1)).reply.unwrap();
    assert_eq!(world.core.handle(Input::Tick, deadline).changes, []);
    let late = world.core.handle(Input::Tick, deadline.plus_ms(LEASE_MS));
    assert_eq!(moves(&late), [(TrialState::Running, TrialState::Failed)]);
    assert!(late.synced, "a transition must survive a power cut, whatever brought it about");
}

#[test]
fn cancelling_ends_waiting_trials_at_once_and_running_ones_at_their_next_word() {
    let mut world = World::new();
    let sweep = world.submit(toy_sweep("s", 0, 5));
    let claimed = world.claim("w", "r").unwrap();
    world.handle(Input::Command { sweep, command: Command::Cancel }).reply.unwrap();
    let removal = Input::Command { sweep, command: Command::Remove };
    assert!(matches!(world.handle(removal.clone()).reply, Err(Refusal::WrongState(_))));
    assert!(world.claim("v", "q").is_none());
    assert_eq!(world.report(&claimed, 1, 1.0), Ok(Reply::Decision(Decision::Stop)));
    let handled = world.tell(&claimed, TellState::Stopped);
    assert_eq!(moves(&handled), [(TrialState::Stopping, TrialState::Cancelled)]);
    assert_eq!(world.handle(removal).reply, Ok(Reply::Done));
}

#[test]
fn a_paused_sweep_hands_out_nothing_until_resumed() {
    let mut world = World::new();
    let sweep = world.submit(toy_sweep("s", 0, 2));
    let running = world.claim("w", "r").unwrap();
    world.handle(Input::Command { sweep, command: Command::Pause }).reply.unwrap();
    assert!(world.claim("v", "q").is_none());
    assert!(world.report(&running, 1, 1.0).is_ok());
    world.handle(Input::Command { sweep, command: Command::Resume }).reply.unwrap();
    assert!(world.claim("v", "q").is_some());
}

#[test]
fn parallel_is_never_exceeded() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 9);
    spec.search.parallel = Some(2);
    world.submit(spec);
    let first = world.claim("a", "1").unwrap();
    world.claim("b", "2").unwrap();
    assert!(world.claim("c", "3").is_none());
    world.report(&first, 1, 1.0).unwrap();
    world.tell(&first, TellState::Completed);
    assert!(world.claim("c", "4").is_some());
}

#[test]
fn a_worker_that_hands_back_its_trial_leaves_it_for_another_attempt_of_the_same_leg() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let first = world.claim("w", "r").unwrap();
    world.report(&first, 1, 5.0).unwrap();
    let handled = world.tell(&first, TellState::Paused);
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
    assert!(handled.changes.iter().any(|c| matches!(c, Change::ReportsDiscarded { after_step: 0, .. })));
    assert!(
        handled
            .changes
            .iter()
            .any(|c| matches!(c, Change::AttemptClosed { state: AttemptState::Paused, .. }))
    );
    let second = world.claim("v", "q").unwrap();
    assert_eq!((second.leg, second.params.clone()), (first.leg, first.params.clone()));
    assert_ne!(second.attempt, first.attempt);
    assert_eq!(world.report(&first, 2, 4.0), Err(Refusal::StaleAttempt { attempt: first.attempt }));
    assert!(world.report(&second, 1, 4.0).is_ok());
}

#[test]
fn a_worker_without_the_trainer_gets_no_sweep_that_needs_it() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let seeker = Seeker { kinds: vec![ObjectiveKind::Keypoints], ..seeker("w", "r") };
    assert_eq!(world.handle(Input::Claim(seeker)).reply, Ok(Reply::Nothing));
}

#[test]
fn external_trials_go_to_who_asks_and_never_to_our_workers() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 1);
    spec.objective.kind = ObjectiveKind::External;
    let sweep = world.submit(spec);
    assert!(world.claim("w", "r").is_none());
    let ask = |request: &str| Input::Ask { sweep, seeker: seeker("client", request), lease_ms: None };
    let Ok(Reply::Work(claimed)) = world.handle(ask("a")).reply else { panic!("nothing was handed out") };
    assert_eq!(world.handle(ask("b")).reply, Ok(Reply::Nothing));
    // No lease: it waits for its tell for ever.
    assert_eq!(world.core.next_deadline(), None);
    let metrics = Metrics::default().with("rmse", 1.5);
    let handled = world.handle(Input::Tell {
        trial: claimed.leg.trial,
        attempt: claimed.attempt,
        state: TellState::Completed,
        metrics,
        reason: None,
        weights: None,
        text: String::new(),
    });
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Completed)]);
    assert_eq!(world.handle(ask("c")).reply, Err(Refusal::SweepOver));
}
