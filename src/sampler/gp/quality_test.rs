//! How good the sampler is on known functions, against random search. By hand: `cargo test --release quality`.

use super::*;
use crate::domain::Params;
use crate::domain::{Parameter, ParameterKind, Value, When};
use crate::sampler::propose::Proposing;
use crate::sampler::random::Random;
use crate::sampler::{News, Sampler, Suggestion};
use crate::space::Space;
use std::collections::{BTreeMap, VecDeque};
use std::f64::consts::{E, PI};

type Function = fn(&Params) -> f64;

fn float(low: f64, high: f64) -> Parameter {
    Parameter { kind: ParameterKind::Float { low, high, log: false, step: None }, when: None, default: None }
}

fn log_float(low: f64, high: f64) -> Parameter {
    Parameter { kind: ParameterKind::Float { low, high, log: true, step: None }, when: None, default: None }
}

fn int(low: i64, high: i64, log: bool) -> Parameter {
    Parameter { kind: ParameterKind::Int { low, high, log, step: None }, when: None, default: None }
}

fn choice<T: Clone + Into<Value>>(values: &[T]) -> Parameter {
    let values = values.iter().cloned().map(Into::into).collect();
    Parameter { kind: ParameterKind::Choice { values }, when: None, default: None }
}

fn under(parameter: Parameter, families: &[&str]) -> Parameter {
    let values = families.iter().map(|family| Value::from(*family)).collect();
    Parameter { when: Some(When { param: "family".into(), values }), ..parameter }
}

fn floats(count: usize, low: f64, high: f64) -> BTreeMap<String, Parameter> {
    (0..count).map(|i| (format!("x{i:02}"), float(low, high))).collect()
}

fn xs(params: &Params) -> Vec<f64> {
    params.values().map(|value| value.as_f64().unwrap()).collect()
}

fn number(params: &Params, name: &str) -> f64 {
    params[name].as_f64().unwrap()
}

fn branin(params: &Params) -> f64 {
    let x = xs(params);
    let bend = x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0;
    bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x[0].cos() + 10.0 - 0.397_887_357_729_738_16
}

fn hartmann6(params: &Params) -> f64 {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ];
    let x = xs(params);
    let hill = |i: usize| -> f64 { (0..6).map(|j| A[i][j] * (x[j] - P[i][j] * 1e-4).powi(2)).sum() };
    3.322_368_011_415_515
        - [1.0, 1.2, 3.0, 3.2].iter().enumerate().map(|(i, a)| a * (-hill(i)).exp()).sum::<f64>()
}

fn rosenbrock(params: &Params) -> f64 {
    let x = xs(params);
    x.windows(2).map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2)).sum()
}

fn ackley(params: &Params) -> f64 {
    let x = xs(params);
    let count = x.len() as f64;
    let square = x.iter().map(|x| x * x).sum::<f64>() / count;
    let wave = x.iter().map(|x| (2.0 * PI * x).cos()).sum::<f64>() / count;
    -20.0 * (-0.2 * square.sqrt()).exp() - wave.exp() + 20.0 + E
}

fn levy(params: &Params) -> f64 {
    let w: Vec<f64> = xs(params).iter().map(|x| 1.0 + (x - 1.0) / 4.0).collect();
    let last = w[w.len() - 1];
    let inner = |w: &f64| (w - 1.0).powi(2) * (1.0 + 10.0 * (PI * w + 1.0).sin().powi(2));
    (PI * w[0]).sin().powi(2)
        + w[..w.len() - 1].iter().map(inner).sum::<f64>()
        + (last - 1.0).powi(2) * (1.0 + (2.0 * PI * last).sin().powi(2))
}

fn ellipsoid(params: &Params) -> f64 {
    let term = |(i, x): (usize, &f64)| (1.0 + i as f64 / 4.0) * (x - 3.0 * (i as f64 + 1.0).sin()).powi(2);
    xs(params).iter().enumerate().map(term).sum()
}

fn mixed(params: &Params) -> f64 {
    let (rate, depth, width) =
        (number(params, "lr").log10(), number(params, "depth"), number(params, "width"));
    let (drop, momentum) = (number(params, "drop"), number(params, "mom"));
    let act = match params["act"].as_str().unwrap() {
        "relu" => 0.3,
        "tanh" => 0.5,
        "elu" => 0.2,
        _ => 0.0,
    };
    0.3 * (rate + 2.5 + 0.1 * (depth - 5.0)).powi(2)
        + 0.05 * (depth - 5.0).powi(2)
        + 0.1 * (width.log2() - 7.0).powi(2)
        + act
        + 2.0 * (drop - 0.2).powi(2) * (width / 256.0 + 0.3)
        + 3.0 * (momentum - 0.9).powi(2)
}

fn conditional(params: &Params) -> f64 {
    let x = |name: &str| number(params, name);
    match params["family"].as_str().unwrap() {
        "cnn" => {
            0.3 * (x("lr").log10() + 3.0).powi(2)
                + 0.2 * (x("filters").log2() - 5.5).powi(2)
                + 0.05 * (x("kernel") - 3.0).abs()
        }
        "mlp" => {
            0.1 + 0.3 * (x("lr").log10() + 2.0).powi(2)
                + 0.1 * (x("layers") - 3.0).powi(2)
                + 0.05 * (x("hidden").log2() - 8.0).powi(2)
        }
        _ => {
            0.05 + 0.03 * (x("tdepth") - 6.0).powi(2)
                + 0.5 * (x("eta").log10() + 1.0).powi(2)
                + 2.0 * (x("sub") - 0.8).powi(2)
        }
    }
}

