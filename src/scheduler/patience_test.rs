//! Devices that are kept free or short of memory, sweeps that are opened again for one trial or come to their
//! deadline, and who was heard of: the core alone.

use super::core_test::{World, halving, moves, seeker, told, toy_sweep, work};
use super::*;
use crate::domain::recovery::Past;
use crate::domain::sweep::Order;
use crate::domain::{OutOfMemory, TellState};
use crate::scheduler::reserve::PATIENCE_MS;
use crate::scheduler::{Claimed, Command, Seeker};

fn claim(world: &mut World, slot: &str) -> Option<Claimed> {
    let at = Seeker { slot: slot.into(), ..seeker(slot, &format!("{slot} {}", world.now.0)) };
    match world.handle(Input::Claim(at)).reply {
        Ok(Reply::Work(claimed)) => Some(*claimed),
        Ok(Reply::Nothing) => None,
        other => panic!("{other:?}"),
    }
}

fn complete(world: &mut World, claimed: &Claimed) {
    world.report(claimed, 1, 1.0).unwrap();
    world.tell(claimed, TellState::Completed);
}

/// A trial that ran out of memory beside `other`, and has rested since.
fn one_that_needs_a_device(world: &mut World, others: &Claimed) -> Claimed {
    let large = claim(world, "cuda:0/1").unwrap();
    let full = Reason::OutOfMemory { message: "no".into(), alone: false };
    let handled = world.handle(told(&large, TellState::Failed, Some(full)));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
    world.report(others, 1, 1.0).unwrap();
    world.now = world.now.plus_ms(2000);
    world.handle(Input::Tick);
    large
}

#[test]
fn a_trial_that_needs_its_device_alone_does_not_starve() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1000));
    let mut busy = claim(&mut world, "cuda:0/0").unwrap();
    let large = one_that_needs_a_device(&mut world, &busy);
    let (mut slot, mut other) = ("cuda:0/0", "cuda:0/1");
    let begun = world.now;
    // Two slots that are never free at the same time.
    let alone = loop {
        world.now = world.now.plus_ms(5000);
        let next = claim(&mut world, other);
        complete(&mut world, &busy);
        match next {
            Some(next) => {
                assert_ne!(next.leg, large.leg, "the device is not its own");
                busy = next;
                (slot, other) = (other, slot);
            }
            None => break claim(&mut world, slot).unwrap(),
        }
        assert!(world.now.since_ms(begun) < 2 * PATIENCE_MS, "it starves");
    };
    assert_eq!(alone.leg, large.leg);
    assert!(world.now.since_ms(begun) >= PATIENCE_MS - 5000, "it waits patiently first");
    assert!(claim(&mut world, other).is_none(), "it has the device for itself");
    complete(&mut world, &alone);
    assert!(claim(&mut world, other).is_some() && claim(&mut world, slot).is_some());
}

#[test]
fn one_device_is_kept_free_and_no_more_than_that() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1000));
    let first = claim(&mut world, "cuda:0/0").unwrap();
    let second = claim(&mut world, "cuda:1/0").unwrap();
    let large = one_that_needs_a_device(&mut world, &first);
    world.now = world.now.plus_ms(PATIENCE_MS - 10_000);
    assert!(claim(&mut world, "cuda:0/1").is_some(), "not yet");
    world.now = world.now.plus_ms(10_000);
    assert!(claim(&mut world, "cuda:1/1").is_none(), "the first device that comes is kept free");
    assert!(claim(&mut world, "cuda:0/2").is_some(), "the others are not");
    complete(&mut world, &second);
    assert_eq!(claim(&mut world, "cuda:1/1").unwrap().leg, large.leg);
    assert!(claim(&mut world, "cuda:1/0").is_none());
    assert!(claim(&mut world, "cuda:0/3").is_some());
}

#[test]
fn nothing_is_kept_free_for_a_sweep_that_may_not_start() {
    let mut world = World::new();
    let sweep = world.submit(toy_sweep("large", 0, 2));
    let first = claim(&mut world, "cuda:0/0").unwrap();
    one_that_needs_a_device(&mut world, &first);
    world.submit(toy_sweep("others", 0, 1000));
    world.now = world.now.plus_ms(PATIENCE_MS);
    assert!(claim(&mut world, "cuda:0/1").is_none(), "kept free");
    world.handle(Input::Command { sweep, command: Command::Pause }).reply.unwrap();
    assert!(claim(&mut world, "cuda:0/1").is_some(), "not for one that is paused");
}

