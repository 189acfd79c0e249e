//! Runs of a sampler against known functions, for its tests.

use super::propose::{Propose, Proposing};
use super::random::Random;
use super::{Ask, History, Level, News, Sampler, Suggestion};
use crate::domain::stream::{Key, stream, uniform};
use crate::domain::{Parameter, ParameterKind, Params, Value, When};
use crate::space::Space;
use std::collections::BTreeMap;

/// A function to make small, and the space it is defined on.
pub(super) struct Problem {
    pub name: &'static str,
    pub space: Space,
    /// The loss of a configuration; the seed moves the best one about.
    pub loss: fn(&Params, u64) -> f64,
}

/// What a sampler that looks at no history proposes first for some trials.
pub(super) fn points(
    sampler: &impl Propose,
    space: &Space,
    seed: u64,
    numbers: impl Iterator<Item = u64>,
) -> Vec<Vec<f64>> {
    let history = History::new(space, 1);
    let feasible = |_: &Params| Ok(());
    let point = |number| {
        let ask = Ask {
            space,
            seed,
            number,
            trials: None,
            history: &history,
            duplicates: true,
            feasible: &feasible,
        };
        sampler.propose(&ask, 0).remove(0)
    };
    numbers.map(point).collect()
}

pub(super) fn float(low: f64, high: f64) -> ParameterKind {
    ParameterKind::Float { low, high, log: false, step: None }
}

pub(super) fn int(low: i64, high: i64) -> ParameterKind {
    ParameterKind::Int { low, high, log: false, step: None }
}

pub(super) fn words(words: &[&str]) -> ParameterKind {
    ParameterKind::Choice { values: words.iter().map(|word| Value::from(*word)).collect() }
}

