use super::*;
use crate::domain::{Parameter, When};
use crate::sampler::History;
use std::collections::{BTreeMap, BTreeSet};

fn space() -> Space {
    let words =
        |words: &[&str]| ParameterKind::Choice { values: words.iter().map(|w| Value::from(*w)).collect() };
    Space::new(&BTreeMap::from([
        ("family".into(), Parameter { kind: words(&["cnn", "dense"]), when: None, default: None }),
        (
            "kernel".into(),
            Parameter {
                kind: ParameterKind::Int { low: 1, high: 3, log: true, step: None },
                when: Some(When { param: "family".into(), values: vec!["cnn".into()] }),
                default: None,
            },
        ),
        (
            "rate".into(),
            Parameter {
                kind: ParameterKind::Float { low: 0.1, high: 10.0, log: true, step: None },
                when: None,
                default: None,
            },
        ),
    ]))
    .unwrap()
}

fn ask<'a>(
    space: &'a Space,
    history: &'a History,
    number: u64,
    feasible: &'a dyn Fn(&Params) -> Result<(), String>,
) -> Ask<'a> {
    Ask { space, seed: 1, number, trials: None, history, duplicates: true, feasible }
}

fn all(grid: &Grid, space: &Space, feasible: &dyn Fn(&Params) -> Result<(), String>) -> Vec<Params> {
    (0..)
        .map_while(|number| match grid.suggest(&ask(space, &History::new(space, 1), number, feasible)) {
            Suggestion::Trial { params, .. } => Some(params),
            Suggestion::Exhausted { .. } => None,
        })
        .collect()
}

#[test]
fn every_combination_comes_once() {
    let space = space();
    let points = all(&Grid::new(3), &space, &|_| Ok(()));
    // (3 kernels of cnn + dense alone) times 3 rates.
    assert_eq!(points.len(), 12);
    let distinct: BTreeSet<String> = points.iter().map(|p| serde_json::to_string(p).unwrap()).collect();
    assert_eq!(distinct.len(), 12);
    points.iter().for_each(|point| space.contains(point).unwrap());
    let rates: BTreeSet<String> = points.iter().map(|p| p["rate"].to_string()).collect();
    assert_eq!(rates.into_iter().collect::<Vec<_>>(), ["0.1", "1", "10"]);
}

#[test]
fn a_number_means_the_same_combination_whatever_was_asked_before() {
    let space = space();
    let feasible =
        |params: &Params| if params["rate"].same(&Value::Float(10.0)) { Err("hot".into()) } else { Ok(()) };
    let in_order = all(&Grid::new(3), &space, &feasible);
    assert_eq!(in_order.len(), 8);
    let grid = Grid::new(3);
    for number in [5usize, 2, 7, 0, 6] {
        match grid.suggest(&ask(&space, &History::new(&space, 1), number as u64, &feasible)) {
            Suggestion::Trial { params, .. } => assert_eq!(params, in_order[number]),
            Suggestion::Exhausted { reason } => panic!("{reason}"),
        }
    }
}

#[test]
fn a_grid_without_any_feasible_point_says_why() {
    let space = space();
    let feasible = |_: &Params| Err("too deep".to_owned());
    match Grid::new(3).suggest(&ask(&space, &History::new(&space, 1), 0, &feasible)) {
        Suggestion::Exhausted { reason } => assert!(reason.to_string().contains("too deep")),
        Suggestion::Trial { params, .. } => panic!("{params:?}"),
    }
}

#[test]
fn a_grid_of_a_hundred_thousand_points_is_walked_quickly() {
    let kind = ParameterKind::Int { low: 0, high: 9, log: false, step: None };
    let parameters = (0..5)
        .map(|i| (format!("p{i}"), Parameter { kind: kind.clone(), when: None, default: None }))
        .collect();
    let space = Space::new(&parameters).unwrap();
    assert_eq!(all(&Grid::new(10), &space, &|_| Ok(())).len(), 100_000);
}
