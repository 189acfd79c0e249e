use super::*;
use crate::domain::sweep::{Order, Population, StopperSpec};
use crate::domain::{
    AttemptState, EventKind, Metrics, NewTrial, ParameterKind, Sweep, SweepState, TellState, TrialState,
    Value,
};
use crate::scheduler::core::core_test::{World, checkpoint, moves, toy_sweep};
use crate::scheduler::{Claimed, Command, Handled, Input, Refusal, Reply};
use std::collections::BTreeMap;

fn population(members: u64, interval: u64, order: Order, parallel: u32) -> Sweep {
    let mut spec = toy_sweep("population", 0, 1);
    let all = Population { members, interval, quantile: 0.25, perturb: vec!["x".into()] };
    spec.search.stopper = Some(StopperSpec::Population(all));
    (spec.search.trials, spec.search.order, spec.search.parallel) = (None, order, Some(parallel));
    spec.space.get_mut("x").unwrap().kind =
        ParameterKind::Float { low: 1e-3, high: 1.0, log: true, step: None };
    spec
}

/// Works on a leg to its end; `train` takes a trial from one step to the next and answers its value there.
fn work(
    world: &mut World,
    claimed: &Claimed,
    budget: u64,
    mut train: impl FnMut(&Claimed, u64) -> f64,
) -> Handled {
    let until = claimed.leg.until_step.map_or(budget, |until| until.min(budget));
    for step in claimed.leg.from_step + 1..=until {
        let value = train(claimed, step);
        world.report(claimed, step, value).unwrap();
    }
    if until < budget {
        world.handle(checkpoint(claimed, until));
    }
    world.tell(claimed, if until < budget { TellState::Paused } else { TellState::Completed })
}

/// Runs a sweep to its end with so many workers in turn; what was changed.
fn run(spec: Sweep, budget: u64, mut train: impl FnMut(&Claimed, u64) -> f64) -> Vec<Change> {
    let mut world = World::new();
    let workers = spec.search.parallel.unwrap() as usize;
    world.submit(spec);
    let (mut changes, mut busy) = (Vec::new(), Vec::new());
    for request in 0.. {
        let seeker =
            crate::scheduler::core::core_test::seeker(&format!("w{request}"), &format!("r{request}"));
        let handled = world.handle(Input::Claim(seeker));
        changes.extend(handled.changes);
        match handled.reply {
            Ok(Reply::Work(claimed)) => busy.push(*claimed),
            _ if busy.is_empty() => break,
            _ => {}
        }
        let due = busy.len() == workers || request % 3 == 2;
        if due && let Some(claimed) = (!busy.is_empty()).then(|| busy.remove(0)) {
            changes.extend(work(&mut world, &claimed, budget, &mut train).changes);
        }
    }
    changes
}

fn inserted(changes: &[Change]) -> Vec<&NewTrial> {
    let mut rows = Vec::new();
    for change in changes {
        if let Change::TrialInserted(row) = change {
            rows.push(row.as_ref());
        }
    }
    rows
}

