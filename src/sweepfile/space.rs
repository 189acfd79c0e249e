//! `[space]`: one entry per parameter.

use super::Check;
use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, finite, flag, text, whole};
use crate::domain::{ObjectiveKind, Parameter, ParameterKind, Value, When};
use crate::space::{Dimension, Space};
use std::collections::BTreeMap;

const MOST_PARAMETERS: usize = 1_000;
const MOST_CHOICES: usize = 10_000;
const TYPES: &str = "type = \"float\", \"int\", \"choice\" or \"fixed\"";

pub(super) fn read(
    node: &Node,
    kind: Option<ObjectiveKind>,
    check: Check<'_>,
    problems: &mut Vec<Problem>,
) -> Option<BTreeMap<String, Parameter>> {
    let table = Table::of(node, "space", problems)?;
    if table.all().is_empty() {
        table.complain("is empty: expected at least one parameter", problems);
    }
    if table.all().len() > MOST_PARAMETERS {
        table.complain(format!("has more than {MOST_PARAMETERS} parameters"), problems);
        return None;
    }
    let mut parameters = BTreeMap::new();
    let mut lines = BTreeMap::new();
    let before = problems.len();
    for (name, node) in table.all() {
        let key = table.key(name);
        lines.insert(name.as_str(), node.line);
        if !is_identifier(name) {
            let message = "expected a name of lower- or upper-case letters, digits and _, at most 100";
            problems.push(Problem::new(node.line, &key, message));
        }
        let Some(parameter) = read_parameter(node, &key, problems) else { continue };
        if kind == Some(ObjectiveKind::Keypoints) {
            check_values(&parameter.kind, name, &key, node.line, check, problems);
        }
        parameters.insert(name.clone(), parameter);
    }
    // Conditions are checked once every parameter is known; a parameter that could not be read would only
    // bring mistakes that are none.
    if problems.len() == before
        && let Err(found) = Space::new(&parameters)
    {
        problems.extend(found.into_iter().map(|problem| {
            let line = lines.get(problem.param.as_str()).copied().flatten();
            Problem::new(line, &table.key(&problem.param), problem.message)
        }));
    }
    Some(parameters)
}

fn is_identifier(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read_parameter(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Option<Parameter> {
    let table = Table::of(node, key, problems)?;
    let before = problems.len();
    let kind = match table.required("type", TYPES, problems).and_then(text).as_deref() {
        Some("float") => read_float(&table, problems),
        Some("int") => read_int(&table, problems),
        Some("choice") => read_choice(&table, problems),
        Some("fixed") => read_fixed(&table, problems),
        _ => {
            if let Some(node) = table.get("type") {
                table.wrong("type", node, TYPES, problems);
            }
            return None;
        }
    };
    let when = table.get("when").map(|node| read_when(node, &table.key("when"), problems));
    let expected = "a number, a word, true, false, or a list of them";
    let default = table.read("default", expected, problems, Node::value);
    table.finish(problems);
    let kind = kind?;
    // A second look finds empty ranges and the like; not where a first found mistakes already.
    if problems.len() == before
        && let Err(message) = Dimension::new(&kind)
    {
        problems.push(Problem::new(node.line, key, message));
    }
    Some(Parameter { kind, when: when.flatten(), default })
}

fn read_float(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<ParameterKind> {
    let low = table.required("low", "a number", problems);
    let low = low.and_then(|_| table.read("low", "a finite number", problems, finite));
    let high = table.required("high", "a number", problems);
    let high = high.and_then(|_| table.read("high", "a finite number", problems, finite));
    let log = table.read("log", "true or false", problems, flag).unwrap_or(false);
    let step = table.read("step", "a number above 0", problems, |n| finite(n).filter(|step| *step > 0.0));
    Some(ParameterKind::Float { low: low?, high: high?, log, step })
}

fn read_int(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<ParameterKind> {
    let low = table.required("low", "a whole number", problems);
    let low = low.and_then(|_| table.read("low", "a whole number", problems, whole));
    let high = table.required("high", "a whole number", problems);
    let high = high.and_then(|_| table.read("high", "a whole number", problems, whole));
    let log = table.read("log", "true or false", problems, flag).unwrap_or(false);
    let step =
        table.read("step", "a whole number of at least 1", problems, |n| whole(n).filter(|step| *step > 0));
    Some(ParameterKind::Int { low: low?, high: high?, log, step })
}

fn read_choice(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<ParameterKind> {
    let expected = "a list of values";
    let node = table.required("values", expected, problems)?;
    let Some(values) = read_values(node) else {
        table.wrong("values", node, "a list of numbers, words, true, false, or lists of them", problems);
        return None;
    };
    if values.len() > MOST_CHOICES {
        table.complain(format!("has more than {MOST_CHOICES} values"), problems);
        return None;
    }
    Some(ParameterKind::Choice { values })
}

fn read_fixed(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<ParameterKind> {
    let node = table.required("value", "a value", problems)?;
    match node.value() {
        Some(value) => Some(ParameterKind::Fixed { value }),
        None => {
            table.wrong("value", node, "a number, a word, true, false, or a list of them", problems);
            None
        }
    }
}

fn read_when(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Option<When> {
    let table = Table::of(node, key, problems)?;
    let expected = "the name of another parameter";
    let param = table.required("param", expected, problems);
    let param = param.and_then(|_| table.read("param", expected, problems, text));
    let expected = "a list of that parameter's values";
    let values = table.required("in", expected, problems);
    let values = values.and_then(|_| table.read("in", expected, problems, read_values));
    table.finish(problems);
    Some(When { param: param?, values: values? })
}

fn read_values(node: &Node) -> Option<Vec<Value>> {
    match &node.kind {
        Kind::List(items) => items.iter().map(Node::value).collect(),
        _ => None,
    }
}

/// Asks the trainer about every value that a parameter can have; of ranges, about both ends.
fn check_values(
    kind: &ParameterKind,
    name: &str,
    key: &str,
    line: Option<usize>,
    check: Check<'_>,
    problems: &mut Vec<Problem>,
) {
    let values: Vec<Value> = match kind {
        ParameterKind::Float { low, high, .. } => vec![Value::Float(*low), Value::Float(*high)],
        ParameterKind::Int { low, high, .. } => vec![Value::Int(*low), Value::Int(*high)],
        ParameterKind::Choice { values } => values.clone(),
        ParameterKind::Fixed { value } => vec![value.clone()],
    };
    let mut said: Vec<String> = Vec::new();
    for message in values.iter().filter_map(|value| check(name, value).err()) {
        // An unknown parameter is unknown with every value.
        if !said.contains(&message) {
            problems.push(Problem::new(line, key, message.clone()));
            said.push(message);
        }
    }
}