pub(super) fn space(parameters: impl IntoIterator<Item = (&'static str, ParameterKind)>) -> Space {
    let parameter =
        |(name, kind): (&str, _)| (name.to_owned(), Parameter { kind, when: None, default: None });
    Space::new(&parameters.into_iter().map(parameter).collect()).unwrap()
}

fn cube(dimensions: usize) -> Space {
    let parameter = |i| (format!("x{i:02}"), Parameter { kind: float(0.0, 1.0), when: None, default: None });
    Space::new(&(0..dimensions).map(parameter).collect()).unwrap()
}

/// Where the best value of coordinate `i` lies: anywhere in 0.2..0.8.
fn best(seed: u64, i: usize) -> f64 {
    0.2 + 0.6
        * (((seed * 7919 + i as u64 * 104_729 + 13) * 2_654_435_761 % (1 << 32)) as f64 / (1u64 << 32) as f64)
}

/// The distances from the best point.
fn offsets(params: &Params, seed: u64) -> Vec<f64> {
    params.values().enumerate().map(|(i, x)| x.as_f64().unwrap_or(0.0) - best(seed, i)).collect()
}

fn sphere(params: &Params, seed: u64) -> f64 {
    offsets(params, seed).iter().map(|x| x * x).sum()
}

/// Its axes differ by a factor of 1000 in curvature, and none is parallel to a coordinate's.
fn ellipsoid(params: &Params, seed: u64) -> f64 {
    let x = offsets(params, seed);
    let n = x.len();
    // A reflection at the plane across (1, 2, 3 ...) turns the axes.
    let normal: Vec<f64> = (0..n).map(|i| (i + 1) as f64).collect();
    let length: f64 = normal.iter().map(|v| v * v).sum();
    let along: f64 = normal.iter().zip(&x).map(|(v, x)| v * x).sum();
    let turned = x.iter().zip(&normal).map(|(x, v)| x - 2.0 * along * v / length);
    turned.enumerate().map(|(i, y)| 1000f64.powf(i as f64 / (n - 1).max(1) as f64) * y * y).sum()
}

fn rastrigin(params: &Params, seed: u64) -> f64 {
    let wave = |x: &f64| {
        let x = x * 5.12;
        x * x - 10.0 * (std::f64::consts::TAU * x).cos() + 10.0
    };
    offsets(params, seed).iter().map(wave).sum()
}

/// A network's training in small: the best family, its depth, a learning rate and what belongs to each family.
fn mixed_space() -> Space {
    let when = |word: &str| Some(When { param: "family".into(), values: vec![word.into()] });
    let log = |low, high| ParameterKind::Float { low, high, log: true, step: None };
    let plain = |kind| Parameter { kind, when: None, default: None };
    Space::new(&BTreeMap::from([
        ("activation".into(), plain(words(&["relu", "tanh", "gelu", "silu"]))),
        ("decay".into(), plain(log(1e-6, 1e-1))),
        ("dropout".into(), Parameter { kind: float(0.0, 0.8), when: when("dense"), default: None }),
        ("family".into(), plain(words(&["cnn", "dense", "forest"]))),
        (
            "filters".into(),
            Parameter {
                kind: ParameterKind::Int { low: 4, high: 256, log: true, step: None },
                when: when("cnn"),
                default: None,
            },
        ),
        ("kernel".into(), Parameter { kind: int(1, 7), when: when("cnn"), default: None }),
        ("layers".into(), plain(int(1, 10))),
        ("rate".into(), plain(log(1e-5, 1.0))),
    ]))
    .unwrap()
}

fn mixed(params: &Params, seed: u64) -> f64 {
    let number = |name: &str| params[name].as_f64().unwrap();
    let word = |name: &str| params[name].as_str().unwrap();
    let square = |x: f64| x * x;
    let good = ["relu", "tanh", "gelu", "silu"][(seed % 4) as usize];
    let mut loss = if word("activation") == good { 0.0 } else { 0.3 };
    loss += 0.1 * square((number("decay").ln() - 1e-4f64.ln()) / 4.0);
    loss += square((number("rate").ln() - (-2.0 - 5.0 * best(seed, 0))) / 3.0);
    loss += 0.2 * square((number("layers") - 2.0 - (seed % 7) as f64) / 3.0);
    loss += match word("family") {
        "cnn" => {
            square((number("filters").ln() - 2.0 - 3.0 * best(seed, 1)) / 2.0)
                + 0.1 * square((number("kernel") - 3.0) / 2.0)
        }
        "dense" => 0.4 + square(number("dropout") - best(seed, 2)),
        _ => 0.8,
    };
    loss
}

pub(super) fn problems() -> Vec<Problem> {
    vec![
        Problem { name: "sphere", space: cube(5), loss: sphere },
        Problem { name: "ellipsoid", space: cube(5), loss: ellipsoid },
        Problem { name: "rastrigin", space: cube(4), loss: rastrigin },
        Problem { name: "mixed", space: mixed_space(), loss: mixed },
    ]
}

/// How a run goes.
pub(super) struct Run {
    pub seed: u64,
    pub trials: u64,
    /// So many run at once; they end in a random order.
    pub workers: usize,
    /// This share of them fails.
    pub failing: f64,
    pub duplicates: bool,
}

impl Run {
    pub fn new(seed: u64, workers: usize) -> Self {
        Self { seed, trials: 100, workers, failing: 0.0, duplicates: true }
    }

    /// Every configuration that `suggest` gave, and the history at the end.
    pub fn go(
        &self,
        problem: &Problem,
        suggest: &mut dyn FnMut(&Ask<'_>) -> Suggestion,
    ) -> (Vec<Params>, History) {
        let space = &problem.space;
        let mut history = History::new(space, 1);
        let mut rng = stream(self.seed, "order", &[]);
        let (mut running, mut all): (Vec<u64>, Vec<Params>) = (Vec::new(), Vec::new());
        for number in 0..self.trials {
            if running.len() == self.workers {
                let trial = running.swap_remove((uniform(&mut rng) * self.workers as f64) as usize);
                self.end(problem, trial, &all[trial as usize], &mut history);
            }
            let feasible = |_: &Params| Ok(());
            let ask = Ask {
                space,
                seed: self.seed,
                number,
                trials: Some(self.trials),
                history: &history,
                duplicates: self.duplicates,
                feasible: &feasible,
            };
            let Suggestion::Trial { params, .. } = suggest(&ask) else { break };
            space.contains(&params).unwrap();
            history.suggested(space, &params);
            history.began(number);
            running.push(number);
            all.push(params);
        }
        running.into_iter().for_each(|trial| self.end(problem, trial, &all[trial as usize], &mut history));
        (all, history)
    }

    fn end(&self, problem: &Problem, trial: u64, params: &Params, history: &mut History) {
        let fails = uniform(&mut stream(self.seed, "fails", &[Key::Number(trial)])) < self.failing;
        let loss = if fails { f64::NAN } else { (problem.loss)(params, self.seed) };
        history.ended(&News { trial, level: Level::Full, losses: vec![loss] });
    }

    /// The least loss that a method found.
    pub fn least<P: Propose>(&self, problem: &Problem, method: P) -> f64 {
        let method = Proposing(method);
        let (_, history) = self.go(problem, &mut |ask| method.suggest(ask));
        history.ranked(Level::Full).next().map_or(f64::INFINITY, |best| best.loss)
    }
}

/// The median of the least losses of so many seeds.
pub(super) fn median<P: Propose>(problem: &Problem, workers: usize, seeds: u64, make: &dyn Fn() -> P) -> f64 {
    let mut least: Vec<f64> = (0..seeds).map(|seed| Run::new(seed, workers).least(problem, make())).collect();
    least.sort_by(f64::total_cmp);
    (least[(least.len() - 1) / 2] + least[least.len() / 2]) / 2.0
}

/// Fails unless the method finds less than random draws, on each problem, in turn and in parallel.
pub(super) fn check_better_than_random<P: Propose>(make: &dyn Fn() -> P) {
    for problem in problems() {
        for workers in [1, 8] {
            let random = median(&problem, workers, 10, &|| Random);
            let found = median(&problem, workers, 10, make);
            assert!(found < random, "{} with {workers}: {found}, at random {random}", problem.name);
        }
    }
}

/// Fails unless an object that answered before proposes just what a fresh one does, inside the cube, whatever
/// fails and in whichever order trials end.
pub(super) fn check_pure<P: Propose>(make: &dyn Fn() -> P) {
    for problem in problems() {
        for (workers, failing) in [(1, 0.0), (5, 0.2), (16, 0.5)] {
            let reused = Proposing(make());
            let run = Run { trials: 120, failing, ..Run::new(3, workers) };
            let (_, history) = run.go(&problem, &mut |ask| {
                // Not each time: a fresh object has to read all that came before.
                let rounds = if ask.number % 5 == 0 { 2 } else { 0 };
                for round in 0..rounds {
                    let points = reused.0.propose(ask, round);
                    let bits = |points: &[Vec<f64>]| -> Vec<u64> {
                        points.iter().flatten().map(|x| x.to_bits()).collect()
                    };
                    assert_eq!(bits(&points), bits(&make().propose(ask, round)), "{}", problem.name);
                    for x in points.iter().flatten() {
                        assert!((0.0..=1.0).contains(x), "{x} in {}", problem.name);
                    }
                }
                reused.suggest(ask)
            });
            // Asked again for an early trial, as when a sweep is replayed, it forgets what came later.
            let early = History::new(&problem.space, 1);
            let feasible = |_: &Params| Ok(());
            for (number, history) in [(0, &early), (119, &history)] {
                let ask = Ask {
                    space: &problem.space,
                    seed: 3,
                    number,
                    trials: Some(120),
                    history,
                    duplicates: true,
                    feasible: &feasible,
                };
                assert_eq!(reused.0.propose(&ask, 0), make().propose(&ask, 0));
            }
        }
    }
}

/// Fails unless odd histories and spaces get proposals inside the cube.
pub(super) fn check_oddities<P: Propose>(make: &dyn Fn() -> P) {
    let flat: fn(&Params, u64) -> f64 = |_, _| 1.0;
    let huge: fn(&Params, u64) -> f64 = |params, _| params.len() as f64 * 1e308;
    let fixed = || ParameterKind::Fixed { value: 3.into() };
    let spaces = [
        space([("a", fixed())]),
        space([("a", fixed()), ("b", float(0.5, 0.5)), ("c", float(0.0, 1.0))]),
        space([("b", words(&["x", "y"]))]),
        space([("b", int(0, 3)), ("c", words(&["x", "y", "z"]))]),
        space([("b", int(i64::MIN, i64::MAX)), ("c", float(-f64::MAX, f64::MAX))]),
        mixed_space(),
    ];
    for space in spaces {
        for (loss, failing) in [(flat, 0.0), (flat, 1.0), (huge, 0.3)] {
            for (workers, duplicates) in [(1, true), (4, false), (60, true)] {
                let problem = Problem { name: "odd", space: space.clone(), loss };
                let run = Run { trials: 50, failing, duplicates, ..Run::new(1, workers) };
                let method = Proposing(make());
                let (all, _) = run.go(&problem, &mut |ask| {
                    for x in method.0.propose(ask, 0).iter().flatten() {
                        assert!((0.0..=1.0).contains(x), "{x}");
                    }
                    method.suggest(ask)
                });
                let most = space.size().filter(|_| !duplicates).unwrap_or(50).min(50);
                assert_eq!(all.len() as u128, most, "every combination of a small space");
            }
        }
    }
}
