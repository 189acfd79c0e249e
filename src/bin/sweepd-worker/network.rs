//! A network on a device: the tensors and operations that a layer table says, and nothing else.
//!
//! All tensors are ours, by name, so that saving and copying them needs no help. Convolution weights lie in
//! memory as `[out, height, width, in]` (channels last): libtorch's convolutions then work in that layout
//! from end to end, which is faster on CPUs and GPUs; their shape remains `[out, in, height, width]`. All are f32;
//! where layers compute in bf16, they see copies of the weights, and the gradients come back as f32.

use crate::error::TrainError;
use crate::extra::extra;
use crate::functions::{activate, activate_, never_falls, soft_argmax};
use sweepd::dataset::columns::MIRRORED;
use sweepd::domain::stream::{Key, stream, uniform};
use sweepd::model::{Activation, ExtraInput, Init, LayerKind, LayerTable, Scaling, TensorSpec, Window};
use tch::{Device, Kind, TchError, Tensor};

/// The axis of channels, and of the numbers in a row.
const CHANNELS: i64 = 1;

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
    /// Whether it belongs to the trunk.
    pub trunk: bool,
}

/// A network: `[N, 1, 96, 96]` f32 in, `[N, 30]` f32 out.
pub struct Network {
    steps: Vec<Step>,
    tensors: Vec<Named>,
    /// The step from which on numbers are f32: the head.
    head: usize,
    /// The first step behind the trunk.
    trunk: usize,
    /// Whether the trunk stays as it is.
    frozen: bool,
    /// What the steps before it compute in.
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

/// What is done to what earlier steps put out.
struct Step {
    operation: Operation,
    /// Those steps; none for the image.
    from: Vec<usize>,
    /// Earlier steps whose outputs nobody needs after this one.
    last_of: Vec<usize>,
    /// Whether it may overwrite the first of its inputs: nobody else takes that.
    in_place: bool,
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
    MaxPool(Window),
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
    Add,
    Concat,
    MeanOfMaps,
    Upsample(i64),
    SoftArgmax {
        low: f64,
        high: f64,
    },
    ExtraInputs {
        which: Vec<ExtraInput>,
        scaling: Scaling,
    },
    SourceHalves,
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
        let mut steps = Vec::new();
        let mut tensors = Vec::new();
        for (number, layer) in table.layers().iter().enumerate() {
            let trunk = number < table.trunk();
            let first = tensors.len();
            for spec in &layer.tensors {
                let tensor = place(&numbers(spec)?, &spec.shape, device)?;
                let tensor = tensor.f_set_requires_grad(spec.trainable)?;
                let (trainable, decays) = (spec.trainable, spec.decays);
                tensors.push(Named { name: spec.name.clone(), tensor, trainable, decays, trunk });
            }
            let operation = operation(&layer.kind, first, device)?;
            steps.push(Step { operation, from: layer.from.clone(), last_of: Vec::new(), in_place: false });
        }
        plan_memory(&mut steps);
        pool_first(&mut steps);
        Ok(Self { steps, tensors, head: table.head(), trunk: table.trunk(), frozen: false, compute })
    }

    /// All tensors, in the order of the layer table.
    pub fn tensors(&self) -> &[Named] {
        &self.tensors
    }

    /// Whether the trunk stays as it is: then nothing is remembered for its gradient, and its batch norms use their
    /// running numbers and leave them alone.
    pub fn set_frozen(&mut self, frozen: bool) -> Result<(), TchError> {
        self.frozen = frozen;
        for named in self.tensors.iter().filter(|named| named.trunk && named.trainable) {
            let _ = named.tensor.f_set_requires_grad(!frozen)?;
        }
        Ok(())
    }

    /// The tensors that training changes at present, in order: all, or those behind the trunk.
    pub fn learning(&self) -> impl Iterator<Item = &Named> {
        self.tensors.iter().filter(|named| named.trainable && !(self.frozen && named.trunk))
    }

    /// Their numbers.
    pub fn trainable(&self) -> Vec<&Tensor> {
        self.learning().map(|named| &named.tensor).collect()
    }

