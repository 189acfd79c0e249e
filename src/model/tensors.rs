//! The tensors of layers, and what they begin as.

use super::choices::Activation;
use serde::Serialize;

/// One tensor of a layer: f32.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorSpec {
    /// Its name, unique in the table: `block1.conv1.weight`.
    pub name: String,
    /// Its dimensions: `[out, in, k, k]` of a convolution, `[out, in]` of a dense layer, else one.
    pub shape: Vec<usize>,
    /// Whether the optimiser changes it.
    pub trainable: bool,
    /// Whether weight decay acts on it: on weights, not on biases or batch norms.
    pub decays: bool,
    /// What it begins as.
    pub init: Init,
}

impl TensorSpec {
    /// How many numbers.
    #[must_use]
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What a tensor begins as.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Evenly distributed in `[-bound, bound)`.
    Uniform {
        /// The bound.
        bound: f64,
    },
    /// All the same.
    Constant {
        /// The number.
        value: f64,
    },
}

impl Init {
    /// Weights whose output keeps the variance of their input, given the function that follows: He et al.
    /// 2015 for those that are about 0 for negative numbers, LeCun for selu (which its paper wants), Glorot,
    /// Bengio 2010 for the rest.
    pub(super) fn weights(fan_in: usize, fan_out: usize, then: Option<Activation>) -> Self {
        let fan_in = fan_in as f64;
        let variance = match then {
            Some(Activation::Relu | Activation::Elu | Activation::Gelu | Activation::Silu) => 2.0 / fan_in,
            Some(Activation::LeakyRelu { slope }) => 2.0 / ((1.0 + slope * slope) * fan_in),
            Some(Activation::Selu) => 1.0 / fan_in,
            Some(Activation::Sigmoid | Activation::Tanh) | None => 2.0 / (fan_in + fan_out as f64),
        };
        Self::Uniform { bound: (3.0 * variance).sqrt() }
    }

    /// Weights of a last layer: a tenth of what would keep the variance. A network that begins with large answers,
    /// different for each image, spends its first epochs unlearning them.
    pub(super) fn last(fan_in: usize) -> Self {
        Self::Uniform { bound: LAST * (3.0 / fan_in as f64).sqrt() }
    }
}

/// Share of the usual deviation that the weights of a last layer begin with.
const LAST: f64 = 0.1;

/// Weights of a layer.
pub(super) fn weight(layer: &str, shape: Vec<usize>, init: Init) -> TensorSpec {
    TensorSpec { name: format!("{layer}.weight"), shape, trainable: true, decays: true, init }
}

/// A row of numbers of a layer, all the same at the beginning.
pub(super) fn constant(layer: &str, what: &str, width: usize, value: f64, trainable: bool) -> TensorSpec {
    let init = Init::Constant { value };
    TensorSpec { name: format!("{layer}.{what}"), shape: vec![width], trainable, decays: false, init }
}
