//! Between columns and the domain's types.

use super::StoreError;
use super::fields::Fields;
use crate::domain::metric::{IMAGES_PER_SECOND, LEARNING_RATE, RMSE, SECONDS, TRAIN_LOSS, TRAIN_RMSE};
use crate::domain::{EventKind, Metrics, SweepState, TrialState};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The columns of `report` that hold a metric, in the order of the metrics' names here.
pub(super) const METRIC_COLUMNS: [&str; 6] =
    [RMSE, TRAIN_LOSS, TRAIN_RMSE, LEARNING_RATE, SECONDS, IMAGES_PER_SECOND];

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::damaged("a value to write", e))
}

pub(super) fn from_json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::damaged(column, e))
}

pub(super) fn optional_json<T: DeserializeOwned>(
    column: &str,
    text: Option<&str>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| from_json(column, text)).transpose()
}

pub(super) fn trial_state(word: &str) -> Result<TrialState, StoreError> {
    TrialState::parse(word).ok_or_else(|| StoreError::damaged("trial.state", word))
}

pub(super) fn sweep_state(word: &str) -> Result<SweepState, StoreError> {
    SweepState::parse(word).ok_or_else(|| StoreError::damaged("sweep.state", word))
}

pub(super) fn event_kind(word: String) -> Result<EventKind, StoreError> {
    serde_json::from_value(serde_json::Value::String(word.clone()))
        .map_err(|_| StoreError::damaged("event.kind", word))
}

pub(super) fn unsigned(column: &str, n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| StoreError::damaged(column, n))
}

pub(super) fn signed(column: &str, n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::damaged(column, n))
}

/// Values by the further objectives as a column holds them.
pub(super) fn further_text(values: &[Option<f64>]) -> Result<Option<String>, StoreError> {
    if values.is_empty() { Ok(None) } else { to_json(&values).map(Some) }
}

/// The inverse of [`further_text`].
pub(super) fn further_values(column: &str, text: Option<&str>) -> Result<Vec<Option<f64>>, StoreError> {
    text.map_or(Ok(Vec::new()), |text| from_json(column, text))
}

/// Whether a column gives back the very bits it was given: SQLite turns NaN into null and -0.0 into 0.0.
fn survives_a_column(value: f64) -> bool {
    value.is_finite() && value.to_bits() != (-0.0f64).to_bits()
}

/// Splits metrics into the fixed columns and the JSON of the rest. What a column would not keep goes with the
/// rest, which does: a repeated report is recognised by its bits.
pub(super) fn split_metrics(metrics: &Metrics) -> Result<([Option<f64>; 6], Option<String>), StoreError> {
    let fixed = METRIC_COLUMNS.map(|name| metrics.get(name).filter(|x| survives_a_column(*x)));
    let rest = Metrics(
        metrics
            .0
            .iter()
            .filter(|(name, value)| !METRIC_COLUMNS.contains(&name.as_str()) || !survives_a_column(**value))
            .map(|(name, value)| (name.clone(), *value))
            .collect(),
    );
    let rest = if rest.0.is_empty() { None } else { Some(to_json(&rest)?) };
    Ok((fixed, rest))
}

/// The inverse of [`split_metrics`], from a row that selects the fixed columns and `extra`.
pub(super) fn join_metrics(row: &impl Fields) -> Result<Metrics, StoreError> {
    let mut metrics: Metrics =
        optional_json("report.extra", row.maybe_text("report.extra")?)?.unwrap_or_default();
    for name in METRIC_COLUMNS {
        if let Some(value) = row.maybe_real(name)? {
            metrics.0.insert(name.to_owned(), value);
        }
    }
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_would_change_is_kept_beside_it() {
        let metrics = Metrics::default().with(RMSE, 1.5).with(TRAIN_LOSS, -0.0).with(SECONDS, f64::NAN);
        let (fixed, rest) = split_metrics(&metrics).unwrap();
        assert_eq!(fixed, [Some(1.5), None, None, None, None, None]);
        let rest: Metrics = from_json("extra", &rest.unwrap()).unwrap();
        assert!(rest.same(&Metrics::default().with(TRAIN_LOSS, -0.0).with(SECONDS, f64::NAN)), "{rest:?}");
    }
}
