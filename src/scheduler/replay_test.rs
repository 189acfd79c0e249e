//! A small sweep, played by the core and written down by hand: what is changed in it afterwards is found.

use super::*;
use crate::domain::decisions::StoredTrial;
use crate::domain::sweep::{Against, Mode, Order, Population, StopperSpec};
use crate::domain::{Change, PastTerms, TellState};
use crate::scheduler::Claimed;
use crate::scheduler::core::core_test::{World, halving, judging, report, work};

/// Plays a sweep with successive halving to its end and keeps what would be stored.
fn played(order: Order, parallel: u32) -> StoredDecisions {
    play(halving(9, order, parallel), |world, claimed| work(world, claimed, 9).changes)
}

fn play(spec: Sweep, work: impl Fn(&mut World, &Claimed) -> Vec<Change>) -> StoredDecisions {
    let mut world = World::new();
    let uid = spec.name.clone();
    let origin = Box::default();
    let submit =
        crate::scheduler::Input::Submit { uid, spec: Box::new(spec.clone()), origin, sources: Vec::new() };
    let mut changes = world.handle(submit).changes;
    let mut busy = Vec::new();
    for n in 0.. {
        let claim = crate::scheduler::Input::Claim(crate::scheduler::core::core_test::seeker(
            &format!("w{n}"),
            &format!("r{n}"),
        ));
        let handled = world.handle(claim);
        changes.extend(handled.changes);
        match handled.reply {
            Ok(crate::scheduler::Reply::Work(claimed)) => busy.push(*claimed),
            _ if busy.is_empty() => break,
            _ => changes.extend(work(&mut world, &busy.remove(0))),
        }
    }
    stored(spec, &changes)
}

pub fn stored(spec: Sweep, changes: &[Change]) -> StoredDecisions {
    let mut all = StoredDecisions {
        spec,
        terms: Vec::new(),
        sources: Vec::new(),
        trials: Vec::new(),
        legs: Vec::new(),
        events: Vec::new(),
        reports: Vec::new(),
    };
    let (mut numbers, mut legs) = (BTreeMap::new(), BTreeMap::new());
    for change in changes {
        match change {
            Change::TrialInserted(row) => {
                numbers.insert(row.id, row.number);
                let (params, suggested) = (row.params.clone(), row.suggested.clone());
                let budget_steps = row.budget_steps;
                all.trials.push(StoredTrial { number: row.number, params, suggested, budget_steps });
            }
            Change::LegDecided(decided) => {
                legs.insert(decided.id, all.legs.len());
                all.legs.push(LegRecord {
                    number: decided.number,
                    trial: decided.leg.map(|leg| numbers[&leg.trial]),
                    fold: decided.leg.map_or(0, |leg| leg.fold),
                    from_step: decided.leg.map_or(0, |leg| leg.from_step),
                    until_step: decided.leg.and_then(|leg| leg.until_step),
                    decided_seq: decided.seq,
                    end: None,
                });
            }
            Change::LegEnded { leg, end } => {
                all.legs[legs[leg]].end = Some(end.clone());
            }
            Change::Reported(report) => {
                let seq = report.seq;
                let (trial, step) = (numbers[&report.trial], report.step);
                all.reports.extend(report.metrics.get("rmse").map(|value| StoredReport {
                    seq,
                    trial,
                    step,
                    value,
                    further: Vec::new(),
                }));
            }
            Change::ReportsDiscarded { trial, after_step, .. } => {
                all.reports.retain(|report| report.trial != numbers[trial] || report.step <= *after_step);
            }
            Change::SweepEdited { past, spec, .. } => {
                all.terms.push((**past).clone());
                all.spec = (**spec).clone();
            }
            Change::Recorded(event) => all.events.push(StoredEvent {
                seq: event.seq,
                kind: event.kind,
                trial: event.trial.map(|trial| numbers[&trial]),
                reason: event.reason.clone(),
            }),
            _ => {}
        }
    }
    all
}

