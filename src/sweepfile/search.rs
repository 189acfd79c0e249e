//! `[search]`: the sampler with its options, the stopper, how many trials and how many at once.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, count, moment, text};
use super::{folds, sampler, stopper};
use crate::domain::sweep::{Duplicates, Order, SamplerSpec, StopperSpec};
use crate::domain::{Parameter, Search};
use crate::expr::{Expr, ParameterNames};
use std::collections::BTreeMap;

const CONSTRAINTS: &str = "a list of conditions between parameters, such as \"blocks * 2 <= 12\"";

/// More trials than these in one step are no faster on any device, and take too much memory.
const MOST_FUSED: u32 = 64;

/// The search, and what the file says of the race of trials with folds.
pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Option<(Search, Option<Option<f64>>)> {
    let table = Table::of(node, "search", problems)?;
    let sampler = match table.get("sampler") {
        Some(node) => sampler::read(node, &table, problems),
        None => Some(SamplerSpec::Auto),
    };
    let stopper = table.get("stopper").and_then(|node| stopper::read(node, &table, problems));
    let trials = table.read("trials", "a whole number of at least 1", problems, count);
    let population = stopper.as_ref().and_then(StopperSpec::population);
    let is_grid = |sampler: &SamplerSpec| matches!(sampler, SamplerSpec::Grid { .. });
    let is_endless = sampler.as_ref().is_some_and(|sampler| !is_grid(sampler)) && population.is_none();
    if is_endless && table.get("trials").is_none() {
        table.complain("trials is missing: only a grid ends by itself, and a population", problems);
    }
    if let (Some(trials), Some(members)) = (trials, population.map(|population| population.members))
        && trials < members
    {
        table
            .complain(format!("trials = {trials} is less than the population's {members} members"), problems);
    }
    let parallel = table.read("parallel", "a whole number of at least 1", problems, |n| {
        count(n).and_then(|n| u32::try_from(n).ok())
    });
    let fuse = table.read("fuse", "a whole number from 1 to 64", problems, |n| {
        count(n).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= MOST_FUSED)
    });
    let order = table.read("order", "\"arrival\" or \"number\"", problems, |node| {
        [Order::Arrival, Order::Number]
            .into_iter()
            .find(|order| text(node).as_deref() == Some(order.as_str()))
    });
    let order = order.unwrap_or_default();
    let time_limit_s = table.read("time_limit_s", "seconds, a whole number of at least 1", problems, count);
    let expected = "a point in time with its offset, such as 2026-12-01T08:00:00Z";
    let deadline = table.read("deadline", expected, problems, moment);
    if order == Order::Number {
        if table.get("parallel").is_none() {
            let message = "parallel is missing: with order = \"number\" it says what each decision may see";
            table.complain(message, problems);
        }
        if time_limit_s.is_some() {
            let message = "time_limit_s cannot go with order = \"number\": time differs from run to run";
            table.complain(message, problems);
        }
        if deadline.is_some() {
            let message = "deadline cannot go with order = \"number\": time differs from run to run";
            table.complain(message, problems);
        }
    }
    let duplicates = table.read("duplicates", "\"skip\", \"allow\" or \"reuse\"", problems, |node| {
        [Duplicates::Skip, Duplicates::Allow, Duplicates::Reuse]
            .into_iter()
            .find(|policy| text(node).as_deref() == Some(policy.as_str()))
    });
    if population.is_some() && duplicates == Some(Duplicates::Reuse) {
        let message =
            "duplicates = \"reuse\" cannot go with a population: what a trial comes to depends on its line";
        table.complain(message, problems);
    }
    let constraints = table.read("constraints", CONSTRAINTS, problems, |node| match &node.kind {
        Kind::List(items) => items.iter().map(text).collect(),
        _ => None,
    });
    let race = folds::read_race(&table, problems);
    let warm_start = table.read("warm_start", "a list of earlier sweeps, by name or id", problems, |node| {
        match &node.kind {
            Kind::List(items) => items.iter().map(text).collect::<Option<Vec<String>>>(),
            _ => None,
        }
    });
    if let (Some(_), Some(sampler)) = (&warm_start, &sampler)
        && !sampler.learns()
    {
        let message = format!(
            "warm_start cannot go with sampler = \"{}\", which learns from no results",
            sampler.name()
        );
        table.complain(message, problems);
    }
    table.finish(problems);
    let search = Search {
        sampler: sampler?,
        trials,
        parallel,
        fuse: fuse.unwrap_or(1),
        stopper,
        race: None,
        order,
        time_limit_s,
        deadline,
        duplicates: duplicates.unwrap_or_default(),
        warm_start: warm_start.unwrap_or_default(),
        constraints: constraints.unwrap_or_default(),
    };
    Some((search, race))
}

/// Every constraint must be a condition on parameters of the space: `node` is the table `search`.
pub(super) fn check_constraints(
    node: &Node,
    space: &BTreeMap<String, Parameter>,
    problems: &mut Vec<Problem>,
) {
    let Kind::Table(entries) = &node.kind else { return };
    let Some((_, Node { kind: Kind::List(items), line })) =
        entries.iter().find(|(name, _)| name == "constraints")
    else {
        return;
    };
    for (at, item) in items.iter().enumerate() {
        let Some(text) = text(item) else { continue };
        if let Err(error) = Expr::parse(&text, &ParameterNames(space)) {
            let key = format!("search.constraints[{at}]");
            problems.push(Problem::new(item.line.or(*line), &key, error.to_string()));
        }
    }
}