#[test]
fn an_empty_device_is_not_kept_from_who_cannot_take_what_it_is_kept_for() {
    let mut world = World::new();
    world.submit(toy_sweep("large", 0, 2));
    let first = claim(&mut world, "cuda:0/0").unwrap();
    one_that_needs_a_device(&mut world, &first);
    let mut other = toy_sweep("others", 0, 1000);
    other.objective.kind = crate::domain::ObjectiveKind::Keypoints;
    world.submit(other);
    world.now = world.now.plus_ms(PATIENCE_MS);
    assert!(claim(&mut world, "cuda:0/1").is_none(), "kept free");
    let kinds = vec![crate::domain::ObjectiveKind::Keypoints];
    let limited = |n: i64| {
        Input::Claim(Seeker {
            slot: "cuda:0/2".into(),
            kinds: kinds.clone(),
            ..seeker("x", &format!("x{n}"))
        })
    };
    assert_eq!(
        world.handle(limited(1)).reply,
        Ok(Reply::Nothing),
        "also from who cannot take it, while it empties"
    );
    complete(&mut world, &first);
    // The space has no parameters of a network, so nothing can be drawn; the claim is looked at all the same.
    assert!(
        world
            .core
            .reserved(world.now, &Seeker { slot: "cuda:0/2".into(), kinds, ..seeker("x", "y") })
            .is_none()
    );
    assert!(
        world.core.reserved(world.now, &Seeker { slot: "cuda:0/1".into(), ..seeker("w", "z") }).is_some()
    );
}

/// A stored sweep as it would be read for a retry of its trial of that number.
fn stored(
    spec: crate::domain::Sweep,
    id: SweepId,
    state: SweepState,
    number: u64,
    legs: u64,
) -> Box<OpenSweep> {
    let row = SweepRow { id, uid: "s".into(), state, spec, origin: Default::default(), created: Millis(1) };
    let trial = crate::domain::NewTrial {
        id: TrialId(number as i64 + 1),
        sweep: id,
        number,
        params: [("x".to_owned(), 5i64.into())].into(),
        suggested: Reason::ByUser,
        parameter_count: None,
        budget_steps: None,
        created: Millis(1),
    };
    let open = OpenTrial {
        row: trial,
        state: TrialState::Cancelled,
        folds: Vec::new(),
        stopping: None,
        given_up: None,
        ready: None,
        alone: false,
        accumulate: 1,
    };
    Box::new(OpenSweep {
        row,
        returns_to: None,
        trials: 2,
        idle_legs: 0,
        past: Past { legs, ..Past::default() },
        open_legs: Vec::new(),
        open: vec![open],
    })
}

fn sweep_moves(handled: &Handled) -> Vec<SweepState> {
    let moved = |change: &Change| match change {
        Change::SweepMoved { to, .. } => Some(*to),
        _ => None,
    };
    handled.changes.iter().filter_map(moved).collect()
}

#[test]
fn a_retry_in_a_cancelled_sweep_runs_that_trial_alone_and_the_sweep_is_cancelled_again() {
    for order in [Order::Arrival, Order::Number] {
        let mut world = World::new();
        let spec = halving(50, order, 2);
        let sweep = world.submit(spec.clone());
        let running = world.claim("v", "q").unwrap();
        world.handle(Input::Command { sweep, command: Command::Cancel }).reply.unwrap();
        world.tell(&running, TellState::Stopped);
        assert!(world.core.sweeps.is_empty());
        let handled = world.handle(Input::Retry(stored(spec, sweep, SweepState::Cancelled, 0, 1)));
        assert_eq!(sweep_moves(&handled), [SweepState::Active]);
        assert!(handled.changes.contains(&Change::SweepReturns { sweep, to: SweepState::Cancelled }));
        let claimed = world.claim("w", "r").unwrap();
        assert_eq!(claimed.number, 0);
        assert!(world.claim("v", "q2").is_none(), "no new trial");
        let more = Input::Command { sweep, command: Command::Enqueue(claimed.params.clone()) };
        assert!(matches!(world.handle(more).reply, Err(Refusal::WrongState(_))));
        let handled = work(&mut world, &claimed, 1);
        assert_eq!(sweep_moves(&handled), [SweepState::Cancelled], "{order:?}");
        assert!(world.core.sweeps.is_empty());
    }
}

