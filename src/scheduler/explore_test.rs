use super::*;
use crate::domain::{Parameter, When};
use crate::scheduler::core::core_test::toy_sweep;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn space(kinds: Vec<(&str, ParameterKind)>) -> BTreeMap<String, Parameter> {
    kinds
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), Parameter { kind, when: None, default: None }))
        .collect()
}

fn float(low: f64, high: f64, log: bool) -> ParameterKind {
    ParameterKind::Float { low, high, log, step: None }
}

fn int(low: i64, high: i64, step: Option<i64>) -> ParameterKind {
    ParameterKind::Int { low, high, log: false, step }
}

fn population(perturb: &[&str]) -> Population {
    let perturb = perturb.iter().map(|name| (*name).to_owned()).collect();
    Population { members: 8, interval: 3, quantile: 0.25, perturb }
}

fn sweep(kind: ObjectiveKind, parameters: BTreeMap<String, Parameter>) -> Sweep {
    let mut spec = toy_sweep("s", 0, 8);
    (spec.objective.kind, spec.space) = (kind, parameters);
    spec
}

fn explorer(
    kind: ObjectiveKind,
    parameters: &BTreeMap<String, Parameter>,
    perturb: &[&str],
) -> Result<Explorer, String> {
    let space = Space::new(parameters).unwrap();
    Explorer::of(&sweep(kind, parameters.clone()), &population(perturb), &space)
}

fn keypoints() -> BTreeMap<String, Parameter> {
    space(vec![
        ("learning_rate", float(1e-4, 1e-1, true)),
        ("dropout", float(0.0, 0.5, false)),
        ("batch_size", ParameterKind::Choice { values: [16i64, 32, 64].map(Value::from).to_vec() }),
        ("loss", ParameterKind::Choice { values: ["mse", "wing"].map(Value::from).to_vec() }),
        ("filters", int(8, 64, None)),
        ("epochs", int(6, 12, None)),
        ("weight_decay", ParameterKind::Fixed { value: 0.1.into() }),
    ])
}

#[test]
fn of_the_built_in_trainer_it_is_known_what_may_change() {
    let found = explorer(ObjectiveKind::Keypoints, &keypoints(), &[]).unwrap();
    assert_eq!(Vec::from_iter(&found.names), ["batch_size", "dropout", "learning_rate", "loss"]);
    let found = explorer(ObjectiveKind::Keypoints, &keypoints(), &["learning_rate"]).unwrap();
    assert_eq!(Vec::from_iter(&found.names), ["learning_rate"]);
}

#[test]
fn what_cannot_change_is_said_at_submission() {
    let keypoints = keypoints();
    let why = |kind, parameters: &BTreeMap<_, _>, perturb: &[&str]| {
        explorer(kind, parameters, perturb).unwrap_err()
    };
    assert!(why(ObjectiveKind::Keypoints, &keypoints, &["filters"]).contains("survives a change of filters"));
    assert!(
        why(ObjectiveKind::Keypoints, &keypoints, &["weight_decay"]).contains("weight_decay is no parameter")
    );
    assert!(why(ObjectiveKind::Command, &keypoints, &[]).contains("perturb is missing"));
    let fixed = space(vec![("filters", int(8, 64, None)), ("epochs", int(6, 12, None))]);
    assert!(why(ObjectiveKind::Keypoints, &fixed, &[]).contains("nothing of the space can change"));
    assert!(explorer(ObjectiveKind::Command, &fixed, &["filters"]).is_ok(), "only its author knows");
    // A choice on which the network depends.
    let mut dependent = keypoints.clone();
    dependent.get_mut("filters").unwrap().when =
        Some(When { param: "loss".into(), values: vec!["mse".into()] });
    let found = explorer(ObjectiveKind::Keypoints, &dependent, &[]).unwrap();
    assert!(!found.names.contains("loss"), "{found:?}");
}

