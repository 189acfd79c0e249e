//! The core under messages that come late, twice, or from workers that went back: no database, no clock.

use super::core_test::{World, checkpoint, halving, moves, seeker, told, toy_sweep, work};
use super::*;
use crate::domain::TellState;
use crate::domain::sweep::Order;
use crate::scheduler::Seeker;

fn reasons(handled: &Handled) -> Vec<(EventKind, bool)> {
    let recorded = |change: &Change| match change {
        Change::Recorded(event) => Some((event.kind, event.reason.is_some())),
        _ => None,
    };
    handled.changes.iter().filter_map(recorded).collect()
}

#[test]
fn an_end_without_a_reason_gets_one() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    let handled = world.tell(&claimed, TellState::Paused);
    assert_eq!(reasons(&handled), [(EventKind::TrialRequeued, true)]);
    let claimed = world.claim("w", "r2").unwrap();
    let handled = world.tell(&claimed, TellState::Stopped);
    assert_eq!(reasons(&handled)[0], (EventKind::TrialStopped, true));
}

#[test]
fn later_attempts_compute_with_what_the_first_did() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claim = |world: &mut World, request: &str, threads: &str, precision: &str| {
        let environment = [("threads", threads), ("precision", precision)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let seeker = Seeker { environment, ..seeker("w", request) };
        match world.handle(Input::Claim(seeker)).reply {
            Ok(Reply::Work(claimed)) => *claimed,
            other => panic!("{other:?}"),
        }
    };
    let first = claim(&mut world, "r", "3", "bf16");
    world.report(&first, 1, 5.0).unwrap();
    world.handle(told(&first, TellState::Paused, Some(Reason::DaemonStopped)));
    let second = claim(&mut world, "r2", "8", "f32");
    assert_eq!((second.threads, second.precision.as_deref()), (Some(3), Some("bf16")));
}

#[test]
fn a_trial_handed_back_at_the_end_of_its_leg_may_have_its_budget_behind_it() {
    let mut world = World::new();
    world.submit(halving(1, Order::Number, 1));
    let claimed = world.claim("w", "r").unwrap();
    world.report(&claimed, 1, 5.0).unwrap();
    world.handle(checkpoint(&claimed, 1));
    let handled = world.handle(told(&claimed, TellState::Paused, Some(Reason::DaemonStopped)));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
    let again = world.claim("w", "r2").unwrap();
    assert_eq!(again.leg, claimed.leg);
    world.report(&again, 1, 5.0).unwrap();
    let handled = world.tell(&again, TellState::Completed);
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Completed)]);
}

#[test]
fn who_went_back_leaves_no_checkpoint_ahead_of_its_steps() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let first = world.claim("w", "r").unwrap();
    for step in 1..=3 {
        world.report(&first, step, 9.0 - step as f64).unwrap();
        world.handle(checkpoint(&first, step));
    }
    world.handle(told(&first, TellState::Paused, Some(Reason::DaemonStopped)));
    // Neither checkpoint can be read: it begins anew, and dies after its first step.
    let second = world.claim("w", "r2").unwrap();
    assert_eq!(second.checkpoints.len(), 2);
    world.report(&second, 1, 8.0).unwrap();
    world.handle(told(&second, TellState::Paused, Some(Reason::DaemonStopped)));
    let third = world.claim("w", "r3").unwrap();
    assert_eq!(third.checkpoints, [], "steps 2 and 3 would be missing");
}

#[test]
fn a_checkpoint_that_is_repeated_late_takes_nobodys_place() {
    let mut world = World::new();
    world.submit(toy_sweep("s", 0, 1));
    let claimed = world.claim("w", "r").unwrap();
    for step in 1..=3 {
        world.report(&claimed, step, 1.0).unwrap();
        world.handle(checkpoint(&claimed, step));
    }
    let handled = world.handle(checkpoint(&claimed, 1));
    assert_eq!((handled.reply, handled.changes), (Ok(Reply::Done), Vec::new()));
}

