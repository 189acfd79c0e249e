//! The core alone: no database, no clock, no process.

use super::*;
use crate::domain::sweep::{Mode, Order, SamplerSpec, StopperSpec};
use crate::domain::{
    AttemptState, Direction, Metrics, Objective, ObjectiveKind, Origin, Parameter, ParameterKind, Params,
    Search, Sweep, TellState,
};
use crate::scheduler::{Claimed, Command, Seeker};

pub fn toy_sweep(name: &str, priority: i64, trials: u64) -> Sweep {
    let kind = ParameterKind::Int { low: 0, high: 1000, log: false, step: None };
    Sweep {
        name: name.into(),
        seed: 1,
        priority,
        objective: Objective {
            kind: ObjectiveKind::Toy,
            dataset: None,
            validation: 0.2,
            folds: None,
            metric: "rmse".into(),
            direction: Direction::Minimize,
            further: Vec::new(),
            command: None,
            timeout_s: None,
            workdir: None,
            out_of_memory: crate::domain::OutOfMemory::Fail,
        },
        search: Search {
            sampler: SamplerSpec::Random,
            trials: Some(trials),
            parallel: None,
            fuse: 1,
            stopper: None,
            race: None,
            order: Order::Arrival,
            time_limit_s: None,
            duplicates: Default::default(),
            warm_start: Vec::new(),
            constraints: Vec::new(),
            deadline: None,
        },
        space: BTreeMap::from([("x".into(), Parameter { kind, when: None, default: None })]),
        gone: BTreeMap::new(),
        enqueue: Vec::new(),
    }
}

pub fn seeker(worker: &str, request: &str) -> Seeker {
    Seeker {
        worker: worker.into(),
        slot: "cpu:0".into(),
        request_id: request.into(),
        is_new: false,
        kinds: vec![ObjectiveKind::Toy, ObjectiveKind::Keypoints],
        environment: BTreeMap::new(),
        beside: None,
    }
}

/// Long enough for a first retry.
const FIRST_RETRY_MS: i64 = 1000;

/// A core with a clock that the test turns.
pub struct World {
    pub core: Core,
    pub now: Millis,
}

impl World {
    pub fn new() -> Self {
        Self { core: Core::recover(Recovery::default(), Millis(0), 1000).unwrap(), now: Millis(0) }
    }

    pub fn handle(&mut self, input: Input) -> Handled {
        self.now = self.now.plus_ms(1);
        self.core.handle(input, self.now)
    }

    pub fn submit(&mut self, spec: Sweep) -> SweepId {
        let input = Input::Submit {
            uid: spec.name.clone(),
            spec: Box::new(spec),
            origin: Box::new(Origin::default()),
            sources: Vec::new(),
        };
        match self.handle(input).reply {
            Ok(Reply::Submitted(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    pub fn claim(&mut self, worker: &str, request: &str) -> Option<Claimed> {
        match self.handle(Input::Claim(seeker(worker, request))).reply {
            Ok(Reply::Work(claimed)) => Some(*claimed),
            Ok(Reply::Nothing) => None,
            other => panic!("{other:?}"),
        }
    }

    pub fn report(&mut self, claimed: &Claimed, step: u64, rmse: f64) -> Result<Reply, Refusal> {
        self.handle(report(claimed, step, rmse)).reply
    }

    pub fn tell(&mut self, claimed: &Claimed, state: TellState) -> Handled {
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

pub fn moves(handled: &Handled) -> Vec<(TrialState, TrialState)> {
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
fn a_dead_workers_trial_is_tried_again_after_a_pause_and_fails_in_the_end() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 2));
    let other = world.claim("v", "q").unwrap();
    let first = world.claim("w", "r").unwrap();
    let die = || Input::WorkerGone { worker: "w".into(), how: "signal 9".into() };
    for n in 0..3 {
        let handled = world.handle(die());
        assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
        assert_eq!(handled.reply, Ok(Reply::HadWork(true)));
        assert!(world.claim("w", &format!("early{n}")).is_none(), "it waits a moment");
        world.now = world.core.next_deadline().unwrap();
        world.handle(Input::Tick);
        let again = world.claim("w", &format!("again{n}")).unwrap();
        assert_eq!((again.leg, &again.params), (first.leg, &first.params));
    }
    let handled = world.handle(die());
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Failed)]);
    assert_eq!(world.report(&first, 1, 1.0), Err(Refusal::NotOpen));
    assert!(world.report(&other, 1, 1.0).is_ok());
    assert_eq!(world.handle(die()).reply, Ok(Reply::HadWork(false)));
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
    assert_eq!(moves(&late), [(TrialState::Running, TrialState::Queued)]);
    assert!(late.synced, "a transition must survive a power cut, whatever brought it about");
}

#[test]
fn cancelling_ends_waiting_trials_at_once_and_running_ones_at_their_next_word() {
    let mut world = World::new();
    let sweep = world.submit(toy_sweep("s", 0, 5));
    let claimed = world.claim("w", "r").unwrap();
    world.handle(Input::Command { sweep, command: Command::Cancel }).reply.unwrap();
    let removal = Input::Command { sweep, command: Command::Remove };
    assert_eq!(world.handle(removal.clone()).reply, Err(Refusal::StillEnding));
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

pub fn told(claimed: &Claimed, state: TellState, reason: Option<Reason>) -> Input {
    Input::Tell {
        trial: claimed.leg.trial,
        attempt: claimed.attempt,
        state,
        metrics: Metrics::default(),
        reason,
        weights: None,
        text: "the call".into(),
    }
}

#[test]
fn what_ran_out_of_memory_beside_others_is_tried_once_more_alone() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 3));
    let large = world.claim("w", "r").unwrap();
    let other = world.claim("v", "q").unwrap();
    let full = || Some(Reason::OutOfMemory { message: "no".into(), alone: false });
    let handled = world.handle(told(&large, TellState::Failed, full()));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
    world.now = world.now.plus_ms(FIRST_RETRY_MS);
    let third = world.claim("w", "r2").unwrap();
    assert_ne!(third.leg.trial, large.leg.trial, "the device is not its own yet");
    for claimed in [&other, &third] {
        world.report(claimed, 1, 1.0).unwrap();
        world.tell(claimed, TellState::Completed);
    }
    let alone = world.claim("w", "r3").unwrap();
    assert_eq!(alone.leg, large.leg);
    assert!(world.claim("v", "q3").is_none(), "nobody else gets the device");
    let handled = world.handle(told(&alone, TellState::Failed, full()));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Failed)]);
}

