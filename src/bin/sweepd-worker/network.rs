//! A network on a device: the tensors and operations that a layer table says, and nothing else.
//!
//! All tensors are ours, by name, so that saving and copying them needs no help. Convolution weights lie in
//! memory as `[out, height, width, in]` (channels last): libtorch's convolutions then work in that layout
//! from end to end, which is faster on CPUs and GPUs; their shape remains `[out, in, height, width]`. All are f32;
//! where layers compute in bf16, they see copies of the weights, and the gradients come back as f32.

use crate::error::TrainError;
use crate::fused;
use sweepd::domain::stream::{Key, stream, uniform};
use sweepd::model::{Activation, Init, LayerKind, LayerTable, TensorSpec};
use tch::{Device, Kind, TchError, Tensor};

/// One of a network's tensors, f32.
pub struct Named {
    /// Its name in the layer table.
    pub name: String,
    /// Its numbers.
    pub tensor: Tensor,
    /// Whether the optimiser changes it.
    pub trainable: bool,
    /// Whether weight decay acts on it.
    pub decays: bool,
}

/// A network: `[N, 1, 96, 96]` f32 in, `[N, 30]` f32 out.
pub struct Network {
    operations: Vec<Operation>,
    tensors: Vec<Named>,
    /// What its layers compute in; the last one, the head, always in f32.
    compute: Kind,
}

/// What a network is given for a batch.
pub struct Input {
    /// f32 `[N, 1, 96, 96]`, scaled.
    pub images: Tensor,
    /// bool `[N, 1]`: whether the row is of the source that labelled only the common points.
    pub common: Tensor,
}

/// What is done to what comes in; numbers are indexes of tensors.
enum Operation {
    Convolve {
        weight: usize,
        bias: Option<usize>,
        stride: i64,
        padding: i64,
    },
    /// Scale, shift, running mean and running variance follow each other.
    Normalise {
        first: usize,
        momentum: f64,
        epsilon: f64,
    },
    Activate(Activation),
    MaxPool(i64),
    AveragePool(i64),
    Flatten,
    Linear {
        weight: usize,
        bias: usize,
    },
    /// Both heads, of which each row takes its own source's: weight and bias of one, then of the other.
    Heads {
        first: usize,
    },
    /// Is added for rows with only the common points.
    SourceOffset(usize),
    Dropout(f64),
}

impl Network {
    /// A network with the initial numbers that the layer table asks for, drawn from streams of `seed`: the
    /// same on every device.
    pub fn initial(table: &LayerTable, seed: u64, device: Device, compute: Kind) -> Result<Self, TrainError> {
        Self::build(table, device, compute, |spec| Ok(initial_numbers(spec, seed)))
    }