#[test]
fn a_retry_in_a_sweep_whose_time_is_up_runs_that_trial_all_the_same() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 50);
    spec.search.deadline = Some(Millis(1000));
    world.now = Millis(5000);
    let handled = world.handle(Input::Retry(stored(spec, SweepId(1), SweepState::Completed, 0, 1)));
    assert_eq!(handled.reply, Ok(Reply::Done));
    world.handle(Input::Tick);
    let claimed = world.claim("w", "r").unwrap();
    assert_eq!(world.report(&claimed, 1, 1.0), Ok(Reply::Decision(Decision::Continue)));
    assert!(world.claim("v", "q").is_none(), "no new trial");
    let handled = world.tell(&claimed, TellState::Completed);
    assert_eq!(sweep_moves(&handled), [SweepState::Completed]);
}

#[test]
fn what_was_split_stays_split_when_the_user_has_it_tried_again() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 50);
    spec.objective.out_of_memory = OutOfMemory::Accumulate;
    let mut again = stored(spec, SweepId(1), SweepState::Cancelled, 0, 1);
    (again.open[0].accumulate, again.open[0].alone) = (4, true);
    world.handle(Input::Retry(again)).reply.unwrap();
    assert_eq!(world.claim("w", "r").unwrap().accumulate, 4);
}

#[test]
fn a_deadline_ends_a_sweep_as_a_time_limit_does_and_the_earlier_of_both_counts() {
    for (limit, deadline) in [(None, 10_000), (Some(99), 10_000), (Some(10), 99_000)] {
        let mut world = World::new();
        let mut spec = toy_sweep("s", 0, 9);
        (spec.search.time_limit_s, spec.search.deadline) = (limit, Some(Millis(deadline)));
        world.submit(spec);
        let claimed = world.claim("w", "r").unwrap();
        world.report(&claimed, 1, 1.0).unwrap();
        world.now = world.core.next_deadline().unwrap();
        assert!((10_000..=10_010).contains(&world.now.0), "{}", world.now.0);
        world.handle(Input::Tick);
        assert_eq!(world.report(&claimed, 2, 0.5), Ok(Reply::Decision(Decision::Stop)));
        let handled = world.tell(&claimed, TellState::Stopped);
        let why = handled.changes.iter().find_map(|change| match change {
            Change::TrialMoved { reason, .. } => reason.clone(),
            _ => None,
        });
        assert_eq!(why, Some(Reason::TimeLimit));
        assert!(world.core.sweeps.is_empty());
    }
}

#[test]
fn who_was_heard_of_when_is_known() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    assert!(world.claim("v", "q").is_none());
    world.now = Millis(50_000);
    world.report(&claimed, 1, 1.0).unwrap();
    let seen = world.core.overview(world.now).workers;
    let seen: Vec<_> = seen.iter().map(|w| (w.worker.as_str(), w.heard, w.attempt)).collect();
    assert_eq!(seen, [("v", Some(Millis(3)), None), ("w", Some(world.now), Some(claimed.attempt))]);
    world.handle(Input::WorkerGone { worker: "v".into(), how: "signal 9".into() });
    assert_eq!(world.core.overview(world.now).workers.len(), 1);
    assert_eq!(world.core.overview(world.now.plus_ms(600_000)).workers.len(), 1, "it has an attempt");
}

#[test]
fn a_device_that_is_short_of_memory_gets_no_further_trial_but_always_a_first_one() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 9));
    let claim = |world: &mut World, slot: &str| {
        let at = Seeker { slot: slot.into(), ..seeker(slot, &format!("{slot} {}", world.now.0)) };
        match world.handle(Input::Claim(at)).reply {
            Ok(Reply::Work(claimed)) => Some(*claimed),
            _ => None,
        }
    };
    let look = |world: &mut World, free_gib: Option<u64>| {
        let memory = free_gib
            .map(|free| crate::scheduler::DeviceMemory { free_bytes: free << 30, total_bytes: 80 << 30 });
        let handled = world.handle(Input::Device { device: "cuda:0".into(), memory });
        assert_eq!((handled.reply, handled.changes, handled.synced), (Ok(Reply::Done), Vec::new(), false));
        handled.wakes
    };
    assert!(!look(&mut world, Some(1)));
    let first = claim(&mut world, "cuda:0/0").expect("nobody else of ours is there");
    assert!(claim(&mut world, "cuda:0/1").is_none());
    assert!(claim(&mut world, "cuda:1/0").is_some(), "another device");
    assert!(world.core.overview(world.now).short_of_memory.contains("cuda:0"));
    assert!(look(&mut world, Some(40)), "those who wait for work are woken");
    assert!(claim(&mut world, "cuda:0/1").is_some());
    assert!(!look(&mut world, Some(1)) && look(&mut world, None), "what nobody knows holds nobody back");
    assert!(world.report(&first, 1, 1.0).is_ok());
}