#[test]
fn a_diverged_trial_is_not_tried_again() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    let why = Some(Reason::Diverged { step: 1, what: "the loss".into() });
    let handled = world.handle(told(&claimed, TellState::Failed, why));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Failed)]);
}

pub fn checkpoint(claimed: &Claimed, step: u64) -> Input {
    let (trial, attempt) = (claimed.leg.trial, claimed.attempt);
    Input::Checkpoint { trial, attempt, step, hash: format!("{step:064x}"), bytes: 10 }
}

#[test]
fn a_lost_trial_goes_on_from_its_newest_checkpoint_and_two_are_kept() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let first = world.claim("w", "r").unwrap();
    for step in 1..=5 {
        world.report(&first, step, 10.0 - step as f64).unwrap();
        if step < 5 {
            let handled = world.handle(checkpoint(&first, step));
            let dropped =
                handled.changes.iter().filter(|c| matches!(c, Change::CheckpointDropped(_))).count();
            assert_eq!(dropped, usize::from(step > 2));
        }
    }
    let handled = world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() });
    assert!(handled.changes.iter().any(|c| matches!(c, Change::ReportsDiscarded { after_step: 4, .. })));
    assert!(handled.changes.iter().any(|c| matches!(c, Change::BestMoved { best: Some((4, _)), .. })));
    world.now = world.now.plus_ms(FIRST_RETRY_MS);
    let second = world.claim("w", "r2").unwrap();
    assert_eq!(second.checkpoints.iter().map(|c| c.step).collect::<Vec<_>>(), [4, 3]);
    // The newest was damaged: it goes on from the one before, and what came after does not count.
    let handled = world.handle(Input::Report {
        trial: second.leg.trial,
        attempt: second.attempt,
        step: 4,
        metrics: Metrics::default().with("rmse", 7.0),
    });
    assert!(handled.changes.iter().any(|c| matches!(c, Change::ReportsDiscarded { after_step: 3, .. })));
    let dropped = handled.changes.iter().filter(|c| matches!(c, Change::CheckpointDropped(_))).count();
    assert_eq!(dropped, 1, "the damaged one");
    assert_eq!(world.report(&second, 3, 1.0), Err(Refusal::StepBackwards { step: 3, last: 4 }));
    let handled = world.tell(&second, TellState::Completed);
    let dropped = handled.changes.iter().filter(|c| matches!(c, Change::CheckpointDropped(_))).count();
    assert_eq!(dropped, 1, "a completed trial goes on from nowhere");
}

pub fn judging(stopper: StopperSpec, trials: u64, order: Order, parallel: u32) -> Sweep {
    let mut spec = toy_sweep("s", 0, trials);
    spec.search.stopper = Some(stopper);
    (spec.search.order, spec.search.parallel) = (order, Some(parallel));
    spec
}

pub fn report(claimed: &Claimed, step: u64, rmse: f64) -> Input {
    let metrics = Metrics::default().with("rmse", rmse);
    Input::Report { trial: claimed.leg.trial, attempt: claimed.attempt, step, metrics }
}

pub fn halving(trials: u64, order: Order, parallel: u32) -> Sweep {
    judging(StopperSpec::Asha { min_steps: 1, factor: 3, mode: Mode::Promote }, trials, order, parallel)
}

