//! The axes: which values are shown, and where the numbers stand.

use super::{Curve, Plot, PlotError};
use crate::domain::Direction;

/// This share of the longest curve's steps, those with the worst values, may lie outside of each curve: the first epochs
/// of a training are often ten times the rest. But always less than half of a curve.
const OUTSIDE: f64 = 0.1;
/// But only where that leaves the rest at least so many times its part of the axis.
const WORTH: f64 = 1.5;
/// A line that the curves are compared with is shown as long as the axis becomes no more than so many times as long.
const STRETCH: f64 = 2.0;
/// Beyond, differences would overflow.
const LARGEST: f64 = 1e300;

/// The values' axis. It is even in its *places*: the values themselves, or their decimal logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    /// Its ends, as places.
    pub low: f64,
    pub high: f64,
    log: bool,
}

/// What of the curves an axis does not show.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Hidden {
    /// Values above it, and the largest of them.
    pub above: (usize, f64),
    /// Values below it, and the smallest of them.
    pub below: (usize, f64),
    /// Values that a logarithmic axis has no place for.
    pub not_positive: usize,
}

impl Axis {
    /// The axis for the values of a plot: all of them, unless few would take the room of most.
    pub fn of(plot: &Plot, log: bool) -> Result<Self, PlotError> {
        let unplaced = Self { low: 0.0, high: 0.0, log };
        let places = |curve: &Curve| {
            let mut places: Vec<f64> =
                curve.points.iter().filter_map(|(_, value)| unplaced.place(*value)).collect();
            places.sort_by(f64::total_cmp);
            places
        };
        let mut curves: Vec<Vec<f64>> = plot.curves.iter().map(places).filter(|p| !p.is_empty()).collect();
        if curves.is_empty() {
            curves = plot.background.iter().map(places).filter(|p| !p.is_empty()).collect();
        }
        let all = || curves.iter().flatten().copied();
        let Some((least, most)) = all().reduce(f64::min).zip(all().reduce(f64::max)) else {
            let metric = plot.metric.clone();
            let finite =
                plot.curves.iter().flat_map(|curve| &curve.points).any(|(_, value)| value.is_finite());
            return Err(if finite { PlotError::NonePositive(metric) } else { PlotError::NoneFinite(metric) });
        };
        // Only the bad side is cut: the good one is what is looked at.
        let (mut low, mut high) = (least, most);
        if plot.direction == Some(Direction::Maximize) {
            let inner = inner(&curves, Direction::Maximize);
            low = if is_worth(most - inner, most - least) { inner } else { least };
        } else {
            let inner = inner(&curves, Direction::Minimize);
            high = if is_worth(inner - least, most - least) { inner } else { most };
        }
        for line in plot.sweeps.iter().filter_map(|sweep| unplaced.place(sweep.baseline?)) {
            let (with_low, with_high) = (low.min(line), high.max(line));
            if with_high - with_low <= STRETCH * (high - low) {
                (low, high) = (with_low, with_high);
            }
        }
        let margin = match high - low {
            // One value alone, or what cannot be told from it.
            span if span <= 1e-9 * high.abs().max(low.abs()) => match high.abs() {
                _ if log => 0.1,
                0.0 => 1.0,
                size => 0.05 * size,
            },
            span => 0.03 * span,
        };
        Ok(Self { low: low - margin, high: high + margin, log })
    }

    /// Where a value stands; `None` for one that has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        Some(if self.log { value.log10() } else { value.clamp(-LARGEST, LARGEST) })
    }

    /// Whether a place lies on the axis.
    pub fn holds(&self, place: f64) -> bool {
        (self.low..=self.high).contains(&place)
    }

    /// What of some curves it does not show.
    pub fn hidden(&self, curves: &[Curve]) -> Hidden {
        let mut hidden = Hidden::default();
        for (_, value) in curves.iter().flat_map(|curve| &curve.points) {
            match self.place(*value) {
                Some(place) if place > self.high => {
                    let (count, largest) = hidden.above;
                    hidden.above = (count + 1, if count == 0 { *value } else { largest.max(*value) });
                }
                Some(place) if place < self.low => {
                    let (count, smallest) = hidden.below;
                    hidden.below = (count + 1, if count == 0 { *value } else { smallest.min(*value) });
                }
                None if value.is_finite() => hidden.not_positive += 1,
                _ => {}
            }
        }
        hidden
    }

    /// The places of the numbers beside it, and the numbers.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        if !self.log {
            return even(self.low, self.high, 8, 0.0);
        }
        // Over a decade and more: 1, 2, 5, 10; over many, powers of ten alone.
        let decades = self.high - self.low;
        if decades < 0.9 {
            let even = even(10f64.powf(self.low), 10f64.powf(self.high), 8, 0.0);
            return even.into_iter().filter_map(|(x, text)| Some((self.place(x)?, text))).collect();
        }
        let digits: &[f64] = if decades <= 4.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / 10.0).ceil().max(1.0);
        let first = (self.low / every).floor() as i64;
        let last = (self.high / every).ceil() as i64;
        let powers = (first..=last).map(|n| n as f64 * every);
        powers
            .flat_map(|power| digits.iter().map(move |digit| power + digit.log10()))
            .filter(|place| self.holds(*place))
            .map(|place| (place, number(10f64.powf(place), 10f64.powf(place.floor()))))
            .collect()
    }
}

/// The worst value of what is left of the curves, each in order, without those that may lie outside.
fn inner(curves: &[Vec<f64>], direction: Direction) -> f64 {
    let longest = curves.iter().map(Vec::len).max().unwrap_or(0);
    let outside = (OUTSIDE * longest as f64).ceil() as usize;
    let left = |sorted: &Vec<f64>| {
        let outside = outside.min(sorted.len().saturating_sub(1) / 2);
        match direction {
            Direction::Minimize => sorted[sorted.len() - 1 - outside],
            Direction::Maximize => sorted[outside],
        }
    };
    let worst = |a: f64, b: f64| if direction == Direction::Minimize { a.max(b) } else { a.min(b) };
    curves.iter().map(left).reduce(worst).unwrap_or(0.0)
}

/// Whether a shorter axis is worth what it hides.
fn is_worth(inner: f64, whole: f64) -> bool {
    inner > 0.0 && whole > WORTH * inner
}

/// About `most` round numbers between two, `least` apart or more.
pub(super) fn even(low: f64, high: f64, most: usize, least: f64) -> Vec<(f64, String)> {
    let rough = ((high - low) / most.max(1) as f64).max(least);
    if !rough.is_normal() {
        return vec![(low, number(low, 1.0))];
    }
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step).ceil();
    (0..=2 * most)
        .map(|n| (first + n as f64) * step)
        .take_while(|x| *x <= high + 1e-9 * step)
        .map(|x| (x, number(x, step)))
        .collect()
}

/// A number with the digits that tell it from its neighbours, `step` away.
fn number(x: f64, step: f64) -> String {
    // Not -0.
    let x = if x.abs() < step / 1e6 { 0.0 } else { x };
    let decimals = -(step.log10() + 1e-9).floor();
    if x.abs() >= 1e15 || decimals > 6.0 {
        return format!("{x:.2e}");
    }
    let text = format!("{x:.*}", decimals.max(0.0) as usize);
    match text.strip_prefix('-') {
        Some(digits) => format!("-{}", thousands(digits)),
        None => thousands(&text),
    }
}

/// With commas from ten thousand on.
fn thousands(digits: &str) -> String {
    match digits.parse::<u64>() {
        Ok(n) if n >= 10_000 => crate::report::grouped(n),
        _ => digits.to_owned(),
    }
}