#[test]
fn what_was_decided_is_derived_again() {
    for order in [Order::Arrival, Order::Number] {
        for parallel in 1..4 {
            let stored = played(order, parallel);
            let verdicts = stored.events.iter().filter(|e| e.kind == EventKind::TrialStopped).count();
            assert!(verdicts > 0);
            assert_eq!(replay(&stored), Ok((stored.legs.len() + verdicts) as u64), "{order:?} {parallel}");
        }
    }
}

/// A population whose members work nine steps.
fn bred(order: Order, parallel: u32) -> StoredDecisions {
    let all = Population { members: 6, interval: 2, quantile: 0.34, perturb: vec!["x".into()] };
    let mut spec = judging(StopperSpec::Population(all), 6, order, parallel);
    spec.search.trials = None;
    play(spec, |world, claimed| {
        let until = claimed.leg.until_step.map_or(9, |until| until.min(9));
        let mut changes = Vec::new();
        for step in claimed.leg.from_step + 1..=until {
            let value = claimed.params["x"].as_f64().unwrap() + 1.0 / step as f64;
            changes.extend(world.handle(report(claimed, step, value)).changes);
        }
        let state = if until < 9 { TellState::Paused } else { TellState::Completed };
        changes.extend(world.tell(claimed, state).changes);
        changes
    })
}

#[test]
fn who_was_replaced_by_whose_heir_is_derived_again() {
    for order in [Order::Arrival, Order::Number] {
        for parallel in 1..5 {
            let stored = bred(order, parallel);
            let heirs = stored.trials.iter().filter(|trial| trial.suggested.descent().is_some()).count();
            assert!(heirs > 0, "{order:?} {parallel}: {heirs}");
            assert_eq!(replay(&stored), Ok(stored.legs.len() as u64), "{order:?} {parallel}");
        }
    }
}

