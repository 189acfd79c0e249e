//! Random sweeps, and what their trials report: a pure function of configuration and step.

use super::faults::Dice;
use super::world::START;
use crate::domain::metric::TRAIN_LOSS;
use crate::domain::prior::{PriorResult, Source};
use crate::domain::sweep::{Against, Duplicates, Mode, Order, Population, SamplerSpec, StopperSpec};
use crate::domain::{
    Direction, Metrics, Objective, ObjectiveKind, OutOfMemory, Parameter, ParameterKind, Params, Search,
    Sweep, Target, Terms, Value,
};
use crate::space::Space;
use std::collections::BTreeMap;

pub fn random_sweep(dice: &mut Dice, name: &str) -> Sweep {
    let order = dice.among(&[Order::Arrival, Order::Number]);
    let number = order == Order::Number;
    let grid = dice.chance(0.4);
    let large = dice.chance(0.1);
    let trials = Some(dice.between(1, if large { 16 } else { 8 }) as u64);
    let parallel = Some(dice.between(1, 3) as u32);
    Sweep {
        name: name.into(),
        seed: dice.below(1000) as u64,
        priority: dice.between(0, 1),
        objective: Objective {
            command: None,
            timeout_s: None,
            workdir: None,
            out_of_memory: dice.among(&[OutOfMemory::Fail, OutOfMemory::Accumulate]),
            kind: if dice.chance(0.25) { ObjectiveKind::External } else { ObjectiveKind::Toy },
            dataset: None,
            validation: 0.2,
            folds: None,
            metric: dice.among(&["rmse", "loss"]).into(),
            direction: dice.among(&[Direction::Minimize, Direction::Maximize]),
            further: Vec::new(),
        },
        search: Search {
            sampler: if grid {
                SamplerSpec::Grid { divisions: if large { 4 } else { 3 } }
            } else {
                random_sampler(dice)
            },
            trials: if grid && dice.chance(0.7) { None } else { trials },
            parallel: if !number && dice.chance(0.3) { None } else { parallel },
            fuse: 1,
            stopper: dice.chance(0.7).then(|| random_stopper(dice)),
            race: None,
            order,
            time_limit_s: (!number && dice.chance(0.2)).then(|| dice.between(20, 600) as u64),
            duplicates: dice.among(&[Duplicates::Skip, Duplicates::Allow]),
            warm_start: Vec::new(),
            constraints: Vec::new(),
            deadline: (!number && dice.chance(0.1)).then(|| START.plus_ms(dice.between(20, 600) * 1000)),
        },
        space: random_space(dice, grid, large),
        gone: BTreeMap::new(),
        enqueue: if !grid && dice.chance(0.3) { vec![random_wish(dice)] } else { Vec::new() },
    }
}

/// Makes some sweeps of another kind, with dice of their own.
pub fn vary(sweep: &mut Sweep) {
    let mut dice = Dice::new(sweep.seed, "variants");
    have_folds(sweep);
    share_steps(sweep);
    match dice.below(10) {
        0..3 => have_several(&mut dice, sweep),
        3..5 => reuse(&mut dice, sweep),
        5..8 => breed(&mut dice, sweep),
        _ => {}
    }
    if sweep.objective.count() == 1 && sweep.search.sampler.learns() && dice.chance(0.5) {
        sweep.search.warm_start = vec!["earlier".into()];
    }
    build_in(sweep);
}

/// Makes some of them sweeps of the built-in trainer, of which the larger configurations do not fit into memory.
fn build_in(sweep: &mut Sweep) {
    let mut dice = Dice::new(sweep.seed, "built in");
    if sweep.objective.kind != ObjectiveKind::Toy || !dice.chance(0.4) {
        return;
    }
    // Enough to learn from.
    if let Some(trials) = sweep.search.trials.as_mut().filter(|_| sweep.search.stopper.is_none()) {
        *trials += 6;
    }
    sweep.objective.kind = ObjectiveKind::Keypoints;
    sweep.space.retain(|name, _| name == "epochs");
    // Of some, nothing fits.
    let low = if dice.chance(0.25) { 4 * FITS } else { 1 };
    if low > FITS {
        sweep.objective.out_of_memory = OutOfMemory::Fail;
    }
    let kind = ParameterKind::Int { low, high: 64 * FITS, log: true, step: None };
    sweep.space.insert("batch_size".into(), Parameter { kind, when: None, default: None });
    for wish in &mut sweep.enqueue {
        *wish = Params::from([("batch_size".into(), (3 * FITS).into())]);
    }
    if let Some(StopperSpec::Population(population)) = &mut sweep.search.stopper {
        population.perturb.clear();
    }
}

