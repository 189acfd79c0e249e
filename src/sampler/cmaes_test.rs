use super::*;
use crate::domain::Params;
use crate::sampler::trial_runs_test::{
    Problem, Run, check_better_than_random, check_oddities, check_pure, float, int, median, problems, space,
    words,
};
use crate::sampler::{History, News};

fn cmaes() -> CmaEs {
    CmaEs::new(None)
}

#[test]
fn it_is_pure() {
    check_pure(&cmaes);
    check_pure(&|| CmaEs::new(Some(2)));
}

#[test]
fn it_knows_odd_spaces_and_histories() {
    check_oddities(&cmaes);
}

#[test]
fn it_beats_random_draws() {
    check_better_than_random(&cmaes);
}

#[test]
fn many_trials_find_the_bottom_of_an_ill_conditioned_valley() {
    let valley = problems().into_iter().find(|problem| problem.name == "ellipsoid").unwrap();
    let run = Run { trials: 1500, ..Run::new(1, 1) };
    let least = run.least(&valley, cmaes());
    assert!(least < 1e-8, "{least}");
}

#[test]
fn a_spent_run_starts_elsewhere_with_more() {
    let line = Problem {
        name: "two valleys",
        space: space([("x", float(0.0, 1.0))]),
        // The middle leads into the flatter valley; the other is deeper.
        loss: |params, _| {
            let x = params["x"].as_f64().unwrap();
            f64::min(1.0 + (x - 0.5).powi(2), 400.0 * (x - 0.05).powi(2))
        },
    };
    let run = Run { trials: 1000, ..Run::new(1, 1) };
    assert!(run.least(&line, cmaes()) < 1e-3);
}

#[test]
fn ints_and_choices_are_found() {
    let counts = Problem {
        name: "counts",
        space: space([
            ("a", int(0, 100)),
            ("b", int(0, 1)),
            ("c", words(&["p", "q", "r", "s", "t"])),
            ("x", float(0.0, 1.0)),
        ]),
        loss: |params, _| {
            let number = |name: &str| params[name].as_f64().unwrap();
            let word = if params["c"].as_str() == Some("s") { 0.0 } else { 1.0 };
            (number("a") - 77.0).abs() / 50.0 + (number("b") - 1.0).abs() + word + number("x")
        },
    };
    let least = median(&counts, 4, 10, &cmaes);
    assert!(least < 0.1, "{least}");
}

/// The search after these trials on a line from 0 to 1 and four cells.
fn search(trials: &[(f64, i64, f64)]) -> Search {
    let space = space([("x", float(0.0, 1.0)), ("y", int(0, 3))]);
    let mut history = History::new(&space, 1);
    for (number, (x, y, loss)) in trials.iter().enumerate() {
        history.suggested(&space, &Params::from([("x".into(), (*x).into()), ("y".into(), (*y).into())]));
        history.ended(&News { trial: number as u64, level: Level::Full, losses: vec![*loss] });
    }
    let feasible = |_: &Params| Ok(());
    let ask = Ask {
        space: &space,
        seed: 1,
        number: trials.len() as u64,
        trials: None,
        history: &history,
        duplicates: true,
        feasible: &feasible,
    };
    let mut search = Search::new(&ask, axes(&space), Some(Level::Full), 4);
    search.catch_up(&ask);
    search
}

#[test]
fn a_generation_moves_the_mean_towards_the_better_half() {
    let found = search(&[(0.3, 1, 4.0), (0.6, 2, 1.0), (0.7, 2, 2.0), (0.4, 1, 3.0)]);
    let mean = found.gaussian.unwrap().mean;
    assert!(mean[0] > 0.55 && mean[1] > 0.5, "{mean}");
}

#[test]
fn what_failed_ranks_last_and_equals_say_nothing() {
    let found = search(&[(0.3, 1, f64::NAN), (0.6, 2, 1.0), (0.7, 2, 2.0), (0.4, 1, f64::INFINITY)]);
    assert!(found.gaussian.unwrap().mean[0] > 0.55);
    for loss in [1.0, f64::NAN] {
        let found = search(&[(0.3, 1, loss), (0.6, 2, loss), (0.7, 2, loss), (0.9, 1, loss)]);
        assert_eq!(found.gaussian.unwrap().mean[0], 0.5);
    }
}

#[test]
fn the_chance_to_leave_a_cell_has_a_floor() {
    let trials: Vec<(f64, i64, f64)> = (0..400).map(|i| (0.5, 1, f64::from(i % 7))).collect();
    let found = search(&trials);
    let mut rng = stream(1, "test", &[]);
    let elsewhere = (0..2000)
        .filter(|_| {
            let even = [uniform(&mut rng), uniform(&mut rng)];
            word(found.draw(&even, &mut rng)[1], 4) != 1
        })
        .count();
    assert!(elsewhere > 100, "{elsewhere} of 2000");
}

#[test]
fn equal_losses_share_their_weights() {
    let weights = shared(&[0.5, 0.3, 0.2, -0.4], &[1.0, 2.0, 2.0, 3.0]);
    assert_eq!(weights, [0.5, 0.25, 0.25, -0.4]);
}

#[test]
fn a_cut_off_normal_number_stays_inside() {
    for (low, high) in [(0.0, 0.1), (0.4, 0.6), (0.9, 1.0)] {
        for (mean, deviation) in [(0.5, 0.2), (0.5, 1e-9), (0.05, 1e3), (1.0, 1e-3)] {
            for u in [0.0, 0.5, 0.999] {
                let x = within(low, high, mean, deviation, u);
                assert!((low..=high).contains(&x), "{x} for {mean} {deviation} {u}");
            }
        }
    }
    assert!((within(-9.0, 9.0, 0.3, 1.0, 0.5) - 0.3).abs() < 1e-9);
}
