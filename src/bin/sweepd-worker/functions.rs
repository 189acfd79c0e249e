//! Functions of tensors that layers consist of.

use crate::shim;
use sweepd::model::Activation;
use tch::{TchError, Tensor};

/// Each number through a function. Where its backward pass needs only its result, in place: that saves
/// memory and a pass over it.
pub fn activate_(function: Activation, x: &mut Tensor) -> Result<Tensor, TchError> {
    match function {
        Activation::Relu => x.f_relu_(),
        Activation::Elu => x.f_elu_(),
        Activation::Selu => x.f_selu_(),
        Activation::Sigmoid => x.f_sigmoid_(),
        Activation::Tanh => x.f_tanh_(),
        Activation::Gelu | Activation::Silu => activate(function, x),
        Activation::LeakyRelu { slope } => {
            shim::leaky_relu_(x, slope)?;
            Ok(x.shallow_clone())
        }
    }
}

/// The same where others take what comes in, too.
pub fn activate(function: Activation, x: &Tensor) -> Result<Tensor, TchError> {
    match function {
        Activation::Relu => x.f_relu(),
        Activation::Elu => x.f_elu(),
        Activation::Selu => x.f_selu(),
        Activation::Sigmoid => x.f_sigmoid(),
        Activation::Tanh => x.f_tanh(),
        Activation::Gelu => x.f_gelu("none"),
        Activation::Silu => x.f_silu(),
        Activation::LeakyRelu { .. } => activate_(function, &mut x.f_clone(x)?),
    }
}

/// For each map of `[N, C, H, H]` the mean of its places, weighted by its softmax: `[N, 2 * C]`, x and y in turn
/// (Luvizon et al. 2017; Nibali et al. 2018). Sums, not a product of matrices: on a GPU that might round to TF32.
pub fn soft_argmax(maps: &Tensor, low: f64, high: f64) -> Result<Tensor, TchError> {
    let (count, channels, side, _) = maps.size4()?;
    let weights = maps.f_flatten(2, -1)?.f_softmax(-1, None)?.f_view([count, channels, side, side])?;
    // The middles of the cells.
    let cell = (high - low) / side as f64;
    let places = Tensor::f_arange(side, (maps.kind(), maps.device()))?;
    let places = places.f_add_scalar(0.5)?.f_mul_scalar(cell)?.f_add_scalar(low)?;
    let along = |summed: i64| {
        let share = weights.f_sum_dim_intlist([summed].as_slice(), false, None)?;
        share.f_mul(&places)?.f_sum_dim_intlist([-1i64].as_slice(), false, None)
    };
    Tensor::f_stack(&[along(2)?, along(3)?], -1)?.f_flatten(1, -1)
}

/// Whether a function gives no less for more.
pub fn never_falls(function: Activation) -> bool {
    match function {
        Activation::LeakyRelu { slope } => slope >= 0.0,
        Activation::Gelu | Activation::Silu => false,
        Activation::Relu | Activation::Elu | Activation::Selu | Activation::Sigmoid | Activation::Tanh => {
            true
        }
    }
}
