//! `[search]`: the sampler with its options, the stopper, how many trials and how many at once.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, count, text};
use crate::domain::Search;
use crate::domain::sweep::SamplerSpec;

/// How many values a grid visits of a float, or of a wide int, where the file says nothing.
const DIVISIONS: u32 = 5;

const SAMPLERS: &str = "\"random\", \"grid\" or { name = \"grid\", divisions = 5 }";

pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Option<Search> {
    let table = Table::of(node, "search", problems)?;
    let sampler = match table.get("sampler") {
        Some(node) => read_sampler(node, &table, problems),
        None => Some(SamplerSpec::Random),
    };
    read_stopper(&table, problems);
    let trials = table.read("trials", "a whole number of at least 1", problems, count);
    if sampler == Some(SamplerSpec::Random) && table.get("trials").is_none() {
        table.complain("trials is missing: random search never ends by itself", problems);
    }
    let parallel = table.read("parallel", "a whole number of at least 1", problems, |n| {
        count(n).and_then(|n| u32::try_from(n).ok())
    });
    let order = |node: &Node| text(node).filter(|word| word == "arrival");
    table.read("order", "\"arrival\" (\"number\" is not there yet)", problems, order);
    table.finish(problems);
    Some(Search { sampler: sampler?, trials, parallel })
}

fn read_stopper(table: &Table<'_>, problems: &mut Vec<Problem>) {
    table.read("stopper", "\"none\" (there are no stoppers yet)", problems, |n| {
        text(n).filter(|word| word == "none")
    });
}

/// The one place where a sampler's name becomes a sampler.
fn read_sampler(node: &Node, parent: &Table<'_>, problems: &mut Vec<Problem>) -> Option<SamplerSpec> {
    if let Kind::Table(_) = node.kind {
        let table = Table::of(node, "search.sampler", problems)?;
        let name = table.required("name", SAMPLERS, problems)?;
        let spec = match text(name).as_deref() {
            Some("random") => Some(SamplerSpec::Random),
            Some("grid") => {
                let divisions = |n: &Node| count(n).and_then(|n| u32::try_from(n).ok());
                let divisions = table.read("divisions", "a whole number of at least 1", problems, divisions);
                Some(SamplerSpec::Grid { divisions: divisions.unwrap_or(DIVISIONS) })
            }
            _ => {
                table.wrong("name", name, "\"random\" or \"grid\"", problems);
                None
            }
        };
        table.finish(problems);
        return spec;
    }
    match text(node).as_deref() {
        Some("random") => Some(SamplerSpec::Random),
        Some("grid") => Some(SamplerSpec::Grid { divisions: DIVISIONS }),
        _ => {
            parent.wrong("sampler", node, SAMPLERS, problems);
            None
        }
    }
}
