//! The core under messages that come late, twice, or from workers that went back: no database, no clock.

use super::core_test::{World, checkpoint, halving, moves, told, toy_sweep};
use super::*;
use crate::domain::TellState;
use crate::domain::sweep::Order;

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
fn a_trial_handed_back_at_the_end_of_its_leg_may_have_its_budget_behind_it() {
    let mut world = World::new();
    world.submit(halving(1, Order::Number, 1));
    let claimed = world.claim("w", "r").unwrap();
    world.report(&claimed, 1, 5.0).unwrap();
    let handled = world.handle(told(&claimed, TellState::Paused, Some(Reason::DaemonStopped)));
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)]);
    let again = world.claim("w", "r2").unwrap();
    assert_eq!(again.leg, claimed.leg);
    let handled = world.tell(&again, TellState::Completed);
    assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Completed)]);
}
