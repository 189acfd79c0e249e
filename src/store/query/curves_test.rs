use super::*;
use crate::domain::metric::{RMSE, TRAIN_RMSE};
use crate::domain::{Change, Metrics, Params, Value};
use crate::store::query::TrialNames;
use crate::store::store_test::{Home, SWEEP, hand_out, insert_trial, reported};

/// Two trials of some steps, the second one better, with a parameter that has taken the name `value`.
async fn home() -> Home {
    let mut home = Home::new().await;
    for id in [1, 2] {
        let params = Params::from([("value".into(), Value::Int(id))]);
        home.apply(&[insert_trial(id, params)]).unwrap();
        home.apply(&hand_out(id)).unwrap();
        for step in 1..=4 {
            let value = 10.0 / (step as f64 * id as f64);
            let metrics = Metrics::default().with(RMSE, if step == 2 { f64::NAN } else { value });
            let metrics = if step == 3 { metrics } else { metrics.with("own \"x\"", step as f64) };
            home.apply(&[reported(id, step, metrics)]).unwrap();
        }
        home.apply(&[Change::BestMoved { trial: TrialId(id), best: Some((4, 2.5 / id as f64)) }]).unwrap();
    }
    home
}

#[tokio::test]
async fn curves_have_the_steps_that_reported_the_metric() {
    let home = home().await;
    let reader = home.reader().await;
    let both = [TrialId(2), TrialId(1)];
    let curves = reader.curves(&both, RMSE, None).await.unwrap();
    let shown =
        |trial| curves[&TrialId(trial)].iter().map(|(step, x)| format!("{step}: {x}")).collect::<Vec<_>>();
    assert_eq!(shown(1), ["1: 10", "2: NaN", "3: 3.3333333333333335", "4: 2.5"]);
    assert_eq!(shown(2), ["1: 5", "2: NaN", "3: 1.6666666666666667", "4: 1.25"]);
    let own = reader.curves(&both[..1], "own \"x\"", Some(3)).await.unwrap();
    assert_eq!(own, BTreeMap::from([(TrialId(2), vec![(1, 1.0), (2, 2.0)])]));
    for absent in [TRAIN_RMSE, "null", "extra"] {
        assert_eq!(reader.curves(&both, absent, None).await.unwrap(), BTreeMap::new(), "{absent}");
    }
}

#[tokio::test]
async fn the_best_come_first_whatever_the_parameters_are_called() {
    let home = home().await;
    let reader = home.reader().await;
    let sweep = reader.sweep(SWEEP).await.unwrap().unwrap();
    let numbers = |trials: Vec<TrialSummary>| trials.iter().map(|trial| trial.trial_id.0).collect::<Vec<_>>();
    assert_eq!(numbers(reader.best_first(&sweep, None, 9).await.unwrap()), [2, 1]);
    let few = TrialNames::of(&sweep.spec).condition("number = 0").unwrap();
    assert_eq!(numbers(reader.best_first(&sweep, Some(&few), 9).await.unwrap()), [1]);
}

#[test]
fn folds_have_the_mean_of_those_that_have_come_so_far() {
    let folds = [vec![(1, 4.0), (2, 3.0), (3, 2.0)], vec![(1, 2.0), (3, f64::NAN)], vec![(1, 3.0), (2, 1.0)]];
    let mean = mean_of(folds.into_iter());
    assert_eq!(mean[..2], [(1, 3.0), (2, 2.0)]);
    assert!(mean[2].0 == 3 && mean[2].1.is_nan(), "{mean:?}");
    assert_eq!(mean_of([vec![(1, 0.1)]].into_iter()), [(1, 0.1)]);
}
