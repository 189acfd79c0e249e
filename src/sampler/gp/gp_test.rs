use super::*;
use crate::domain::Params;
use crate::domain::{Parameter, ParameterKind, Value, When};
use crate::sampler::propose::Proposing;
use crate::sampler::{News, Sampler, Suggestion};
use crate::space::Space;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn plain(kind: ParameterKind) -> Parameter {
    Parameter { kind, when: None, default: None }
}

fn float() -> ParameterKind {
    ParameterKind::Float { low: 0.0, high: 1.0, log: false, step: None }
}

fn int(low: i64, high: i64) -> ParameterKind {
    ParameterKind::Int { low, high, log: false, step: None }
}

fn line() -> Space {
    Space::new(&BTreeMap::from([("x".into(), plain(float()))])).unwrap()
}

/// A bit of everything.
fn varied() -> Space {
    let words = ["a", "b", "c"].map(Value::from).to_vec();
    let when = Some(When { param: "word".into(), values: vec!["b".into()] });
    Space::new(&BTreeMap::from([
        ("word".into(), plain(ParameterKind::Choice { values: words })),
        ("fixed".into(), plain(ParameterKind::Fixed { value: 1.into() })),
        ("many".into(), plain(ParameterKind::Int { low: 1, high: 4000, log: true, step: None })),
        ("few".into(), plain(int(0, 6))),
        ("x".into(), plain(float())),
        ("under".into(), Parameter { kind: float(), when, default: None }),
    ]))
    .unwrap()
}

