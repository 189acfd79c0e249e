//! Several objectives in the core alone.

use super::*;
use crate::domain::metric::PARAMETERS;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{AttemptId, Direction, Millis, Params, Reason, Target, TellState, TrialId};
use crate::scheduler::core::core_test::{World, toy_sweep};
use crate::scheduler::{Claimed, Handled, Input};

fn target(name: &str, direction: Direction) -> Target {
    Target { name: name.into(), direction }
}

/// A world with one sweep that has these objectives beside "rmse", and its first trial.
fn begun(further: &[Target]) -> (World, Claimed) {
    let mut world = World::new();
    let mut sweep = toy_sweep("s", 0, 1);
    sweep.objective.further = further.to_vec();
    world.submit(sweep);
    let claimed = world.claim("w", "r").unwrap();
    (world, claimed)
}

fn report(world: &mut World, claimed: &Claimed, step: u64, metrics: &[(&str, f64)]) {
    let (trial, attempt) = (claimed.leg.trial, claimed.attempt);
    let handled = world.handle(Input::Report { trial, attempt, step, metrics: of(metrics) });
    handled.reply.unwrap();
}

fn complete(world: &mut World, claimed: &Claimed, metrics: &[(&str, f64)]) -> Handled {
    let (trial, attempt): (TrialId, AttemptId) = (claimed.leg.trial, claimed.attempt);
    let (state, text) = (TellState::Completed, String::new());
    let metrics = of(metrics);
    world.handle(Input::Tell { trial, attempt, state, metrics, reason: None, weights: None, text })
}

fn of(metrics: &[(&str, f64)]) -> Metrics {
    metrics.iter().fold(Metrics::default(), |all, (name, value)| all.with(name, *value))
}

/// Step and value of each objective, in their order, and whether they are ranked.
fn values(handled: &Handled) -> Vec<(u64, f64, bool)> {
    let value = |change: &Change| match change {
        Change::Valued { objective, step, value, ranked, .. } => Some((*objective, (*step, *value, *ranked))),
        _ => None,
    };
    let all: Vec<_> = handled.changes.iter().filter_map(value).collect();
    assert!((0..).zip(&all).all(|(number, (objective, _))| number == *objective), "{all:?}");
    all.into_iter().map(|(_, value)| value).collect()
}

fn why(handled: &Handled) -> Option<&Reason> {
    handled.changes.iter().find_map(|change| match change {
        Change::TrialMoved { reason, .. } => reason.as_ref(),
        _ => None,
    })
}

#[test]
fn all_values_are_those_of_the_best_step_by_the_first() {
    let (mut world, claimed) =
        begun(&[target("ms", Direction::Minimize), target("score", Direction::Maximize)]);
    report(&mut world, &claimed, 1, &[("rmse", 3.0), ("ms", 1.0), ("score", 9.0)]);
    report(&mut world, &claimed, 2, &[("rmse", 2.0), ("ms", 5.0), ("score", 1.0)]);
    report(&mut world, &claimed, 3, &[("rmse", 2.5), ("ms", 0.5), ("score", 8.0)]);
    let handled = complete(&mut world, &claimed, &[("ms", 0.1)]);
    assert_eq!(
        values(&handled),
        [(2, 2.0, true), (2, 5.0, true), (2, 1.0, true)],
        "a step's own word counts"
    );
}

#[test]
fn what_is_measured_at_the_end_counts_where_steps_are_silent() {
    let (mut world, claimed) = begun(&[target("ms", Direction::Minimize)]);
    report(&mut world, &claimed, 1, &[("rmse", 3.0)]);
    let handled = complete(&mut world, &claimed, &[("ms", 7.0)]);
    assert_eq!(values(&handled), [(1, 3.0, true), (1, 7.0, true)]);
    // A client that reports no steps tells all.
    let (mut world, claimed) = begun(&[target("ms", Direction::Minimize)]);
    let handled = complete(&mut world, &claimed, &[("rmse", 3.0), ("ms", 7.0)]);
    assert_eq!(values(&handled), [(0, 3.0, true), (0, 7.0, true)]);
}

