//! `[objective]`: what a trial runs, and what of it is optimised.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, finite, name, text};
use super::{command, folds, targets};
use crate::domain::metric::{PARAMETERS, TIMED};
use crate::domain::sweep::Order;
use crate::domain::{Objective, ObjectiveKind, OutOfMemory, Search, Target};

/// Share of the images kept for validation where the file says nothing.
const VALIDATION: f64 = 0.2;

pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Option<Objective> {
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
    let folds = folds::read(&table, problems);
    let Target { name: metric, direction } = targets::read_one(&table, problems);
    let mut targets = targets::read_several(&table, problems).into_iter();
    let primary = targets.next().unwrap_or(Target { name: metric, direction });
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
        folds,
        metric: primary.name,
        direction: primary.direction,
        further: targets.collect(),
        command: command.words,
        timeout_s: command.timeout_s,
        workdir: command.workdir,
        out_of_memory,
    })
}

/// What the search must be able to do with the objectives. Both tables come with what they were read as.
pub(super) fn check_search(
    (node, objective): (&Node, &Objective),
    (search_node, search): (&Node, &Search),
    problems: &mut Vec<Problem>,
) {
    if objective.count() > 1 && !search.sampler.takes_several() {
        let name = search.sampler.name();
        let message = format!(
            "\"{name}\" knows one objective: with several, \"auto\", \"nsga2\" and \"tpe\" learn from all of them, \
             \"random\", \"sobol\", \"halton\" and \"grid\" from none"
        );
        problems.push(Problem::new(line_of(search_node, "sampler"), "search.sampler", message));
    }
    if objective.count() > 1 && !search.warm_start.is_empty() {
        let message = "earlier results are taken over for one objective: with several, leave it out";
        problems.push(Problem::new(line_of(search_node, "warm_start"), "search.warm_start", message));
    }
    let fuses = matches!(objective.kind, ObjectiveKind::Keypoints | ObjectiveKind::Toy);
    if search.fuse > 1 && !fuses {
        let message =
            "only trials of our own trainer share their steps (objective.kind = \"keypoints\"): leave it out";
        problems.push(Problem::new(line_of(search_node, "fuse"), "search.fuse", message));
    }
    if objective.kind != ObjectiveKind::Keypoints {
        return;
    }
    let line = line_of(node, if objective.count() > 1 { "metrics" } else { "metric" });
    let mut complain = |message: String| problems.push(Problem::new(line, "objective", message));
    if objective.metric == PARAMETERS {
        complain(format!(
            "{PARAMETERS:?} is the same in every epoch, so no epoch is the best by it: name it after a metric that \
             training improves"
        ));
    }
    for (name, _) in objective.targets().filter(|(name, _)| TIMED.contains(name)) {
        if search.order == Order::Number {
            complain(format!("{name:?} cannot go with order = \"number\": time differs from run to run"));
        }
    }
}

/// The line of a key of a table, else that of the table.
pub(super) fn line_of(node: &Node, key: &str) -> Option<usize> {
    let Kind::Table(entries) = &node.kind else { return node.line };
    entries.iter().find(|(name, _)| name == key).map_or(node.line, |(_, node)| node.line)
}