/// The legs of a grid with successive halving, worked on one after the other; `forgetful`: the daemon starts
/// anew before each, and does not know any more that the grid has come to its end.
fn legs_of_a_grid(points: i64, parallel: u32, factor: u64, forgetful: bool) -> Vec<(u64, u64, Option<u64>)> {
    let mut spec = halving(0, Order::Number, parallel);
    let kind = crate::domain::ParameterKind::Int { low: 1, high: points, log: false, step: None };
    spec.space.insert("x".into(), crate::domain::Parameter { kind, when: None, default: None });
    spec.search.trials = None;
    spec.search.sampler = crate::domain::sweep::SamplerSpec::Grid { divisions: 100 };
    spec.search.stopper =
        Some(crate::domain::sweep::StopperSpec::Asha { min_steps: 1, factor, mode: Default::default() });
    let mut world = World::new();
    world.submit(spec);
    let (mut legs, mut busy) = (Vec::new(), Vec::new());
    for n in 0.. {
        if forgetful {
            world.core.sweeps.values_mut().for_each(|sweep| sweep.method.forget());
        }
        match world.claim(&format!("w{n}"), &format!("r{n}")) {
            Some(claimed) => {
                legs.push((claimed.leg.number, claimed.number, claimed.leg.until_step));
                busy.push(claimed);
            }
            None if busy.is_empty() => break,
            None => {
                work(&mut world, &busy.remove(0), 64);
            }
        }
    }
    legs
}

#[test]
fn that_a_grid_has_come_to_its_end_is_no_memory() {
    for points in 1..20 {
        for parallel in 1..5 {
            for factor in 2..4 {
                let calm = legs_of_a_grid(points, parallel, factor, false);
                assert_eq!(
                    legs_of_a_grid(points, parallel, factor, true),
                    calm,
                    "{points} {parallel} {factor}"
                );
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_back_gives_no_time_back() {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 9);
    spec.search.time_limit_s = Some(10);
    world.submit(spec);
    let claimed = world.claim("w", "r").unwrap();
    world.now = Millis(20_000);
    world.handle(Input::Tick);
    world.now = Millis(5_000);
    assert!(world.claim("v", "q").is_none());
    world.tell(&claimed, TellState::Stopped);
    assert!(world.core.sweeps.is_empty());
}

/// How a trial that never fits is tried: beside another, or alone on its device, with batches in so many parts.
fn ladder(policy: crate::domain::OutOfMemory, beside_another: bool) -> (Vec<u32>, Handled) {
    let mut world = World::new();
    let mut spec = toy_sweep("s", 0, 2);
    spec.objective.out_of_memory = policy;
    world.submit(spec);
    let other = beside_another.then(|| world.claim("other", "o").unwrap());
    let (mut parts, mut other) = (Vec::new(), other);
    for n in 0.. {
        let claimed = world.claim("w", &format!("r{n}")).unwrap();
        assert!(n == 0 || claimed.leg.from_step == 0);
        let attempt = world.core.sweep_of(claimed.leg.trial).unwrap().open.get(claimed.leg.trial).unwrap();
        let environment = &attempt.runs[0].attempt.as_ref().unwrap().row.environment;
        assert_eq!(environment.contains_key("inexact"), claimed.accumulate > 1, "{environment:?}");
        parts.push(claimed.accumulate);
        let full = Reason::OutOfMemory { message: "Tried to allocate 20.00 GiB".into(), alone: false };
        let handled = world.handle(told(&claimed, TellState::Failed, Some(full)));
        if moves(&handled) == [(TrialState::Running, TrialState::Failed)] {
            return (parts, handled);
        }
        assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
        if let Some(other) = other.take() {
            world.report(&other, 1, 1.0).unwrap();
            world.tell(&other, TellState::Completed);
        }
        world.now = world.core.next_deadline().unwrap();
        world.handle(Input::Tick);
    }
    unreachable!("it ends with a failure")
}

#[test]
fn out_of_memory_is_met_alone_and_where_that_is_wanted_in_ever_smaller_parts() {
    use crate::domain::OutOfMemory::{Accumulate, Fail};
    assert_eq!(ladder(Fail, false).0, [1]);
    assert_eq!(ladder(Fail, true).0, [1, 1]);
    assert_eq!(ladder(Accumulate, false).0, [1, 2, 4, 8]);
    let (parts, handled) = ladder(Accumulate, true);
    assert_eq!(parts, [1, 1, 2, 4, 8]);
    let why = handled.changes.iter().find_map(|change| match change {
        Change::TrialMoved { reason, .. } => reason.as_ref().map(ToString::to_string),
        _ => None,
    });
    assert_eq!(why.as_deref(), Some("out of memory: Tried to allocate 20.00 GiB"), "it says what was needed");
}
