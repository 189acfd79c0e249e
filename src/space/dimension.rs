//! One parameter's range, and its map to `[0, 1]` and back.
//!
//! Floats map linearly (or by their logarithm) with both ends exact; what has finitely many values gets
//! an equal interval per value, so that uniform coordinates give uniform values. Log ints get intervals
//! by the logarithms of `low - 1/2 .. high + 1/2`, as Optuna does, so that small numbers are as likely
//! per factor as large ones.

use crate::domain::{ParameterKind, Value};

/// A checked range or set of choices.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    kind: ParameterKind,
}

/// So many steps of a range are told apart; beyond, a step is below the precision of the coordinate.
const MOST_STEPS: f64 = 9e15;

impl Dimension {
    /// Checks a range.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn new(kind: &ParameterKind) -> Result<Self, String> {
        match kind {
            ParameterKind::Float { low, high, log, step } => {
                check_floats(*low, *high, *log, *step)?;
            }
            ParameterKind::Int { low, high, log, step } => {
                if low > high {
                    return Err(format!("low = {low} is above high = {high}"));
                }
                if *log && *low < 1 {
                    return Err(format!("log needs low of at least 1, not {low}"));
                }
                if step.is_some_and(|step| step < 1) {
                    return Err("step must be at least 1".into());
                }
                if *log && step.is_some_and(|step| step != 1) {
                    return Err("log and step cannot be combined".into());
                }
            }
            ParameterKind::Choice { values } => {
                if values.is_empty() {
                    return Err("values is empty".into());
                }
                for (i, value) in values.iter().enumerate() {
                    if values[..i].iter().any(|earlier| earlier.same(value)) {
                        return Err(format!("{value} stands twice among its values"));
                    }
                }
            }
            ParameterKind::Fixed { .. } => {}
        }
        Ok(Self { kind: kind.clone() })
    }

    /// The range as the file says it.
    #[must_use]
    pub fn kind(&self) -> &ParameterKind {
        &self.kind
    }

    /// How many different values it has; `None` for a continuous one.
    #[must_use]
    pub fn size(&self) -> Option<u128> {
        match &self.kind {
            ParameterKind::Float { low, high, .. } if low == high => Some(1),
            ParameterKind::Float { step: None, .. } => None,
            ParameterKind::Float { low, high, step: Some(step), .. } => {
                Some(steps(*low, *high, *step) as u128 + 1)
            }
            ParameterKind::Int { low, high, step, .. } => {
                let span = (i128::from(*high) - i128::from(*low)) as u128;
                Some(span / step.unwrap_or(1) as u128 + 1)
            }
            ParameterKind::Choice { values } => Some(values.len() as u128),
            ParameterKind::Fixed { .. } => Some(1),
        }
    }

    /// Whether it can have this value.
    #[must_use]
    pub fn contains(&self, value: &Value) -> bool {
        match &self.kind {
            ParameterKind::Float { low, high, step, .. } => value.as_f64().is_some_and(|x| {
                let on_grid = step.is_none_or(|step| {
                    let k = ((x - low) / step).round();
                    (low + k * step - x).abs() <= step * 1e-9
                });
                (*low..=*high).contains(&x) && on_grid
            }),
            ParameterKind::Int { low, high, step, .. } => value.as_i64().is_some_and(|i| {
                let offset = i128::from(i) - i128::from(*low);
                (*low..=*high).contains(&i) && offset % i128::from(step.unwrap_or(1)) == 0
            }),
            ParameterKind::Choice { values } => values.iter().any(|known| known.same(value)),
            ParameterKind::Fixed { value: fixed } => fixed.same(value),
        }
    }

    /// The value at a coordinate; what is outside `[0, 1]` (or NaN) is clamped.
    #[must_use]
    pub fn decode(&self, unit: f64) -> Value {
        let unit = if unit.is_nan() { 0.5 } else { unit.clamp(0.0, 1.0) };
        match &self.kind {
            ParameterKind::Float { low, high, step: Some(step), .. } => {
                let k = interval(unit, steps(*low, *high, *step) as u64 + 1);
                Value::Float((low + k as f64 * step).min(*high))
            }
            ParameterKind::Float { low, high, log: true, .. } => {
                let x = (low.ln() + unit * (high.ln() - low.ln())).exp();
                Value::Float(ends_exact(unit, x, *low, *high))
            }
            ParameterKind::Float { low, high, .. } => {
                // Not low + unit * (high - low): the difference of two finite numbers may be infinite.
                Value::Float(ends_exact(unit, low * (1.0 - unit) + high * unit, *low, *high))
            }
            ParameterKind::Int { low, high, log: true, .. } => {
                let (a, b) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                let x = (a + unit * (b - a)).exp().round();
                Value::Int((x as i64).clamp(*low, *high))
            }
            ParameterKind::Int { low, high, step, .. } => {
                let step = step.unwrap_or(1);
                let count = (i128::from(*high) - i128::from(*low)) as u128 / step as u128 + 1;
                let k = interval(unit, u64::try_from(count).unwrap_or(u64::MAX));
                let x = i128::from(*low) + i128::from(k) * i128::from(step);
                // Within low..=high by the bound on k.
                Value::Int(x.clamp(i128::from(*low), i128::from(*high)) as i64)
            }
            ParameterKind::Choice { values } => {
                let index = interval(unit, values.len() as u64) as usize;
                values[index.min(values.len() - 1)].clone()
            }
            ParameterKind::Fixed { value } => value.clone(),
        }
    }

    /// The coordinate of the value at a coordinate: what encoding the decoded value gives, to within rounding.
    #[must_use]
    pub fn snap(&self, unit: f64) -> f64 {
        let unit = if unit.is_nan() { 0.5 } else { unit.clamp(0.0, 1.0) };
        let middle = |count: u64| (interval(unit, count) as f64 + 0.5) / count as f64;
        match &self.kind {
            ParameterKind::Fixed { .. } => 0.5,
            ParameterKind::Choice { values } => middle(values.len() as u64),
            ParameterKind::Int { log: false, low, high, step } => {
                let count = (i128::from(*high) - i128::from(*low)) as u128 / step.unwrap_or(1) as u128 + 1;
                u64::try_from(count).map_or(unit, middle)
            }
            ParameterKind::Float { low, high, .. } if low == high => 0.5,
            ParameterKind::Float { low, high, step: Some(step), .. } => {
                middle(steps(*low, *high, *step) as u64 + 1)
            }
            ParameterKind::Float { .. } => unit,
            ParameterKind::Int { .. } => self.encode(&self.decode(unit)),
        }
    }

    /// The coordinate of a value: the middle of its interval where the values are finitely many. Decoding
    /// it gives the value back (a continuous float to within rounding).
    #[must_use]
    pub fn encode(&self, value: &Value) -> f64 {
        let unit = match &self.kind {
            ParameterKind::Float { low, high, step: Some(step), .. } => {
                let count = steps(*low, *high, *step) + 1.0;
                value.as_f64().map(|x| (((x - low) / step).round() + 0.5) / count)
            }
            ParameterKind::Float { low, high, .. } if low == high => None,
            ParameterKind::Float { low, high, log: true, .. } => {
                value.as_f64().map(|x| (x.ln() - low.ln()) / (high.ln() - low.ln()))
            }
            ParameterKind::Float { low, high, .. } => {
                // Halved, so that the difference of two finite numbers stays finite.
                value.as_f64().map(|x| (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))
            }
            ParameterKind::Int { low, high, log: true, .. } => {
                let (a, b) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                value.as_f64().map(|x| (x.ln() - a) / (b - a))
            }
            ParameterKind::Int { low, high, step, .. } => {
                let step = step.unwrap_or(1);
                let count = ((i128::from(*high) - i128::from(*low)) / i128::from(step) + 1) as f64;
                value.as_i64().map(|i| {
                    let k = (i128::from(i) - i128::from(*low)) / i128::from(step);
                    (k as f64 + 0.5) / count
                })
            }
            ParameterKind::Choice { values } => values
                .iter()
                .position(|known| known.same(value))
                .map(|i| (i as f64 + 0.5) / values.len() as f64),
            ParameterKind::Fixed { .. } => None,
        };
        unit.filter(|u| u.is_finite()).unwrap_or(0.5).clamp(0.0, 1.0)
    }
}

