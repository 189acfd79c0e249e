use super::*;
use crate::domain::{Parameter, ParameterKind, Params};
use crate::sampler::News;
use crate::space::Space;
use std::collections::BTreeMap;

fn history(ends: &[(u64, Level, f64)]) -> History {
    let kind = ParameterKind::Int { low: 0, high: 99, log: false, step: None };
    let space =
        Space::new(&BTreeMap::from([("x".to_owned(), Parameter { kind, when: None, default: None })]))
            .unwrap();
    let mut history = History::new(&space, 1);
    (0..20).for_each(|x| history.suggested(&space, &Params::from([("x".to_owned(), x.into())])));
    for (trial, level, loss) in ends {
        history.ended(&News { trial: *trial, level: *level, losses: vec![*loss] });
    }
    history
}

#[test]
fn the_last_value_of_a_trial_counts_at_its_first_place() {
    let (rung, full) = (Level::Rung(1), Level::Full);
    let history = history(&[(3, full, 1.0), (5, rung, 2.0), (4, full, 3.0), (3, full, 4.0), (1, full, 5.0)]);
    let all = Observed::up_to(&history, full, usize::MAX);
    assert_eq!((all.trials, all.losses), (vec![3, 4, 1], vec![4.0, 3.0, 5.0]));
    let then = Observed::up_to(&history, full, 2);
    assert_eq!((then.trials, then.losses), (vec![3, 4], vec![1.0, 3.0]), "what was known then");
}

#[test]
fn the_schedule_grows_with_the_trials() {
    let all: Vec<usize> = (0..3000).map(learned_at).collect();
    assert!(all.iter().enumerate().all(|(n, at)| *at <= n && n - at <= 105));
    assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!((all[30], all[31], all[100], all[500]), (30, 31, 97, 493));
}

#[test]
fn the_best_and_some_of_all_others_are_kept() {
    let losses: Vec<f64> = (0..1000).map(|i| f64::from((i * 617 + 5) % 1000)).collect();
    let kept = thinned(&losses, 100);
    assert!(kept.len() == 100 && kept.windows(2).all(|pair| pair[0] < pair[1]));
    let ranks: Vec<f64> = kept.iter().map(|i| losses[*i]).collect();
    assert_eq!(ranks.iter().filter(|rank| **rank < 50.0).count(), 50);
    assert!(ranks.iter().any(|rank| *rank > 975.0));
    assert_eq!(thinned(&losses[..7], 100), [0, 1, 2, 3, 4, 5, 6]);
}
