use super::*;

fn sweep() -> Sweep {
    let text = r#"{"name": "s", "seed": 1, "priority": 3,
        "objective": {"kind": "toy", "dataset": null, "validation": 0.2, "metric": "rmse", "direction": "minimize",
                      "command": null, "timeout_s": null, "workdir": null, "out_of_memory": "fail"},
        "search": {"sampler": {"name": "random"}, "trials": 60, "parallel": 2},
        "space": {"kernel": {"kind": {"type": "choice", "values": [3, 5]}, "when": null},
                  "rate": {"kind": {"type": "float", "low": 0.001, "high": 0.1, "log": true, "step": null}, "when": null}}}"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_changes_is_said_with_both_values() {
    let before = sweep();
    let mut after = before.terms();
    after.trials = Some(120);
    after.constraints = vec!["kernel > 3".into()];
    after.space.get_mut("kernel").unwrap().kind =
        ParameterKind::Choice { values: vec![3.into(), 5.into(), 7.into()] };
    after.space.remove("rate");
    let dropout = Parameter {
        kind: ParameterKind::Float { low: 0.0, high: 0.6, log: false, step: Some(0.1) },
        when: Some(When { param: "kernel".into(), values: vec![3.into(), 5.into()] }),
        default: Some(0.0.into()),
    };
    after.space.insert("dropout".into(), dropout);
    let lines: Vec<String> = before.terms().alterations(&after).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    dropout: new, 0 to 0.6 in steps of 0.1, when kernel is 3 | 5, 0 for trials without it
    kernel: 3 | 5 -> 3 | 5 | 7
    rate: gone, was 0.001 to 0.1, by factors
    constraints: none -> kernel > 3
    trials: 60 -> 120
    ");
    let changed = before.with_terms(after.clone());
    assert_eq!(changed.terms(), after);
    assert_eq!(changed.gone.keys().collect::<Vec<_>>(), ["rate"]);
    let back = changed.with_terms(before.terms());
    assert_eq!(back.terms(), before.terms());
    assert_eq!(back.gone.keys().collect::<Vec<_>>(), ["dropout"]);
    assert_eq!(before.terms().alterations(&before.terms()), []);
}

#[test]
fn what_may_not_change_is_named_with_both_values() {
    let before = sweep();
    let mut after = before.clone();
    after.seed = 2;
    after.objective.metric = "loss".into();
    after.search.sampler = super::super::sweep::SamplerSpec::Tpe { startup: 5, candidates: 24 };
    after.search.parallel = None;
    // Terms, and what has its effect elsewhere.
    after.search.trials = Some(1);
    after.priority = 9;
    let found = before.lasting_differences(&after);
    insta::assert_snapshot!(found.join("\n"), @r#"
    objective.metric: "rmse" -> "loss"
    search.parallel: 2 -> none
    search.sampler.candidates: none -> 24
    search.sampler.name: "random" -> "tpe"
    search.sampler.startup: none -> 5
    seed: 1 -> 2
    "#);
}
