//! `[[enqueue]]`: configurations to try first, each a table of parameters.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::Table;
use crate::domain::sweep::{SamplerSpec, StopperSpec};
use crate::domain::{Parameter, Params, Search};
use crate::space::Space;
use std::collections::BTreeMap;

pub(super) fn read(
    root: &Table<'_>,
    space: Option<&BTreeMap<String, Parameter>>,
    search: Option<&Search>,
    problems: &mut Vec<Problem>,
) -> Vec<Params> {
    let Some(node) = root.get("enqueue") else { return Vec::new() };
    let Kind::List(items) = &node.kind else {
        root.wrong("enqueue", node, "one or more tables [[enqueue]] of parameters", problems);
        return Vec::new();
    };
    if let Some(search) = search {
        let complain = |message: String| Problem::new(node.line, "enqueue", message);
        if matches!(search.sampler, SamplerSpec::Grid { .. }) {
            problems.push(complain(
                "cannot go with a grid, which visits every combination in its own order".into(),
            ));
        }
        let members = search.stopper.as_ref().and_then(StopperSpec::population).map(|all| all.members);
        if members.is_some_and(|members| (items.len() as u64) > members) {
            problems.push(complain(format!(
                "has {} configurations, more than the population has members",
                items.len()
            )));
        }
        if search.trials.is_some_and(|trials| (items.len() as u64) > trials) {
            problems.push(complain(format!("has {} configurations, more than search.trials", items.len())));
        }
    }
    // A space with mistakes of its own has been complained about.
    let space = space.and_then(|parameters| Space::new(parameters).ok());
    items.iter().enumerate().filter_map(|(at, item)| read_one(at, item, space.as_ref(), problems)).collect()
}

fn read_one(at: usize, node: &Node, space: Option<&Space>, problems: &mut Vec<Problem>) -> Option<Params> {
    let key = format!("enqueue[{at}]");
    let table = Table::of(node, &key, problems)?;
    let mut params = Params::new();
    for (name, node) in table.all() {
        match node.value() {
            Some(value) => {
                params.insert(name.clone(), value);
            }
            None => table.wrong(name, node, "a number, a word, true, false, or a list of them", problems),
        }
    }
    if let Some(Err(message)) =
        space.map(|space| space.complete(&params, |entry| entry.dimension.decode(0.5)))
    {
        // What was left open may decide whether a parameter exists: only the trial itself knows then.
        let open = space.is_some_and(|space| space.entries().iter().any(|e| !params.contains_key(&e.name)));
        if !(open && message.contains("does not exist")) {
            problems.push(Problem::new(node.line, &key, message));
        }
    }
    Some(params)
}
