//! A small sweep, played by the core and written down by hand: what is changed in it afterwards is found.

use super::*;
use crate::domain::decisions::StoredTrial;
use crate::domain::sweep::Order;
use crate::domain::{Change, LegEnd};
use crate::scheduler::core::core_test::{World, halving, work};

/// Plays a sweep with successive halving to its end and keeps what would be stored.
fn played(order: Order, parallel: u32) -> StoredDecisions {
    let mut world = World::new();
    let spec = halving(9, order, parallel);
    let uid = spec.name.clone();
    let origin = Box::default();
    let submit = crate::scheduler::Input::Submit { uid, spec: Box::new(spec.clone()), origin };
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
            _ => changes.extend(work(&mut world, &busy.remove(0), 9).changes),
        }
    }
    stored(spec, &changes)
}

fn stored(spec: Sweep, changes: &[Change]) -> StoredDecisions {
    let mut all = StoredDecisions { spec, trials: Vec::new(), legs: Vec::new(), events: Vec::new() };
    let (mut numbers, mut legs) = (BTreeMap::new(), BTreeMap::new());
    for change in changes {
        match change {
            Change::TrialInserted(row) => {
                numbers.insert(row.id, row.number);
                let (params, suggested) = (row.params.clone(), row.suggested.clone());
                all.trials.push(StoredTrial { number: row.number, params, suggested });
            }
            Change::LegDecided(decided) => {
                legs.insert(decided.id, all.legs.len());
                all.legs.push(LegRecord {
                    number: decided.number,
                    trial: decided.leg.map(|leg| numbers[&leg.trial]),
                    from_step: decided.leg.map_or(0, |leg| leg.from_step),
                    until_step: decided.leg.and_then(|leg| leg.until_step),
                    decided_seq: decided.seq,
                    end: None,
                });
            }
            Change::LegEnded { leg, outcome, value, seq } => {
                all.legs[legs[leg]].end = Some(LegEnd { outcome: *outcome, value: *value, seq: *seq });
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