/// Works on a leg as a toy worker would: up to its end, or to `budget`.
pub fn work(world: &mut World, claimed: &Claimed, budget: u64) -> Handled {
    let value = claimed.params["x"].as_f64().unwrap();
    let until = claimed.leg.until_step.unwrap().min(budget);
    for step in claimed.leg.from_step + 1..=until {
        world.report(claimed, step, value + 1.0 / step as f64).unwrap();
        world.handle(checkpoint(claimed, step));
    }
    let state = if until == budget { TellState::Completed } else { TellState::Paused };
    world.tell(claimed, state)
}

#[test]
fn trials_pause_at_rungs_go_on_when_they_are_good_and_end_stopped_when_not() {
    let mut world = World::new();
    world.submit(halving(9, Order::Arrival, 1));
    let mut legs = Vec::new();
    for n in 0.. {
        let Some(claimed) = world.claim("w", &format!("r{n}")) else { break };
        legs.push((claimed.number, claimed.leg.from_step, claimed.leg.until_step.unwrap()));
        work(&mut world, &claimed, 9);
    }
    assert_eq!(legs.len(), 9 + 3 + 1, "{legs:?}");
    assert_eq!(legs.iter().filter(|(_, from, until)| (*from, *until) == (1, 3)).count(), 3);
    let winner = legs.iter().find(|(_, from, until)| (*from, *until) == (3, 9)).unwrap();
    assert!(legs.iter().filter(|leg| leg.0 == winner.0).count() == 3);
    assert!(world.core.is_idle() && world.core.sweeps.is_empty());
}

/// The legs of a sweep as decided, with workers that take turns in an order drawn from `seed`.
fn legs_in_order(seed: u64, workers: usize) -> Vec<(u64, u64, Option<u64>)> {
    use crate::domain::stream::{Key, stream, uniform};
    let mut rng = stream(seed, "turns", &[Key::Number(0)]);
    let mut world = World::new();
    world.submit(halving(12, Order::Number, 3));
    let mut busy: Vec<Claimed> = Vec::new();
    let mut legs = Vec::new();
    for n in 0..1000 {
        if world.core.sweeps.is_empty() {
            break;
        }
        let full = busy.len() == workers;
        let claimed = if full { None } else { world.claim(&format!("w{n}"), &format!("r{n}")) };
        match claimed {
            Some(claimed) => {
                legs.push((claimed.leg.number, claimed.number, claimed.leg.until_step));
                busy.push(claimed);
            }
            None => {
                let at = (uniform(&mut rng) * busy.len() as f64) as usize;
                let claimed = busy.swap_remove(at);
                work(&mut world, &claimed, 9);
            }
        }
    }
    assert!(world.core.sweeps.is_empty(), "it ends");
    legs
}

#[test]
fn ordered_by_number_the_legs_are_the_same_whatever_the_timing() {
    let calm = legs_in_order(0, 1);
    assert!(calm.iter().any(|(_, _, until)| *until == Some(9)));
    for seed in 1..40 {
        for workers in 1..=3 {
            assert_eq!(legs_in_order(seed, workers), calm, "seed {seed}, {workers} workers");
        }
    }
}

#[test]
fn equally_urgent_sweeps_share_the_slots() {
    let mut world = World::new();
    world.submit(toy_sweep("first", 0, 9));
    world.submit(toy_sweep("second", 0, 9));
    let names: Vec<String> =
        (0..4).map(|n| world.claim(&format!("w{n}"), &format!("r{n}")).unwrap().spec.name).collect();
    assert_eq!(names, ["first", "second", "first", "second"]);
}

#[test]
fn a_sweep_whose_time_is_up_ends_what_runs_and_starts_nothing() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 9);
    spec.search.time_limit_s = Some(10);
    world.submit(spec);
    let claimed = world.claim("w", "r").unwrap();
    world.report(&claimed, 1, 1.0).unwrap();
    world.now = world.core.next_deadline().unwrap();
    assert!(world.now.0 <= 10_010);
    world.handle(Input::Tick);
    assert!(world.core.next_deadline().is_some_and(|next| next > world.now), "time does not stand still");
    assert!(world.claim("v", "q").is_none());
    assert_eq!(world.report(&claimed, 2, 0.5), Ok(Reply::Decision(Decision::Stop)));
    let handled = world.tell(&claimed, TellState::Stopped);
    assert_eq!(moves(&handled), [(TrialState::Stopping, TrialState::Stopped)]);
    assert!(world.core.sweeps.is_empty());
}

#[test]
fn an_enqueued_configuration_is_the_next_trial_and_there_is_one_of_it() {
    let mut world = World::new();
    let sweep = world.submit(toy_sweep("s", 0, 9));
    let x = Params::from([("x".into(), 7i64.into())]);
    world.handle(Input::Command { sweep, command: Command::Enqueue(x.clone()) }).reply.unwrap();
    assert_eq!(world.claim("w", "r").unwrap().params, x);
    assert_ne!(world.claim("v", "q").unwrap().params, x);
    let outside = Params::from([("x".into(), 7000i64.into())]);
    let refused = world.handle(Input::Command { sweep, command: Command::Enqueue(outside) });
    assert!(matches!(refused.reply, Err(Refusal::BadConfiguration(_))));
    assert_eq!(refused.changes, []);
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
