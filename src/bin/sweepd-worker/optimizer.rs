//! The optimisers, with their state in tensors of ours: what they remember can be saved and restored.
//!
//! All work in place on f32 tensors, many weight tensors in one pass.

use crate::shim::{Adam, Group};
use sweepd::model::Optimizer as Method;
use tch::{Device, Kind, TchError, Tensor};

/// Added to a gradient's length before it divides.
const TINY: f64 = 1e-6;

/// An optimiser and what it remembers.
pub struct Optimizer {
    method: Method,
    weight_decay: f64,
    clip_norm: Option<f64>,
    trunk: Trunk,
    /// Updates so far.
    updates: u64,
    /// Updates so far of the trunk and of the rest, as f32 scalars on the device, where Adam's kernels read them.
    counters: [Tensor; 2],
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
    /// Whether it is one of the trunk.
    pub trunk: bool,
}

/// How a trunk's weights are changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trunk {
    /// Factor of the learning rate.
    pub rate: f64,
    /// Updates of the others before its own begin.
    pub frozen_updates: u64,
}

impl Default for Trunk {
    /// As all others.
    fn default() -> Self {
        Self { rate: 1.0, frozen_updates: 0 }
    }
}

/// How strongly an optimiser holds weights back.
#[derive(Debug, Clone, Copy)]
pub struct Restraint {
    /// Pull of the weights towards 0.
    pub weight_decay: f64,
    /// Longest gradient; longer ones are shortened.
    pub clip_norm: Option<f64>,
}

impl Optimizer {
    /// An optimiser that remembers nothing yet, for these weights.
    pub fn new(
        method: Method,
        restraint: Restraint,
        trunk: Trunk,
        weights: &[Weight<'_>],
    ) -> Result<Self, TchError> {
        let _guard = tch::no_grad_guard();
        let remembered = |weight: &Weight<'_>| {
            (0..method.state_per_weight()).map(|_| weight.tensor.f_zeros_like()).collect()
        };
        let memory = weights.iter().map(remembered).collect::<Result<_, _>>()?;
        let device = weights.first().map_or(Device::Cpu, |weight| weight.tensor.device());
        let counter = || Tensor::f_zeros([] as [i64; 0], (Kind::Float, device));
        let counters = [counter()?, counter()?];
        let Restraint { weight_decay, clip_norm } = restraint;
        Ok(Self { method, weight_decay, clip_norm, trunk, updates: 0, counters, memory })
    }

    /// Updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Says how many updates led to what it remembers, when that was put in from elsewhere.
    pub fn set_updates(&mut self, updates: u64) -> Result<(), TchError> {
        self.updates = updates;
        let [trunk, rest] = &mut self.counters;
        let _ = trunk.f_fill_(updates.saturating_sub(self.trunk.frozen_updates) as f64)?;
        rest.f_fill_(updates as f64).map(|_| ())
    }

    /// What it remembers of each weight tensor, in the order they were given to [`Optimizer::new`]; the
    /// tensors may be overwritten in place.
    pub fn memory(&self) -> &[Vec<Tensor>] {
        &self.memory
    }

    /// One update of the weights, given the gradient of each, in the order they were given to
    /// [`Optimizer::new`]; where the first ones are frozen, of the others only. The gradients may be changed.
    pub fn update(
        &mut self,
        weights: &[Weight<'_>],
        gradients: &[Tensor],
        rate: f64,
    ) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        if let Some(longest) = self.clip_norm {
            shorten(gradients, longest)?;
        }
        self.set_updates(self.updates + 1)?;
        for (trunk, decays) in [(true, true), (true, false), (false, true), (false, false)] {
            let group = self.group(weights, gradients, trunk, decays);
            if group.weights.is_empty() {
                continue;
            }
            let decay = if decays { self.weight_decay } else { 0.0 };
            let rate = if trunk { self.trunk.rate * rate } else { rate };
            let counter = &self.counters[usize::from(!trunk)];
            match self.method {
                // Kingma, Ba 2014: Adam: A Method for Stochastic Optimization.
                Method::Adam { beta1, beta2, epsilon } => {
                    let adam = Adam { beta1, beta2, epsilon, decoupled: false };
                    group.adam(adam, rate, decay, counter)?;
                }
                // Loshchilov, Hutter 2017: Decoupled Weight Decay Regularization.
                Method::AdamW { beta1, beta2, epsilon } => {
                    let adam = Adam { beta1, beta2, epsilon, decoupled: true };
                    group.adam(adam, rate, decay, counter)?;
                }
                Method::Sgd { momentum, nesterov } => group.sgd(momentum, nesterov, rate, decay)?,
            }
        }
        Ok(())
    }