/// So many images at a time fit into memory.
const FITS: i64 = 16;

/// Whether a trial runs out of memory with its batches in so many parts.
pub fn is_too_large(params: &Params, parts: u32) -> bool {
    let batch = params.get("batch_size").and_then(Value::as_i64).unwrap_or(0);
    batch > FITS * i64::from(parts)
}

/// What a sweep begins with of earlier ones, where it names any: some configurations of its space, with made-up values.
pub fn sources(sweep: &Sweep) -> Vec<Source> {
    let mut dice = Dice::new(sweep.seed, "sources");
    let space = Space::new(&sweep.space).unwrap();
    let mut source = |name: &String| {
        let results = (0..6).map(|trial| {
            let point: Vec<f64> = (0..space.len()).map(|_| dice.below(1000) as f64 / 1000.0).collect();
            PriorResult { trial, params: space.decode(&point), loss: dice.below(100) as f64 }
        });
        let (id, name, completed) = (name.clone(), name.clone(), 9);
        Source { id, name, completed, comparable: false, results: results.collect() }
    };
    sweep.search.warm_start.iter().map(&mut source).collect()
}

/// Lets a worker have several trials of some of the sweeps.
fn share_steps(sweep: &mut Sweep) {
    let mut dice = Dice::new(sweep.seed, "fuse");
    if sweep.objective.kind != ObjectiveKind::External && dice.chance(0.5) {
        sweep.search.fuse = dice.between(2, 3) as u32;
    }
}

/// Cross-validates the trials of some of the sweeps that have no stopper.
fn have_folds(sweep: &mut Sweep) {
    let mut dice = Dice::new(sweep.seed, "folds");
    if sweep.search.stopper.is_none() || dice.chance(0.3) {
        sweep.search.stopper = None;
        sweep.objective.folds = Some(dice.between(2, 4) as u32);
        sweep.search.race = dice.chance(0.8).then_some(0.8);
    }
}

/// Makes it a sweep with several objectives.
fn have_several(dice: &mut Dice, sweep: &mut Sweep) {
    let further = ["cost", "size"].map(|name| Target {
        name: name.into(),
        direction: dice.among(&[Direction::Minimize, Direction::Maximize]),
    });
    sweep.objective.further = further.into_iter().take(dice.between(1, 2) as usize).collect();
    if !matches!(sweep.search.sampler, SamplerSpec::Grid { .. }) {
        sweep.search.sampler = match dice.below(5) {
            0 => SamplerSpec::Auto,
            1 => SamplerSpec::Tpe { startup: 2, candidates: 4 },
            2 => SamplerSpec::Random,
            _ => SamplerSpec::Nsga2 { population: Some(2) },
        };
    }
    if sweep.objective.folds.is_none() && dice.chance(0.5) {
        let mode = dice.among(&[Mode::Promote, Mode::Stop]);
        sweep.search.stopper = Some(StopperSpec::Asha { min_steps: 1, factor: 2, mode });
    }
}

/// Makes it a sweep that trains a population.
fn breed(dice: &mut Dice, sweep: &mut Sweep) {
    let members = dice.between(2, 5) as u64;
    let quantile = dice.among(&[0.25, 0.34, 0.5]);
    let varies =
        |name: &str| sweep.space.get(name).is_some_and(|p| !matches!(p.kind, ParameterKind::Fixed { .. }));
    let perturb = ["x", "y", "behave"].into_iter().filter(|name| varies(name)).map(str::to_owned).collect();
    let population = Population { members, interval: dice.between(1, 2) as u64, quantile, perturb };
    if population.share_of(members) == 0 {
        return;
    }
    (sweep.objective.folds, sweep.search.race) = (None, None);
    // Long enough for some generations.
    let epochs = ParameterKind::Fixed { value: dice.between(4, 7).into() };
    sweep.space.insert("epochs".into(), Parameter { kind: epochs, when: None, default: None });
    sweep.search.trials = dice.chance(0.3).then(|| members + dice.below(6) as u64);
    sweep.search.stopper = Some(StopperSpec::Population(population));
}

