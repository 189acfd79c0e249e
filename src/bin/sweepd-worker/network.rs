//! A network on a device: the tensors and operations that a layer table says, and nothing else.
//!
//! All tensors are ours, by name, so that saving and copying them needs no help. Convolution weights lie in
//! memory as `[out, height, width, in]` (channels last): libtorch's convolutions then work in that layout
//! from end to end, which is faster on CPUs and GPUs; their shape remains `[out, in, height, width]`. All are f32;
//! where layers compute in bf16, they see copies of the weights, and the gradients come back as f32.

use crate::columns;
use crate::error::TrainError;
use crate::extra::extra;
use crate::functions::{activate, activate_, never_falls, soft_argmax};
use sweepd::dataset::columns::MIRRORED;
use sweepd::domain::stream::{Key, stream, uniform};
use sweepd::model::{Activation, ExtraInput, Init, LayerKind, LayerTable, Scaling, TensorSpec, Window};
use tch::{Device, Kind, TchError, Tensor};

/// The axis of channels, and of the numbers in a row.
const CHANNELS: i64 = 1;
/// The same where those of several members are apart: `[N, members, ...]`.
const MEMBERS_CHANNELS: i64 = 2;

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

/// A network: `[N, 1, 96, 96]` f32 in, `[N, 30]` f32 out. Or `members` of them side by side: `[N, members, 96, 96]` in,
/// `[N, members * 30]` out, where the channels of one follow those of the other, and a tensor has the rows of one after
/// those of the other.
pub struct Network {
    members: i64,
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
    /// f32 `[N, members, 96, 96]`, scaled.
    pub images: Tensor,
    /// bool `[N, members]`, or `[N, 1]` for all: whether the row is of the source that labelled only the common points.
    pub common: Tensor,
    /// bool, likewise: whether the image is mirrored.
    pub mirrored: Tensor,
    /// f32 `[N, members * K]`: of each row the K columns of the dataset that the network takes; NaN where missing.
    pub numbers: Tensor,
}

