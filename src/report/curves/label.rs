//! What the legend calls a curve: values of parameters.

use super::{Curve, PlotError, PlotSource};
use crate::domain::{Params, Value};
use std::collections::BTreeSet;

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

/// The parameters that differ among some trials: those for which a label of `room` characters has room, and the rest. Those with few
/// different values come first, because they sort the curves into groups. Without `epochs`, which is seen.
pub(super) fn differing(trials: &[&Params], mut room: usize) -> (Vec<String>, Vec<String>) {
    let names: BTreeSet<&String> = trials.iter().flat_map(|params| params.keys()).collect();
    let mut differing: Vec<(usize, &String)> = names
        .into_iter()
        .filter(|name| *name != "epochs")
        .map(|name| (different(trials.iter().map(|params| params.get(name))), name))
        .filter(|(values, _)| *values > 1)
        .collect();
    differing.sort();
    let (mut shown, mut left_out) = (Vec::new(), Vec::new());
    for (_, name) in differing {
        let longest = trials.iter().map(|params| part(name, params.get(name)).chars().count()).max();
        // And what joins it to the one before.
        let needed = longest.unwrap_or(0) + if shown.is_empty() { 0 } else { 2 };
        match room.checked_sub(needed) {
            Some(rest) if left_out.is_empty() => {
                room = rest;
                shown.push(name.clone());
            }
            _ => left_out.push(name.clone()),
        }
    }
    (shown, left_out)
}

/// How many different values there are, "none" among them.
fn different<'a>(values: impl Iterator<Item = Option<&'a Value>>) -> usize {
    values.map(|value| value.map(ToString::to_string)).collect::<BTreeSet<_>>().len()
}

/// A curve's label as text.
pub(super) fn text(curve: &Curve) -> String {
    let value = |name: &String| curve.label.get(name).and_then(Option::as_ref);
    let parts: Vec<String> = curve.order.iter().map(|name| part(name, value(name))).collect();
    parts.join(", ")
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
