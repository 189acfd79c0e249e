//! The optimisers, with their state in tensors of ours: what they remember can be saved and restored.
//!
//! All work in place on f32 tensors, one weight tensor after another.

use sweepd::model::Optimizer as Method;
use tch::{TchError, Tensor};

/// An optimiser and what it remembers.
pub struct Optimizer {
    method: Method,
    weight_decay: f64,
    /// Updates so far.
    updates: u64,
    /// For each trainable tensor, in order: what the method remembers of it, in tensors of the same shape.
    /// adam, adamw: mean of the gradient, mean of its square; sgd: the velocity, if it has momentum.
    memory: Vec<Vec<Tensor>>,
}

/// A tensor to be changed.
pub struct Weight<'a> {
    /// Its numbers.
    pub tensor: &'a Tensor,
    /// Whether weight decay acts on it.
    pub decays: bool,
}

impl Optimizer {
    /// An optimiser that remembers nothing yet, for these weights.
    pub fn new(method: Method, weight_decay: f64, weights: &[Weight<'_>]) -> Result<Self, TchError> {
        let _guard = tch::no_grad_guard();
        let remembered = |weight: &Weight<'_>| {
            (0..method.state_per_weight()).map(|_| weight.tensor.f_zeros_like()).collect()
        };
        let memory = weights.iter().map(remembered).collect::<Result<_, _>>()?;
        Ok(Self { method, weight_decay, updates: 0, memory })
    }

    /// Updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Says how many updates led to what it remembers, when that was put in from elsewhere.
    pub fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    /// What it remembers of each weight tensor, in the order they were given to [`Optimizer::new`]; the
    /// tensors may be overwritten in place.
    pub fn memory(&self) -> &[Vec<Tensor>] {
        &self.memory
    }

    /// One update of the weights, given the gradient of each, in the order they were given to
    /// [`Optimizer::new`].
    pub fn update(
        &mut self,
        weights: &[Weight<'_>],
        gradients: Vec<Tensor>,
        rate: f64,
    ) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        self.updates += 1;
        for ((weight, gradient), memory) in weights.iter().zip(gradients).zip(&mut self.memory) {
            let decay = if weight.decays { self.weight_decay } else { 0.0 };
            let mut tensor = weight.tensor.shallow_clone();
            match self.method {
                Method::Adam { beta1, beta2, epsilon } => {
                    let gradient = with_decay(gradient, &tensor, decay)?;
                    let moments = Moments { beta1, beta2, epsilon, updates: self.updates };
                    moments.update(&mut tensor, &gradient, memory, rate)?;
                }
                Method::AdamW { beta1, beta2, epsilon } => {
                    if decay != 0.0 {
                        let _ = tensor.f_mul_scalar_(1.0 - rate * decay)?;
                    }
                    let moments = Moments { beta1, beta2, epsilon, updates: self.updates };
                    moments.update(&mut tensor, &gradient, memory, rate)?;
                }
                Method::Sgd { momentum, nesterov } => {
                    let gradient = with_decay(gradient, &tensor, decay)?;
                    descend(&mut tensor, gradient, memory, rate, momentum, nesterov)?;
                }
            }
        }
        Ok(())
    }
}

/// L2 regularisation: the decay as part of the gradient.
fn with_decay(gradient: Tensor, weight: &Tensor, decay: f64) -> Result<Tensor, TchError> {
    if decay == 0.0 { Ok(gradient) } else { gradient.f_add(&weight.f_mul_scalar(decay)?) }
}

/// Adam's settings at one update.
struct Moments {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    updates: u64,
}

impl Moments {
    /// Algorithm 1 of Kingma, Ba 2014, with the bias corrections moved to the rate and the divisor.
    fn update(
        &self,
        weight: &mut Tensor,
        gradient: &Tensor,
        memory: &mut [Tensor],
        rate: f64,
    ) -> Result<(), TchError> {
        let [mean, square] = memory else { unreachable!("adam remembers two tensors for each weight") };
        let n = i32::try_from(self.updates).unwrap_or(i32::MAX);
        let (correction1, correction2) = (1.0 - self.beta1.powi(n), 1.0 - self.beta2.powi(n));
        let _ = mean.f_lerp_(gradient, 1.0 - self.beta1)?;
        let fresh = gradient.f_square()?.f_mul_scalar_(1.0 - self.beta2)?;
        let _ = square.f_mul_scalar_(self.beta2)?.f_add_(&fresh)?;
        let mut divisor = square.f_sqrt()?;
        let divisor = divisor.f_div_scalar_(correction2.sqrt())?.f_add_scalar_(self.epsilon)?;
        let step = mean.f_div(&divisor)?.f_mul_scalar_(rate / correction1)?;
        weight.f_sub_(&step).map(|_| ())
    }
}

/// Gradient descent; the velocity begins as the first gradient.
fn descend(
    weight: &mut Tensor,
    gradient: Tensor,
    memory: &mut [Tensor],
    rate: f64,
    momentum: f64,
    nesterov: bool,
) -> Result<(), TchError> {
    let step = match memory.first_mut() {
        None => gradient,
        Some(velocity) => {
            let moved = velocity.f_mul_scalar_(momentum)?.f_add_(&gradient)?;
            if nesterov { gradient.f_add(&moved.f_mul_scalar(momentum)?)? } else { moved }
        }
    };
    weight.f_sub_(&step.f_mul_scalar(rate)?).map(|_| ())
}
