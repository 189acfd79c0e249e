//! What of libtorch tch does not give (`shim.cpp`): optimisers that change all tensors in one pass, a leaky ReLU with
//! a slope, and which kernels a GPU uses.

use std::ffi::{CStr, c_char};
use tch::{TchError, Tensor};

/// Pointers to C++ tensors.
type List = *const *const std::ffi::c_void;

unsafe extern "C" {
    fn sweepd_adam(
        weights: List,
        gradients: List,
        means: List,
        squares: List,
        count: i64,
        updates: *const std::ffi::c_void,
        rate: f64,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        decay: f64,
        decoupled: i32,
    ) -> *const c_char;
    fn sweepd_sgd(
        weights: List,
        gradients: List,
        velocities: List,
        count: i64,
        rate: f64,
        momentum: f64,
        nesterov: i32,
        decay: f64,
    ) -> *const c_char;
    fn sweepd_lerp(from: List, to: List, count: i64, share: f64) -> *const c_char;
    fn sweepd_settle_kernels() -> *const c_char;
    fn sweepd_leaky_relu(x: *const std::ffi::c_void, slope: f64) -> *const c_char;
}

/// Adam's settings at one step.
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// Whether the decay acts on the weights themselves (AdamW) instead of on the gradient.
    pub decoupled: bool,
}

/// Some weights, their gradients, and what an optimiser remembers of them; equally many of each.
#[derive(Default)]
pub struct Group<'a> {
    pub weights: Vec<&'a Tensor>,
    pub gradients: Vec<&'a Tensor>,
    /// By kind of memory, such as means and squares.
    pub memory: Vec<Vec<&'a Tensor>>,
}

impl Group<'_> {
    /// One step of Adam. `updates` is its number, from 1: an f32 scalar on the weights' device.
    pub fn adam(&self, settings: Adam, rate: f64, decay: f64, updates: &Tensor) -> Result<(), TchError> {
        let (weights, gradients) = (pointers(&self.weights), pointers(&self.gradients));
        let [means, squares] = self.memory.as_slice() else {
            return Err(TchError::Kind("adam remembers two tensors for each weight".to_owned()));
        };
        let (means, squares) = (pointers(means), pointers(squares));
        self.check(&[&weights, &gradients, &means, &squares])?;
        let Adam { beta1, beta2, epsilon, decoupled } = settings;
        // SAFETY: every list holds `count` pointers to tensors that live as long as this call; no exception
        // gets out.
        let problem = unsafe {
            sweepd_adam(
                weights.as_ptr(),
                gradients.as_ptr(),
                means.as_ptr(),
                squares.as_ptr(),
                weights.len() as i64,
                updates.as_ptr().cast(),
                rate,
                beta1,
                beta2,
                epsilon,
                decay,
                i32::from(decoupled),
            )
        };
        done(problem)
    }

    /// One step of gradient descent; without memory, there is no momentum.
    pub fn sgd(&self, momentum: f64, nesterov: bool, rate: f64, decay: f64) -> Result<(), TchError> {
        let (weights, gradients) = (pointers(&self.weights), pointers(&self.gradients));
        let velocities = self.memory.first().map(|all| pointers(all));
        self.check(&[&weights, &gradients, velocities.as_ref().unwrap_or(&weights)])?;
        // SAFETY: as above.
        let problem = unsafe {
            sweepd_sgd(
                weights.as_ptr(),
                gradients.as_ptr(),
                velocities.as_ref().map_or(std::ptr::null(), Vec::as_ptr),
                weights.len() as i64,
                rate,
                momentum,
                i32::from(nesterov),
                decay,
            )
        };
        done(problem)
    }

    fn check(&self, lists: &[&Vec<*const std::ffi::c_void>]) -> Result<(), TchError> {
        let even = lists.iter().all(|list| list.len() == self.weights.len());
        if even { Ok(()) } else { Err(TchError::Shape("an optimiser's lists differ in length".to_owned())) }
    }
}

/// Moves each tensor this share of the way to another, in place.
pub fn lerp_(from: &[&Tensor], to: &[&Tensor], share: f64) -> Result<(), TchError> {
    if from.len() != to.len() {
        return Err(TchError::Shape("lists of tensors differ in length".to_owned()));
    }
    let (from, to) = (pointers(from), pointers(to));
    // SAFETY: both lists hold `count` pointers to tensors that live as long as this call; no exception gets out.
    done(unsafe { sweepd_lerp(from.as_ptr(), to.as_ptr(), from.len() as i64, share) })
}

/// Has GPUs compute with kernels that give the same bits every time (the fastest one may differ from run to run, and so
/// would the results), which may use TF32 where numbers are f32.
pub fn settle_kernels() -> Result<(), TchError> {
    // SAFETY: sets flags of libtorch's; no exception gets out.
    done(unsafe { sweepd_settle_kernels() })
}

/// Multiplies negative numbers by `slope`, in place.
pub fn leaky_relu_(x: &Tensor, slope: f64) -> Result<(), TchError> {
    // SAFETY: the pointer is to a tensor that lives as long as this call; no exception gets out.
    done(unsafe { sweepd_leaky_relu(x.as_ptr().cast(), slope) })
}

fn pointers(tensors: &[&Tensor]) -> Vec<*const std::ffi::c_void> {
    tensors.iter().map(|tensor| tensor.as_ptr().cast()).collect()
}

fn done(problem: *const c_char) -> Result<(), TchError> {
    if problem.is_null() {
        return Ok(());
    }
    // SAFETY: a C string that stays valid until this thread's next call.
    let text = unsafe { CStr::from_ptr(problem) };
    Err(TchError::Torch(text.to_string_lossy().into_owned()))
}
