//! The file as a whole: its name and seed, and what its tables say of each other.

use super::node::Node;
use super::problem::Problem;
use super::reader::{Table, name, whole};
use super::{Check, command, enqueue, folds, objective, search, space};
use crate::domain::{ObjectiveKind, Sweep};
use std::collections::BTreeMap;

pub(super) fn read(root: &Node, check: Check<'_>, problems: &mut Vec<Problem>) -> Option<Sweep> {
    let table = Table::of(root, "", problems)?;
    let expected = "a name of letters, digits and -_. (at most 100)";
    if table.get("name").is_none() {
        problems.push(Problem::new(None, "name", format!("is missing: expected {expected}")));
    }
    let sweep_name = table.read("name", expected, problems, name);
    let seed = table.read("seed", "a whole number of at least 0", problems, |n| {
        whole(n).and_then(|seed| u64::try_from(seed).ok())
    });
    let priority = table.read("priority", "a whole number", problems, whole);
    let objective_node = table.required("objective", "a table [objective]", problems);
    let objective = objective_node.and_then(|node| objective::read(node, problems));
    let search_node = table.required("search", "a table [search]", problems);
    let (mut search, race) = search_node.and_then(|node| search::read(node, problems)).unzip();
    let kind = objective.as_ref().map(|objective| objective.kind);
    let space_node = table.required("space", "a table [space] of parameters", problems);
    let space = space_node.and_then(|node| space::read(node, kind, check, problems));
    if let (Some(ObjectiveKind::Command), Some(objective), Some(space)) = (kind, objective_node, space_node) {
        command::check_names(objective, space, problems);
    }
    if let (Some(space), Some(search)) = (&space, search_node) {
        search::check_constraints(search, space, problems);
    }
    if let (Some(objective), Some(search), Some(objective_node), Some(search_node)) =
        (&objective, &search, objective_node, search_node)
    {
        objective::check_search((objective_node, objective), (search_node, search), problems);
    }
    if let (Some(objective), Some(search), Some(node)) = (&objective, &mut search, search_node) {
        folds::check(objective, (node, search), race.flatten(), problems);
    }
    let enqueue = enqueue::read(&table, space.as_ref(), search.as_ref(), problems);
    table.finish(problems);
    Some(Sweep {
        name: sweep_name?,
        seed: seed.unwrap_or(0),
        priority: priority.unwrap_or(0),
        objective: objective?,
        search: search?,
        space: space?,
        gone: BTreeMap::new(),
        enqueue,
    })
}
