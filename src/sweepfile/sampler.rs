//! `search.sampler`: the one place where a sampler's name becomes a sampler.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, count, text};
use crate::domain::sweep::SamplerSpec;

/// Options where the file says nothing.
const DIVISIONS: u32 = 5;
const STARTUP: u32 = 10;
const CANDIDATES: u32 = 24;
const POPULATION: u32 = 20;
const TOURNAMENT: u32 = 10;

const NAMES: [&str; 10] =
    ["auto", "random", "sobol", "halton", "tpe", "gp", "cmaes", "nsga2", "evolution", "grid"];

pub(super) fn read(node: &Node, parent: &Table<'_>, problems: &mut Vec<Problem>) -> Option<SamplerSpec> {
    let expected = format!("{}, or a table like {{ name = \"tpe\", startup = 20 }}", quoted());
    if let Kind::Table(_) = node.kind {
        let table = Table::of(node, "search.sampler", problems)?;
        let name = table.required("name", &expected, problems)?;
        let spec = text(name).and_then(|name| of_name(&name, Some(&table), problems));
        if spec.is_none() {
            table.wrong("name", name, &quoted(), problems);
        }
        table.finish(problems);
        return spec;
    }
    let spec = text(node).and_then(|name| of_name(&name, None, problems));
    if spec.is_none() {
        parent.wrong("sampler", node, &expected, problems);
    }
    spec
}

fn quoted() -> String {
    let names: Vec<String> = NAMES.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

fn of_name(name: &str, table: Option<&Table<'_>>, problems: &mut Vec<Problem>) -> Option<SamplerSpec> {
    let mut option = |key: &'static str| {
        let whole = |node: &Node| count(node).and_then(|n| u32::try_from(n).ok());
        table.and_then(|table| table.read(key, "a whole number of at least 1", problems, whole))
    };
    Some(match name {
        "auto" => SamplerSpec::Auto,
        "random" => SamplerSpec::Random,
        "sobol" => SamplerSpec::Sobol,
        "halton" => SamplerSpec::Halton,
        "tpe" => SamplerSpec::Tpe {
            startup: option("startup").unwrap_or(STARTUP),
            candidates: option("candidates").unwrap_or(CANDIDATES),
        },
        "gp" => SamplerSpec::Gp { startup: option("startup").unwrap_or(STARTUP) },
        "cmaes" => SamplerSpec::Cmaes { population: option("population") },
        "nsga2" => SamplerSpec::Nsga2 { population: option("population") },
        "evolution" => SamplerSpec::Evolution {
            population: option("population").unwrap_or(POPULATION),
            tournament: option("tournament").unwrap_or(TOURNAMENT),
        },
        "grid" => SamplerSpec::Grid { divisions: option("divisions").unwrap_or(DIVISIONS) },
        _ => return None,
    })
}
