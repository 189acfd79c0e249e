use super::*;
use crate::domain::{ParameterKind, Params};
use crate::sampler::trial_runs_test::{
    check_better_than_random, check_oddities, check_pure, float, int, space, words,
};
use crate::sampler::{History, Level, News};

fn evolution() -> Evolution {
    Evolution::new(20, 5)
}

#[test]
fn it_is_pure() {
    check_pure(&evolution);
}

#[test]
fn it_knows_odd_spaces_and_histories() {
    check_oddities(&evolution);
    check_oddities(&|| Evolution::new(0, 0));
}

#[test]
fn it_beats_random_draws() {
    check_better_than_random(&evolution);
}

#[test]
fn a_mutation_is_another_value() {
    let kinds = [
        float(0.0, 1.0),
        int(0, 1),
        int(3, 9),
        ParameterKind::Int { low: 1, high: 500, log: true, step: None },
        words(&["a", "b", "c"]),
    ];
    let mut rng = stream(1, "test", &[]);
    for kind in kinds {
        let space = space([("p", kind)]);
        let (axis, dimension) = (axes(&space)[0], &space.entries()[0].dimension);
        for _ in 0..500 {
            let before = uniform(&mut rng);
            let after = moved(axis, dimension, before, &mut rng);
            assert!((0.0..=1.0).contains(&after));
            assert!(!dimension.decode(after).same(&dimension.decode(before)), "{before} {after}");
        }
    }
}

#[test]
fn the_oldest_die_however_good_they_are() {
    let space = space([("x", float(0.0, 1.0)), ("c", words(&["old", "young"]))]);
    let mut history = History::new(&space, 1);
    for number in 0..30u64 {
        let word = if number < 20 { "old" } else { "young" };
        let params = Params::from([("x".into(), 0.5.into()), ("c".into(), word.into())]);
        history.suggested(&space, &params);
        history.ended(&News { trial: number, level: Level::Full, losses: vec![number as f64] });
    }
    let feasible = |_: &Params| Ok(());
    let children = |population: u32| -> usize {
        let ask = |number| Ask {
            space: &space,
            seed: 1,
            number,
            trials: None,
            history: &history,
            duplicates: true,
            feasible: &feasible,
        };
        let evolution = Evolution::new(population, 5);
        (30..130).filter(|number| evolution.propose(&ask(*number), 0)[0][0] > 0.5).count()
    };
    // The first coordinate is the word's, and "young" its second. Most mutations turn it.
    let (of_young, of_all) = (children(10), children(30));
    assert!(of_young < 45 && of_all > 45, "{of_young} {of_all}");
}