fn check_floats(low: f64, high: f64, log: bool, step: Option<f64>) -> Result<(), String> {
    if !low.is_finite() || !high.is_finite() {
        return Err("low and high must be finite".into());
    }
    if low > high {
        return Err(format!("low = {low} is above high = {high}"));
    }
    if log && low <= 0.0 {
        return Err(format!("log needs low above 0, not {low}"));
    }
    if let Some(step) = step {
        if log {
            return Err("log and step cannot be combined".into());
        }
        if !(step.is_finite() && step > 0.0) {
            return Err("step must be above 0".into());
        }
        if steps(low, high, step) > MOST_STEPS {
            return Err(format!("step = {step} is too small for the range"));
        }
    }
    Ok(())
}

/// How many whole steps fit; a hair more is allowed for, since 0.1 is not a tenth.
fn steps(low: f64, high: f64, step: f64) -> f64 {
    ((high / step - low / step) + 1e-9).floor().max(0.0)
}

/// Which of `count` equal intervals of `[0, 1]` a coordinate lies in.
fn interval(unit: f64, count: u64) -> u64 {
    ((unit * count as f64) as u64).min(count.saturating_sub(1))
}

fn ends_exact(unit: f64, x: f64, low: f64, high: f64) -> f64 {
    if unit == 0.0 {
        low
    } else if unit == 1.0 {
        high
    } else {
        x.clamp(low, high)
    }
}