    /// A network whose tensors are filled with what `numbers` gives, in row-major order.
    pub fn build(
        table: &LayerTable,
        device: Device,
        compute: Kind,
        mut numbers: impl FnMut(&TensorSpec) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Self, TrainError> {
        let mut operations = Vec::new();
        let mut tensors = Vec::new();
        for layer in table.layers() {
            let first = tensors.len();
            for spec in &layer.tensors {
                let tensor = place(&numbers(spec)?, &spec.shape, device)?;
                let tensor = tensor.f_set_requires_grad(spec.trainable)?;
                let (trainable, decays) = (spec.trainable, spec.decays);
                tensors.push(Named { name: spec.name.clone(), tensor, trainable, decays });
            }
            operations.push(operation(&layer.kind, first));
        }
        pool_first(&mut operations);
        Ok(Self { operations, tensors, compute })
    }

    /// All tensors, in the order of the layer table.
    pub fn tensors(&self) -> &[Named] {
        &self.tensors
    }

    /// The tensors that training changes, in order.
    pub fn trainable(&self) -> Vec<&Tensor> {
        self.tensors.iter().filter(|named| named.trainable).map(|named| &named.tensor).collect()
    }

    /// What the network puts out for images `[N, 1, 96, 96]`, f32, scaled: `[N, 30]`, f32, in the scale of
    /// the targets. While `training`, dropout leaves out (from libtorch's generator) and batch norms use and
    /// follow the batch.
    pub fn forward(&self, input: &Input, training: bool) -> Result<Tensor, TchError> {
        let mut x = input.images.f_to_kind(self.compute)?;
        let head = self.operations.iter().rposition(Operation::is_dense).unwrap_or(0);
        for (i, operation) in self.operations.iter().enumerate() {
            if i == head {
                // Eight bits of a coordinate are too few.
                x = x.f_to_kind(Kind::Float)?;
            }
            x = self.apply(operation, x, &input.common, training)?;
        }
        Ok(x)
    }

    fn apply(
        &self,
        operation: &Operation,
        mut x: Tensor,
        common: &Tensor,
        training: bool,
    ) -> Result<Tensor, TchError> {
        let at = |index: usize| &self.tensors[index].tensor;
        // Without effect, and without a copy, where both compute in f32.
        let kind = x.kind();
        let cast = |index: usize| at(index).f_to_kind(kind);
        match *operation {
            Operation::Convolve { weight, bias, stride, padding } => {
                let bias = bias.map(cast).transpose()?;
                x.f_conv2d(&cast(weight)?, bias.as_ref(), [stride; 2], [padding; 2], [1; 2], 1)
            }
            Operation::Normalise { first, momentum, epsilon } => x.f_batch_norm(
                Some(at(first)),
                Some(at(first + 1)),
                Some(at(first + 2)),
                Some(at(first + 3)),
                training,
                momentum,
                epsilon,
                true,
            ),
            Operation::Activate(function) => activate(function, &mut x),
            Operation::MaxPool(size) => x.f_max_pool2d([size; 2], [size; 2], [0; 2], [1; 2], false),
            Operation::AveragePool(size) => x.f_avg_pool2d([size; 2], [size; 2], [0; 2], false, true, None),
            // Row-major order of [C, H, W], whatever the layout in memory.
            Operation::Flatten => x.f_flatten(1, -1),
            Operation::Linear { weight, bias } => x.f_linear(&cast(weight)?, Some(&cast(bias)?)),
            Operation::Heads { first } => {
                let head = |first: usize| x.f_linear(at(first), Some(at(first + 1)));
                head(first + 2)?.f_where_self(common, &head(first)?)
            }
            Operation::SourceOffset(offset) => x.f_add(&common.f_to_kind(kind)?.f_mul(at(offset))?),
            Operation::Dropout(share) => x.f_dropout(share, training),
        }
    }

    /// Copies of all tensors, in order: a snapshot that training does not change.
    pub fn snapshot(&self) -> Result<Vec<Tensor>, TchError> {
        let _guard = tch::no_grad_guard();
        let copied = |named: &Named| {
            let mut copy = named.tensor.f_detach()?.f_empty_like()?;
            copy.f_copy_(&named.tensor)?;
            Ok(copy)
        };
        self.tensors.iter().map(copied).collect()
    }
}

/// Each number through a function. Where its backward pass needs only its result, in place: that saves
/// memory and a pass over it.
fn activate(function: Activation, x: &mut Tensor) -> Result<Tensor, TchError> {
    match function {
        Activation::Relu => x.f_relu_(),
        Activation::Elu => x.f_elu_(),
        Activation::Selu => x.f_selu_(),
        Activation::Sigmoid => x.f_sigmoid_(),
        Activation::Tanh => x.f_tanh_(),
        Activation::Gelu => x.f_gelu("none"),
        Activation::Silu => x.f_silu(),
        Activation::LeakyRelu { slope } => {
            fused::leaky_relu_(x, slope)?;
            Ok(x.shallow_clone())
        }
    }
}

/// A function that never falls and the maximum of a window change places without changing a bit: done after the
/// pooling, it is done to a quarter of the numbers.
fn pool_first(operations: &mut [Operation]) {
    for i in 1..operations.len() {
        let rises = matches!(operations[i - 1], Operation::Activate(function) if never_falls(function));
        if rises && matches!(operations[i], Operation::MaxPool(_)) {
            operations.swap(i - 1, i);
        }
    }
}

fn never_falls(function: Activation) -> bool {
    match function {
        Activation::LeakyRelu { slope } => slope >= 0.0,
        Activation::Gelu | Activation::Silu => false,
        Activation::Relu | Activation::Elu | Activation::Selu | Activation::Sigmoid | Activation::Tanh => {
            true
        }
    }
}

impl Operation {
    fn is_dense(&self) -> bool {
        matches!(self, Self::Linear { .. } | Self::Heads { .. })
    }
}

fn operation(kind: &LayerKind, first: usize) -> Operation {
    match kind {
        LayerKind::Conv2d { stride, padding, bias, .. } => Operation::Convolve {
            weight: first,
            bias: bias.then_some(first + 1),
            stride: *stride as i64,
            padding: *padding as i64,
        },
        LayerKind::BatchNorm { momentum, epsilon, .. } => {
            Operation::Normalise { first, momentum: *momentum, epsilon: *epsilon }
        }
        LayerKind::Activation(function) => Operation::Activate(*function),
        LayerKind::MaxPool { size } => Operation::MaxPool(*size as i64),
        LayerKind::AveragePool { size } => Operation::AveragePool(*size as i64),
        LayerKind::Flatten => Operation::Flatten,
        LayerKind::Linear { .. } => Operation::Linear { weight: first, bias: first + 1 },
        LayerKind::Heads { .. } => Operation::Heads { first },
        LayerKind::SourceOffset => Operation::SourceOffset(first),
        LayerKind::Dropout { share } => Operation::Dropout(*share),
    }
}

fn initial_numbers(spec: &TensorSpec, seed: u64) -> Vec<f32> {
    match spec.init {
        Init::Constant { value } => vec![value as f32; spec.numel()],
        Init::Uniform { bound } => {
            let mut random = stream(seed, "init", &[Key::Name(&spec.name)]);
            (0..spec.numel()).map(|_| ((2.0 * uniform(&mut random) - 1.0) * bound) as f32).collect()
        }
    }
}

/// A tensor of row-major numbers on a device; four dimensions lie channels last.
fn place(numbers: &[f32], shape: &[usize], device: Device) -> Result<Tensor, TchError> {
    let shape: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
    let tensor = Tensor::f_from_slice(numbers)?.f_view(shape.as_slice())?;
    let tensor = if shape.len() == 4 {
        tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?
    } else {
        tensor
    };
    tensor.f_to_device(device)
}
