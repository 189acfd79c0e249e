//! Columns of a dataset as numbers that dense layers can take: around 0, about as far from it as 1.

use tch::{Device, Kind, TchError, Tensor};

/// What a column is divided by that never differs in the rows that train, or is never there: it counts as nothing, also
/// where it differs elsewhere. (Not infinite, so that means of it can be computed.)
const NOTHING: f64 = 1e30;
/// The farthest that a number counts for: a single wild one must not drown the rest.
const FARTHEST: f64 = 1e3;

/// Numbers `[rows, columns]` as a tensor; there may be no columns.
pub fn tensor(values: &[f32], rows: usize, columns: usize, device: Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(values)?.f_view([rows as i64, columns as i64])?.f_to_device(device)
}

/// Mean and deviation of each column of rows `[N, K]`, f32 `[K]` both, of the numbers that are not missing.
pub fn spread(rows: &Tensor) -> Result<[Tensor; 2], TchError> {
    let rows = rows.f_to_kind(Kind::Double)?;
    let axis = [0i64];
    let mean = rows.f_nanmean(axis.as_slice(), true, Kind::Double)?.f_nan_to_num(0.0, None, None)?;
    let variance = rows.f_sub(&mean)?.f_square()?.f_nanmean(axis.as_slice(), false, Kind::Double)?;
    let deviation = variance.f_sqrt()?.f_nan_to_num(0.0, None, None)?;
    // Below what f32 can tell apart there.
    let least = mean.f_flatten(0, -1)?.f_abs()?.f_mul_scalar(f64::from(f32::EPSILON))?;
    let deviation = deviation.f_masked_fill(&deviation.f_le_tensor(&least)?, NOTHING)?;
    Ok([mean.f_flatten(0, -1)?.f_to_kind(Kind::Float)?, deviation.f_to_kind(Kind::Float)?])
}

/// Numbers `[N, K]` less each column's mean `[K]`, divided by its deviation `[K]`, from -1,000 to 1,000; 0 where missing.
pub fn scaled(numbers: &Tensor, mean: &Tensor, deviation: &Tensor) -> Result<Tensor, TchError> {
    numbers.f_sub(mean)?.f_div(deviation)?.f_nan_to_num(0.0, None, None)?.f_clamp(-FARTHEST, FARTHEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(numbers: &[f32], columns: usize) -> Tensor {
        tensor(numbers, numbers.len() / columns, columns, Device::Cpu).unwrap()
    }

    fn all(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    #[test]
    fn columns_are_scaled_by_what_is_there() {
        let nan = f32::NAN;
        // The last one is small, and differs all the same.
        let train = rows(&[1.0, 5.0, nan, 1e-7, 3.0, 5.0, nan, 3e-7, nan, 5.0, nan, nan], 4);
        let [mean, deviation] = spread(&train).unwrap();
        assert_eq!(all(&mean)[..3], [2.0, 5.0, 0.0]);
        let numbers = all(&scaled(&train, &mean, &deviation).unwrap());
        let expected = [-1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert!(numbers.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{numbers:?}");
        // What never differed, or was never there, says nothing; what is far out is held.
        let others = rows(&[3e38, 9.0, 7.0, 2e-7], 4);
        let numbers = all(&scaled(&others, &mean, &deviation).unwrap());
        assert!(numbers[0] == 1e3 && numbers[1..].iter().all(|number| number.abs() < 1e-4), "{numbers:?}");
    }
}
