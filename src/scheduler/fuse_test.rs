//! Trials that one worker trains in one step: the core alone.

use super::core_test::{World, moves, seeker, told, toy_sweep};
use super::*;
use crate::domain::{AttemptId, ObjectiveKind, Parameter, ParameterKind, Sweep, TellState};
use crate::scheduler::{Claimed, Seeker};
use std::collections::BTreeSet;

fn beside(world: &mut World, worker: &str, lead: AttemptId) -> Result<Option<Claimed>, Refusal> {
    let request = format!("{worker} {}", world.now.0);
    match world.handle(Input::Claim(Seeker { beside: Some(lead), ..seeker(worker, &request) })).reply {
        Ok(Reply::Work(claimed)) => Ok(Some(*claimed)),
        Ok(Reply::Nothing) => Ok(None),
        Err(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn fused(trials: u64, fuse: u32) -> Sweep {
    let mut spec = toy_sweep("s", 0, trials);
    spec.search.fuse = fuse;
    spec
}

/// Small networks: their widths in turn, with learning rates that the sampler draws.
fn networks(widths: &[i64]) -> Sweep {
    let mut spec = fused(widths.len() as u64, 8);
    spec.objective.kind = ObjectiveKind::Keypoints;
    let rate = ParameterKind::Float { low: 1e-4, high: 1e-2, log: true, step: None };
    let different: BTreeSet<i64> = widths.iter().copied().collect();
    let width =
        ParameterKind::Choice { values: different.into_iter().map(|width| vec![width].into()).collect() };
    let fixed = ParameterKind::Fixed { value: "dense".into() };
    spec.space = [("learning_rate", rate), ("dense", width), ("family", fixed)]
        .map(|(name, kind)| (name.to_owned(), Parameter { kind, when: None, default: None }))
        .into();
    spec.enqueue = widths.iter().map(|width| [("dense".into(), vec![*width].into())].into()).collect();
    spec
}

#[test]
fn a_worker_keeps_what_it_has_and_gets_as_many_as_may_share_a_step() {
    let mut world = World::new();
    world.submit(fused(10, 3));
    let lead = world.claim("w", "r").unwrap();
    assert_eq!(lead.fuse, 3);
    let second = beside(&mut world, "w", lead.attempt).unwrap().unwrap();
    let third = beside(&mut world, "w", second.attempt).unwrap().unwrap();
    assert_eq!([lead.number, second.number, third.number], [0, 1, 2]);
    assert_eq!(beside(&mut world, "w", lead.attempt), Ok(None), "three are enough");
    for claimed in [&lead, &second, &third] {
        world.report(claimed, 1, 1.0).unwrap();
    }
    // A place is free again.
    world.tell(&lead, TellState::Completed);
    assert_eq!(beside(&mut world, "w", third.attempt).unwrap().unwrap().number, 3);
    // Whoever asks for other work has none any more.
    let handled = world.handle(Input::Claim(seeker("w", "anew")));
    assert_eq!(moves(&handled).iter().filter(|(from, _)| *from == TrialState::Running).count(), 3);
}

#[test]
fn nobody_joins_whose_lead_has_ended_or_is_anothers() {
    let mut world = World::new();
    world.submit(fused(10, 3));
    let lead = world.claim("w", "r").unwrap();
    let stale = Err(Refusal::StaleAttempt { attempt: lead.attempt });
    assert_eq!(beside(&mut world, "x", lead.attempt), stale);
    world.report(&lead, 1, 1.0).unwrap();
    world.tell(&lead, TellState::Completed);
    assert_eq!(beside(&mut world, "w", lead.attempt), stale);
}

#[test]
fn a_sweep_that_says_nothing_of_it_shares_no_steps() {
    let mut world = World::new();
    world.submit(fused(10, 1));
    let lead = world.claim("w", "r").unwrap();
    assert_eq!(lead.fuse, 1);
    assert_eq!(beside(&mut world, "w", lead.attempt), Ok(None));
}

#[test]
fn a_limit_of_trials_at_once_holds() {
    let mut world = World::new();
    let mut spec = fused(10, 4);
    spec.search.parallel = Some(2);
    world.submit(spec);
    let lead = world.claim("w", "r").unwrap();
    assert!(beside(&mut world, "w", lead.attempt).unwrap().is_some());
    assert_eq!(beside(&mut world, "w", lead.attempt), Ok(None));
}

#[test]
fn only_networks_with_the_same_layers_share_their_steps() {
    let mut world = World::new();
    world.submit(networks(&[16, 32, 16, 32, 16]));
    let lead = world.claim("w", "r").unwrap();
    let mut with_it = Vec::new();
    while let Some(next) = beside(&mut world, "w", lead.attempt).unwrap() {
        with_it.push(next);
    }
    let numbers: Vec<u64> = with_it.iter().map(|claimed| claimed.number).collect();
    assert_eq!(numbers, [2, 4], "the others wait for a worker of their own");
    assert!(with_it.iter().all(|claimed| claimed.params["dense"] == lead.params["dense"]));
    let other = world.claim("x", "r2").unwrap();
    assert_eq!(other.number, 1);
    assert_eq!(beside(&mut world, "x", other.attempt).unwrap().unwrap().number, 3);
}

#[test]
fn new_trials_are_not_drawn_while_one_waits_that_does_not_fit() {
    let mut world = World::new();
    let mut spec = networks(&[16, 32]);
    // The second waits; whoever is drawn after it may well fit.
    spec.search.trials = Some(20);
    world.submit(spec);
    let lead = world.claim("w", "r").unwrap();
    assert_eq!(beside(&mut world, "w", lead.attempt), Ok(None));
    assert_eq!(beside(&mut world, "w", lead.attempt), Ok(None));
    let other = world.claim("x", "r2").unwrap();
    assert_eq!(other.number, 1, "none was drawn in between");
}

#[test]
fn what_did_not_fit_with_others_is_tried_once_by_itself() {
    let mut world = World::new();
    world.submit(fused(2, 2));
    let lead = world.claim("w", "r").unwrap();
    let second = beside(&mut world, "w", lead.attempt).unwrap().unwrap();
    for claimed in [&lead, &second] {
        let full = Reason::OutOfMemory { message: "no".into(), alone: false };
        let handled = world.handle(told(claimed, TellState::Failed, Some(full)));
        assert_eq!(moves(&handled), [(TrialState::Running, TrialState::Queued)], "trial {}", claimed.number);
    }
    world.now = world.now.plus_ms(2000);
    world.handle(Input::Tick);
    let again = world.claim("w", "r2").unwrap();
    assert_eq!((again.number, again.fuse), (0, 1));
    assert_eq!(beside(&mut world, "w", again.attempt), Ok(None));
    assert!(world.claim("x", "r3").is_none(), "it has the device for itself");
}

#[test]
fn an_attempt_says_that_it_is_not_exact() {
    let mut world = World::new();
    world.submit(fused(2, 2));
    for (number, steps, inexact) in [
        (0, "shared", Some("trained in one step with up to 1 other")),
        // On a CPU, say.
        (1, "its own", None),
    ] {
        let environment = [("steps".to_owned(), steps.to_owned())].into();
        let claim = Seeker { environment, ..seeker(&format!("w{number}"), &format!("r{number}")) };
        let handled = world.handle(Input::Claim(claim));
        let opened = handled.changes.iter().find_map(|change| match change {
            Change::AttemptOpened(row) => Some(row.environment.get("inexact").cloned()),
            _ => None,
        });
        assert_eq!(opened.unwrap().as_deref(), inexact);
    }
}
