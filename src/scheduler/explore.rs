//! What heirs of a population have otherwise than their parents ("explore" in population-based training): numbers move
//! by a fifth, choices to a neighbour or, now and then, anywhere. Pure; drawn from the heir's own stream.

use crate::domain::stream::{Key, stream, uniform};
use crate::domain::sweep::Population;
use crate::domain::{Changed, ObjectiveKind, ParameterKind, Params, Sweep, Value};
use crate::model;
use crate::space::{Entry, Space};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;

/// How far a number moves, as a share of itself; on a linear scale at least [`LEAST`] of its range, since a fifth of 0
/// is no move.
const FIFTH: f64 = 0.2;
const LEAST: f64 = 0.05;
/// How often a choice without an order is drawn anew.
const RESAMPLED: f64 = 0.1;
/// So many draws, before an heir stays as its parent is.
const ROUNDS: u64 = 20;

/// What of a sweep's space heirs may have otherwise than their parents.
#[derive(Debug)]
pub(super) struct Explorer {
    names: BTreeSet<String>,
}

impl Explorer {
    /// That of a sweep which trains a population.
    ///
    /// # Errors
    /// Why there is nothing to change, or a named parameter cannot be, as a sentence.
    pub fn of(spec: &Sweep, population: &Population, space: &Space) -> Result<Self, String> {
        let built_in = spec.objective.kind == ObjectiveKind::Keypoints;
        let varies = |name: &str| space.varying().any(|varying| varying == name);
        for name in &population.perturb {
            if !varies(name) {
                return Err(format!("perturb: {name} is no parameter of the space that varies"));
            }
            if built_in && !survives_with_children(space, name) {
                return Err(format!(
                    "perturb: no checkpoint survives a change of {name}, or of what depends on it: leave it out"
                ));
            }
        }
        let names: BTreeSet<String> = match (population.perturb.is_empty(), built_in) {
            (false, _) => population.perturb.iter().cloned().collect(),
            (true, true) => {
                let all = space.varying().filter(|name| survives_with_children(space, name));
                all.map(str::to_owned).collect()
            }
            (true, false) => {
                return Err("perturb is missing: expected the parameters that may change while a trial goes on from a \
                     checkpoint, such as perturb = [\"learning_rate\"]; only of the built-in trainer's is that known"
                    .into());
            }
        };
        if names.is_empty() {
            return Err("nothing of the space can change while a network is trained: heirs would be what their parents \
                 are; let learning_rate vary, or weight_decay, dropout, batch_size ..."
                .into());
        }
        Ok(Self { names })
    }

    /// The configuration of trial `number`, an heir of one with `parent`'s, and what is different in it.
    pub fn explore(
        &self,
        space: &Space,
        (seed, number): (u64, u64),
        parent: &Params,
        feasible: &dyn Fn(&Params) -> bool,
    ) -> (Params, Vec<Changed>) {
        for round in 0..ROUNDS {
            let child = space.build(|entry| {
                let keys = [Key::Number(number), Key::Number(round), Key::Name(&entry.name)];
                let mut rng = stream(seed, "explore", &keys);
                match parent.get(&entry.name) {
                    Some(value) if self.names.contains(&entry.name) => perturbed(entry, value, &mut rng),
                    Some(value) => value.clone(),
                    // It exists under the heir's choice alone.
                    None => entry.dimension.decode(uniform(&mut rng)),
                }
            });
            if feasible(&child) {
                let changed = changes(parent, &child);
                return (child, changed);
            }
        }
        (parent.clone(), Vec::new())
    }
}

/// Whom of `parents`, the best first, trial `number` is the heir of: any of them.
pub(super) fn parent_of((seed, number): (u64, u64), parents: &[u64]) -> Option<u64> {
    let mut rng = stream(seed, "exploit", &[Key::Number(number)]);
    let place = (uniform(&mut rng) * parents.len() as f64) as usize;
    parents.get(place.min(parents.len().saturating_sub(1))).copied()
}

/// Whether a checkpoint survives a change of a parameter, and of all that exists only under some of its values.
fn survives_with_children(space: &Space, name: &str) -> bool {
    let depends = |entry: &&Entry| entry.when.as_ref().is_some_and(|when| when.param == name);
    model::survives(name)
        && space.entries().iter().filter(depends).all(|child| survives_with_children(space, &child.name))
}

fn perturbed(entry: &Entry, value: &Value, rng: &mut impl Rng) -> Value {
    let up = uniform(rng) < 0.5;
    let sign = if up { 1.0 } else { -1.0 };
    match entry.dimension.kind() {
        ParameterKind::Float { low, high, log, step } => {
            let Some(x) = value.as_f64() else { return value.clone() };
            let by = distance(x, (*low, *high), *log);
            match step {
                None => Value::Float((x + sign * by).clamp(*low, *high)),
                Some(step) => {
                    let most = ((high / step - low / step) + 1e-9).floor();
                    let at = ((x - low) / step).round() + sign * (by / step).round().max(1.0);
                    Value::Float((low + at.clamp(0.0, most) * step).min(*high))
                }
            }
        }
        ParameterKind::Int { low, high, log, step } => {
            let Some(x) = value.as_i64() else { return value.clone() };
            let step = i128::from(step.unwrap_or(1).max(1));
            let by = distance(x as f64, (*low as f64, *high as f64), *log) / step as f64;
            let (low, high) = (i128::from(*low), i128::from(*high));
            // Of a range of 64-bit numbers: far from the ends of 128 bits.
            let by = by.round().max(1.0) as i128 * if up { step } else { -step };
            let moved = (i128::from(x) + by).clamp(low, low + (high - low) / step * step);
            i64::try_from(moved).map_or_else(|_| value.clone(), Value::Int)
        }
        ParameterKind::Choice { values } => {
            let here = values.iter().position(|known| known.same(value));
            let Some(here) = here else { return value.clone() };
            let there = if have_an_order(values) {
                if up { here + 1 } else { here.saturating_sub(1) }
            } else if uniform(rng) < RESAMPLED {
                (uniform(rng) * values.len() as f64) as usize
            } else {
                here
            };
            values[there.min(values.len() - 1)].clone()
        }
        ParameterKind::Fixed { value } => value.clone(),
    }
}

/// How far a number moves.
fn distance(x: f64, (low, high): (f64, f64), log: bool) -> f64 {
    let fifth = FIFTH * x.abs();
    // Halved, so that the difference of two finite numbers stays finite.
    if log { fifth } else { fifth.max(2.0 * LEAST * (high / 2.0 - low / 2.0)) }
}

/// Whether the values are numbers, each larger than the one before.
fn have_an_order(values: &[Value]) -> bool {
    let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    numbers.is_some_and(|numbers| numbers.is_sorted_by(|a, b| a < b))
}

fn changes(from: &Params, to: &Params) -> Vec<Changed> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let changed = |name: &&String| from.get(*name) != to.get(*name);
    let names = names.into_iter().filter(changed);
    names
        .map(|name| Changed { name: name.clone(), from: from.get(name).cloned(), to: to.get(name).cloned() })
        .collect()
}

#[cfg(test)]
#[path = "explore_test.rs"]
mod explore_test;
