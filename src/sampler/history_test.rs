use super::*;
use crate::domain::{Parameter, ParameterKind};

fn space() -> Space {
    let kind = ParameterKind::Int { low: 0, high: 99, log: false, step: None };
    Space::new(&BTreeMap::from([("x".to_owned(), Parameter { kind, when: None, default: None })])).unwrap()
}

fn history(trials: i64) -> History {
    let space = space();
    let mut history = History::new(&space, 1);
    (0..trials).for_each(|x| history.suggested(&space, &Params::from([("x".to_owned(), x.into())])));
    history
}

fn news(trial: u64, level: Level, loss: f64) -> News {
    News { trial, level, losses: vec![loss] }
}

#[test]
fn the_best_come_first_and_failures_last() {
    let mut history = history(4);
    for (trial, loss) in [(0, f64::NAN), (1, 3.0), (2, f64::NEG_INFINITY), (3, 1.0)] {
        history.began(trial);
        history.ended(&news(trial, Level::Full, loss));
    }
    let order: Vec<_> = history.ranked(Level::Full).map(|ranked| ranked.trial).collect();
    assert_eq!(order, [3, 1, 0, 2], "what is not finite is a failure");
    assert_eq!(history.losses(2), [f64::INFINITY]);
}

#[test]
fn a_trial_runs_from_its_leg_to_its_end_and_counts_once() {
    let mut history = history(2);
    history.began(0);
    history.began(1);
    history.ended(&news(1, Level::Full, 2.0));
    assert_eq!(history.running().collect::<Vec<_>>(), [0]);
    history.gone(0);
    history.began(1);
    history.ended(&news(1, Level::Full, 1.0));
    let losses: Vec<_> = history.ranked(Level::Full).map(|ranked| ranked.loss).collect();
    assert_eq!((losses, history.running().count(), history.ends().len()), (vec![1.0], 0, 2));
}

#[test]
fn the_highest_level_with_enough_values_is_taken() {
    let mut history = history(9);
    assert_eq!(history.level(1), None);
    for trial in 0..9 {
        history.ended(&news(trial, Level::Rung(1), 1.0));
    }
    (0..3).for_each(|trial| history.ended(&news(trial, Level::Rung(3), 1.0)));
    history.ended(&news(0, Level::Full, 1.0));
    let levels: Vec<_> = [1, 2, 3, 9, 10].iter().map(|enough| history.level(*enough).unwrap()).collect();
    let (first, second) = (Level::Rung(1), Level::Rung(3));
    assert_eq!(levels, [Level::Full, second, second, first, first]);
}

#[test]
fn the_same_configuration_is_recognised() {
    let history = history(3);
    let point = |x: i64| space().point(&Params::from([("x".to_owned(), x.into())]));
    assert!(history.contains(&point(2)));
    assert!(!history.contains(&point(3)));
}
