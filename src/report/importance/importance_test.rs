use super::*;
use crate::domain::stream::{stream, uniform};
use crate::domain::{Parameter, ParameterKind, When};
use crate::report::report_test::spec;

fn sweep() -> Sweep {
    let float = ParameterKind::Float { low: 0.0, high: 1.0, log: false, step: None };
    let always = |kind: &ParameterKind| Parameter { kind: kind.clone(), when: None, default: None };
    let family = ParameterKind::Choice { values: ["a", "b"].map(Into::into).to_vec() };
    let when = Some(When { param: "family".into(), values: vec!["a".into()] });
    let space = [
        ("family", always(&family)),
        ("strong", always(&float)),
        ("weak", always(&float)),
        ("nothing", always(&float)),
        ("inner", Parameter { kind: float.clone(), when, default: None }),
        ("fixed", always(&ParameterKind::Fixed { value: 3.into() })),
    ];
    Sweep { space: space.map(|(name, parameter)| (name.to_owned(), parameter)).into(), ..spec() }
}

/// Trials drawn evenly, with a loss of their parameters.
fn drawn(loss: impl Fn(&Params) -> f64) -> Completed {
    let space = Space::new(&sweep().space).unwrap();
    let mut rng = stream(1, "test", &[]);
    let some = (0..400)
        .map(|_| {
            let point: Vec<f64> = (0..space.len()).map(|_| uniform(&mut rng)).collect();
            let params = space.decode(&point);
            let loss = loss(&params);
            (params, loss)
        })
        .collect();
    Completed { trials: 400, some }
}

fn of<'a>(found: &'a Importances, name: &str) -> &'a Importance {
    found.parameters.iter().find(|one| one.name == name).unwrap()
}

#[test]
fn what_matters_comes_first_and_what_does_not_counts_for_nothing() {
    let x = |params: &Params, name: &str| params[name].as_f64().unwrap();
    let completed = drawn(|params| 10.0 * (x(params, "strong") - 0.3).powi(2) + x(params, "weak") / 2.0);
    let found = importances(&sweep(), &completed).unwrap();
    assert_eq!(found.parameters.len(), 5, "what is fixed does not matter");
    assert_eq!(found.parameters[0].name, "strong");
    let (strong, weak, nothing) = (of(&found, "strong"), of(&found, "weak"), of(&found, "nothing"));
    assert!(strong.ped_anova > weak.ped_anova && weak.ped_anova > 2.0 * nothing.ped_anova, "{found:#?}");
    // The variances are 10² · 0.0189 and 1/48: 99 and 1 in a hundred.
    assert!((0.85..1.0).contains(&strong.fanova), "{found:#?}");
    assert!((0.003..0.05).contains(&weak.fanova) && nothing.fanova < weak.fanova, "{found:#?}");
    let total: f64 = found.parameters.iter().map(|one| one.ped_anova).sum();
    assert!((total - 1.0).abs() < 1e-9);
}

#[test]
fn a_parameter_counts_where_it_exists() {
    let completed = drawn(|params| match params.get("inner") {
        Some(inner) => inner.as_f64().unwrap(),
        None => 2.0,
    });
    let found = importances(&sweep(), &completed).unwrap();
    let (family, inner) = (of(&found, "family"), of(&found, "inner"));
    assert!(inner.results < 300 && family.results == 400);
    assert!(inner.ped_anova > 0.3 && family.ped_anova > 0.0, "{found:#?}");
    assert!(family.fanova > 0.2 && inner.fanova > 0.2, "{found:#?}");
}

#[test]
fn more_is_better_is_the_same_upside_down() {
    let x = |params: &Params| params["strong"].as_f64().unwrap().powi(3);
    let down = importances(&sweep(), &drawn(x)).unwrap();
    let mut upside_down = sweep();
    upside_down.objective.direction = Direction::Maximize;
    assert_eq!(importances(&upside_down, &drawn(|params| -x(params))).unwrap(), down);
}

#[test]
fn few_or_equal_results_are_no_trouble() {
    let completed = drawn(|_| 1.0);
    let few = Completed { trials: 9, some: completed.some[..9].to_vec() };
    assert_eq!(importances(&sweep(), &few), None);
    let found = importances(&sweep(), &completed).unwrap();
    assert!(found.parameters.iter().all(|one| one.fanova == 0.0 && one.ped_anova.is_finite()));
    assert!(importance_table(&found).contains("strong"));
}