    /// What the network puts out for images `[N, 1, 96, 96]`, f32, scaled: `[N, 30]`, f32, in the scale of
    /// the targets. While `training`, dropout leaves out (from libtorch's generator) and batch norms use and
    /// follow the batch.
    pub fn forward(&self, input: &Input, training: bool) -> Result<Tensor, TchError> {
        let image = input.images.f_to_kind(self.compute)?;
        let mut outputs: Vec<Option<Tensor>> = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let mut taken: Vec<Tensor> = step
                .from
                .iter()
                .filter_map(|from| outputs[*from].as_ref().map(Tensor::shallow_clone))
                .collect();
            if step.from.is_empty() {
                taken.push(image.shallow_clone());
            }
            for last in &step.last_of {
                outputs[*last] = None;
            }
            if place == self.head {
                // Eight bits of a coordinate are too few.
                for tensor in &mut taken {
                    *tensor = tensor.f_to_kind(Kind::Float)?;
                }
            }
            let training = training && !(self.frozen && place < self.trunk);
            outputs.push(Some(self.apply(step, taken, input, training)?));
        }
        outputs.pop().flatten().ok_or_else(|| TchError::Kind("a network without layers".to_owned()))
    }

    fn apply(
        &self,
        step: &Step,
        mut taken: Vec<Tensor>,
        input: &Input,
        training: bool,
    ) -> Result<Tensor, TchError> {
        let at = |index: usize| &self.tensors[index].tensor;
        let mut x = taken.remove(0);
        // Without effect, and without a copy, where both compute in f32.
        let kind = x.kind();
        let cast = |index: usize| at(index).f_to_kind(kind);
        match step.operation {
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
            Operation::Activate(function) if step.in_place => activate_(function, &mut x),
            Operation::Activate(function) => activate(function, &x),
            Operation::MaxPool(Window { size, stride, padding, ceil }) => {
                let both = |n: usize| [n as i64; 2];
                x.f_max_pool2d(both(size), both(stride), both(padding), [1; 2], ceil)
            }
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
            Operation::Add if step.in_place => taken.iter().try_fold(x, |mut sum, other| sum.f_add_(other)),
            Operation::Add => taken.iter().try_fold(x, |sum, other| sum.f_add(other)),
            Operation::Concat => {
                taken.insert(0, x);
                Tensor::f_cat(&taken, CHANNELS)
            }
            Operation::MeanOfMaps => x.f_mean_dim([2i64, 3].as_slice(), false, None),
            Operation::Upsample(side) => x.f_upsample_nearest2d([side; 2], None, None),
            Operation::SoftArgmax { low, high } => soft_argmax(&x, low, high),
            Operation::ExtraInputs { ref which, scaling } => {
                extra(&input.images, which, scaling)?.f_to_kind(self.compute)
            }
            Operation::SourceHalves => {
                let halves = x.f_chunk(2, 1)?;
                halves[1].f_where_self(&input.common, &halves[0])
            }
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

/// Which outputs each step is the last to take, and whether it is also the only one.
fn plan_memory(steps: &mut [Step]) {
    let mut takers = vec![Vec::new(); steps.len()];
    for (place, step) in steps.iter().enumerate() {
        for from in &step.from {
            takers[*from].push(place);
        }
    }
    for (from, takers) in takers.iter().enumerate() {
        if let Some(last) = takers.last() {
            steps[*last].last_of.push(from);
            steps[*last].in_place |= takers.len() == 1 && steps[*last].from.first() == Some(&from);
        }
    }
}

/// A function that never falls and the maximum of a window change places without changing a bit: done after the
/// pooling, it is done to a quarter of the numbers. Not where others take what the function gives.
fn pool_first(steps: &mut [Step]) {
    for i in 1..steps.len() {
        let [function, pool] = &mut steps[i - 1..=i] else { continue };
        let rises = matches!(function.operation, Operation::Activate(function) if never_falls(function));
        let alone = pool.in_place && pool.from == [i - 1];
        if rises && alone && matches!(pool.operation, Operation::MaxPool(_)) {
            std::mem::swap(&mut function.operation, &mut pool.operation);
        }
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
        LayerKind::MaxPool(window) => Operation::MaxPool(*window),
        LayerKind::AveragePool { size } => Operation::AveragePool(*size as i64),
        LayerKind::Flatten => Operation::Flatten,
        LayerKind::Linear { .. } => Operation::Linear { weight: first, bias: first + 1 },
        LayerKind::Heads { .. } => Operation::Heads { first },
        LayerKind::SourceOffsets => Operation::SourceOffsets { first, mirror: Mirror::new(device)? },
        LayerKind::Dropout { share } => Operation::Dropout(*share),
        LayerKind::Add => Operation::Add,
        LayerKind::Concat => Operation::Concat,
        LayerKind::MeanOfMaps => Operation::MeanOfMaps,
        LayerKind::Upsample { side } => Operation::Upsample(*side as i64),
        LayerKind::SoftArgmax { low, high } => Operation::SoftArgmax { low: *low, high: *high },
        LayerKind::ExtraInputs { which, scaling } => {
            Operation::ExtraInputs { which: which.clone(), scaling: *scaling }
        }
        LayerKind::SourceHalves => Operation::SourceHalves,
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
