//! How much memory training a plan takes, roughly.

use super::layers::{LayerKind, LayerTable};

/// Bytes of one f32.
const FLOAT: u64 = 4;

/// Bytes for weights, gradients, optimiser state, the copy of the best weights, and what one batch keeps
/// for the backward pass. Without libtorch's own (about 200 MB on a CPU) and without the dataset.
///
/// An estimate for planning: libtorch's convolutions take work space besides, and free some outputs early.
pub(crate) fn estimate_bytes(table: &LayerTable, batch: u64, optimizer_state_per_weight: u64) -> u64 {
    let per_weight = 2 + optimizer_state_per_weight;
    let weights = table.trainable_count() * per_weight + 2 * table.parameter_count();
    // Every layer's output is kept until its backward pass; max pooling also keeps where the maxima were
    // (8 bytes each). Gradients of the two largest neighbours exist at once.
    let outputs = |layer: &super::Layer| {
        let numel = layer.output.numel() as u64;
        match layer.kind {
            LayerKind::Flatten => 0,
            LayerKind::MaxPool(_) => 3 * numel,
            // Added in place.
            LayerKind::Add => 0,
            // The maps in f32, their softmax, its sums over rows.
            LayerKind::SoftArgmax { .. } => {
                2 * table.inputs(layer).map(|input| input.output.numel() as u64).sum::<u64>()
            }
            _ => numel,
        }
    };
    let kept: u64 = table.layers().iter().map(outputs).sum();
    let largest = table.layers().iter().map(|layer| layer.output.numel() as u64).max().unwrap_or(0);
    FLOAT * (weights + batch * (kept + 2 * largest))
}