/// Searches `space`, with so many running side by side; the suggestions and the history after them.
fn search(
    suggest: &dyn Fn(&Ask<'_>) -> Suggestion,
    space: &Space,
    (trials, parallel): (u64, u64),
    loss: &dyn Fn(&Params) -> f64,
) -> Vec<Params> {
    let mut history = History::new(space, 1);
    let mut all: Vec<Params> = Vec::new();
    for number in 0..trials {
        if let Some(trial) = number.checked_sub(parallel) {
            let losses = vec![loss(&all[trial as usize])];
            history.ended(&News { trial, level: Level::Full, losses });
        }
        let feasible = |_: &Params| Ok(());
        let ask = Ask {
            space,
            seed: 5,
            number,
            trials: None,
            history: &history,
            duplicates: false,
            feasible: &feasible,
        };
        let Suggestion::Trial { params, .. } = suggest(&ask) else { break };
        space.contains(&params).unwrap();
        history.suggested(space, &params);
        history.began(number);
        all.push(params);
    }
    all
}

/// A history of these points and losses, and a proposal after it.
fn propose(space: &Space, points: &[(Vec<f64>, f64)], running: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut history = History::new(space, 1);
    let all = points.iter().map(|(point, _)| point).chain(running);
    all.for_each(|point| history.suggested(space, &space.decode(point)));
    (0..points.len() + running.len()).for_each(|trial| history.began(trial as u64));
    for (trial, (_, loss)) in points.iter().enumerate() {
        history.ended(&News { trial: trial as u64, level: Level::Full, losses: vec![*loss] });
    }
    let feasible = |_: &Params| Ok(());
    let number = (points.len() + running.len()) as u64;
    let ask = Ask {
        space,
        seed: 1,
        number,
        trials: None,
        history: &history,
        duplicates: false,
        feasible: &feasible,
    };
    Gp::new(2).propose(&ask, 0)
}

fn bowl(params: &Params) -> f64 {
    let x = |name: &str| params.get(name).and_then(Value::as_f64).unwrap_or(0.5);
    let word = if params["word"].as_str() == Some("b") { 0.0 } else { 0.3 };
    (x("x") - 0.3).powi(2)
        + (x("few") - 2.0).powi(2) * 0.05
        + (x("under") - 0.8).powi(2)
        + word
        + (x("many").ln() - 4.0).powi(2) * 0.1
}

#[test]
fn a_sampler_that_is_used_again_gives_the_same_as_a_fresh_one() {
    // Unoptimised, 60 trials take a minute.
    let trials = if cfg!(debug_assertions) { 24 } else { 60 };
    let space = varied();
    for parallel in [1, 5] {
        let fresh = |ask: &Ask<'_>| Proposing(Gp::new(5)).suggest(ask);
        let fresh = search(&fresh, &space, (trials, parallel), &bowl);
        let kept = Proposing(Gp::new(5));
        assert_eq!(search(&|ask| kept.suggest(ask), &space, (trials, parallel), &bowl), fresh);
        // Nor does a search of something else in between matter.
        assert_eq!(search(&|ask| kept.suggest(ask), &space, (8, parallel), &bowl), fresh[..8]);
    }
}

#[test]
fn the_first_trials_are_spread_over_every_parameter() {
    let space = varied();
    let sampler = Proposing(Gp::new(7));
    let first = search(&|ask| sampler.suggest(ask), &space, (7, 7), &bowl);
    let mut few: Vec<i64> = first.iter().map(|params| params["few"].as_i64().unwrap()).collect();
    few.sort_unstable();
    assert_eq!(few, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn failures_are_avoided() {
    let space = line();
    let loss = |params: &Params| {
        let x = params["x"].as_f64().unwrap();
        if x > 0.5 { f64::INFINITY } else { (x - 0.45).powi(2) }
    };
    let sampler = Proposing(Gp::new(6));
    let all = search(&|ask| sampler.suggest(ask), &space, (25, 1), &loss);
    let failed = all[6..].iter().filter(|params| loss(params).is_infinite()).count();
    assert!(failed <= 6, "{failed} of 19");
    let best = all.iter().map(loss).fold(f64::INFINITY, f64::min);
    assert!(best < 1e-4, "{best}");
}

#[test]
fn workers_do_not_crowd() {
    let space = line();
    let known: Vec<(Vec<f64>, f64)> =
        (0..6).map(|i| f64::from(i) / 5.0).map(|x| (vec![x], (15.0 * x).sin())).collect();
    let mut running: Vec<Vec<f64>> = Vec::new();
    for _ in 0..6 {
        let next = propose(&space, &known, &running)[0].clone();
        assert!(running.iter().all(|other| (other[0] - next[0]).abs() > 1e-3), "{running:?} {next:?}");
        running.push(next);
    }
}

#[test]
fn a_mirrored_function_is_searched_as_well() {
    let space = line();
    let sampler = |seed| move |ask: &Ask<'_>| Proposing(Gp::new(5)).suggest(&Ask { seed, ..*ask });
    for seed in 0..3 {
        for lowest in [0.2, 0.8] {
            let loss = |params: &Params| (params["x"].as_f64().unwrap() - lowest).powi(2);
            let all = search(&sampler(seed), &space, (15, 1), &loss);
            assert!(all.iter().map(loss).fold(f64::INFINITY, f64::min) < 1e-4);
        }
    }
}

#[test]
fn a_small_space_is_tried_to_its_end() {
    let words = ["a", "b", "c"].map(Value::from).to_vec();
    let space = Space::new(&BTreeMap::from([
        ("word".into(), plain(ParameterKind::Choice { values: words })),
        ("few".into(), plain(int(0, 3))),
    ]))
    .unwrap();
    let sampler = Proposing(Gp::new(3));
    let all = search(&|ask| sampler.suggest(ask), &space, (30, 2), &|params| params["few"].as_f64().unwrap());
    assert_eq!(all.len(), 12);
    let place = all.iter().position(|params| params["few"].as_i64() == Some(0)).unwrap();
    assert!(place < 8);
}

#[test]
fn what_cannot_exist_gives_way() {
    let space = line();
    let mut history = History::new(&space, 1);
    for trial in 0..5u64 {
        let x = trial as f64 / 4.0;
        history.suggested(&space, &space.decode(&[x]));
        history.ended(&News { trial, level: Level::Full, losses: vec![(x - 0.3).powi(2)] });
    }
    let feasible = |params: &Params| {
        if params["x"].as_f64().unwrap() > 0.98 { Ok(()) } else { Err("too small".to_owned()) }
    };
    let ask = Ask {
        space: &space,
        seed: 1,
        number: 5,
        trials: None,
        history: &history,
        duplicates: false,
        feasible: &feasible,
    };
    let Suggestion::Trial { params, .. } = Proposing(Gp::new(2)).suggest(&ask) else { panic!("none") };
    assert!(params["x"].as_f64().unwrap() > 0.98);
    assert!(Gp::new(2).propose(&ask, 1).iter().all(|point| point[0] > 0.98));
}

#[test]
fn odd_histories_are_borne() {
    let inside = |points: &[Vec<f64>]| {
        assert!(points.iter().flatten().all(|x| (0.0..=1.0).contains(x)), "{points:?}");
    };
    let space = varied();
    let point = |x: f64| vec![x; space.len()];
    for losses in
        [vec![], vec![1.0], vec![1.0, 1.0, 1.0], vec![f64::INFINITY; 4], vec![1e308, -1e308, f64::NAN]]
    {
        let different: Vec<_> =
            losses.iter().enumerate().map(|(i, y)| (point(i as f64 * 0.13), *y)).collect();
        let same: Vec<_> = losses.iter().map(|y| (point(0.5), *y)).collect();
        inside(&propose(&space, &different, &[]));
        inside(&propose(&space, &same, &[point(0.5), point(0.5)]));
    }
    let fixed = Space::new(&BTreeMap::from([
        ("a".into(), plain(ParameterKind::Fixed { value: 1.into() })),
        ("b".into(), plain(int(3, 3))),
    ]))
    .unwrap();
    let points: Vec<_> = (0..4).map(|i| (vec![0.5; 2], f64::from(i))).collect();
    inside(&propose(&fixed, &points, &[]));
    let empty = Space::new(&BTreeMap::new()).unwrap();
    inside(&propose(&empty, &[], &[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn proposals_lie_inside(
        points in prop::collection::vec((prop::collection::vec(0.0..=1.0f64, 6), -10.0..10.0f64), 2..12),
        running in prop::collection::vec(prop::collection::vec(0.0..=1.0f64, 6), 0..4),
    ) {
        let space = varied();
        let proposed = propose(&space, &points, &running);
        prop_assert!(!proposed.is_empty());
        for point in &proposed {
            prop_assert!(point.len() == 6 && point.iter().all(|x| (0.0..=1.0).contains(x)));
            prop_assert!(space.contains(&space.decode(point)).is_ok());
        }
        let distinct: HashSet<String> = proposed.iter().map(|point| format!("{:?}", space.decode(point))).collect();
        prop_assert_eq!(distinct.len(), proposed.len());
    }
}

/// Milliseconds for a suggestion, with the learning of scales shared among those between.
#[test]
#[ignore = "a time to look at"]
#[allow(clippy::disallowed_methods)]
fn time_with_many_observations() {
    for (dimensions, workers, known) in [(6, 0, 490), (20, 0, 490), (20, 8, 490), (6, 0, 2000)] {
        let parameters = (0..dimensions).map(|i| (format!("x{i:02}"), plain(float()))).collect();
        let space = Space::new(&parameters).unwrap();
        let mut history = History::new(&space, 1);
        let mut rng = stream(1, "test", &[]);
        let tell = |history: &mut History, point: &[f64], is_over: bool| {
            let trial = history.trials();
            history.suggested(&space, &space.decode(point));
            history.began(trial);
            if is_over {
                let loss = point.iter().enumerate().map(|(i, x)| (x - 0.3).powi(2) / (1.0 + i as f64)).sum();
                history.ended(&News { trial, level: Level::Full, losses: vec![loss] });
            }
        };
        let mut draw = || (0..dimensions).map(|_| uniform(&mut rng)).collect::<Vec<f64>>();
        (0..workers).for_each(|_| tell(&mut history, &draw(), false));
        (0..known).for_each(|_| tell(&mut history, &draw(), true));
        let sampler = Gp::new(10);
        let feasible = |_: &Params| Ok(());
        let mut times = Vec::new();
        for _ in 0..26 {
            let ask = Ask {
                space: &space,
                seed: 1,
                number: history.trials(),
                trials: None,
                history: &history,
                duplicates: false,
                feasible: &feasible,
            };
            let start = std::time::Instant::now();
            let point = sampler.propose(&ask, 0).swap_remove(0);
            times.push(start.elapsed().as_secs_f64() * 1e3);
            tell(&mut history, &point, true);
        }
        let mean = times[2..].iter().sum::<f64>() / 24.0;
        let most = times.iter().copied().fold(0.0, f64::max);
        times.sort_by(f64::total_cmp);
        println!(
            "{dimensions} dims, {workers} running: mean {mean:.0} ms, median {:.0}, most {most:.0}",
            times[13]
        );
    }
}
