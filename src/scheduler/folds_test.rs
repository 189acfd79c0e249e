//! Races between trials, fold by fold.

use super::*;
use crate::domain::sweep::Order;
use crate::scheduler::core::core_test::toy_sweep;

fn folds(direction: Direction, race: Option<f64>) -> Folds {
    let mut spec = toy_sweep("s", 0, 9);
    (spec.objective.folds, spec.objective.direction) = (Some(5), direction);
    (spec.search.race, spec.search.order) = (race, Order::Arrival);
    Folds::of(&spec).unwrap()
}

fn end(trial: u64, fold: u32, outcome: LegOutcome, value: f64) -> FoldEnd {
    let end = Ended { trial, until_step: None, outcome, value: Some(value), further: Vec::new() };
    FoldEnd { fold, whole: false, out_of_memory: false, end }
}

/// Tells all of a trial's folds; what was said of the trial.
fn complete(folds: &mut Folds, trial: u64, values: &[f64]) -> Vec<Ended> {
    let ends = (0..).zip(values).map(|(fold, value)| end(trial, fold, LegOutcome::Completed, *value));
    ends.filter_map(|end| folds.ended(&end)).collect()
}

const BEST: [f64; 5] = [2.8, 2.7, 2.9, 3.0, 2.6];

#[test]
fn a_trial_ends_with_its_last_fold_and_is_worth_the_mean() {
    let mut folds = folds(Direction::Minimize, Some(0.95));
    let ends = complete(&mut folds, 3, &BEST);
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].trial, ends[0].outcome), (3, LegOutcome::Completed));
    assert!((ends[0].value.unwrap() - 2.8).abs() < 1e-12);
}

#[test]
fn a_trial_fails_with_the_first_fold_that_does_and_once() {
    let mut folds = folds(Direction::Minimize, Some(0.95));
    assert_eq!(folds.ended(&end(0, 1, LegOutcome::Completed, 1.0)), None);
    assert!(folds.ended(&end(0, 0, LegOutcome::Failed, 1.0)).is_some());
    assert_eq!(folds.ended(&end(0, 2, LegOutcome::Failed, 1.0)), None);
    // Tried again, it completes after all.
    let ends: Vec<Ended> = [0, 2, 3, 4]
        .into_iter()
        .filter_map(|fold| folds.ended(&end(0, fold, LegOutcome::Completed, 1.0)))
        .collect();
    assert_eq!(ends.iter().map(|end| end.outcome).collect::<Vec<_>>(), [LegOutcome::Completed]);
}

/// The t distribution's quantiles are in every book: with one degree of freedom 6.314 at 95 %, with two 2.920.
#[test]
fn the_test_of_differences_is_students() {
    let sure = |differences: &[f64]| confidence_above_zero(differences).unwrap();
    // A mean of 1 with standard errors of 1/6.314 and 1/2.920.
    let spread = 1.0 / 6.314;
    assert!((sure(&[1.0 - spread, 1.0 + spread]) - 0.95).abs() < 1e-4);
    let spread = 3f64.sqrt() / 2.920;
    assert!((sure(&[1.0 - spread, 1.0, 1.0 + spread]) - 0.95).abs() < 1e-4);
    assert_eq!((sure(&[0.5, 0.5]), sure(&[0.0, 0.0]), sure(&[-1.0, -1.0])), (1.0, 0.0, 0.0));
    assert_eq!(confidence_above_zero(&[1.0]), None);
}

#[test]
fn what_makes_a_fold_hard_for_everybody_does_not_count() {
    for (direction, sign) in [(Direction::Minimize, 1.0), (Direction::Maximize, -1.0)] {
        let mut folds = folds(direction, Some(0.95));
        complete(&mut folds, 0, &BEST.map(|value| value * sign));
        let tell = |folds: &mut Folds, trial, fold: u32, value: f64| {
            folds.ended(&end(trial, fold, LegOutcome::Completed, value * sign));
            folds.hopeless(trial)
        };
        // Worse by 0.6 on each fold, which differ by less than that.
        assert_eq!(tell(&mut folds, 1, 1, 3.3), None, "one fold says nothing");
        let reason = tell(&mut folds, 1, 2, 3.51).unwrap();
        let Reason::Outraced { folds: known, of, best_trial, best, confidence, .. } = reason else {
            panic!("{reason:?}")
        };
        assert_eq!((known, of, best_trial), (2, 5, 0));
        assert!((best - 2.8 * sign).abs() < 1e-12 && confidence > 0.95);
        // Worse on average, but not on every fold.
        assert_eq!(tell(&mut folds, 2, 0, 2.7), None);
        assert_eq!(tell(&mut folds, 2, 1, 3.7), None);
        // Better.
        assert_eq!(tell(&mut folds, 3, 0, 2.0), None);
        assert_eq!(tell(&mut folds, 3, 1, 2.0), None);
    }
}

#[test]
fn nobody_races_where_the_sweep_says_so_or_the_user_tries_again() {
    let hopeless = |folds: &mut Folds| {
        complete(folds, 0, &BEST);
        complete(folds, 1, &[9.0, 9.1]);
        folds.hopeless(1).is_some()
    };
    assert!(hopeless(&mut folds(Direction::Minimize, Some(0.95))));
    assert!(!hopeless(&mut folds(Direction::Minimize, None)));
    let mut again = folds(Direction::Minimize, Some(0.95));
    again.gave_up(1);
    assert!(!hopeless(&mut again));
}
