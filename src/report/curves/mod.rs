//! Learning curves of trials in one picture: what is in it, as data and as SVG.
//!
//! The chosen trials have colours and lines in the legend; the others that were read lie behind them in grey.

mod axis;
mod draw;
mod label;
mod legend;
mod line;
mod scale;
mod style;

use crate::domain::metric::{
    DEVICE_MEMORY_BYTES, IMAGES_PER_SECOND, RESIDENT_BYTES, RMSE, SECONDS, TRAIN_RMSE,
};
use crate::domain::{Direction, ObjectiveKind, Params, TrialState, Value};
use crate::store::query::{CurvePoints, SweepSummary, TrialSummary};
use label::Differences;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A trial and its curve.
pub type Drawn = (TrialSummary, CurvePoints);

/// What was read of one sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotSource {
    /// The sweep.
    pub sweep: SweepSummary,
    /// The trials that were chosen; some completed ones where nobody said which, unless `unfinished`.
    pub chosen: Vec<Drawn>,
    /// The other trials.
    pub others: Vec<Drawn>,
    /// No trial has completed yet: others were chosen instead.
    pub unfinished: bool,
}

/// Learning curves to compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plot {
    /// The metric whose curves they are.
    pub metric: String,
    /// Its unit, where it has one.
    pub unit: Option<&'static str>,
    /// What a step is: `epoch`, or `step` where only the trials' program knows.
    pub step: &'static str,
    /// Whether less or more of it is better; absent for a metric that is no objective.
    pub direction: Option<Direction>,
    /// The sweeps.
    pub sweeps: Vec<PlottedSweep>,
    /// The chosen trials, the best last value first.
    pub curves: Vec<Curve>,
    /// The other trials, in no order that means anything.
    pub background: Vec<Curve>,
    /// What was chosen, in words.
    pub selection: String,
    /// What more than half of the chosen trials have, of parameters that differ: labels name only what is unlike it.
    /// `null` for a parameter that most do not have.
    pub common: BTreeMap<String, Option<Value>>,
    /// Parameters that differ among the chosen trials too, and for which the legend has no room.
    pub left_out: Vec<String>,
    /// The primary objective of all sweeps, if it is one and the same: the name of what `best` is.
    #[serde(skip)]
    ranked_by: Option<String>,
    /// Curves with the same label belong together and have the same colour.
    #[serde(skip)]
    grouped: bool,
}

/// A sweep in a plot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlottedSweep {
    /// Its public id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What predicting the mean face scores, where the metric is what that is measured by.
    pub baseline: Option<f64>,
}

/// The curve of one trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Its sweep's public id.
    pub sweep: String,
    /// The trial's number within the sweep.
    pub trial: u64,
    /// How the legend names the trial: its number, after the sweep's name where there are several.
    pub name: String,
    /// The trial's state.
    pub state: TrialState,
    /// What the legend calls it: parameters by name, `null` for one that this trial does not have. Empty for one that
    /// has everything in common with most.
    pub label: BTreeMap<String, Option<Value>>,
    /// The trial's value by its sweep's objective.
    pub best: Option<f64>,
    /// The last value of the curve.
    pub last: Option<f64>,
    /// Steps and values; a value that is not finite breaks the curve and is `null` as JSON.
    pub points: CurvePoints,
    /// The trial's configuration.
    pub params: Params,
    /// The names of the label in their order.
    #[serde(skip)]
    order: Vec<String>,
    /// It has what most have, of everything in which they differ.
    #[serde(skip)]
    is_base: bool,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlotError {
    /// The sweeps' own metrics differ.
    #[error("these sweeps have different metrics ({0}): say which with --metric NAME")]
    Metrics(String),
    /// No sweep has such a parameter.
    #[error("--label: no parameter is called {name}; there are {known}")]
    Label {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No value can stand on the axis.
    #[error("no value of {0} is positive, so none can stand on a logarithmic axis: leave --log out")]
    NonePositive(String),
    /// No curve has a finite value.
    #[error("no value of {0} is finite")]
    NoneFinite(String),
    /// The picture could not be drawn.
    #[error("drawing: {0}")]
    Drawing(String),
}

/// The metric to plot: what was asked for, or else the sweeps' own.
///
/// # Errors
/// Where they have different ones.
pub fn plotted_metric(sweeps: &[SweepSummary], asked: Option<&str>) -> Result<String, PlotError> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    let own = own_metrics(sweeps.iter());
    match own.as_slice() {
        [one] => Ok((*one).to_owned()),
        several => Err(PlotError::Metrics(several.join(", "))),
    }
}

