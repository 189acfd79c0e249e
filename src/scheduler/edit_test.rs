//! Other spaces for the same sweep: what sampler and stopper then know, the methods alone.

use super::super::core::core_test::toy_sweep;
use super::super::folds::{Doom, FoldEnd, Place};
use super::super::method::{Method, Next};
use crate::domain::recovery::Past;
use crate::domain::sweep::SamplerSpec;
use crate::domain::{
    LegEnd, LegOutcome, LegRecord, Parameter, ParameterKind, Params, PastTerms, Reason, Sweep, Value,
};
use crate::space::Space;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn float(low: f64, width: f64) -> ParameterKind {
    ParameterKind::Float { low, high: low + width, log: false, step: None }
}

/// Spaces that overlap more or less; each has `x`.
fn random_space() -> impl Strategy<Value = BTreeMap<String, Parameter>> {
    let x = (0..3u8, 1..4u8).prop_map(|(low, width)| float(f64::from(low), f64::from(width)));
    let n = (0..3i64, 0..4i64).prop_map(|(low, width)| ParameterKind::Int {
        low,
        high: low + width,
        log: false,
        step: None,
    });
    let words = prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4)
        .prop_map(|words| ParameterKind::Choice { values: words.into_iter().map(Value::from).collect() });
    let more = (n, any::<bool>(), words).prop_map(|(n, has_default, words)| {
        let default = match &n {
            ParameterKind::Int { low, .. } if has_default => Some(Value::from(*low)),
            _ => None,
        };
        [
            ("n", Parameter { kind: n, when: None, default }),
            ("word", Parameter { kind: words, when: None, default: None }),
        ]
    });
    (x, more, prop::collection::vec(any::<bool>(), 2)).prop_map(|(x, more, there)| {
        let x = ("x".to_owned(), Parameter { kind: x, when: None, default: None });
        let more = more.into_iter().zip(there).filter(|(_, is_there)| *is_there);
        std::iter::once(x).chain(more.map(|((name, p), _)| (name.to_owned(), p))).collect()
    })
}

fn sampler() -> impl Strategy<Value = SamplerSpec> {
    prop_oneof![
        Just(SamplerSpec::Random),
        Just(SamplerSpec::Sobol),
        Just(SamplerSpec::Halton),
        Just(SamplerSpec::Tpe { startup: 2, candidates: 8 }),
        Just(SamplerSpec::Gp { startup: 2 }),
        Just(SamplerSpec::Cmaes { population: Some(4) }),
        Just(SamplerSpec::Nsga2 { population: Some(4) }),
        Just(SamplerSpec::Evolution { population: 4, tournament: 2 }),
    ]
}

fn sweep_over(space: &BTreeMap<String, Parameter>, sampler: &SamplerSpec) -> Sweep {
    let mut sweep = toy_sweep("edited", 0, 1000);
    sweep.search.sampler = sampler.clone();
    sweep.space = space.clone();
    sweep
}

fn past_terms(sweep: &Sweep, legs: usize) -> PastTerms {
    PastTerms { terms: sweep.terms(), until_leg: legs as u64, seq: 2 * legs as i64 }
}

/// The end of trial `number`, which worked on the leg of that number.
fn record(number: u64, params: &Params) -> LegRecord {
    let value = params["x"].as_f64();
    let seq = 2 * number as i64;
    let end = LegEnd {
        outcome: LegOutcome::Completed,
        value,
        further: Vec::new(),
        out_of_memory: false,
        seq: seq + 1,
    };
    LegRecord {
        number,
        trial: Some(number),
        fold: 0,
        from_step: 0,
        until_step: None,
        decided_seq: seq,
        end: Some(end),
    }
}

fn method(sweep: &Sweep, past: &Past) -> Method {
    let mut method = Method::new(sweep, past).unwrap();
    method.learn(past);
    method
}

