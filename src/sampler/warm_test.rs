use super::*;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{Parameter, ParameterKind};
use std::collections::BTreeMap;

fn space() -> Space {
    let kind = |low, high| ParameterKind::Float { low, high, log: false, step: None };
    let parameter = |kind| Parameter { kind, when: None, default: None };
    Space::new(&BTreeMap::from([
        ("x".into(), parameter(kind(0.0, 1.0))),
        ("y".into(), parameter(kind(-2.0, 2.0))),
    ]))
    .unwrap()
}

fn loss(params: &Params) -> f64 {
    let (x, y) = (params["x"].as_f64().unwrap(), params["y"].as_f64().unwrap());
    (x - 0.3).powi(2) + (y - 1.0).powi(2) / 16.0
}

/// Fifty results, evenly spread.
fn source(name: &str, comparable: bool, loss: impl Fn(&Params) -> f64) -> Source {
    let results = (0..50u64).map(|trial| {
        let params = space().decode(&[(trial as f64 * 0.618).fract(), (trial as f64 * 0.414).fract()]);
        PriorResult { trial, loss: loss(&params), params }
    });
    let (id, name) = (format!("id-{name}"), name.to_owned());
    Source { id, name, completed: 50, comparable, results: results.collect() }
}

/// The first trials of a search that begins with these sources.
fn search(sources: &[Source], trials: u64) -> Vec<(Params, Reason)> {
    let (space, spec) = (space(), SamplerSpec::Tpe { startup: 10, candidates: 24 });
    let sampler = super::super::build(&spec, Prior::new(&space, sources, |params| Some(params.clone())));
    let mut history = History::new(&space, 1);
    let mut all = Vec::new();
    for number in 0..trials {
        let ask = Ask {
            space: &space,
            seed: 5,
            number,
            trials: None,
            history: &history,
            duplicates: false,
            feasible: &|_| Ok(()),
        };
        let Suggestion::Trial { params, reason } = sampler.suggest(&ask) else { panic!("exhausted") };
        space.contains(&params).unwrap();
        history.suggested(&space, &params);
        history.began(number);
        history.ended(&News { trial: number, level: Level::Full, losses: vec![loss(&params)] });
        all.push((params, reason));
    }
    all
}

fn first_of(trials: &[(Params, Reason)]) -> Vec<(String, u64)> {
    let from = |(_, reason): &(Params, Reason)| match reason {
        Reason::Transferred { name, trial, .. } => Some((name.clone(), *trial)),
        _ => None,
    };
    trials.iter().map_while(from).collect()
}

#[test]
fn the_best_earlier_configurations_come_first_just_as_they_were() {
    let source = source("one", true, loss);
    let trials = search(std::slice::from_ref(&source), 20);
    let first = first_of(&trials);
    assert_eq!(first.len(), FIRST);
    let mut ranked: Vec<&PriorResult> = source.results.iter().collect();
    ranked.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    assert_eq!(first[0].1, ranked[0].trial);
    for ((params, _), (_, trial)) in trials.iter().zip(&first) {
        assert_eq!(*params, source.results[*trial as usize].params);
    }
    // None is told twice, and none is like another.
    let points: Vec<Vec<f64>> = trials[..FIRST].iter().map(|(params, _)| space().point(params)).collect();
    for (at, point) in points.iter().enumerate() {
        assert!(points[..at].iter().all(|other| is_apart(point, other)), "{points:?}");
    }
    let reason = trials[0].1.to_string();
    assert_eq!(reason, format!("from one: trial {} there is number 1 of 50 earlier results", first[0].1));
}

#[test]
fn sources_that_cannot_be_compared_take_turns_and_count_by_rank_alone() {
    let other = |params: &Params| (params["x"].as_f64().unwrap() - 0.8).abs();
    let far = |params: &Params| 1e6 * other(params) - 3e9;
    let both = [source("one", true, loss), source("far", false, far)];
    let first = first_of(&search(&both, 10));
    assert_eq!(first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()[..2], ["one", "far"]);
    // By rank alone: whatever the scale, all that is suggested is the same.
    let params = |sources: &[Source]| -> Vec<Params> {
        search(sources, 40).into_iter().map(|(params, _)| params).collect()
    };
    let alone = params(&[source("far", false, far)]);
    assert_eq!(alone, params(&[source("far", false, |params| other(params).exp())]));
    assert_eq!(alone, params(&[source("far", true, other)]));
}

#[test]
fn earlier_results_count_ever_less() {
    let trials = search(&[source("one", true, loss)], 120);
    let guided = |(_, reason): &(Params, Reason)| matches!(reason, Reason::Suggested { sampler, .. } if sampler == "tpe on earlier sweeps");
    let counts: Vec<usize> =
        trials.chunks(40).map(|chunk| chunk.iter().filter(|trial| guided(trial)).count()).collect();
    assert!(counts[0] > counts[2] && counts[2] <= 4, "{counts:?}");
}

#[test]
fn results_that_say_the_contrary_are_not_followed() {
    let guided = |sources: &[Source]| {
        let is_guided = |(_, reason): &(Params, Reason)| matches!(reason, Reason::Suggested { sampler, .. } if sampler == "tpe on earlier sweeps");
        search(sources, 60).iter().filter(|trial| is_guided(trial)).count()
    };
    let (right, contrary) =
        (guided(&[source("one", true, loss)]), guided(&[source("one", true, |p| -loss(p))]));
    assert!(right > 2 && contrary == 0, "{right} and {contrary}");
}

#[test]
fn what_cannot_exist_or_does_not_fit_is_not_tried() {
    let source = source("one", true, loss);
    assert!(Prior::new(&space(), std::slice::from_ref(&source), |_| None).is_none());
    let right = |params: &Params| Some(params.clone()).filter(|params| params["x"].as_f64() > Some(0.5));
    let prior = Prior::new(&space(), &[source], right).unwrap();
    assert!(prior.best.iter().all(|best| best.params["x"].as_f64() > Some(0.5)));
    assert!(prior.history.trials() < 30);
}
