use super::*;
use crate::domain::Params;
use crate::domain::pareto::hypervolume;
use crate::sampler::trial_runs_test::{check_better_than_random, check_oddities, check_pure, float, space};
use crate::sampler::{History, News};
use crate::space::Space;

fn nsga2() -> Nsga2 {
    Nsga2::new(None)
}

#[test]
fn it_is_pure() {
    check_pure(&nsga2);
    check_pure(&|| Nsga2::new(Some(1)));
}

#[test]
fn it_knows_odd_spaces_and_histories() {
    check_oddities(&nsga2);
}

#[test]
fn it_beats_random_draws() {
    check_better_than_random(&nsga2);
}

fn cube() -> Space {
    space(["a", "b", "c", "d", "e", "f"].map(|name| (name, float(0.0, 1.0))))
}

/// The first problem of Zitzler, Deb and Thiele (2000): the best are those with all but the first at 0.
fn zdt1(params: &Params) -> Vec<f64> {
    let x: Vec<f64> = params.values().filter_map(crate::domain::Value::as_f64).collect();
    let g = 1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() - 1) as f64;
    vec![x[0], g * (1.0 - (x[0] / g).sqrt())]
}

/// The volume that a run of 150 trials covers; one in ten fails.
fn covered<P: Propose>(seed: u64, method: &P) -> f64 {
    let space = cube();
    let mut history = History::new(&space, 2);
    let feasible = |_: &Params| Ok(());
    for number in 0..150 {
        let ask = Ask {
            space: &space,
            seed,
            number,
            trials: Some(150),
            history: &history,
            duplicates: true,
            feasible: &feasible,
        };
        let params = space.decode(&method.propose(&ask, 0)[0]);
        history.suggested(&space, &params);
        let losses = if number % 10 == 3 { vec![f64::NAN, 0.0] } else { zdt1(&params) };
        history.ended(&News { trial: number, level: Level::Full, losses });
    }
    let losses: Vec<&[f64]> = (0..150).map(|end| history.losses(end)).collect();
    hypervolume(&losses, &[1.1, 6.0])
}

#[test]
fn with_two_losses_it_covers_more_than_random_draws() {
    let median = |method: &dyn Fn(u64) -> f64| {
        let mut volumes: Vec<f64> = (0..9).map(method).collect();
        volumes.sort_by(f64::total_cmp);
        volumes[4]
    };
    let (found, random) = (median(&|seed| covered(seed, &nsga2())), median(&|seed| covered(seed, &Random)));
    // All that can be covered is a little less than 1.1 * 6 - 1/3.
    assert!(found > random + 0.7, "{found} {random}");
}

#[test]
fn the_best_live_and_the_crowded_leave_first() {
    let space = cube();
    let mut history = History::new(&space, 2);
    let losses = [[0.0, 4.0], [4.0, 0.0], [3.9, 0.05], [2.0, 2.0], [5.0, 5.0], [f64::NAN, 0.0]];
    for (trial, losses) in losses.iter().enumerate() {
        history.suggested(&space, &space.decode(&[]));
        history.ended(&News { trial: trial as u64, level: Level::Full, losses: losses.to_vec() });
    }
    let feasible = |_: &Params| Ok(());
    let ask = Ask {
        space: &space,
        seed: 1,
        number: 6,
        trials: None,
        history: &history,
        duplicates: true,
        feasible: &feasible,
    };
    let mut population = Population::new(3, Some(Level::Full));
    population.catch_up(&ask);
    let living: Vec<u64> = population.living.iter().map(|member| member.trial).collect();
    assert_eq!(living, [0, 1, 3]);
}

#[test]
fn crossover_stays_near_its_parents() {
    let mut rng = stream(1, "test", &[]);
    let children: Vec<f64> = (0..2000).map(|_| between(0.4, 0.6, &mut rng)).collect();
    let mean = children.iter().sum::<f64>() / 2000.0;
    assert!((mean - 0.5).abs() < 0.01, "{mean}");
    assert!(children.iter().all(|x| (0.3..0.7).contains(x)));
    assert_eq!(between(0.3, 0.3, &mut rng), 0.3);
}
