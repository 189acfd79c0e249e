use super::*;
use crate::domain::{Parameter, ParameterKind, Params, Reason};
use crate::sampler::propose::Proposing;
use crate::sampler::{Ask, History, Sampler, Suggestion};
use crate::space::Space;
use std::collections::BTreeMap;

fn parameters() -> BTreeMap<String, Parameter> {
    let float = ParameterKind::Float { low: 1e-5, high: 1.0, log: true, step: None };
    let int = ParameterKind::Int { low: 1, high: 6, log: false, step: None };
    BTreeMap::from([
        ("rate".into(), Parameter { kind: float, when: None, default: None }),
        ("blocks".into(), Parameter { kind: int, when: None, default: None }),
    ])
}

fn draw(space: &Space, number: u64, feasible: &dyn Fn(&Params) -> Result<(), String>) -> (Params, Reason) {
    let history = History::new(space, 1);
    let ask = Ask { space, seed: 7, number, trials: None, history: &history, duplicates: true, feasible };
    match Proposing(Random).suggest(&ask) {
        Suggestion::Trial { params, reason } => (params, reason),
        Suggestion::Exhausted { reason } => panic!("{reason}"),
    }
}

#[test]
fn an_added_parameter_changes_no_other() {
    let small = Space::new(&parameters()).unwrap();
    let mut more = parameters();
    let kind = ParameterKind::Int { low: 0, high: 9, log: false, step: None };
    more.insert("another".into(), Parameter { kind, when: None, default: None });
    let large = Space::new(&more).unwrap();
    for number in 0..50 {
        let (few, _) = draw(&small, number, &|_| Ok(()));
        let (mut many, _) = draw(&large, number, &|_| Ok(()));
        many.remove("another");
        assert_eq!(few, many);
    }
}

#[test]
fn what_cannot_exist_is_drawn_again_and_said() {
    let space = Space::new(&parameters()).unwrap();
    let feasible = |params: &Params| {
        if params["blocks"].as_i64() == Some(6) { Ok(()) } else { Err("shallow".to_owned()) }
    };
    let (params, reason) = draw(&space, 3, &feasible);
    assert_eq!(params["blocks"].as_i64(), Some(6));
    assert!(matches!(reason, Reason::Suggested { refused: 1.., .. }), "{reason:?}");
    assert_eq!(draw(&space, 3, &feasible).0, params);
}

#[test]
fn draws_cover_the_range_evenly_in_the_logarithm() {
    let space = Space::new(&parameters()).unwrap();
    let below = (0..1000)
        .filter(|n| draw(&space, *n, &|_| Ok(())).0["rate"].as_f64().unwrap() < 10f64.powf(-2.5))
        .count();
    assert!((430..570).contains(&below), "{below} of 1000 below the middle");
}