#[test]
fn a_forged_heir_is_named() {
    let stored = bred(Order::Number, 2);
    let heir = stored.trials.iter().position(|trial| trial.suggested.descent().is_some()).unwrap();
    let named = |forged: &StoredDecisions, what: &str| {
        let difference = replay(forged).expect_err(what);
        assert!(difference.to_string().contains(what), "{difference}");
    };
    let mut other_value = stored.clone();
    other_value.trials[heir].params.insert("x".into(), 77i64.into());
    named(&other_value, r#"with {"x":77}"#);
    let mut other_parent = stored.clone();
    if let Reason::Inherited { descent, .. } = &mut other_parent.trials[heir].suggested {
        descent.parent += 1;
    }
    named(&other_parent, "goes on from trial");
    let ended = stored.events.iter().position(|event| event.kind == EventKind::TrialStopped).unwrap();
    let mut other_reason = stored.clone();
    if let Some(Reason::Replaced { last, .. }) = &mut other_reason.events[ended].reason {
        *last += 1;
    }
    named(&other_reason, "among the last 2 of");
    // Somebody who ended without an heir, and an heir for whom nobody ended.
    let mut nobody = stored.clone();
    nobody.events.remove(ended);
    assert!(replay(&nobody).is_err());
}

#[test]
fn a_changed_parameter_is_named() {
    let mut stored = played(Order::Number, 2);
    stored.trials[4].params.insert("x".into(), 1001i64.into());
    let difference = replay(&stored).unwrap_err();
    let leg = stored.legs.iter().position(|leg| leg.trial == Some(4)).unwrap() as u64;
    assert_eq!(difference.leg, Some(leg));
    assert!(difference.stored.starts_with(r#"trial 4 is new, with {"x":1001}"#), "{difference}");
    assert!(difference.derived.starts_with("trial 4 is new, with {\"x\":"), "{difference}");
}

#[test]
fn a_swapped_promotion_is_named() {
    let mut stored = played(Order::Number, 2);
    let leg = stored.legs.iter().position(|leg| leg.until_step == Some(3)).unwrap();
    let (best, seq) = (stored.legs[leg].trial, stored.legs[leg].decided_seq);
    let other = stored.legs[..leg].iter().map(|leg| leg.trial).find(|trial| *trial != best).unwrap();
    stored.legs[leg].trial = other;
    let continued = |event: &&mut StoredEvent| event.kind == EventKind::TrialContinued && event.seq == seq;
    stored.events.iter_mut().find(continued).unwrap().trial = other;
    let difference = replay(&stored).unwrap_err();
    assert_eq!(difference.leg, Some(leg as u64));
    let goes_on = |trial: Option<u64>| format!("trial {} goes on, up to step 3", trial.unwrap());
    assert!(difference.stored.starts_with(&goes_on(other)), "{difference}");
    assert!(difference.derived.starts_with(&goes_on(best)), "{difference}");
}

#[test]
fn a_missing_leg_is_named() {
    let whole = played(Order::Number, 2);
    for missing in 0..whole.legs.len() {
        let mut stored = whole.clone();
        stored.legs.remove(missing);
        let difference = replay(&stored).unwrap_err();
        assert_eq!(difference.leg, Some(missing as u64), "{difference}");
        assert!(difference.stored.starts_with("no "), "{difference}");
    }
}

#[test]
fn another_verdict_is_named() {
    let mut stored = played(Order::Arrival, 1);
    let last = stored.events.iter_mut().rfind(|event| event.kind == EventKind::TrialStopped).unwrap();
    last.reason = Some(Reason::BudgetSpent);
    let difference = replay(&stored).unwrap_err();
    assert!(difference.stored.ends_with("ended: budget spent"), "{difference}");
}

/// Reports nine steps unless it is told to end before.
fn work_until_told(world: &mut World, claimed: &Claimed) -> Vec<Change> {
    let value = claimed.params["x"].as_f64().unwrap();
    let mut changes = Vec::new();
    for step in 1..=9 {
        let handled = world.handle(report(claimed, step, value + 1.0 / step as f64));
        changes.extend(handled.changes);
        if handled.reply == Ok(crate::scheduler::Reply::Decision(crate::domain::Decision::Stop)) {
            changes.extend(world.tell(claimed, TellState::Stopped).changes);
            return changes;
        }
    }
    changes.extend(world.tell(claimed, TellState::Completed).changes);
    changes
}

fn judged_sweeps() -> Vec<StoredDecisions> {
    let against = Against { startup_trials: 2, warmup_steps: 0, interval_steps: 1, min_trials: 1 };
    let stoppers = [
        StopperSpec::Asha { min_steps: 1, factor: 3, mode: Mode::Stop },
        StopperSpec::Hyperband { min_steps: 1, max_steps: 9, factor: 3, mode: Mode::Stop },
        StopperSpec::Median(against),
        StopperSpec::Percentile { percentile: 25.0, against },
        StopperSpec::Extrapolation { startup_trials: 2, warmup_steps: 0, chance: 0.3 },
        StopperSpec::Threshold { lower: None, upper: Some(500.0), after_steps: 1 },
        StopperSpec::Patience { patience: 2, min_delta: 0.1 },
    ];
    let orders = [Order::Arrival, Order::Number].into_iter();
    let all = orders.flat_map(|order| stoppers.iter().map(move |stopper| (order, stopper.clone())));
    all.map(|(order, stopper)| play(judging(stopper, 12, order, 3), work_until_told)).collect()
}

fn judgements(stored: &StoredDecisions) -> Vec<usize> {
    let judged = |event: &StoredEvent| event.reason.as_ref().is_some_and(Reason::is_judgement);
    let judged = |(at, event): (usize, &StoredEvent)| {
        (judged(event) && matches!(event.kind, EventKind::TrialPassed | EventKind::TrialStopping))
            .then_some(at)
    };
    stored.events.iter().enumerate().filter_map(judged).collect()
}

#[test]
fn what_was_said_of_running_trials_is_derived_again() {
    for stored in judged_sweeps() {
        let judgements = judgements(&stored);
        let name = format!("{:?}", stored.spec.search);
        assert!(!judgements.is_empty(), "{name}");
        assert_eq!(replay(&stored), Ok((stored.legs.len() + judgements.len()) as u64), "{name}");
        // The reports are gone, as after a retry: the record says enough.
        let without = StoredDecisions { reports: Vec::new(), ..stored.clone() };
        if !stored.spec.search.stopper.as_ref().is_some_and(StopperSpec::needs_curves) {
            assert_eq!(replay(&without), replay(&stored), "{name}");
        }
    }
}

#[test]
fn a_forged_judgement_is_named() {
    for stored in judged_sweeps() {
        let name = format!("{:?}", stored.spec.search);
        for at in judgements(&stored) {
            let mut forged = stored.clone();
            let event = &mut forged.events[at];
            match event.reason.as_mut().unwrap() {
                Reason::PassedRung { bound, .. }
                | Reason::BelowRung { bound, .. }
                | Reason::WorseThanOthers { bound, .. }
                | Reason::UnlikelyToWin { expected: bound, .. }
                | Reason::OutOfBounds { limit: bound, .. }
                | Reason::Stalled { best: bound, .. } => *bound = bound.map(|bound| bound + 0.5),
                other => panic!("{other}"),
            }
            let reason = event.reason.as_ref().unwrap().to_string();
            let difference = replay(&forged).expect_err(&name);
            assert!(difference.stored.ends_with(&reason), "{name}: {difference}");
            // Nothing said of it is a difference too.
            let mut silent = stored.clone();
            silent.events.remove(at);
            let difference = replay(&silent).expect_err(&name);
            assert!(difference.stored.contains("goes on past step"), "{name}: {difference}");
        }
    }
}

#[test]
fn a_trial_that_should_have_ended_is_named() {
    let stored = judged_sweeps().remove(5);
    let worst = |report: &&mut StoredReport| report.step == 2 && report.value < 500.0;
    let mut other = stored.clone();
    let report = other.reports.iter_mut().find(worst).unwrap();
    report.value = 600.0;
    let trial = report.trial;
    let difference = replay(&other).unwrap_err();
    assert_eq!(difference.stored, format!("trial {trial} goes on past step 2"));
    assert_eq!(difference.derived, format!("trial {trial} is to end: step 2: 600.0000 is beyond 500"));
}

/// Other terms that are the same terms, given before a leg: sampler and stopper begin anew, and nothing may come of it.
fn begun_anew(stored: &StoredDecisions, leg: usize) -> StoredDecisions {
    let mut stored = stored.clone();
    let (until_leg, seq) = (leg as u64, stored.legs[leg].decided_seq);
    stored.terms.push(PastTerms { terms: stored.spec.terms(), until_leg, seq });
    stored
}

#[test]
fn methods_that_begin_anew_decide_the_same() {
    let orders = [Order::Arrival, Order::Number];
    let halved = orders.into_iter().flat_map(|order| (1..4).map(move |parallel| played(order, parallel)));
    for stored in halved.chain(judged_sweeps()) {
        for leg in 0..stored.legs.len() {
            // One input may decide several legs: what is edited stands before the first of them.
            if leg > 0 && stored.legs[leg - 1].decided_seq == stored.legs[leg].decided_seq {
                continue;
            }
            let anew = replay(&begun_anew(&stored, leg));
            assert_eq!(anew, replay(&stored), "before leg {leg} of {:?}", stored.spec.search);
        }
    }
}

#[test]
fn terms_that_are_said_to_be_older_are_named() {
    let mut stored = begun_anew(&played(Order::Number, 2), 5);
    stored.terms[0].until_leg = 4;
    let difference = replay(&stored).unwrap_err();
    assert_eq!(difference.leg, Some(5));
    assert!(difference.stored.contains("other terms from leg 4 on"), "{difference}");
}