fn problems() -> Vec<(&'static str, BTreeMap<String, Parameter>, Function)> {
    let branin_space = BTreeMap::from([("x".into(), float(-5.0, 10.0)), ("y".into(), float(0.0, 15.0))]);
    let mixed_space = BTreeMap::from([
        ("lr".into(), log_float(1e-5, 1.0)),
        ("depth".into(), int(1, 8, false)),
        ("width".into(), choice(&[16i64, 32, 64, 128, 256])),
        ("act".into(), choice(&["relu", "tanh", "gelu", "elu"])),
        ("drop".into(), float(0.0, 0.6)),
        ("mom".into(), float(0.5, 0.99)),
    ]);
    let conditional_space = BTreeMap::from([
        ("family".into(), choice(&["cnn", "mlp", "tree"])),
        ("lr".into(), under(log_float(1e-5, 1.0), &["cnn", "mlp"])),
        ("filters".into(), under(int(8, 128, true), &["cnn"])),
        ("kernel".into(), under(choice(&[1i64, 3, 5, 7]), &["cnn"])),
        ("layers".into(), under(int(1, 5, false), &["mlp"])),
        ("hidden".into(), under(int(16, 1024, true), &["mlp"])),
        ("tdepth".into(), under(int(2, 12, false), &["tree"])),
        ("eta".into(), under(log_float(0.01, 1.0), &["tree"])),
        ("sub".into(), under(float(0.3, 1.0), &["tree"])),
    ]);
    vec![
        ("branin", branin_space, branin),
        ("hartmann6", floats(6, 0.0, 1.0), hartmann6),
        ("rosenbrock5", floats(5, -2.0, 2.0), rosenbrock),
        ("ackley5", floats(5, -20.0, 30.0), ackley),
        ("levy10", floats(10, -5.0, 5.0), levy),
        ("ellipsoid20", floats(20, -5.0, 5.0), ellipsoid),
        ("mixed", mixed_space, mixed),
        ("conditional", conditional_space, conditional),
    ]
}

/// The best loss after each trial, with so many running side by side.
fn run(
    sampler: &dyn Sampler,
    space: &Space,
    function: Function,
    seed: u64,
    parallel: usize,
    trials: u64,
) -> Vec<f64> {
    let mut history = History::new(space, 1);
    let mut running = VecDeque::new();
    let mut best = Vec::new();
    for number in 0..trials {
        if running.len() >= parallel {
            let (trial, loss) = running.pop_front().unwrap();
            history.ended(&News { trial, level: Level::Full, losses: vec![loss] });
        }
        let feasible = |_: &Params| Ok(());
        let ask = Ask {
            space,
            seed,
            number,
            trials: None,
            history: &history,
            duplicates: false,
            feasible: &feasible,
        };
        let Suggestion::Trial { params, .. } = sampler.suggest(&ask) else { panic!("nothing more to try") };
        history.suggested(space, &params);
        history.began(number);
        let loss = function(&params);
        best.push(best.last().map_or(loss, |least: &f64| least.min(loss)));
        running.push_back((number, loss));
    }
    best
}

/// The median of the last best losses over seeds.
fn medians(name: &str, parallel: usize, seeds: u64, trials: u64) -> (f64, f64) {
    let (_, parameters, function) = problems().into_iter().find(|problem| problem.0 == name).unwrap();
    let space = Space::new(&parameters).unwrap();
    let median = |build: &dyn Fn() -> Box<dyn Sampler>| {
        let last = |seed| run(&*build(), &space, function, seed, parallel, trials)[trials as usize - 1];
        let mut all: Vec<f64> = (0..seeds).map(last).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    (median(&|| Box::new(Proposing(Gp::new(10)))), median(&|| Box::new(Proposing(Random))))
}

#[test]
#[ignore = "minutes without optimisation"]
fn far_better_than_random_search_on_known_functions() {
    for (name, parallel, share) in [
        ("branin", 1, 0.01),
        ("hartmann6", 1, 0.1),
        ("mixed", 1, 0.05),
        ("conditional", 1, 0.5),
        ("branin", 8, 0.05),
        ("mixed", 8, 0.1),
    ] {
        let (gp, random) = medians(name, parallel, 3, 60);
        assert!(gp < share * random, "{name}, {parallel} at once: {gp:e}, at random {random:e}");
    }
}

/// Every function, one at a time and eight at once, as a table.
#[test]
#[ignore = "a table to look at"]
#[allow(clippy::disallowed_methods)]
fn table_of_functions() {
    const SEEDS: u64 = 6;
    let median = |bests: &[Vec<f64>], trials: usize| {
        let mut all: Vec<f64> = bests.iter().map(|best| best[trials - 1]).collect();
        all.sort_by(f64::total_cmp);
        (all[all.len() / 2], all[all.len() - 1])
    };
    for (name, parameters, function) in problems() {
        let space = Space::new(&parameters).unwrap();
        for parallel in [1, 8] {
            let start = std::time::Instant::now();
            let one = |seed| run(&Proposing(Gp::new(10)), &space, function, seed, parallel, 100);
            let bests: Vec<Vec<f64>> = (0..SEEDS).map(one).collect();
            let ((half, _), (full, worst)) = (median(&bests, 50), median(&bests, 100));
            let seconds = start.elapsed().as_secs_f64() / SEEDS as f64;
            println!(
                "{name:12} {parallel} at 50 {half:.1e}, at 100 {full:.1e}, worst {worst:.1e}; {seconds:.2} s"
            );
        }
    }
}