/// The metrics that rank the sweeps' trials, each once.
fn own_metrics<'a>(sweeps: impl Iterator<Item = &'a SweepSummary>) -> Vec<&'a str> {
    let own: BTreeSet<&str> = sweeps.map(|sweep| sweep.spec.objective.metric.as_str()).collect();
    own.into_iter().collect()
}

impl Plot {
    /// Puts the curves of `metric` together. `labels` are the parameters that the legend is to name; those that differ
    /// unless there are any. `condition` is what trials were chosen by.
    ///
    /// # Errors
    /// Where no sweep has a parameter that is to be named.
    pub fn new(
        sources: &[PlotSource],
        metric: &str,
        labels: &[String],
        condition: Option<&str>,
    ) -> Result<Self, PlotError> {
        label::check(sources, labels)?;
        let own = own_metrics(sources.iter().map(|source| &source.sweep));
        let ranked_by = if let [one] = own.as_slice() { Some((*one).to_owned()) } else { None };
        let mut curves = curves_of(sources, |source| &source.chosen);
        let (common, left_out) = name_curves(&mut curves, labels, metric, ranked_by.as_deref());
        let direction = direction_of(sources, metric);
        let loss = |curve: &Curve| direction.unwrap_or(Direction::Minimize).loss(curve.last);
        curves.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        let epochs = sources.iter().all(|source| counts_epochs(&source.sweep));
        let sweep = |source: &PlotSource| PlottedSweep {
            id: source.sweep.id.clone(),
            name: source.sweep.name.clone(),
            baseline: source.sweep.baseline.filter(|_| metric == RMSE),
        };
        Ok(Self {
            metric: metric.to_owned(),
            unit: unit_of(sources, metric),
            step: if epochs { "epoch" } else { "step" },
            direction,
            sweeps: sources.iter().map(sweep).collect(),
            selection: selection(sources, curves.len(), condition),
            curves,
            background: curves_of(sources, |source| &source.others),
            common,
            left_out,
            ranked_by,
            grouped: !labels.is_empty(),
        })
    }

    /// The picture, 900 pixels wide; `log` makes the values' axis logarithmic. Its text has no fonts of its own: the
    /// viewer's are used.
    ///
    /// # Errors
    /// Where no value can stand on the axis.
    pub fn svg(&self, log: bool) -> Result<String, PlotError> {
        draw::svg(self, log)
    }
}

/// Some curves of each sweep, without labels yet.
fn curves_of(sources: &[PlotSource], which: impl Fn(&PlotSource) -> &[Drawn]) -> Vec<Curve> {
    let curve = |source: &PlotSource, (trial, points): &Drawn| Curve {
        sweep: source.sweep.id.clone(),
        trial: trial.number,
        name: match sources.len() {
            1 => trial.number.to_string(),
            _ => format!("{}/{}", name_among(sources, &source.sweep), trial.number),
        },
        state: trial.state,
        label: BTreeMap::new(),
        best: trial.value,
        last: points.last().map(|(_, value)| *value).filter(|value| value.is_finite()),
        points: points.clone(),
        params: trial.params.clone(),
        order: Vec::new(),
        is_base: false,
    };
    sources.iter().flat_map(|source| which(source).iter().map(|drawn| curve(source, drawn))).collect()
}

