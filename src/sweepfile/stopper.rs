//! `search.stopper`: the one place where a stopper's name becomes a stopper.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, count, finite, text, whole};
use crate::domain::sweep::{Against, Mode, Population, StopperSpec};

/// Options where the file says nothing.
const MIN_STEPS: u64 = 1;
const FACTOR: u64 = 3;
const STARTUP_TRIALS: u64 = 5;
const PERCENTILE: f64 = 25.0;
const PATIENCE: u64 = 10;
/// Of extrapolation: with few curves it is too sure of itself.
const STARTUP_CURVES: u64 = 10;
const WARMUP_STEPS: u64 = 1;
const CHANCE: f64 = 0.02;
const QUANTILE: f64 = 0.25;

const NAMES: [&str; 10] = [
    "none",
    "asha",
    "halving",
    "hyperband",
    "median",
    "percentile",
    "extrapolation",
    "threshold",
    "patience",
    "population",
];

pub(super) fn read(node: &Node, parent: &Table<'_>, problems: &mut Vec<Problem>) -> Option<StopperSpec> {
    let expected = format!("{}, or a table like {{ name = \"asha\", min_steps = 1, factor = 3 }}", quoted());
    let Kind::Table(_) = node.kind else {
        let name = text(node).filter(|name| NAMES.contains(&name.as_str()));
        if name.is_none() {
            parent.wrong("stopper", node, &expected, problems);
        }
        // A table without entries stands for what a bare name leaves open.
        let nothing = Node { kind: Kind::Table(Vec::new()), line: node.line };
        return of_name(&name?, &Table::of(&nothing, "search.stopper", problems)?, problems);
    };
    let table = Table::of(node, "search.stopper", problems)?;
    let name = table.required("name", &expected, problems)?;
    let Some(word) = text(name).filter(|name| NAMES.contains(&name.as_str())) else {
        table.wrong("name", name, &quoted(), problems);
        return None;
    };
    let spec = of_name(&word, &table, problems);
    table.finish(problems);
    spec
}

