//! The space of configurations: its parameters, which of them exist when, and the unit cube it maps to.
//!
//! Pure: knows the domain alone.

mod dimension;
mod fit;
mod order;

pub use dimension::Dimension;
pub use fit::constants;

use crate::domain::{Parameter, ParameterKind, Params, Value, When};
use std::collections::BTreeMap;
use std::fmt;

/// A mistake in a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The parameter.
    pub param: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.param, self.message)
    }
}

/// One parameter in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its range or choices.
    pub dimension: Dimension,
    /// When it exists.
    pub when: Option<When>,
    /// What a configuration of another space counts as having that lacks it.
    pub default: Option<Value>,
    /// The same in coordinates: the place of its parent, and the parent's coordinates under which it exists.
    parent: Option<(usize, Vec<f64>)>,
}

/// A checked space: parents stand before their children.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    entries: Vec<Entry>,
}

impl Space {
    /// Checks the parameters and puts them in order: parents first, by name otherwise.
    ///
    /// # Errors
    /// Every mistake: a range without a value, a missing parent, a cycle, a condition that never holds.
    pub fn new(parameters: &BTreeMap<String, Parameter>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut dimensions = BTreeMap::new();
        for (name, parameter) in parameters {
            match Dimension::new(&parameter.kind) {
                Ok(dimension) => {
                    if let Some(default) =
                        parameter.default.as_ref().filter(|value| !dimension.contains(value))
                    {
                        let message = format!("its default {default} is outside its range");
                        problems.push(Problem { param: name.clone(), message });
                    }
                    dimensions.insert(name.as_str(), dimension);
                }
                Err(message) => problems.push(Problem { param: name.clone(), message }),
            }
        }
        problems.extend(order::bad_conditions(parameters, &dimensions));
        let ordered = match order::parents_first(parameters) {
            Ok(names) => names,
            Err(cycle) => {
                problems.extend(cycle);
                Vec::new()
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(ordered.len());
        for name in ordered {
            let (Some(dimension), Some(parameter)) = (dimensions.remove(name), parameters.get(name)) else {
                continue;
            };
            let (when, default) = (parameter.when.clone(), parameter.default.clone());
            let parent = when.as_ref().and_then(|when| {
                let at = entries.iter().position(|entry| entry.name == when.param)?;
                Some((at, when.values.iter().map(|value| entries[at].dimension.encode(value)).collect()))
            });
            entries.push(Entry { name: name.to_owned(), dimension, when, default, parent });
        }
        Ok(Self { entries })
    }

    /// The parameters, parents before children.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many parameters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no parameter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The parameters that are not fixed.
    pub fn varying(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|e| e.dimension.size() != Some(1)).map(|e| e.name.as_str())
    }

    /// Builds a configuration parameter by parameter; `value` is asked only for those that exist under
    /// the values chosen so far.
    pub fn build(&self, mut value: impl FnMut(&Entry) -> Value) -> Params {
        let mut params = Params::new();
        for entry in &self.entries {
            if exists(entry, &params) {
                params.insert(entry.name.clone(), value(entry));
            }
        }
        params
    }

    /// Completes a configuration: what `given` leaves open is asked of `value`.
    ///
    /// # Errors
    /// The first parameter of `given` that is not one, does not exist under the others, or is outside its
    /// range, as a sentence.
    pub fn complete(&self, given: &Params, mut value: impl FnMut(&Entry) -> Value) -> Result<Params, String> {
        let params = self.build(|entry| given.get(&entry.name).cloned().unwrap_or_else(|| value(entry)));
        if let Some(stranger) = given.keys().find(|name| !self.entries.iter().any(|e| e.name == **name)) {
            return Err(format!("{stranger} is not a parameter of the sweep"));
        }
        if let Some(absent) = given.keys().find(|name| !params.contains_key(*name)) {
            return Err(format!("{absent} does not exist under these values"));
        }
        self.contains(&params)?;
        Ok(params)
    }

    /// How many different configurations there are; `None` for infinitely many (or too many to count).
    #[must_use]
    pub fn size(&self) -> Option<u128> {
        let roots = self.entries.iter().filter(|entry| entry.when.is_none());
        roots.map(|root| self.subtree_size(root)).try_fold(1, |product: u128, n| product.checked_mul(n?))
    }

    /// Configurations of an entry and all that depends on it: a sum over its values of the product of the
    /// children that exist under each.
    fn subtree_size(&self, entry: &Entry) -> Option<u128> {
        let children: Vec<&Entry> =
            self.entries.iter().filter(|e| e.when.as_ref().is_some_and(|w| w.param == entry.name)).collect();
        let total = entry.dimension.size()?;
        // Values that some child asks about are counted one by one; all others have no children.
        let mut asked: Vec<&Value> = Vec::new();
        for value in children.iter().filter_map(|child| child.when.as_ref()).flat_map(|when| &when.values) {
            if !asked.iter().any(|known| known.same(value)) {
                asked.push(value);
            }
        }
        let mut sum = total.saturating_sub(asked.len() as u128);
        for value in asked {
            let mut product = 1u128;
            for child in &children {
                if child.when.as_ref().is_some_and(|when| holds(when, value)) {
                    product = product.checked_mul(self.subtree_size(child)?)?;
                }
            }
            sum = sum.checked_add(product)?;
        }
        Some(sum)
    }

    /// Whether a configuration lies in the space: just the parameters that exist, each within its range.
    ///
    /// # Errors
    /// The first mistake, as a sentence.
    pub fn contains(&self, params: &Params) -> Result<(), String> {
        for entry in &self.entries {
            match (exists(entry, params), params.get(&entry.name)) {
                (true, Some(value)) if entry.dimension.contains(value) => {}
                (true, Some(value)) => return Err(format!("{} = {value} is outside its range", entry.name)),
                (true, None) => return Err(format!("{} is missing", entry.name)),
                (false, Some(_)) => return Err(format!("{} does not exist under these values", entry.name)),
                (false, None) => {}
            }
        }
        match params.keys().find(|name| !self.entries.iter().any(|entry| entry.name == **name)) {
            Some(stranger) => Err(format!("{stranger} is not a parameter of the sweep")),
            None => Ok(()),
        }
    }

    /// The point of the unit cube that stands for a configuration: one coordinate per entry, NaN where the parameter
    /// does not exist.
    #[must_use]
    pub fn point(&self, params: &Params) -> Vec<f64> {
        let coordinate =
            |entry: &Entry| params.get(&entry.name).map_or(f64::NAN, |value| entry.dimension.encode(value));
        self.entries.iter().map(coordinate).collect()
    }

    /// The point of the configuration that a point stands for: each coordinate in the middle of its value's
    /// interval, NaN where the parameter does not exist. The same as decoding and [`Space::point`], and faster.
    #[must_use]
    pub fn canonical(&self, point: &[f64]) -> Vec<f64> {
        let mut canonical = Vec::with_capacity(self.entries.len());
        for (at, entry) in self.entries.iter().enumerate() {
            let exists = match &entry.parent {
                None => true,
                Some((parent, under)) => canonical.get(*parent).is_some_and(|x| under.contains(x)),
            };
            let coordinate = || entry.dimension.snap(point.get(at).copied().unwrap_or(0.5));
            canonical.push(if exists { coordinate() } else { f64::NAN });
        }
        canonical
    }

    /// The configuration that a point of the unit cube stands for. Coordinates outside it are clamped;
    /// missing ones count as the middle.
    #[must_use]
    pub fn decode(&self, point: &[f64]) -> Params {
        let mut coordinates = self.entries.iter().zip(point.iter().copied().chain(std::iter::repeat(0.5)));
        let mut params = Params::new();
        for (entry, unit) in &mut coordinates {
            if exists(entry, &params) {
                params.insert(entry.name.clone(), entry.dimension.decode(unit));
            }
        }
        params
    }
}

/// Whether an entry's condition holds, given its parents' values.
pub(crate) fn exists(entry: &Entry, params: &Params) -> bool {
    match &entry.when {
        None => true,
        Some(when) => params.get(&when.param).is_some_and(|value| holds(when, value)),
    }
}

fn holds(when: &When, value: &Value) -> bool {
    when.values.iter().any(|wanted| wanted.same(value))
}

impl Entry {
    /// The place of its parent among the entries, and the parent's coordinates under which it exists; `None` where it
    /// always does.
    #[must_use]
    pub fn parent(&self) -> Option<(usize, &[f64])> {
        self.parent.as_ref().map(|(at, under)| (*at, under.as_slice()))
    }

    /// Whether it always has the same value.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self.dimension.kind(), ParameterKind::Fixed { .. })
    }
}

#[cfg(test)]
#[path = "space_test.rs"]
mod space_test;
