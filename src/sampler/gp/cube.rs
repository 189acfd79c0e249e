//! The space as the process sees it: which coordinates there are, which exist when, and how far apart two points
//! are in each.
//!
//! A number is compared on a line, at the coordinate its value encodes to, so that all raw coordinates of an
//! integer are one point (Garrido-Merchan and Hernandez-Lobato, Neurocomputing 380, 2020). A choice of numbers
//! stands in their order; every other choice is compared by equality alone. A parameter that does not exist in a
//! point is imputed with the middle of its range, as SMAC does (Hutter et al., LION 2011), and kept apart from
//! the present ones by one more feature for its condition, whose scale is learned: this stays a squared distance
//! of some Euclidean embedding, so the kernel remains positive definite, which a constant distance to every
//! present value would not.

use crate::domain::{ParameterKind, Value};
use crate::sampler::ABSENT;
use crate::space::{Dimension, Space};

/// How two values of a feature are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// By the square of their difference.
    Line,
    /// One apart unless equal.
    Equality,
}

/// One term of the distance between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Feature {
    pub metric: Metric,
    /// Features of one group share a length scale.
    pub group: usize,
}

/// How a parameter's coordinate is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// It has one value.
    Not,
    /// Along the gradient.
    Smooth,
    /// Value by value.
    Values,
}

/// So many values are tried one by one; a range of more is searched like a continuous one and snapped.
const MOST_VALUES: u128 = 48;

struct Axis<'a> {
    dimension: &'a Dimension,
    search: Search,
    /// The coordinates of its values, where these are few.
    values: Vec<f64>,
    /// Whether coordinates between its values are not its own.
    snaps: bool,
    /// A choice's place on the line of numbers, by its place among the choices.
    places: Option<Vec<f64>>,
    /// Where its coordinate goes among the features.
    feature: Option<usize>,
    condition: Option<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    parent: usize,
    wanted: Vec<f64>,
}

/// The coordinates of a space.
pub(super) struct Cube<'a> {
    axes: Vec<Axis<'a>>,
    features: Vec<Feature>,
    /// For every condition: an axis that exists under it, and its feature.
    existence: Vec<(usize, usize)>,
}

impl<'a> Cube<'a> {
    pub fn new(space: &'a Space) -> Self {
        let mut axes: Vec<Axis<'a>> = Vec::new();
        let mut features = Vec::new();
        for entry in space.entries() {
            let condition =
                entry.parent().map(|(parent, wanted)| Condition { parent, wanted: wanted.to_vec() });
            let mut axis = axis(&entry.dimension, condition);
            if axis.search != Search::Not {
                let is_plain_choice =
                    matches!(entry.dimension.kind(), ParameterKind::Choice { .. }) && axis.places.is_none();
                let metric = if is_plain_choice { Metric::Equality } else { Metric::Line };
                axis.feature = Some(features.len());
                features.push(Feature { metric, group: features.len() });
            }
            axes.push(axis);
        }
        let mut existence: Vec<(usize, usize)> = Vec::new();
        let group = features.len();
        for (i, axis) in axes.iter().enumerate() {
            let is_line = axis.feature.is_some_and(|f| features[f].metric == Metric::Line);
            let is_new = existence.iter().all(|(known, _)| axes[*known].condition != axis.condition);
            if is_line && axis.condition.is_some() && is_new {
                existence.push((i, features.len()));
                features.push(Feature { metric: Metric::Line, group });
            }
        }
        Self { axes, features, existence }
    }

    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// How many parameters there are, those of one value included.
    pub fn len(&self) -> usize {
        self.axes.len()
    }

    pub fn search(&self, axis: usize) -> Search {
        self.axes[axis].search
    }

    /// The coordinates of an axis that is searched value by value.
    pub fn values(&self, axis: usize) -> &[f64] {
        &self.axes[axis].values
    }

    /// Where an axis stands among the features.
    pub fn feature(&self, axis: usize) -> Option<usize> {
        self.axes[axis].feature
    }

    /// Whether a point has a coordinate with infinitely many values: no two such points are ever the same.
    pub fn is_continuous(&self, point: &[f64]) -> bool {
        self.axes
            .iter()
            .zip(point)
            .any(|(axis, x)| axis.search == Search::Smooth && !axis.snaps && !x.is_nan())
    }

    /// The point that raw coordinates stand for: each at its value's own coordinate, [`ABSENT`] where the
    /// parameter does not exist.
    pub fn settle(&self, raw: &[f64], point: &mut [f64]) {
        for (i, axis) in self.axes.iter().enumerate() {
            let exists = axis.condition.as_ref().is_none_or(|condition| {
                let parent = point[condition.parent];
                condition.wanted.contains(&parent)
            });
            point[i] = if exists { axis.snap(raw[i]) } else { ABSENT };
        }
    }

    /// A settled point's features.
    pub fn describe(&self, point: &[f64], features: &mut [f64]) {
        for (axis, x) in self.axes.iter().zip(point) {
            let Some(feature) = axis.feature else { continue };
            let is_line = self.features[feature].metric == Metric::Line;
            features[feature] = match &axis.places {
                _ if x.is_nan() => {
                    if is_line {
                        0.5
                    } else {
                        -1.0
                    }
                }
                Some(places) => places[choice(*x, places.len())],
                None => *x,
            };
        }
        for (axis, feature) in &self.existence {
            features[*feature] = if point[*axis].is_nan() { 0.0 } else { 1.0 };
        }
    }
}

impl Axis<'_> {
    fn snap(&self, unit: f64) -> f64 {
        self.dimension.snap(unit)
    }
}

fn axis(dimension: &Dimension, condition: Option<Condition>) -> Axis<'_> {
    let size = dimension.size();
    let search = match size {
        Some(1) => Search::Not,
        Some(2..=MOST_VALUES) => Search::Values,
        _ if matches!(dimension.kind(), ParameterKind::Choice { .. }) => Search::Values,
        _ => Search::Smooth,
    };
    let count = match (search, size) {
        (Search::Values, Some(size)) => u32::try_from(size).unwrap_or(u32::MAX),
        _ => 0,
    };
    let coordinate = |k: u32| match dimension.kind() {
        ParameterKind::Int { low, log: true, .. } => dimension.encode(&Value::Int(low + i64::from(k))),
        _ => {
            let middle = (f64::from(k) + 0.5) / f64::from(count);
            dimension.encode(&dimension.decode(middle))
        }
    };
    let places = match dimension.kind() {
        ParameterKind::Choice { values } => places(values),
        _ => None,
    };
    let values = (0..count).map(coordinate).collect();
    Axis { dimension, search, values, snaps: size.is_some(), places, feature: None, condition }
}

/// Where numbers stand in their order, spread over `[0, 1]`; `None` unless all are numbers.
fn places(values: &[Value]) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = values.iter().map(Value::as_f64).collect::<Option<_>>()?;
    let below = |x: f64| numbers.iter().filter(|other| **other < x).count() as f64;
    let most = (numbers.len().max(2) - 1) as f64;
    Some(numbers.iter().map(|x| below(*x) / most).collect())
}

fn choice(unit: f64, count: usize) -> usize {
    ((unit * count as f64) as usize).min(count.saturating_sub(1))
}

#[cfg(test)]
#[path = "cube_test.rs"]
mod cube_test;