    /// Those weights of the trunk or of the rest that decay, or those that do not.
    fn group<'a>(
        &'a self,
        weights: &[Weight<'a>],
        gradients: &'a [Tensor],
        trunk: bool,
        decays: bool,
    ) -> Group<'a> {
        let kinds = self.method.state_per_weight() as usize;
        let mut group = Group { memory: vec![Vec::new(); kinds], ..Group::default() };
        let frozen = self.memory.len().saturating_sub(weights.len());
        let all = weights.iter().zip(gradients).zip(&self.memory[frozen..]);
        // A trunk that is as all others is in one group with them.
        let differs = self.trunk != Trunk::default();
        let wanted = |weight: &Weight<'_>| (weight.trunk && differs, weight.decays) == (trunk, decays);
        for ((weight, gradient), memory) in all.filter(|((weight, _), _)| wanted(weight)) {
            group.weights.push(weight.tensor);
            group.gradients.push(gradient);
            for (kind, tensor) in group.memory.iter_mut().zip(memory) {
                kind.push(tensor);
            }
        }
        group
    }
}

/// Shortens a gradient, all tensors together, to this length (Pascanu et al. 2013). Nothing is read back.
fn shorten(gradients: &[Tensor], longest: f64) -> Result<(), TchError> {
    let lengths = gradients.iter().map(Tensor::f_norm).collect::<Result<Vec<_>, _>>()?;
    let length = Tensor::f_stack(&lengths, 0)?.f_norm()?;
    let factor = length.f_add_scalar(TINY)?.f_reciprocal()?.f_mul_scalar(longest)?.f_clamp_max(1.0)?;
    for gradient in gradients {
        let _ = gradient.shallow_clone().f_mul_(&factor)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few numbers in two tensors, the first of which decays.
    fn weights() -> [Tensor; 2] {
        [Tensor::from_slice(&[1.0f32, -2.0, 3.0]), Tensor::from_slice(&[0.5f32])]
    }

    fn numbers(tensors: &[Tensor]) -> Vec<f64> {
        tensors.iter().flat_map(|t| (0..t.size()[0]).map(|i| t.double_value(&[i]))).collect()
    }

    /// Three steps towards 0 of the squared length, by the method.
    fn after_three_steps(method: Method, restraint: Restraint) -> Vec<f64> {
        let tensors = weights();
        let list = |tensors| -> Vec<Weight<'_>> {
            let each: &[Tensor; 2] = tensors;
            each.iter()
                .enumerate()
                .map(|(i, tensor)| Weight { tensor, decays: i == 0, trunk: i == 0 })
                .collect()
        };
        let mut optimizer = Optimizer::new(method, restraint, Trunk::default(), &list(&tensors)).unwrap();
        for _ in 0..3 {
            let gradients: Vec<Tensor> = tensors.iter().map(|tensor| tensor * 2.0).collect();
            optimizer.update(&list(&tensors), &gradients, 0.1).unwrap();
        }
        numbers(&tensors)
    }

    /// The same by the papers' formulas.
    fn expected(step: impl Fn(f64, f64, &mut [f64; 2], i32) -> f64) -> Vec<f64> {
        let mut all = numbers(&weights());
        let mut memory = [[0.0; 2]; 4];
        for n in 1..=3 {
            for (i, (x, memory)) in all.iter_mut().zip(&mut memory).enumerate() {
                let decay = if i < 3 { 0.01 } else { 0.0 };
                *x = step(*x, decay, memory, n);
            }
        }
        all
    }

    fn adam(x: f64, gradient: f64, memory: &mut [f64; 2], n: i32) -> f64 {
        memory[0] = 0.9 * memory[0] + 0.1 * gradient;
        memory[1] = 0.99 * memory[1] + 0.01 * gradient * gradient;
        let (mean, square) = (memory[0] / (1.0 - 0.9f64.powi(n)), memory[1] / (1.0 - 0.99f64.powi(n)));
        x - 0.1 * mean / (square.sqrt() + 1e-8)
    }

    #[test]
    fn steps_are_those_of_the_papers() {
        let near = |a: Vec<f64>, b: Vec<f64>| {
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} is not {b:?}");
        };
        let restraint = Restraint { weight_decay: 0.01, clip_norm: None };
        let (beta1, beta2, epsilon) = (0.9, 0.99, 1e-8);
        near(
            after_three_steps(Method::Adam { beta1, beta2, epsilon }, restraint),
            expected(|x, decay, memory, n| adam(x, 2.0 * x + decay * x, memory, n)),
        );
        near(
            after_three_steps(Method::AdamW { beta1, beta2, epsilon }, restraint),
            expected(|x, decay, memory, n| adam(x, 2.0 * x, memory, n) - 0.1 * decay * x),
        );
        near(
            after_three_steps(Method::Sgd { momentum: 0.9, nesterov: false }, restraint),
            expected(|x, decay, memory, _| {
                memory[0] = 0.9 * memory[0] + 2.0 * x + decay * x;
                x - 0.1 * memory[0]
            }),
        );
        near(
            after_three_steps(Method::Sgd { momentum: 0.9, nesterov: true }, restraint),
            expected(|x, decay, memory, _| {
                let gradient = 2.0 * x + decay * x;
                memory[0] = 0.9 * memory[0] + gradient;
                x - 0.1 * (gradient + 0.9 * memory[0])
            }),
        );
        near(
            after_three_steps(Method::Sgd { momentum: 0.0, nesterov: false }, restraint),
            expected(|x, decay, _, _| x - 0.1 * (2.0 * x + decay * x)),
        );
    }

    #[test]
    fn a_frozen_trunk_stays_and_then_steps_as_if_it_were_new() {
        for method in [
            Method::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
            Method::Sgd { momentum: 0.9, nesterov: false },
        ] {
            let none = Restraint { weight_decay: 0.0, clip_norm: None };
            let tensors = weights();
            let all: Vec<Weight<'_>> = tensors
                .iter()
                .enumerate()
                .map(|(i, tensor)| Weight { tensor, decays: i == 0, trunk: i == 0 })
                .collect();
            let trunk = Trunk { rate: 0.5, frozen_updates: 2 };
            let mut optimizer = Optimizer::new(method, none, trunk, &all).unwrap();
            for _ in 0..2 {
                optimizer.update(&all[1..], &[&tensors[1] * 2.0], 0.1).unwrap();
            }
            assert_eq!(numbers(&tensors[..1]), [1.0, -2.0, 3.0]);
            let gradients: Vec<Tensor> = tensors.iter().map(|tensor| tensor * 2.0).collect();
            optimizer.update(&all, &gradients, 0.1).unwrap();
            let fresh = weights();
            let first = [Weight { tensor: &fresh[0], decays: true, trunk: false }];
            let mut other = Optimizer::new(method, none, Trunk::default(), &first).unwrap();
            other.update(&first, &[&fresh[0] * 2.0], 0.05).unwrap();
            assert_eq!(numbers(&tensors[..1]), numbers(&fresh[..1]));
        }
    }

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_is_not() {
        let step = |clip_norm| {
            let restraint = Restraint { weight_decay: 0.0, clip_norm: Some(clip_norm) };
            let moved = after_three_steps(Method::Sgd { momentum: 0.0, nesterov: false }, restraint);
            let before = numbers(&weights());
            moved.iter().zip(before).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        assert!((step(1.0) - 0.3).abs() < 1e-4, "{}", step(1.0));
        assert!((step(1e6) - step(1e9)).abs() < 1e-9);
        assert!(step(1e6) > 1.0);
    }

    #[test]
    fn a_gradient_that_lies_otherwise_in_memory_is_laid_out() {
        let weight = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        let gradient = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([3, 2]).transpose(0, 1);
        let list = [Weight { tensor: &weight, decays: false, trunk: false }];
        let method = Method::Sgd { momentum: 0.0, nesterov: false };
        let none = Restraint { weight_decay: 0.0, clip_norm: None };
        let mut optimizer = Optimizer::new(method, none, Trunk::default(), &list).unwrap();
        optimizer.update(&list, &[gradient.shallow_clone()], 1.0).unwrap();
        assert_eq!((weight + gradient).abs().max().double_value(&[]), 0.0);
    }
}
