//! The core under messages that come late, twice, or from workers that went back: no database, no clock.

use super::core_test::{World, toy_sweep};
use super::*;
use crate::domain::TellState;

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