/// What is done to what earlier steps put out.
#[derive(Clone)]
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
#[derive(Clone)]
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
    /// The share that each member leaves out.
    Dropout(Vec<f64>),
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
    /// Mean and deviation of each column.
    Columns {
        first: usize,
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
        Ok(Self {
            members: 1,
            steps,
            tensors,
            head: table.head(),
            trunk: table.trunk(),
            frozen: false,
            compute,
        })
    }

    /// Networks of the same layers, which may differ in what they drop, side by side: with copies of their numbers, and
    /// none of them frozen.
    pub fn side_by_side(members: &[&Self]) -> Result<Self, TchError> {
        let _guard = tch::no_grad_guard();
        let lead = members.first().ok_or_else(|| TchError::Kind("no networks".to_owned()))?;
        let together = |(place, named): (usize, &Named)| {
            let all = members.iter().map(|member| member.tensors[place].tensor.f_detach());
            let tensor = side_by_side(&all.collect::<Result<Vec<_>, _>>()?)?;
            let tensor = tensor.f_set_requires_grad(named.trainable)?;
            Ok(Named { name: named.name.clone(), tensor, ..*named })
        };
        let tensors = lead.tensors.iter().enumerate().map(together).collect::<Result<_, TchError>>()?;
        let mut steps = lead.steps.clone();
        for (place, step) in steps.iter_mut().enumerate() {
            if let Operation::Dropout(shares) = &mut step.operation {
                *shares = members.iter().flat_map(|member| member.drops(place)).copied().collect();
            }
        }
        Ok(Self { members: members.len() as i64, steps, tensors, frozen: false, ..**lead })
    }

    fn drops(&self, place: usize) -> &[f64] {
        match &self.steps[place].operation {
            Operation::Dropout(shares) => shares,
            _ => &[],
        }
    }

    /// From now on its numbers are those of a member of `whole`, by its number: whoever changes one changes the other.
    pub fn become_member(&mut self, whole: &Self, member: usize) -> Result<(), TchError> {
        for (named, all) in self.tensors.iter_mut().zip(&whole.tensors) {
            let rows = all.tensor.size().first().copied().unwrap_or(1) / whole.members;
            let part = all.tensor.f_detach()?.f_narrow(0, member as i64 * rows, rows)?;
            named.tensor = part.f_set_requires_grad(named.trainable)?;
        }
        Ok(())
    }

    /// A member's part of tensors like the trainable ones of a network of several, by its number.
    pub fn part_of(&self, tensors: &[Tensor], member: usize) -> Result<Vec<Tensor>, TchError> {
        let part = |tensor: &Tensor| {
            let rows = tensor.size().first().copied().unwrap_or(1) / self.members;
            tensor.f_narrow(0, member as i64 * rows, rows)
        };
        tensors.iter().map(part).collect()
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
        match &step.operation {
            Operation::Convolve { weight, bias, stride, padding } => {
                let bias = bias.map(cast).transpose()?;
                let (stride, padding) = (*stride, *padding);
                x.f_conv2d(&cast(*weight)?, bias.as_ref(), [stride; 2], [padding; 2], [1; 2], self.members)
            }
            &Operation::Normalise { first, momentum, epsilon } => x.f_batch_norm(
                Some(at(first)),
                Some(at(first + 1)),
                Some(at(first + 2)),
                Some(at(first + 3)),
                training,
                momentum,
                epsilon,
                true,
            ),
            &Operation::Activate(function) if step.in_place => activate_(function, &mut x),
            &Operation::Activate(function) => activate(function, &x),
            &Operation::MaxPool(Window { size, stride, padding, ceil }) => {
                let both = |n: usize| [n as i64; 2];
                x.f_max_pool2d(both(size), both(stride), both(padding), [1; 2], ceil)
            }
            &Operation::AveragePool(size) => x.f_avg_pool2d([size; 2], [size; 2], [0; 2], false, true, None),
            // Row-major order of [C, H, W], whatever the layout in memory.
            Operation::Flatten => x.f_flatten(1, -1),
            Operation::Linear { weight, bias } => self.linear(&x, &cast(*weight)?, &cast(*bias)?),
            &Operation::Heads { first } => {
                let head = |first: usize| self.apart(&self.linear(&x, at(first), at(first + 1))?);
                let of_source =
                    head(first + 2)?.f_where_self(&input.common.f_unsqueeze(-1)?, &head(first)?)?;
                of_source.f_flatten(1, -1)
            }
            Operation::SourceOffsets { first, mirror } => {
                let offset = |index: usize| {
                    let offsets = at(index).f_view([1, self.members, -1])?;
                    mirror.of(&offsets)?.f_where_self(&input.mirrored.f_unsqueeze(-1)?, &offsets)
                };
                let common = input.common.f_unsqueeze(-1)?;
                let offsets = offset(first + 1)?.f_where_self(&common, &offset(*first)?)?;
                self.apart(&x)?.f_add(&offsets)?.f_flatten(1, -1)
            }
            Operation::Dropout(_) if !training => Ok(x),
            Operation::Dropout(shares) if shares.iter().all(|share| *share == shares[0]) => {
                x.f_dropout(shares[0], training)
            }
            Operation::Dropout(shares) => {
                let keeps: Vec<f32> = shares.iter().map(|share| (1.0 - share) as f32).collect();
                let keeps = Tensor::f_from_slice(&keeps)?.f_to_device(x.device())?.f_view([1, -1, 1])?;
                let kept = self.apart(&x)?.f_rand_like()?.f_lt_tensor(&keeps)?.f_to_kind(x.kind())?;
                self.apart(&x)?.f_mul(&kept)?.f_div(&keeps.f_to_kind(x.kind())?)?.f_flatten(1, -1)
            }
            Operation::Add if step.in_place => taken.iter().try_fold(x, |mut sum, other| sum.f_add_(other)),
            Operation::Add => taken.iter().try_fold(x, |sum, other| sum.f_add(other)),
            Operation::Concat if self.members == 1 => {
                taken.insert(0, x);
                Tensor::f_cat(&taken, CHANNELS)
            }
            Operation::Concat => {
                taken.insert(0, x);
                let apart = |x: &Tensor| x.f_unflatten(CHANNELS, [self.members, -1]);
                let apart = taken.iter().map(apart).collect::<Result<Vec<_>, _>>()?;
                Tensor::f_cat(&apart, MEMBERS_CHANNELS)?.f_flatten(1, 2)
            }
            Operation::MeanOfMaps => x.f_mean_dim([2i64, 3].as_slice(), false, None),
            &Operation::Upsample(side) => x.f_upsample_nearest2d([side; 2], None, None),
            &Operation::SoftArgmax { low, high } => soft_argmax(&x, low, high),
            Operation::ExtraInputs { which, scaling } => {
                let images = input.images.f_flatten(0, 1)?.f_unsqueeze(1)?;
                let numbers = extra(&images, which, *scaling)?.f_to_kind(self.compute)?;
                numbers.f_view([x.size()[0], -1])
            }
            &Operation::Columns { first } => {
                columns::scaled(&input.numbers, at(first), at(first + 1))?.f_to_kind(self.compute)
            }
            Operation::SourceHalves => {
                let halves = self.apart(&x)?.f_chunk(2, -1)?;
                halves[1].f_where_self(&input.common.f_unsqueeze(-1)?, &halves[0])?.f_flatten(1, -1)
            }
        }
    }

    /// Keeps mean and deviation of the columns that it takes of the dataset, by rows `[N, K]` that stand for all.
    pub fn learn_columns(&self, rows: &Tensor) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for step in &self.steps {
            if let Operation::Columns { first } = step.operation {
                let [mean, deviation] = columns::spread(rows)?;
                self.tensors[first].tensor.shallow_clone().f_copy_(&mean)?;
                self.tensors[first + 1].tensor.shallow_clone().f_copy_(&deviation)?;
            }
        }
        Ok(())
    }

    /// Images `[N, 1, 96, 96]` as input that is the same for every member.
    pub fn images_for_each(&self, images: &Tensor) -> Result<Tensor, TchError> {
        images.f_expand([-1, self.members, -1, -1], false)
    }

    /// The same for numbers `[N, K]`.
    pub fn numbers_for_each(&self, numbers: &Tensor) -> Result<Tensor, TchError> {
        numbers.f_repeat([1, self.members])
    }

    /// `[N, members * n]` as `[N, members, n]`.
    fn apart(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_view([x.size()[0], self.members, -1])
    }

    /// Each member's numbers times its own matrix.
    fn linear(&self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor, TchError> {
        if self.members == 1 {
            return x.f_linear(weight, Some(bias));
        }
        let inputs = weight.size()[1];
        let weight = weight.f_view([self.members, -1, inputs])?.f_transpose(1, 2)?;
        let bias = bias.f_view([self.members, 1, -1])?;
        bias.f_baddbmm(&self.apart(x)?.f_transpose(0, 1)?, &weight, 1.0, 1.0)?
            .f_transpose(0, 1)?
            .f_flatten(1, -1)
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

/// Tensors of one shape, the rows of one after those of the other; four dimensions lie channels last.
fn side_by_side(parts: &[Tensor]) -> Result<Tensor, TchError> {
    if parts.iter().any(|part| part.dim() != 4) {
        return Tensor::f_cat(parts, 0);
    }
    let last = parts.iter().map(|part| part.f_permute([0, 2, 3, 1])?.f_contiguous());
    Tensor::f_cat(&last.collect::<Result<Vec<_>, _>>()?, 0)?.f_permute([0, 3, 1, 2])
}

/// What offsets are in a mirrored image: left and right change sides, and x its direction.
struct Mirror {
    /// i64 `[30]`.
    columns: Tensor,
    /// f32 `[30]`.
    signs: Tensor,
}

impl Clone for Mirror {
    /// The same tensors, which nobody changes.
    fn clone(&self) -> Self {
        Self { columns: self.columns.shallow_clone(), signs: self.signs.shallow_clone() }
    }
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

    /// f32 `[1, members, 30]` of such offsets.
    fn of(&self, offsets: &Tensor) -> Result<Tensor, TchError> {
        offsets.f_index_select(-1, &self.columns)?.f_mul(&self.signs)
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
        LayerKind::Dropout { share } => Operation::Dropout(vec![*share]),
        LayerKind::Add => Operation::Add,
        LayerKind::Concat => Operation::Concat,
        LayerKind::MeanOfMaps => Operation::MeanOfMaps,
        LayerKind::Upsample { side } => Operation::Upsample(*side as i64),
        LayerKind::SoftArgmax { low, high } => Operation::SoftArgmax { low: *low, high: *high },
        LayerKind::ExtraInputs { which, scaling } => {
            Operation::ExtraInputs { which: which.clone(), scaling: *scaling }
        }
        LayerKind::Columns { .. } => Operation::Columns { first },
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
