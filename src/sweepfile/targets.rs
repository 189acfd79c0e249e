//! What of an objective is optimised: `metric` with `direction`, or `metrics`, a list of both.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, name, text};
use crate::domain::metric::RMSE;
use crate::domain::{Direction, Target};

/// The most objectives: what is known of them costs ever more, and says ever less, the more there are.
const MOST: usize = 4;

const EXPECTED: &str =
    "a list such as [{ name = \"rmse\" }, { name = \"parameters\", direction = \"minimize\" }]";

/// The one metric, with what holds where the file says nothing.
pub(super) fn read_one(table: &Table<'_>, problems: &mut Vec<Problem>) -> Target {
    let metric = table.read("metric", "the name of a reported metric", problems, name);
    let direction = direction(table, problems);
    Target { name: metric.unwrap_or_else(|| RMSE.to_owned()), direction }
}

/// All metrics, the primary one first; none where the file names one alone.
pub(super) fn read_several(table: &Table<'_>, problems: &mut Vec<Problem>) -> Vec<Target> {
    let Some(node) = table.get("metrics") else { return Vec::new() };
    let key = table.key("metrics");
    for single in ["metric", "direction"] {
        if table.get(single).is_some() {
            let message = format!("cannot go with {single}: it names every objective with its direction");
            problems.push(Problem::new(node.line, &key, message));
        }
    }
    let items = match &node.kind {
        Kind::List(items) if !items.is_empty() => items,
        Kind::List(_) => {
            problems.push(Problem::new(node.line, &key, format!("is empty: expected {EXPECTED}")));
            return Vec::new();
        }
        _ => {
            table.wrong("metrics", node, EXPECTED, problems);
            return Vec::new();
        }
    };
    if items.len() > MOST {
        let message = format!("has {} objectives, at most {MOST} are possible", items.len());
        problems.push(Problem::new(node.line, &key, message));
    }
    let mut targets: Vec<Target> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let key = format!("{key}[{at}]");
        let Some(target) = read_item(item, &key, problems) else { continue };
        if targets.iter().any(|earlier| earlier.name == target.name) {
            let message = format!("{:?} is an objective already", target.name);
            problems.push(Problem::new(item.line, &format!("{key}.name"), message));
        }
        targets.push(target);
    }
    targets
}

fn read_item(item: &Node, key: &str, problems: &mut Vec<Problem>) -> Option<Target> {
    let table = Table::of(item, key, problems)?;
    table.required("name", "the name of a reported metric", problems);
    let name = table.read("name", "the name of a reported metric", problems, name);
    let direction = direction(&table, problems);
    table.finish(problems);
    Some(Target { name: name?, direction })
}

fn direction(table: &Table<'_>, problems: &mut Vec<Problem>) -> Direction {
    let direction = table.read("direction", "\"minimize\" or \"maximize\"", problems, |node| {
        match text(node)?.as_str() {
            "minimize" => Some(Direction::Minimize),
            "maximize" => Some(Direction::Maximize),
            _ => None,
        }
    });
    direction.unwrap_or(Direction::Minimize)
}
