//! A network on a device: the tensors and operations that a layer table says, and nothing else.
//!
//! All tensors are ours, by name, so that saving and copying them needs no help. Convolution weights lie in
//! memory as `[out, height, width, in]` (channels last): libtorch's convolutions then work in that layout
//! from end to end, which is faster on CPUs and GPUs; their shape remains `[out, in, height, width]`. All are f32;
//! where layers compute in bf16, they see copies of the weights, and the gradients come back as f32.

use crate::error::TrainError;
use crate::shim;
use sweepd::dataset::columns::MIRRORED;
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
    /// bool `[N, 1]`: whether the image is mirrored.
    pub mirrored: Tensor,
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
    /// Those of one source, then of the other, and where a mirrored image has them.
    SourceOffsets {
        first: usize,
        mirror: Mirror,
    },
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
            operations.push(operation(&layer.kind, first, device)?);
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
            x = self.apply(operation, x, input, training)?;
        }
        Ok(x)
    }

    fn apply(
        &self,
        operation: &Operation,
        mut x: Tensor,
        input: &Input,
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
                head(first + 2)?.f_where_self(&input.common, &head(first)?)
            }
            Operation::SourceOffsets { first, ref mirror } => {
                let offset = |index: usize| {
                    mirror.of(at(index))?.f_where_self(&input.mirrored, &at(index).f_unsqueeze(0)?)
                };
                x.f_add(&offset(first + 1)?.f_where_self(&input.common, &offset(first)?)?)
            }
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
            shim::leaky_relu_(x, slope)?;
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

/// What offsets are in a mirrored image: left and right change sides, and x its direction.
struct Mirror {
    /// i64 `[30]`.
    columns: Tensor,
    /// f32 `[30]`.
    signs: Tensor,
}

impl Mirror {
    fn new(device: Device) -> Result<Self, TchError> {
        let columns: Vec<i64> =
            MIRRORED.iter().flat_map(|point| [2 * *point as i64, 2 * *point as i64 + 1]).collect();
        let signs = [-1f32, 1.0].repeat(MIRRORED.len());
        Ok(Self {
            columns: Tensor::f_from_slice(&columns)?.f_to_device(device)?,
            signs: Tensor::f_from_slice(&signs)?.f_to_device(device)?,
        })
    }

    /// f32 `[1, 30]` of offsets `[30]`.
    fn of(&self, offsets: &Tensor) -> Result<Tensor, TchError> {
        offsets.f_index_select(0, &self.columns)?.f_mul(&self.signs)?.f_unsqueeze(0)
    }
}

fn operation(kind: &LayerKind, first: usize, device: Device) -> Result<Operation, TchError> {
    Ok(match kind {
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
        LayerKind::SourceOffsets => Operation::SourceOffsets { first, mirror: Mirror::new(device)? },
        LayerKind::Dropout { share } => Operation::Dropout(*share),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use sweepd::domain::Params;
    use sweepd::model::Plan;

    fn network(text: &str) -> Network {
        let params: Params = serde_json::from_str(text).unwrap();
        let plan = Plan::from_params(&params).unwrap();
        Network::initial(plan.layers(), 5, Device::Cpu, Kind::Float).unwrap()
    }

    fn input(common: bool, mirrored: bool) -> Input {
        tch::manual_seed(3);
        let flag = |flag: bool| Tensor::from_slice(&[flag, flag]).view([2, 1]);
        Input {
            images: Tensor::rand([2, 1, 96, 96], (Kind::Float, Device::Cpu)),
            common: flag(common),
            mirrored: flag(mirrored),
        }
    }

    fn named<'a>(network: &'a Network, name: &str) -> &'a Tensor {
        &network.tensors().iter().find(|named| named.name == name).unwrap().tensor
    }

    #[test]
    fn a_function_after_the_pooling_gives_the_same_bits() {
        let _guard = tch::no_grad_guard();
        for function in ["relu", "leaky_relu", "elu", "selu", "tanh", "gelu", "silu"] {
            let text = format!(
                r#"{{ "filters": [4], "dense": [], "batch_norm": false, "activation": "{function}", "leaky_slope": 0.2 }}"#
            );
            let network = network(&text);
            let input = input(false, false);
            let (weight, bias) =
                (named(&network, "block1.conv1.weight"), named(&network, "block1.conv1.bias"));
            let x = input.images.conv2d(weight, Some(bias), [1; 2], [1; 2], [1; 2], 1);
            let x = match function {
                "relu" => x.relu(),
                "leaky_relu" => x.prelu(&Tensor::from_slice(&[0.2f32])),
                "elu" => x.elu(),
                "selu" => x.selu(),
                "tanh" => x.tanh(),
                "gelu" => x.gelu("none"),
                _ => x.silu(),
            };
            let x = x.max_pool2d([2; 2], [2; 2], [0; 2], [1; 2], false).flatten(1, -1);
            let expected = x.linear(named(&network, "head.weight"), Some(named(&network, "head.bias")));
            let out = network.forward(&input, false).unwrap();
            assert_eq!((out - expected).abs().max().double_value(&[]), 0.0, "{function}");
        }
    }

    #[test]
    fn rows_of_each_source_take_their_own_head_and_offsets() {
        let _guard = tch::no_grad_guard();
        let network = network(r#"{ "filters": [2], "dense": [3], "sources": "heads" }"#);
        let plain = |common| network.forward(&input(common, false), false).unwrap();
        let (full, common) = (plain(false), plain(true));
        assert!((&full - &common).abs().max().double_value(&[]) > 1e-3);
        // Mirrored, the left eye's place has the right eye's offset, and x runs the other way.
        let offset = named(&network, "head_common.offset").shallow_clone();
        for (column, value) in [(0, 0.5), (1, 0.25), (2, 1.0)] {
            let _ = offset.get(column).fill_(value);
        }
        let near = |moved: Tensor, from: &Tensor, by: [f64; 4]| {
            for (column, by) in by.into_iter().enumerate() {
                let at = [0, column as i64];
                assert!((moved.double_value(&at) - from.double_value(&at) - by).abs() < 1e-6);
            }
        };
        near(plain(true), &common, [0.5, 0.25, 1.0, 0.0]);
        near(plain(false), &full, [0.0; 4]);
        near(network.forward(&input(true, true), false).unwrap(), &common, [-1.0, 0.0, -0.5, 0.25]);
    }
}
