//! What the legend calls a curve: values of parameters.

use super::{Curve, PlotError, PlotSource};
use crate::domain::{Params, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Whether every parameter that is to be named belongs to some sweep.
pub(super) fn check(sources: &[PlotSource], labels: &[String]) -> Result<(), PlotError> {
    let known: BTreeSet<&str> =
        sources.iter().flat_map(|source| source.sweep.spec.space.keys()).map(String::as_str).collect();
    match labels.iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => {
            let known: Vec<&str> = known.into_iter().collect();
            Err(PlotError::Label { name: name.clone(), known: known.join(", ") })
        }
        None => Ok(()),
    }
}

/// Where some trials differ.
#[derive(Debug, PartialEq)]
pub(super) struct Differences {
    /// The parameters that labels name, in their order.
    pub shown: Vec<String>,
    /// What more than half of the trials have of them: labels name what is unlike it.
    pub common: BTreeMap<String, Option<Value>>,
    /// Those for which there is no room.
    pub left_out: Vec<String>,
}

/// The parameters that differ among some trials, as far as no label is longer than `room` characters. Those with few
/// different values come first, because they sort the curves into groups. Without `epochs`, which is seen.
pub(super) fn differing(trials: &[&Params], room: usize) -> Differences {
    let names: BTreeSet<&String> = trials.iter().flat_map(|params| params.keys()).collect();
    let mut differing: Vec<(usize, &String)> = names
        .into_iter()
        .filter(|name| *name != "epochs")
        .map(|name| (counted(trials, name).len(), name))
        .filter(|(values, _)| *values > 1)
        .collect();
    differing.sort();
    let mut found = Differences { shown: Vec::new(), common: BTreeMap::new(), left_out: Vec::new() };
    let mut lengths = vec![0; trials.len()];
    for (_, name) in differing {
        let common =
            counted(trials, name).into_values().find(|(_, trials_with)| 2 * trials_with > trials.len());
        let common = common.map(|(value, _)| value.cloned());
        let longer = |(length, params): (&usize, &&Params)| {
            let value = params.get(name);
            if common.as_ref().is_some_and(|common| common.as_ref() == value) {
                return *length;
            }
            // And what joins it to the one before.
            length + part(name, value).chars().count() + if *length == 0 { 0 } else { JOINED.len() }
        };
        let with: Vec<usize> = lengths.iter().zip(trials).map(longer).collect();
        if with.iter().any(|length| *length > room) {
            found.left_out.push(name.clone());
            continue;
        }
        lengths = with;
        found.shown.push(name.clone());
        found.common.extend(common.map(|common| (name.clone(), common)));
    }
    found
}

/// How many trials have each value of a parameter, "none" among them, by the value as text.
fn counted<'a>(trials: &[&'a Params], name: &str) -> BTreeMap<Option<String>, (Option<&'a Value>, usize)> {
    let mut counted = BTreeMap::new();
    for value in trials.iter().map(|params| params.get(name)) {
        counted.entry(value.map(ToString::to_string)).or_insert((value, 0)).1 += 1;
    }
    counted
}

/// Between the parts of a label.
const JOINED: &str = ", ";
/// The label of a trial that has what most have, of everything.
const BASE: &str = "base";

/// A curve's label as text.
pub(super) fn text(curve: &Curve) -> String {
    if curve.is_base {
        return BASE.to_owned();
    }
    let value = |name: &String| curve.label.get(name).and_then(Option::as_ref);
    let parts: Vec<String> = curve.order.iter().map(|name| part(name, value(name))).collect();
    parts.join(JOINED)
}

/// What labels leave out because most have it, in lines of so many characters.
pub(super) fn otherwise(common: &BTreeMap<String, Option<Value>>, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in common {
        let part = part(name, value.as_ref());
        match lines.last_mut() {
            Some(line) if line.chars().count() + JOINED.len() + part.chars().count() < most => {
                line.push_str(JOINED);
                line.push_str(&part);
            }
            Some(line) => {
                line.push(',');
                lines.push(part);
            }
            None => lines.push(format!("otherwise {part}")),
        }
    }
    lines
}

fn part(name: &str, value: Option<&Value>) -> String {
    value.map_or_else(|| format!("{name}=-"), |value| format!("{name}={value}"))
}

/// At most so many characters, the last one an ellipsis where some are missing.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
