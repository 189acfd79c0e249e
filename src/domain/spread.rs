//! Several measurements of the same: their mean and how far they lie apart.

/// The mean of some values; NaN of none.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of some values, as that of a sample (divided by one less than their number); `None` of
/// fewer than two.
#[must_use]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_spread() {
        assert_eq!((mean(&[2.0]), deviation(&[2.0])), (2.0, None));
        assert_eq!((mean(&[1.0, 3.0]), deviation(&[1.0, 3.0])), (2.0, Some(2f64.sqrt())));
        assert!(mean(&[]).is_nan() && deviation(&[]).is_none());
    }
}
