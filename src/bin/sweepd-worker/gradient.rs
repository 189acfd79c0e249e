//! The gradient of a batch, computed at once or in parts that need less memory.
//!
//! The loss is a mean over the labels that exist in the whole batch. A part's losses are divided by that same number,
//! so the parts' gradients add up to the whole one: equal to it within rounding. Only what looks at a part as a whole
//! makes a difference: a batch norm, and the choice of errors that are left out.

use crate::loss::Objective;
use crate::network::{Input, Network};
use crate::samples::{Batch, Epoch, batches};
use std::ops::Range;
use tch::{Kind, TchError, Tensor};

/// No part of a batch is smaller, in rows: a batch norm over one number has no variance.
const SMALLEST_PART: usize = 2;

/// A batch's error and what follows from it.
pub struct Gradient {
    /// Sum of its losses and sum of its squared errors, in the scale of the targets, f32 `[2]`.
    pub sums: Tensor,
    /// The gradient of its mean loss by each of the network's trainable tensors, in order.
    pub gradients: Vec<Tensor>,
}

/// The gradient of the batch of these samples, computed in `parts` parts of equal size, as far as that goes.
pub fn gradient(
    network: &Network,
    epoch: &Epoch<'_>,
    objective: &Objective,
    samples: &Range<usize>,
    parts: u32,
) -> Result<Gradient, TchError> {
    // A batch without any label has no error either.
    let labels = epoch.existing(samples)?.f_mul_scalar(objective.kept())?.f_clamp_min(1.0)?;
    let mut whole: Option<Gradient> = None;
    for samples in parts_of(samples, parts) {
        let batch = epoch.batch(&samples)?;
        let out = network.forward(&batch.input, true)?;
        let sums = objective.sums(&out, &batch.targets, &batch.exists)?;
        let mean = sums.loss.f_div(&labels)?;
        let gradients = Tensor::f_run_backward(&[mean], &network.trainable(), false, false)?;
        let sums = Tensor::f_stack(&[sums.loss.f_detach()?, sums.squared_error], 0)?;
        match &mut whole {
            None => whole = Some(Gradient { sums, gradients }),
            Some(whole) => {
                let _guard = tch::no_grad_guard();
                let _ = whole.sums.f_add_(&sums)?;
                for (sum, gradient) in whole.gradients.iter_mut().zip(&gradients) {
                    let _ = sum.f_add_(gradient)?;
                }
            }
        }
    }
    let whole = whole.ok_or_else(|| TchError::Kind("a batch without rows".to_owned()))?;
    Ok(Gradient { sums: whole.sums.f_to_kind(Kind::Double)?, ..whole })
}

/// The gradients of members of one network, each of its own batch: since none's loss depends on another's numbers, the
/// gradient of the sum of their losses has all of them.
pub fn gradients(
    whole: &Network,
    batches: &[Batch],
    objectives: &[&Objective],
) -> Result<Vec<Gradient>, TchError> {
    let side_by_side =
        |part: fn(&Batch) -> &Tensor| Tensor::f_cat(&batches.iter().map(part).collect::<Vec<_>>(), 1);
    let input = Input {
        images: side_by_side(|batch| &batch.input.images)?,
        common: side_by_side(|batch| &batch.input.common)?,
        mirrored: side_by_side(|batch| &batch.input.mirrored)?,
        numbers: side_by_side(|batch| &batch.input.numbers)?,
    };
    let outputs = whole.forward(&input, true)?.f_chunk(batches.len() as i64, 1)?;
    let mut means = Vec::with_capacity(batches.len());
    let mut sums = Vec::with_capacity(batches.len());
    for ((out, batch), objective) in outputs.iter().zip(batches).zip(objectives) {
        let sum = objective.sums(out, &batch.targets, &batch.exists)?;
        let labels = batch.exists.f_sum(Kind::Float)?.f_mul_scalar(objective.kept())?.f_clamp_min(1.0)?;
        means.push(sum.loss.f_div(&labels)?);
        sums.push(Tensor::f_stack(&[sum.loss.f_detach()?, sum.squared_error], 0)?.f_to_kind(Kind::Double)?);
    }
    let all = Tensor::f_stack(&means, 0)?.f_sum(Kind::Float)?;
    let gradients = Tensor::f_run_backward(&[all], &whole.trainable(), false, false)?;
    let of = |(member, sums)| Ok(Gradient { sums, gradients: whole.part_of(&gradients, member)? });
    sums.into_iter().enumerate().map(of).collect()
}

/// How the rows of a batch are cut into parts.
fn parts_of(samples: &Range<usize>, parts: u32) -> Vec<Range<usize>> {
    let size = samples.len().div_ceil(parts.max(1) as usize);
    if parts <= 1 { vec![samples.clone()] } else { batches(samples.clone(), size.max(SMALLEST_PART)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_row_once_and_none_is_a_single_row() {
        for rows in 1..70 {
            for parts in [1, 2, 4, 8] {
                let cut = parts_of(&(5..5 + rows), parts);
                assert!(cut.iter().cloned().flatten().eq(5..5 + rows));
                assert!(cut.len() <= parts as usize, "{rows} rows in {} parts of {parts}", cut.len());
                assert!(rows == 1 || cut.iter().all(|part| part.len() > 1), "{rows} rows by {parts}");
            }
        }
    }
}