#[test]
fn a_replaced_member_ends_and_its_heir_goes_on_from_a_better_one() {
    let mut world = World::new();
    let sweep = world.submit(population(4, 3, Order::Arrival, 1));
    let claim = |world: &mut World, n: u64| world.claim("w", &format!("r{n}")).unwrap();
    for n in 0..4 {
        let claimed = claim(&mut world, n);
        assert_eq!((claimed.number, claimed.leg.until_step, claimed.descent), (n, Some(3), None));
        // The best of its steps is not what counts: the last is.
        work(&mut world, &claimed, 9, |claimed, step| {
            if step == 1 { 0.0 } else { [2.0, 1.0, 4.0, 3.0][claimed.number as usize] }
        });
    }
    for (n, number) in [(4, 0), (5, 1)] {
        let claimed = claim(&mut world, n);
        assert_eq!((claimed.number, claimed.leg.from_step, claimed.leg.until_step), (number, 3, Some(6)));
        work(&mut world, &claimed, 9, |_, _| 0.5);
    }
    let handled = world.handle(Input::Claim(crate::scheduler::core::core_test::seeker("w", "heir")));
    let Ok(Reply::Work(heir)) = handled.reply.clone() else { panic!("{handled:?}") };
    let descent = Descent { parent: 1, step: 3, replaces: 2 };
    assert_eq!((heir.number, heir.descent), (4, Some(descent)));
    assert_eq!((heir.leg.from_step, heir.leg.until_step), (3, Some(6)));
    // The parent has gone on since, and its own checkpoint of that step is gone.
    assert_eq!(heir.checkpoints.iter().map(|kept| kept.step).collect::<Vec<_>>(), [3]);
    assert_eq!(
        moves(&handled),
        [(TrialState::Paused, TrialState::Stopped), (TrialState::Queued, TrialState::Running)]
    );
    let said: Vec<String> = handled
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Recorded(event) => {
                event.reason.as_ref().map(|reason| format!("{} {reason}", event.kind.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(said[0], "trial_stopped step 3: 4.0000 is among the last 1 of 4");
    assert!(said[1].starts_with("trial_suggested goes on from trial 1 at step 3: x "), "{said:?}");
    assert_eq!(said.len(), 2, "and the attempt begins");
    // Its own steps begin after that one.
    let refused = world.report(&heir, 3, 1.0);
    assert_eq!(refused, Err(Refusal::StepBackwards { step: 3, last: 3 }));
    assert!(world.report(&heir, 4, 1.0).is_ok());
    assert!(world.core.sweeps[&sweep].open.values().all(|open| open.row.number != 2));
}

#[test]
fn an_heir_whose_worker_is_lost_begins_again_where_its_parent_stood() {
    let mut world = World::new();
    world.submit(population(4, 3, Order::Arrival, 1));
    for n in 0..6 {
        let claimed = world.claim("w", &format!("r{n}")).unwrap();
        work(&mut world, &claimed, 9, |claimed, _| claimed.number as f64);
    }
    let mut first = world.claim("w", "r6").unwrap();
    for n in 7.. {
        if first.descent.is_some() {
            break;
        }
        work(&mut world, &first, 9, |_, _| 1.0);
        first = world.claim("w", &format!("r{n}")).unwrap();
    }
    world.report(&first, 4, 1.0).unwrap();
    let handled = world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() });
    assert!(
        handled.changes.iter().any(|c| matches!(c, Change::ReportsDiscarded { after_step: 3, .. })),
        "{handled:?}"
    );
    assert!(
        handled.changes.iter().any(|c| matches!(c, Change::AttemptClosed { state: AttemptState::Lost, .. }))
    );
    world.now = world.now.plus_ms(10_000);
    world.handle(Input::Tick);
    let again = world.claim("w", "again").unwrap();
    assert_eq!(
        (again.number, again.descent, &again.checkpoints),
        (first.number, first.descent, &first.checkpoints)
    );
}

#[test]
fn a_population_takes_newcomers_while_it_is_incomplete_and_tries_nothing_again() {
    let mut world = World::new();
    let sweep = world.submit(population(4, 3, Order::Arrival, 4));
    let enqueue = |world: &mut World, x: f64| {
        let params = Params::from([("x".to_owned(), Value::Float(x))]);
        world.handle(Input::Command { sweep, command: Command::Enqueue(params) }).reply
    };
    for x in [0.1, 0.2, 0.3, 0.4] {
        assert_eq!(enqueue(&mut world, x), Ok(Reply::Done));
    }
    assert!(matches!(enqueue(&mut world, 0.5), Err(Refusal::WrongState(why)) if why.contains("complete")));
    let xs: Vec<f64> = (0..4)
        .map(|n| {
            let claimed = world.claim(&format!("w{n}"), &format!("r{n}")).unwrap();
            claimed.params["x"].as_f64().unwrap()
        })
        .collect();
    assert_eq!(xs, [0.1, 0.2, 0.3, 0.4]);
    assert!(world.claim("w9", "r9").is_none());
}

#[test]
fn with_no_trials_left_everybody_goes_on_and_the_sweep_ends_with_the_budgets() {
    for trials in [Some(4), Some(5), None] {
        for order in [Order::Arrival, Order::Number] {
            for parallel in [1, 2] {
                let mut spec = population(4, 2, order, parallel);
                spec.search.trials = trials;
                let changes =
                    run(spec, 7, |claimed, step| claimed.params["x"].as_f64().unwrap() / step as f64);
                let rows = inserted(&changes);
                let heirs = rows.iter().filter(|row| row.suggested.descent().is_some()).count();
                match trials {
                    Some(trials) if parallel == 1 => assert_eq!(rows.len() as u64, trials, "{order:?}"),
                    Some(trials) => assert!((4..=trials).contains(&(rows.len() as u64)), "{order:?}"),
                    None => assert!(heirs > 1, "{order:?} {parallel}: {heirs}"),
                }
                let ended = changes
                    .iter()
                    .any(|change| matches!(change, Change::SweepMoved { to: SweepState::Completed, .. }));
                assert!(ended, "{trials:?} {order:?} {parallel}");
                let completed = changes.iter().filter(|change| matches!(change, Change::LegEnded { end, .. } if end.outcome == LegOutcome::Completed));
                assert_eq!(completed.count(), 4, "as many lines as members come to the end");
                // Nothing is left for heirs that will not come.
                let kept = changes.iter().filter(|change| matches!(change, Change::HeirloomKept(_))).count();
                let dropped =
                    changes.iter().filter(|change| matches!(change, Change::HeirloomDropped(_))).count();
                assert!(kept > 0 && kept == dropped, "{kept} kept, {dropped} dropped");
                let over = changes.iter().find_map(|change| match change {
                    Change::Recorded(event) if event.kind == EventKind::SweepCompleted => {
                        event.reason.clone()
                    }
                    _ => None,
                });
                assert_eq!(over, Some(Reason::BudgetSpent));
            }
        }
    }
}

#[test]
fn every_heir_finds_its_parents_checkpoint_and_few_are_kept() {
    for order in [Order::Arrival, Order::Number] {
        for parallel in [1, 2, 5, 8] {
            let changes = run(population(8, 1, order, parallel), 12, |claimed, step| {
                claimed.params["x"].as_f64().unwrap() + (claimed.number * 7 % 5) as f64 / step as f64
            });
            let (mut heirs, mut held, mut most) = (0, 0i64, 0);
            let first_of: BTreeMap<TrialId, Descent> = inserted(&changes)
                .iter()
                .filter_map(|row| Some((row.id, row.suggested.descent()?)))
                .collect();
            for change in &changes {
                match change {
                    Change::HeirloomKept(_) => held += 1,
                    Change::HeirloomDropped(_) => held -= 1,
                    Change::CheckpointStored(kept) => {
                        heirs += u64::from(
                            first_of.get(&kept.trial).is_some_and(|descent| descent.step == kept.step),
                        );
                    }
                    _ => {}
                }
                most = most.max(held);
            }
            assert_eq!(heirs, first_of.len() as u64, "{order:?} {parallel}");
            assert!(heirs > if parallel < 5 { 8 } else { 0 }, "{order:?} {parallel}: {heirs}");
            assert!(most <= 24, "{order:?} {parallel}: {most} checkpoints were kept at once");
        }
    }
}

#[test]
fn decided_by_number_it_is_the_same_however_fast_its_workers_are() {
    let table = |shuffle: usize| {
        let mut world = World::new();
        world.submit(population(6, 2, Order::Number, 3));
        let (mut busy, mut rows, mut request) = (Vec::new(), Vec::new(), 0);
        loop {
            request += 1;
            let seeker =
                crate::scheduler::core::core_test::seeker(&format!("w{request}"), &format!("r{request}"));
            let handled = world.handle(Input::Claim(seeker));
            rows.extend(
                inserted(&handled.changes)
                    .iter()
                    .map(|row| (row.number, row.params.clone(), row.suggested.clone())),
            );
            match handled.reply {
                Ok(Reply::Work(claimed)) => busy.push(*claimed),
                _ if busy.is_empty() => return rows,
                _ => {
                    let claimed = busy.remove((shuffle * request) % busy.len());
                    work(&mut world, &claimed, 9, |claimed, step| {
                        claimed.params["x"].as_f64().unwrap() / step as f64
                    });
                }
            }
        }
    };
    let one = table(0);
    assert!(one.iter().filter(|(_, _, reason)| reason.descent().is_some()).count() > 3, "{one:?}");
    for shuffle in 1..8 {
        assert_eq!(table(shuffle), one);
    }
}

/// A training whose best learning rate falls in the middle: only steps near it come further. What a trial has reached
/// is inherited with its checkpoint. The least that anybody reached.
fn reached_by(spec: Sweep, budget: u64) -> f64 {
    let mut reached: BTreeMap<u64, BTreeMap<u64, f64>> = BTreeMap::new();
    let mut best = f64::INFINITY;
    run(spec, budget, |claimed, step| {
        let from = claimed.descent.filter(|descent| descent.step + 1 == step);
        let before = match from {
            Some(descent) => reached[&descent.parent][&descent.step],
            None => {
                let own = reached.get(&claimed.number);
                own.and_then(|steps| steps.get(&(step - 1))).copied().unwrap_or(1.0)
            }
        };
        let wanted: f64 = if step <= budget / 2 { 0.3 } else { 0.06 };
        let miss = (claimed.params["x"].as_f64().unwrap() / wanted).ln();
        let after = before * (1.0 - 0.2 * (-miss * miss).exp());
        reached.entry(claimed.number).or_default().insert(step, after);
        best = best.min(after);
        after
    });
    best
}

#[test]
fn where_the_best_learning_rate_changes_it_beats_random_search_with_the_same_steps() {
    let (members, budget) = (16, 60);
    let mut ratios: Vec<f64> = (0..10)
        .map(|seed| {
            let mut spec = population(members, 2, Order::Arrival, 4);
            spec.seed = seed;
            let bred = reached_by(spec.clone(), budget);
            // The same steps: as many trials as there are lines.
            (spec.search.stopper, spec.search.trials) = (None, Some(members));
            bred / reached_by(spec, budget)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[8] < 1.0, "it is beaten: {ratios:?}");
    assert!(ratios[5] < 0.25, "what is left is not much less: {ratios:?}");
}

#[test]
fn a_client_is_told_whose_heir_it_trains_and_needs_no_checkpoint() {
    let mut spec = population(4, 3, Order::Arrival, 1);
    spec.objective.kind = crate::domain::ObjectiveKind::External;
    let mut world = World::new();
    let sweep = world.submit(spec);
    let mut descents = Vec::new();
    for n in 0..12 {
        let seeker = crate::scheduler::core::core_test::seeker("client", &format!("r{n}"));
        let asked = world.handle(Input::Ask { sweep, seeker, lease_ms: None }).reply;
        let Ok(Reply::Work(claimed)) = asked else { panic!("{asked:?}") };
        assert!(claimed.checkpoints.is_empty());
        descents.extend(claimed.descent.map(|descent| (descent, claimed.leg.from_step)));
        let until = claimed.leg.until_step.unwrap();
        for step in claimed.leg.from_step + 1..=until {
            let metrics = Metrics::default().with("rmse", (claimed.number + 1) as f64 / step as f64);
            let (trial, attempt) = (claimed.leg.trial, claimed.attempt);
            world.handle(Input::Report { trial, attempt, step, metrics }).reply.unwrap();
        }
        world.tell(&claimed, TellState::Paused);
    }
    let (descent, from_step) = descents[0];
    assert_eq!((descent.parent, descent.step, from_step), (0, 3, 3));
}