fn quoted() -> String {
    let names: Vec<String> = NAMES.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

/// Every mistake among the options is noted; a stopper that lacks what it needs is none.
fn of_name(name: &str, table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<StopperSpec> {
    match name {
        "asha" => Some(asha(table, problems)),
        "halving" => Some(halving(table, problems)),
        "hyperband" => hyperband(table, problems),
        "median" => Some(StopperSpec::Median(against(table, problems))),
        "percentile" => Some(percentile(table, problems)),
        "extrapolation" => Some(extrapolation(table, problems)),
        "threshold" => threshold(table, problems),
        "patience" => Some(patience(table, problems)),
        "population" => population(table, problems),
        _ => None,
    }
}

fn asha(table: &Table<'_>, problems: &mut Vec<Problem>) -> StopperSpec {
    let (min_steps, factor) = rungs(table, problems);
    StopperSpec::Asha { min_steps, factor, mode: mode(table, problems) }
}

fn halving(table: &Table<'_>, problems: &mut Vec<Problem>) -> StopperSpec {
    let (min_steps, factor) = rungs(table, problems);
    StopperSpec::Halving { min_steps, factor }
}

fn hyperband(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<StopperSpec> {
    let (min_steps, factor) = rungs(table, problems);
    let mode = mode(table, problems);
    let expected = "the most steps of a trial, which say how many brackets there are";
    table.required("max_steps", expected, problems)?;
    let max_steps = table.read("max_steps", "a whole number of at least 1", problems, count)?;
    if max_steps < min_steps {
        let message = format!("max_steps = {max_steps} is below min_steps = {min_steps}");
        table.complain(message, problems);
    }
    Some(StopperSpec::Hyperband { min_steps, max_steps, factor, mode })
}

fn percentile(table: &Table<'_>, problems: &mut Vec<Problem>) -> StopperSpec {
    let percentile = table.read("percentile", "a number from 0 to 100", problems, |node| {
        finite(node).filter(|percent| (0.0..=100.0).contains(percent))
    });
    let against = against(table, problems);
    StopperSpec::Percentile { percentile: percentile.unwrap_or(PERCENTILE), against }
}

fn extrapolation(table: &Table<'_>, problems: &mut Vec<Problem>) -> StopperSpec {
    let startup_trials = table.read("startup_trials", "a whole number of at least 1", problems, count);
    let warmup_steps = steps(table, "warmup_steps", problems);
    let chance = table.read("chance", "a number from 0 to 1", problems, |node| {
        finite(node).filter(|chance| (0.0..=1.0).contains(chance))
    });
    StopperSpec::Extrapolation {
        startup_trials: startup_trials.unwrap_or(STARTUP_CURVES),
        warmup_steps: warmup_steps.unwrap_or(WARMUP_STEPS),
        chance: chance.unwrap_or(CHANCE),
    }
}

fn threshold(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<StopperSpec> {
    let lower = table.read("lower", "a finite number", problems, finite);
    let upper = table.read("upper", "a finite number", problems, finite);
    let after_steps = steps(table, "after_steps", problems).unwrap_or(0);
    if table.get("lower").is_none() && table.get("upper").is_none() {
        table.complain("lower or upper is missing: expected the range that a value may be in", problems);
        return None;
    }
    if let (Some(lower), Some(upper)) = (lower, upper)
        && lower > upper
    {
        table.complain(format!("lower = {lower} is above upper = {upper}"), problems);
    }
    Some(StopperSpec::Threshold { lower, upper, after_steps })
}

fn patience(table: &Table<'_>, problems: &mut Vec<Problem>) -> StopperSpec {
    let patience = table.read("patience", "a whole number of steps, at least 1", problems, count);
    let min_delta = table.read("min_delta", "a number of at least 0", problems, |node| {
        finite(node).filter(|delta| *delta >= 0.0)
    });
    StopperSpec::Patience { patience: patience.unwrap_or(PATIENCE), min_delta: min_delta.unwrap_or(0.0) }
}

fn population(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<StopperSpec> {
    table.required("members", "how many trials are trained side by side", problems);
    table.required("interval", "the steps after which they are compared", problems);
    let members = table.read("members", "a whole number of at least 2", problems, |node| {
        count(node).filter(|members| *members >= 2)
    });
    let interval = table.read("interval", "a whole number of at least 1", problems, count);
    let quantile = table.read("quantile", "a number above 0, at most 0.5", problems, |node| {
        finite(node).filter(|share| *share > 0.0 && *share <= 0.5)
    });
    let perturb = table.read("perturb", "a list of parameters", problems, |node| match &node.kind {
        Kind::List(items) => items.iter().map(text).collect(),
        _ => None,
    });
    let (quantile, perturb) = (quantile.unwrap_or(QUANTILE), perturb.unwrap_or_default());
    let population = Population { members: members?, interval: interval?, quantile, perturb };
    if population.share_of(population.members) == 0 {
        let message = format!(
            "quantile = {quantile} of {} members is less than a half: nobody would ever be replaced",
            population.members
        );
        table.complain(message, problems);
    }
    Some(StopperSpec::Population(population))
}

/// The first rung, and how many times longer each is than the one before.
fn rungs(table: &Table<'_>, problems: &mut Vec<Problem>) -> (u64, u64) {
    let min_steps = table.read("min_steps", "a whole number of at least 1", problems, count);
    let factor = table.read("factor", "a whole number of at least 2", problems, |node| {
        count(node).filter(|factor| *factor >= 2)
    });
    (min_steps.unwrap_or(MIN_STEPS), factor.unwrap_or(FACTOR))
}

fn mode(table: &Table<'_>, problems: &mut Vec<Problem>) -> Mode {
    let mode = table.read("mode", "\"promote\" or \"stop\"", problems, |node| {
        [Mode::Promote, Mode::Stop].into_iter().find(|mode| text(node).as_deref() == Some(mode.as_str()))
    });
    mode.unwrap_or_default()
}

fn against(table: &Table<'_>, problems: &mut Vec<Problem>) -> Against {
    let startup_trials = steps(table, "startup_trials", problems);
    let warmup_steps = steps(table, "warmup_steps", problems);
    let interval_steps = table.read("interval_steps", "a whole number of at least 1", problems, count);
    let min_trials = table.read("min_trials", "a whole number of at least 1", problems, count);
    Against {
        startup_trials: startup_trials.unwrap_or(STARTUP_TRIALS),
        warmup_steps: warmup_steps.unwrap_or(0),
        interval_steps: interval_steps.unwrap_or(1),
        min_trials: min_trials.unwrap_or(1),
    }
}

/// A whole number that may be 0.
fn steps(table: &Table<'_>, key: &'static str, problems: &mut Vec<Problem>) -> Option<u64> {
    table.read(key, "a whole number of at least 0", problems, |node| {
        whole(node).and_then(|steps| u64::try_from(steps).ok())
    })
}