/// Makes it a sweep that draws the same few configurations again and again, and has each only once.
fn reuse(dice: &mut Dice, sweep: &mut Sweep) {
    sweep.search.duplicates = Duplicates::Reuse;
    if matches!(sweep.search.sampler, SamplerSpec::Grid { .. }) {
        return;
    }
    sweep.search.trials = Some(dice.between(4, 30) as u64);
    let x = ParameterKind::Int { low: 0, high: 3, log: false, step: None };
    let epochs = ParameterKind::Fixed { value: dice.between(1, 3).into() };
    sweep.space.remove("y");
    for (name, kind) in [("x", x), ("epochs", epochs)] {
        sweep.space.insert(name.into(), Parameter { kind, when: None, default: None });
    }
}

fn random_stopper(dice: &mut Dice) -> StopperSpec {
    let mode = dice.among(&[Mode::Promote, Mode::Stop]);
    let (min_steps, factor) = (dice.between(1, 2) as u64, dice.between(2, 3) as u64);
    let against = Against {
        startup_trials: dice.between(0, 2) as u64,
        warmup_steps: dice.between(0, 1) as u64,
        interval_steps: dice.between(1, 2) as u64,
        min_trials: dice.between(1, 2) as u64,
    };
    match dice.below(10) {
        0..=2 => StopperSpec::Asha { min_steps, factor, mode },
        3 => StopperSpec::Halving { min_steps, factor },
        4 => StopperSpec::Hyperband { min_steps, max_steps: dice.between(2, 9) as u64, factor, mode },
        5 => StopperSpec::Median(against),
        6 => StopperSpec::Percentile { percentile: dice.among(&[0.0, 25.0, 60.0]), against },
        7 => StopperSpec::Extrapolation {
            startup_trials: dice.between(1, 2) as u64,
            warmup_steps: dice.between(0, 1) as u64,
            chance: dice.among(&[0.1, 0.4, 0.7]),
        },
        8 => {
            let (lower, upper) = (dice.chance(0.3).then_some(0.2), Some(dice.among(&[0.3, 0.6, 1.0])));
            StopperSpec::Threshold { lower, upper, after_steps: dice.between(0, 2) as u64 }
        }
        _ => {
            let patience = dice.between(1, 3) as u64;
            StopperSpec::Patience { patience, min_delta: dice.among(&[0.0, 0.1, 0.5]) }
        }
    }
}

/// Few trials at the start, so that what came of trials matters soon.
fn random_sampler(dice: &mut Dice) -> SamplerSpec {
    match dice.below(12) {
        0 => SamplerSpec::Auto,
        1 => SamplerSpec::Tpe { startup: 2, candidates: 4 },
        2 => SamplerSpec::Gp { startup: 2 },
        3 => SamplerSpec::Cmaes { population: Some(4) },
        4 => SamplerSpec::Nsga2 { population: Some(2) },
        5 => SamplerSpec::Evolution { population: 3, tournament: 2 },
        6 => SamplerSpec::Sobol,
        7 => SamplerSpec::Halton,
        _ => SamplerSpec::Random,
    }
}

fn random_space(dice: &mut Dice, grid: bool, large: bool) -> BTreeMap<String, Parameter> {
    let fixed = |value: Value| ParameterKind::Fixed { value };
    // Few values, so that some trials are equally good.
    let x = ParameterKind::Int { low: 0, high: 3, log: false, step: None };
    let y = ParameterKind::Float { low: 0.001, high: 1.0, log: true, step: None };
    let words = ["well", "some", "none", "diverge"];
    let behave = match (dice.below(4), grid) {
        (0..=1, _) => fixed("well".into()),
        (_, true) => ParameterKind::Choice { values: vec!["well".into(), "diverge".into()] },
        _ => ParameterKind::Choice { values: words.map(Value::from).to_vec() },
    };
    let epochs = match dice.below(2) {
        _ if large => fixed(8.into()),
        0 => fixed(dice.between(1, 6).into()),
        _ => ParameterKind::Int { low: 1, high: 4, log: false, step: Some(3) },
    };
    let mut kinds = vec![("behave", behave), ("epochs", epochs), ("silent", fixed(dice.chance(0.3).into()))];
    kinds.push(if dice.chance(0.5) { ("x", x) } else { ("y", y) });
    kinds
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), Parameter { kind, when: None, default: None }))
        .collect()
}