/// Gives curves their labels: the values of some parameters, or what is unlike most of those that differ as far as that
/// fits. What most have is returned, and the others that differ.
fn name_curves(
    curves: &mut [Curve],
    labels: &[String],
    metric: &str,
    ranked_by: Option<&str>,
) -> (BTreeMap<String, Option<Value>>, Vec<String>) {
    let found = if labels.is_empty() {
        let names = curves.iter().map(|curve| (curve.name.as_str(), curve.state));
        let room = legend::room(names, metric, ranked_by);
        let params: Vec<&Params> = curves.iter().map(|curve| &curve.params).collect();
        label::differing(&params, room)
    } else {
        Differences { shown: labels.to_vec(), common: BTreeMap::new(), left_out: Vec::new() }
    };
    for curve in curves {
        let is_common =
            |name: &str| found.common.get(name).is_some_and(|value| value.as_ref() == curve.params.get(name));
        curve.order = found.shown.iter().filter(|name| !is_common(name)).cloned().collect();
        curve.label =
            curve.order.iter().map(|name| (name.clone(), curve.params.get(name).cloned())).collect();
        curve.is_base = curve.order.is_empty() && !found.common.is_empty();
    }
    (found.common, found.left_out)
}

/// A sweep's name, or its id where another one is called the same.
fn name_among<'a>(sources: &[PlotSource], sweep: &'a SweepSummary) -> &'a str {
    let same = sources.iter().filter(|source| source.sweep.name == sweep.name).count();
    if same > 1 { &sweep.id } else { &sweep.name }
}

/// The direction of a metric that all sweeps optimise in the same one.
fn direction_of(sources: &[PlotSource], metric: &str) -> Option<Direction> {
    let of = |source: &PlotSource| {
        let mut targets = source.sweep.spec.objective.targets();
        targets.find(|(name, _)| *name == metric).map(|(_, direction)| direction)
    };
    let first = sources.first().and_then(of)?;
    sources.iter().all(|source| of(source) == Some(first)).then_some(first)
}

/// The built-in trainers' steps are epochs.
fn counts_epochs(sweep: &SweepSummary) -> bool {
    matches!(sweep.spec.objective.kind, ObjectiveKind::Keypoints | ObjectiveKind::Toy)
}

fn unit_of(sources: &[PlotSource], metric: &str) -> Option<&'static str> {
    // What another program means by a name is its own affair.
    let trained = sources.iter().all(|source| source.sweep.spec.objective.kind == ObjectiveKind::Keypoints);
    match metric {
        DEVICE_MEMORY_BYTES | RESIDENT_BYTES => Some("bytes"),
        RMSE | TRAIN_RMSE if trained => Some("px"),
        SECONDS if trained => Some("s"),
        IMAGES_PER_SECOND if trained => Some("1/s"),
        _ => None,
    }
}

/// What was chosen, in words.
fn selection(sources: &[PlotSource], curves: usize, condition: Option<&str>) -> String {
    let trials = if curves == 1 { "trial" } else { "trials" };
    let others: usize = sources.iter().map(|source| source.others.len()).sum();
    let completed: u64 = sources.iter().map(|source| source.sweep.trials.completed).sum();
    let chosen = match condition {
        Some(condition) => format!("{curves} {trials} where {condition}"),
        None if sources.iter().all(|source| source.unfinished) => {
            format!("{curves} {trials} so far, none completed")
        }
        None if sources.iter().any(|source| source.unfinished) => {
            format!("the best {curves} {trials} so far")
        }
        None => format!("the best {curves} of {completed} completed {}", plural(completed, "trial")),
    };
    match others {
        0 => chosen,
        others => format!("{chosen}; in grey {others} more"),
    }
}

fn plural(n: u64, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
#[path = "curves_test.rs"]
mod curves_test;