#[test]
fn numbers_move_by_a_fifth_and_nothing_else_changes() {
    let parameters = keypoints();
    let space = Space::new(&parameters).unwrap();
    let explorer = explorer(ObjectiveKind::Keypoints, &parameters, &[]).unwrap();
    let parent = space.build(|entry| match entry.name.as_str() {
        "learning_rate" => 0.002.into(),
        "dropout" => 0.0.into(),
        _ => entry.dimension.decode(0.5),
    });
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for number in 0..200 {
        let (child, changed) = explorer.explore(&space, (1, number), &parent, &|_| true);
        assert!(changed.len() >= 2, "learning rate and batch size always move: {changed:?}");
        for name in ["learning_rate", "dropout", "batch_size", "loss"] {
            seen.entry(name).or_default().insert(child[name].to_string());
        }
        for name in ["filters", "epochs", "weight_decay"] {
            assert_eq!(child[name], parent[name]);
        }
        let rate = changed.iter().find(|changed| changed.name == "learning_rate").unwrap().to_string();
        assert!(
            ["learning_rate 0.002 -> 0.0024", "learning_rate 0.002 -> 0.0016"].contains(&rate.as_str()),
            "{rate}"
        );
        assert_eq!(explorer.explore(&space, (1, number), &parent, &|_| true), (child, changed));
    }
    let seen = |name: &str| seen[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(seen("learning_rate"), ["0.0016", "0.0024"]);
    assert_eq!(seen("dropout"), ["0", "0.025"], "a fifth of nothing would be no move");
    assert_eq!(seen("batch_size"), ["16", "64"], "to a neighbour");
    assert_eq!(seen("loss"), ["mse", "wing"]);
}

#[test]
fn what_cannot_exist_is_drawn_again_and_in_the_end_nothing_changes() {
    let parameters = keypoints();
    let space = Space::new(&parameters).unwrap();
    let explorer = explorer(ObjectiveKind::Keypoints, &parameters, &["learning_rate"]).unwrap();
    let parent = space.build(|entry| entry.dimension.decode(0.5));
    let smaller = |params: &Params| params["learning_rate"].as_f64() < parent["learning_rate"].as_f64();
    for number in 0..50 {
        let (child, changed) = explorer.explore(&space, (1, number), &parent, &smaller);
        assert!(smaller(&child) && changed.len() == 1);
    }
    assert_eq!(explorer.explore(&space, (1, 0), &parent, &|_| false), (parent.clone(), Vec::new()));
}

#[test]
fn what_a_choice_brings_about_is_drawn() {
    let mut parameters = space(vec![
        ("schedule", ParameterKind::Choice { values: ["constant", "step"].map(Value::from).to_vec() }),
        ("step_factor", float(0.1, 0.9, false)),
    ]);
    parameters.get_mut("step_factor").unwrap().when =
        Some(When { param: "schedule".into(), values: vec!["step".into()] });
    let space = Space::new(&parameters).unwrap();
    let explorer = explorer(ObjectiveKind::Keypoints, &parameters, &[]).unwrap();
    let parent = Params::from([("schedule".into(), "constant".into())]);
    let children = (0..200).map(|number| explorer.explore(&space, (3, number), &parent, &|_| true));
    let brought: Vec<_> = children.filter(|(child, _)| child.len() == 2).collect();
    assert!((2..40).contains(&brought.len()), "now and then: {}", brought.len());
    for (child, changed) in brought {
        space.contains(&child).unwrap();
        assert_eq!(changed[0].to_string(), "schedule constant -> step");
        assert!(changed[1].to_string().starts_with("step_factor none -> 0."), "{}", changed[1]);
    }
}

#[test]
fn any_of_the_first_is_the_parent() {
    let parents: BTreeSet<u64> = (0..100).filter_map(|number| parent_of((1, number), &[4, 7, 9])).collect();
    assert_eq!(Vec::from_iter(parents), [4, 7, 9]);
    assert_eq!(parent_of((1, 1), &[]), None);
}

proptest! {
    #[test]
    fn children_lie_in_the_space(unit in 0.0..=1.0f64, number: u64, seed: u64) {
        let parameters = space(vec![
            ("a", float(-1e300, 1e300, false)),
            ("b", float(1e-300, 1e300, true)),
            ("c", ParameterKind::Float { low: 0.1, high: 0.75, log: false, step: Some(0.1) }),
            ("d", int(i64::MIN, i64::MAX, Some(7))),
            ("e", ParameterKind::Int { low: 1, high: 9, log: true, step: None }),
            ("f", int(-3, 4, Some(2))),
            ("g", ParameterKind::Choice { values: vec![1i64.into(), 2.5.into(), 7i64.into()] }),
        ]);
        let space = Space::new(&parameters).unwrap();
        let all = ["a", "b", "c", "d", "e", "f", "g"];
        let explorer = explorer(ObjectiveKind::Toy, &parameters, &all).unwrap();
        let parent = space.build(|entry| entry.dimension.decode(unit));
        let (child, _) = explorer.explore(&space, (seed, number), &parent, &|_| true);
        prop_assert_eq!(space.contains(&child), Ok(()), "{:?} from {:?}", child, parent);
    }
}