fn next(method: &mut Method, number: u64) -> Option<Params> {
    match method.next::<u64>(None, &|_| false, Some(number)) {
        Next::New(params, _) => Some(params),
        Next::Nothing => None,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However often a space is changed: each new configuration is of the space as it is then, and a sampler that is
    /// built anew suggests what the running one does.
    #[test]
    fn what_is_suggested_is_of_the_space_as_it_is_then(
        spaces in prop::collection::vec((random_space(), 1..8usize), 2..5),
        sampler in sampler(),
    ) {
        let mut past = Past::default();
        let mut before: Option<Sweep> = None;
        for (parameters, trials) in spaces {
            let sweep = sweep_over(&parameters, &sampler);
            past.terms.extend(before.iter().map(|before| past_terms(before, past.records.len())));
            let space = Space::new(&parameters).unwrap();
            let mut running = method(&sweep, &past);
            for _ in 0..trials {
                let number = past.legs;
                let Some(params) = next(&mut running, number) else { break };
                space.contains(&params).unwrap();
                prop_assert_eq!(next(&mut method(&sweep, &past), number), Some(params.clone()));
                let record = record(number, &params);
                running.suggested(&params);
                running.decided(number, None, false);
                let (value, further) = (record.end.as_ref().unwrap().value, Vec::new());
                let outcome = LegOutcome::Completed;
                let end = crate::stopper::Ended { trial: number, until_step: None, outcome, value, further };
                running.ended(number, FoldEnd { fold: 0, whole: false, out_of_memory: false, end });
                past.points.push(params);
                past.records.push(record);
                past.legs += 1;
            }
            before = Some(sweep);
        }
    }

    /// Changed and changed back, a sweep sees what it saw.
    #[test]
    fn a_space_changed_and_changed_back_sees_the_same(
        (first, other) in (random_space(), random_space()),
        sampler in sampler(),
        trials in 1..12u64,
    ) {
        let (sweep, between) = (sweep_over(&first, &sampler), sweep_over(&other, &sampler));
        let mut past = Past::default();
        for number in 0..trials {
            let Some(params) = next(&mut method(&sweep, &past), number) else { break };
            past.records.push(record(number, &params));
            past.points.push(params);
            past.legs += 1;
        }
        let legs = past.records.len();
        let back = Past {
            terms: vec![past_terms(&sweep, legs), past_terms(&between, legs)],
            ..past.clone()
        };
        let (mut never, mut back) = (method(&sweep, &past), method(&sweep, &back));
        prop_assert_eq!(never.essence(), back.essence());
        prop_assert_eq!(next(&mut never, past.legs), next(&mut back, past.legs));
    }
}

/// The best trial's folds, and those of another that are known, count in another space as they did before.
#[test]
fn folds_are_known_in_another_space() {
    let space = |low| {
        let x = Parameter { kind: float(low, 9.0), when: None, default: None };
        BTreeMap::from([("x".to_owned(), x)])
    };
    let mut sweep = sweep_over(&space(0.0), &SamplerSpec::Random);
    (sweep.objective.folds, sweep.search.race) = (Some(5), Some(0.95));
    let mut past = Past::default();
    let folds = [(0, 0, 2.8), (0, 1, 2.7), (0, 2, 2.9), (0, 3, 3.0), (0, 4, 2.6), (1, 0, 3.9), (1, 1, 3.7)];
    for (number, (trial, fold, value)) in (0..).zip(folds) {
        let of_value = record(number, &Params::from([("x".into(), Value::Float(value))]));
        past.records.push(LegRecord { trial: Some(trial), fold, ..of_value });
        past.legs += 1;
    }
    past.terms.push(past_terms(&sweep, folds.len()));
    sweep.space = space(20.0);
    let ended = |leg| Place::Ended { leg, outcome: LegOutcome::Completed };
    let places = [ended(5), ended(6), Place::Undecided, Place::Undecided, Place::Undecided];
    let doom = method(&sweep, &past).doom(1, past.legs, &places);
    assert!(
        matches!(doom, Some(Doom::Hopeless(Reason::Outraced { folds: 2, best_trial: 0, .. }))),
        "{doom:?}"
    );
}