#[test]
fn a_trial_that_lacks_a_value_fails_and_says_which() {
    for (steps, told, metric) in [
        (&[("rmse", 3.0)][..], &[][..], "ms"),
        (&[("rmse", 3.0), ("ms", f64::NAN)], &[("ms", f64::INFINITY)], "ms"),
        (&[("ms", 3.0)], &[], "rmse"),
    ] {
        let (mut world, claimed) = begun(&[target("ms", Direction::Minimize)]);
        report(&mut world, &claimed, 1, steps);
        let handled = complete(&mut world, &claimed, told);
        assert_eq!(why(&handled), Some(&Reason::NoValue { metric: metric.into() }), "{steps:?}");
        assert!(values(&handled).iter().all(|(_, _, ranked)| !ranked), "{steps:?}");
    }
}

#[test]
fn the_number_of_weights_is_known_without_a_report() {
    let objective = toy_sweep("s", 0, 1).objective;
    let objective = Objective { further: vec![target(PARAMETERS, Direction::Minimize)], ..objective };
    let step = of(&[("rmse", 1.0)]);
    let values = |step: &Metrics, count| objective.further_values(Some(step), &Metrics::default(), count);
    assert_eq!(values(&step, Some(1000)), [Some(1000.0)]);
    assert_eq!(values(&step, None), [None], "a toy has no weights");
    assert_eq!(values(&step.clone().with(PARAMETERS, 5.0), Some(1000)), [Some(5.0)], "a report goes before");
}

#[test]
fn values_follow_the_best_step_when_steps_are_taken_back() {
    let (mut world, claimed) = begun(&[target("ms", Direction::Minimize)]);
    report(&mut world, &claimed, 1, &[("rmse", 3.0), ("ms", 1.0)]);
    report(&mut world, &claimed, 2, &[("rmse", 2.0), ("ms", 5.0)]);
    // Its worker is lost; no checkpoint was stored, so all starts anew.
    let gone = world.handle(Input::WorkerGone { worker: "w".into(), how: "signal 9".into() });
    let moved: Vec<_> = gone.changes.iter().filter(|c| matches!(c, Change::FurtherMoved { .. })).collect();
    let none = Change::FurtherMoved { trial: claimed.leg.trial, values: Vec::new() };
    assert_eq!(moved, [&none]);
    world.now = Millis(10_000);
    let again = world.claim("v", "q").unwrap();
    report(&mut world, &again, 1, &[("rmse", 4.0), ("ms", 2.0)]);
    let handled = complete(&mut world, &again, &[]);
    assert_eq!(values(&handled), [(1, 4.0, true), (1, 2.0, true)]);
}

/// The configurations of a search for two objectives, each turned by a sign.
fn searched(sampler: SamplerSpec, signs: [f64; 2]) -> Vec<Params> {
    let mut world = World::new();
    let mut sweep = toy_sweep("s", 0, 40);
    let direction = |sign: f64| if sign > 0.0 { Direction::Minimize } else { Direction::Maximize };
    sweep.objective.direction = direction(signs[0]);
    sweep.objective.further = vec![target("ms", direction(signs[1]))];
    sweep.search.sampler = sampler;
    world.submit(sweep);
    let mut all = Vec::new();
    for request in 0..40 {
        let claimed = world.claim("w", &request.to_string()).unwrap();
        let x = claimed.params["x"].as_f64().unwrap();
        report(&mut world, &claimed, 1, &[("rmse", signs[0] * (x - 300.0).abs()), ("ms", signs[1] * x)]);
        assert_eq!(values(&complete(&mut world, &claimed, &[])).len(), 2);
        all.push(claimed.params);
    }
    all
}

#[test]
fn a_search_is_the_same_in_every_direction_and_looks_at_both_objectives() {
    for sampler in
        [SamplerSpec::Nsga2 { population: Some(6) }, SamplerSpec::Tpe { startup: 6, candidates: 12 }]
    {
        let plain = searched(sampler.clone(), [1.0, 1.0]);
        for signs in [[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]] {
            assert_eq!(searched(sampler.clone(), signs), plain, "{signs:?}");
        }
        // Those between 0 and 300 are beaten by none.
        let late = plain[20..].iter().filter(|params| params["x"].as_f64().unwrap() < 330.0).count();
        assert!(late > 12, "{late} of the last 20 are near the front: {plain:?}");
    }
}
