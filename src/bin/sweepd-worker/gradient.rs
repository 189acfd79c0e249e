//! The gradient of a batch, computed at once or in parts that need less memory.
//!
//! The loss is the mean squared error over the labels that exist in the whole batch. A part's errors are divided by
//! that same number, so the parts' gradients add up to the whole one: equal to it within rounding. Only a batch norm
//! makes a difference, because it looks at its own part alone.

use crate::network::Network;
use crate::samples::{TrainingSet, batches};
use tch::{Kind, TchError, Tensor};

/// No part of a batch is smaller, in rows: a batch norm over one number has no variance.
const SMALLEST_PART: usize = 2;

/// A batch's error and what follows from it.
pub struct Gradient {
    /// Sum of its squared errors, in the scale of the targets, f32.
    pub squared_error: Tensor,
    /// The gradient of its mean squared error by each of the network's trainable tensors, in order.
    pub gradients: Vec<Tensor>,
}

/// The gradient of the batch of these rows, computed in `parts` parts of equal size, as far as that goes.
pub fn gradient(
    network: &Network,
    training: &TrainingSet<'_>,
    places: &[i64],
    parts: u32,
) -> Result<Gradient, TchError> {
    // A batch without any label has no error either.
    let labels = training.existing(places)?.f_clamp_min(1.0)?;
    let mut whole: Option<Gradient> = None;
    for places in parts_of(places, parts) {
        let batch = training.batch(places)?;
        let out = network.forward(&batch.images, true)?;
        let error = out.f_sub(&batch.targets)?.f_mul(&batch.exists)?.f_square()?.f_sum(Kind::Float)?;
        let loss = error.f_div(&labels)?;
        let gradients = Tensor::f_run_backward(&[loss], &network.trainable(), false, false)?;
        let error = error.f_detach()?;
        match &mut whole {
            None => whole = Some(Gradient { squared_error: error, gradients }),
            Some(sum) => {
                let _guard = tch::no_grad_guard();
                let _ = sum.squared_error.f_add_(&error)?;
                for (sum, gradient) in sum.gradients.iter_mut().zip(&gradients) {
                    let _ = sum.f_add_(gradient)?;
                }
            }
        }
    }
    whole.ok_or_else(|| TchError::Kind("a batch without rows".to_owned()))
}

/// How the rows of a batch are cut into parts.
fn parts_of(places: &[i64], parts: u32) -> Vec<&[i64]> {
    let size = places.len().div_ceil(parts.max(1) as usize);
    if parts <= 1 { vec![places] } else { batches(places, size.max(SMALLEST_PART)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_row_once_and_none_is_a_single_row() {
        for rows in 1..70 {
            let places: Vec<i64> = (0..rows).collect();
            for parts in [1, 2, 4, 8] {
                let cut = parts_of(&places, parts);
                assert_eq!(cut.concat(), places);
                assert!(cut.len() <= parts as usize, "{rows} rows in {} parts of {parts}", cut.len());
                assert!(rows == 1 || cut.iter().all(|part| part.len() > 1), "{rows} rows by {parts}");
            }
        }
    }
}
