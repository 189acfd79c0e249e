use super::*;
use crate::domain::sweep::{Duplicates, Order, SamplerSpec};
use crate::domain::{Parameter, ParameterKind, Sweep, SweepState, TellState};
use crate::scheduler::Handled;
use crate::scheduler::core::core_test::{World, toy_sweep};
use std::collections::BTreeMap;

/// A sweep over so many configurations.
fn sweep(configurations: i64, trials: u64) -> Sweep {
    let mut sweep = toy_sweep("s", 0, trials);
    sweep.search.duplicates = Duplicates::Reuse;
    sweep.search.sampler = SamplerSpec::Random;
    let kind = ParameterKind::Int { low: 1, high: configurations, log: false, step: None };
    sweep.space = BTreeMap::from([("x".into(), Parameter { kind, when: None, default: None })]);
    sweep
}

/// Runs a sweep to its end with one worker; a trial is worth its parameter. Every change that was made.
fn run(spec: Sweep, fails: impl Fn(i64) -> bool) -> Vec<Change> {
    let mut world = World::new();
    world.submit(spec);
    let mut changes = Vec::new();
    for request in 0.. {
        let claim = crate::scheduler::core::core_test::seeker("w", &request.to_string());
        let handled: Handled = world.handle(crate::scheduler::Input::Claim(claim));
        changes.extend(handled.changes);
        let Ok(crate::scheduler::Reply::Work(claimed)) = handled.reply else { break };
        let x = claimed.params["x"].as_i64().unwrap();
        world.report(&claimed, 1, x as f64).unwrap();
        let state = if fails(x) { TellState::Failed } else { TellState::Completed };
        changes.extend(world.tell(&claimed, state).changes);
    }
    changes
}

/// Each trial's configuration, and whose result it got.
fn trials(changes: &[Change]) -> Vec<(i64, Option<u64>)> {
    let mut trials = Vec::new();
    for change in changes {
        match change {
            Change::TrialInserted(row) => trials.push((row.params["x"].as_i64().unwrap(), None)),
            Change::ResultCopied { from, .. } => trials.last_mut().unwrap().1 = Some(*from),
            _ => {}
        }
    }
    trials
}

fn ended(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::SweepMoved { to: SweepState::Completed, .. }))
}

#[test]
fn a_configuration_is_tried_once_and_then_copied() {
    for order in [Order::Arrival, Order::Number] {
        let mut spec = sweep(4, 12);
        spec.search.order = order;
        spec.search.parallel = Some(1);
        let changes = run(spec, |_| false);
        let trials = trials(&changes);
        assert_eq!(trials.len(), 12, "copies count as trials");
        for (number, (x, from)) in (0..).zip(&trials) {
            let first = trials.iter().position(|(other, _)| other == x).unwrap() as u64;
            assert_eq!(*from, (first < number).then_some(first), "trial {number} of {trials:?}");
        }
        assert!(ended(&changes));
        let attempts = changes.iter().filter(|change| matches!(change, Change::AttemptOpened(_))).count();
        assert!(attempts <= 4, "{attempts} attempts at 4 configurations");
    }
}

#[test]
fn what_failed_is_tried_again() {
    let changes = run(sweep(1, 5), |_| true);
    assert_eq!(trials(&changes), [(1, None); 5]);
}

#[test]
fn a_space_of_which_all_is_known_ends_the_sweep() {
    let changes = run(sweep(3, 1_000_000), |_| false);
    let trials = trials(&changes);
    let tried = trials.iter().filter(|(_, from)| from.is_none()).count();
    assert_eq!(tried, 3, "what nobody drew is tried before the end: {trials:?}");
    assert!(trials.len() < 100, "{} trials of 3 configurations", trials.len());
    assert!(ended(&changes));
    let reason = changes.iter().find_map(|change| match change {
        Change::Recorded(event) if event.kind == EventKind::SweepCompleted => event.reason.clone(),
        _ => None,
    });
    assert_eq!(reason, Some(Reason::SpaceExhausted));
}