/// Other terms for a sweep: ranges and choices that are wider, narrower or others, parameters that come and go, more
/// trials.
pub fn random_terms(dice: &mut Dice, sweep: &Sweep) -> Terms {
    let mut terms = sweep.terms();
    let is_grid = matches!(sweep.search.sampler, SamplerSpec::Grid { .. });
    if let Some(trials) = &mut terms.trials {
        *trials += dice.between(0, 4) as u64;
    }
    if let Some(batch) = terms.space.get_mut("batch_size").filter(|_| !is_grid) {
        let (low, high) = dice.among(&[(1, 64 * FITS), (FITS, 8 * FITS), (1, 2 * FITS)]);
        batch.kind = ParameterKind::Int { low, high, log: true, step: None };
        return terms;
    }
    // A grid has its combinations in their order.
    if is_grid && dice.chance(0.9) {
        return terms;
    }
    let x = || ParameterKind::Int { low: 0, high: 3, log: false, step: None };
    if let Some(x) = terms.space.get_mut("x") {
        let (low, high) = dice.among(&[(0, 3), (0, 6), (1, 3), (2, 2), (-2, 1)]);
        x.kind = ParameterKind::Int { low, high, log: false, step: None };
    }
    if let Some(y) = terms.space.get_mut("y") {
        let (low, high) = dice.among(&[(0.001, 1.0), (0.0001, 0.5), (0.1, 10.0)]);
        y.kind = ParameterKind::Float { low, high, log: true, step: None };
    }
    if let Some(Parameter { kind: ParameterKind::Choice { values }, .. }) = terms.space.get_mut("behave") {
        *values = dice
            .among(&[&["well", "some"][..], &["well", "some", "none"], &["some"]])
            .iter()
            .map(|w| Value::from(*w))
            .collect();
    }
    let default = dice.chance(0.7).then(|| Value::from(2));
    let more = Parameter { kind: x(), when: None, default };
    match dice.below(3) {
        0 => drop(terms.space.insert("more".into(), more)),
        1 => drop(terms.space.remove("more")),
        _ => {}
    }
    if dice.chance(0.2) {
        let silent = ParameterKind::Fixed { value: false.into() };
        terms
            .space
            .insert("silent".into(), Parameter { kind: silent, when: None, default: Some(false.into()) });
    }
    terms
}

/// Part of a configuration that a user may want to be tried.
pub fn random_wish(dice: &mut Dice) -> Params {
    match dice.below(3) {
        0 => Params::from([("x".into(), dice.between(0, 3).into())]),
        1 => Params::from([("behave".into(), "well".into())]),
        _ => Params::new(),
    }
}

pub fn epochs(params: &Params) -> u64 {
    params["epochs"].as_i64().unwrap() as u64
}

pub fn behaves(params: &Params) -> &str {
    params.get("behave").map_or("well", |word| word.as_str().unwrap())
}

/// What a step of a fold reports.
pub fn metrics(objective: &Objective, params: &Params, fold: u32, step: u64) -> Metrics {
    let base = match (params.get("x"), params.get("y"), params.get("batch_size")) {
        (Some(x), _, _) => x.as_f64().unwrap(),
        (_, Some(y), _) => y.as_f64().unwrap(),
        (_, _, Some(batch)) => batch.as_f64().unwrap() / FITS as f64,
        _ => 0.5,
    };
    let value = match behaves(params) {
        "some" if step % 2 == 1 => f64::NAN,
        "none" => f64::INFINITY,
        _ => (base - 0.3) * (base - 0.3) + 1.0 / (step as f64 + 0.1),
    };
    // Some folds are harder, the more so for some configurations.
    let value = value + 0.05 * f64::from(fold * fold % 3) * (1.0 + base);
    let train_loss = if step == 2 { -0.0 } else { 0.1 * step as f64 };
    let mut all = Metrics::default().with(&objective.metric, value).with(TRAIN_LOSS, train_loss);
    for (number, target) in (1..).zip(&objective.further) {
        // The better the one, the worse the other, for some; and not always known.
        let value = match behaves(params) {
            "some" if step % 4 == 2 => f64::NAN,
            _ => f64::from(number) * base.round() + if step > 2 { 1.0 } else { 0.5 },
        };
        all = all.with(&target.name, value);
    }
    all
}
