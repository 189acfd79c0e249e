//! The file as a whole: its name, seed and objective.

use super::node::Node;
use super::problem::Problem;
use super::reader::{Table, finite, name, text, whole};
use super::{Check, command, enqueue, search, space};
use crate::domain::{Direction, Objective, ObjectiveKind, OutOfMemory, Sweep};

/// Share of the images kept for validation where the file says nothing.
const VALIDATION: f64 = 0.2;

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
    let objective = objective_node.and_then(|node| read_objective(node, problems));
    let search_node = table.required("search", "a table [search]", problems);
    let search = search_node.and_then(|node| search::read(node, problems));
    let kind = objective.as_ref().map(|objective| objective.kind);
    let space_node = table.required("space", "a table [space] of parameters", problems);
    let space = space_node.and_then(|node| space::read(node, kind, check, problems));
    if let (Some(ObjectiveKind::Command), Some(objective), Some(space)) = (kind, objective_node, space_node) {
        command::check_names(objective, space, problems);
    }
    if let (Some(space), Some(search)) = (&space, search_node) {
        search::check_constraints(search, space, problems);
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
        enqueue,
    })
}

fn read_objective(node: &Node, problems: &mut Vec<Problem>) -> Option<Objective> {
    let table = Table::of(node, "objective", problems)?;
    let expected = "\"keypoints\", \"command\", \"toy\" or \"external\"";
    let kind = table.read("kind", expected, problems, |node| match text(node)?.as_str() {
        "keypoints" => Some(ObjectiveKind::Keypoints),
        "command" => Some(ObjectiveKind::Command),
        "toy" => Some(ObjectiveKind::Toy),
        "external" => Some(ObjectiveKind::External),
        _ => None,
    });
    // A wrong kind has been noted; the rest is read as if it were the usual one.
    let kind = kind.unwrap_or(ObjectiveKind::Keypoints);
    let dataset = table.read("dataset", "the name of a dataset", problems, name);
    if kind == ObjectiveKind::Keypoints && table.get("dataset").is_none() {
        table.complain(
            "dataset is missing: expected the name of a dataset (`sweepd data ls` lists them)",
            problems,
        );
    }
    let share = |node: &Node| finite(node).filter(|x| *x > 0.0 && *x < 1.0);
    let validation = table.read("validation", "a share between 0 and 1", problems, share);
    let metric = table.read("metric", "the name of a reported metric", problems, name);
    let direction = table.read("direction", "\"minimize\" or \"maximize\"", problems, |node| {
        match text(node)?.as_str() {
            "minimize" => Some(Direction::Minimize),
            "maximize" => Some(Direction::Maximize),
            _ => None,
        }
    });
    let out_of_memory =
        table.read("out_of_memory", "\"fail\" or \"accumulate\"", problems, |node| {
            match text(node)?.as_str() {
                "fail" => Some(OutOfMemory::Fail),
                "accumulate" => Some(OutOfMemory::Accumulate),
                _ => None,
            }
        });
    let out_of_memory = out_of_memory.unwrap_or_default();
    // Of what a program or a client does with its batches nothing is known here.
    if out_of_memory == OutOfMemory::Accumulate
        && matches!(kind, ObjectiveKind::Command | ObjectiveKind::External)
        && let Some(node) = table.get("out_of_memory")
    {
        let message = "\"accumulate\" is only for kind = \"keypoints\", whose batches sweepd cuts itself";
        problems.push(Problem::new(node.line, &table.key("out_of_memory"), message));
    }
    let command = command::read(&table, kind, problems);
    table.finish(problems);
    Some(Objective {
        kind,
        dataset,
        validation: validation.unwrap_or(VALIDATION),
        metric: metric.unwrap_or_else(|| crate::domain::metric::RMSE.to_owned()),
        direction: direction.unwrap_or(Direction::Minimize),
        command: command.words,
        timeout_s: command.timeout_s,
        workdir: command.workdir,
        out_of_memory,
    })
}
