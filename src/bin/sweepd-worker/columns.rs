//! Columns of a dataset as numbers that dense layers can take: around 0, about as far from it as 1.

use sweepd::dataset::{DatasetError, Numbers};
use tch::{Device, Kind, TchError, Tensor};

/// Columns that never differ are not divided by nothing.
const LEAST_DEVIATION: f64 = 1e-6;

/// The columns that a network takes, f32 `[rows, wanted]`, NaN where missing.
pub fn taken(numbers: &Numbers, wanted: &[String]) -> Result<Vec<f32>, DatasetError> {
    if wanted.is_empty() { Ok(Vec::new()) } else { numbers.columns(wanted) }
}

/// Numbers `[rows, columns]` as a tensor; there may be no columns.
pub fn tensor(values: &[f32], rows: usize, columns: usize, device: Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(values)?.f_view([rows as i64, columns as i64])?.f_to_device(device)
}

/// Mean and deviation of each column of rows `[N, K]`, f32 `[K]` both, of the numbers that are not missing: 0 and 1 where
/// all are.
pub fn spread(rows: &Tensor) -> Result<[Tensor; 2], TchError> {
    let rows = rows.f_to_kind(Kind::Double)?;
    let axis = [0i64];
    let mean = rows.f_nanmean(axis.as_slice(), true, Kind::Double)?.f_nan_to_num(0.0, None, None)?;
    let variance = rows.f_sub(&mean)?.f_square()?.f_nanmean(axis.as_slice(), false, Kind::Double)?;
    let deviation = variance.f_sqrt()?.f_nan_to_num(1.0, None, None)?;
    let constant = deviation.f_lt(LEAST_DEVIATION)?;
    let deviation = deviation.f_masked_fill(&constant, 1.0)?;
    Ok([mean.f_flatten(0, -1)?.f_to_kind(Kind::Float)?, deviation.f_to_kind(Kind::Float)?])
}

/// Numbers `[N, K]` less each column's mean `[K]`, divided by its deviation `[K]`; 0 where missing.
pub fn scaled(numbers: &Tensor, mean: &Tensor, deviation: &Tensor) -> Result<Tensor, TchError> {
    numbers.f_sub(mean)?.f_div(deviation)?.f_nan_to_num(0.0, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_scaled_by_what_is_there() {
        let nan = f32::NAN;
        let rows = tensor(&[1.0, 5.0, nan, 3.0, 5.0, nan, nan, 5.0, nan], 3, 3, Device::Cpu).unwrap();
        let [mean, deviation] = spread(&rows).unwrap();
        assert_eq!(Vec::<f32>::try_from(&mean).unwrap(), [2.0, 5.0, 0.0]);
        assert_eq!(Vec::<f32>::try_from(&deviation).unwrap(), [1.0, 1.0, 1.0]);
        let scaled = scaled(&rows, &mean, &deviation).unwrap();
        let numbers = Vec::<f32>::try_from(scaled.flatten(0, -1)).unwrap();
        assert_eq!(numbers, [-1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
