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
use sweepd::model::{Activation, Init, LayerKind, LayerTable, TensorSpec, Window};
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
}

/// A network: `[N, 1, 96, 96]` f32 in, `[N, 30]` f32 out.
pub struct Network {
    steps: Vec<Step>,
    tensors: Vec<Named>,
    /// The step from which on numbers are f32: the head.
    head: usize,
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
        for layer in table.layers() {
            let first = tensors.len();
            for spec in &layer.tensors {
                let tensor = place(&numbers(spec)?, &spec.shape, device)?;
                let tensor = tensor.f_set_requires_grad(spec.trainable)?;
                let (trainable, decays) = (spec.trainable, spec.decays);
                tensors.push(Named { name: spec.name.clone(), tensor, trainable, decays });
            }
            let operation = operation(&layer.kind, first, device)?;
            steps.push(Step { operation, from: layer.from.clone(), last_of: Vec::new(), in_place: false });
        }
        plan_memory(&mut steps);
        pool_first(&mut steps);
        Ok(Self { steps, tensors, head: table.head(), compute })
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
        if matches!(step.operation, Operation::Concat) {
            return Tensor::f_cat(&taken, CHANNELS);
        }
        let mut x = taken.swap_remove(0);
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
            Operation::Concat => Ok(x),
            Operation::MeanOfMaps => x.f_mean_dim([2i64, 3].as_slice(), false, None),
            Operation::Upsample(side) => x.f_upsample_nearest2d([side; 2], None, None),
            Operation::SoftArgmax { low, high } => soft_argmax(&x, low, high),
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

/// Each number through a function. Where its backward pass needs only its result, in place: that saves
/// memory and a pass over it.
fn activate_(function: Activation, x: &mut Tensor) -> Result<Tensor, TchError> {
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
fn activate(function: Activation, x: &Tensor) -> Result<Tensor, TchError> {
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
fn soft_argmax(maps: &Tensor, low: f64, high: f64) -> Result<Tensor, TchError> {
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

fn never_falls(function: Activation) -> bool {
    match function {
        Activation::LeakyRelu { slope } => slope >= 0.0,
        Activation::Gelu | Activation::Silu => false,
        Activation::Relu | Activation::Elu | Activation::Selu | Activation::Sigmoid | Activation::Tanh => {
            true
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
    fn a_residual_unit_adds_what_it_takes() {
        let _guard = tch::no_grad_guard();
        let unit = |zero_init: bool| {
            network(&format!(
                r#"{{ "family": "residual", "filters": [2], "depth": 2, "dense": [], "zero_init": {zero_init} }}"#
            ))
        };
        let input = input(false, false);
        let conv = |network: &Network, x: &Tensor, name: &str, stride| {
            let weight = named(network, &format!("{name}.weight"));
            x.conv2d(weight, None::<Tensor>, [stride; 2], [1; 2], [1; 2], 1)
        };
        let norm = |network: &Network, x: &Tensor, name: &str| {
            let of = |what: &str| Some(named(network, &format!("{name}.{what}")));
            x.batch_norm(
                of("weight"),
                of("bias"),
                of("running_mean"),
                of("running_var"),
                false,
                0.1,
                1e-5,
                true,
            )
        };
        for zero_init in [true, false] {
            let network = unit(zero_init);
            let mut x = norm(&network, &conv(&network, &input.images, "stem.conv", 2), "stem.norm").relu();
            for u in ["block1.unit1", "block1.unit2"].iter().filter(|_| !zero_init) {
                let first =
                    norm(&network, &conv(&network, &x, &format!("{u}.conv1"), 1), &format!("{u}.norm1"));
                let second = conv(&network, &first.relu(), &format!("{u}.conv2"), 1);
                x = (norm(&network, &second, &format!("{u}.norm2")) + x).relu();
            }
            let (weight, bias) = (named(&network, "head.weight"), named(&network, "head.bias"));
            let expected = x.flatten(1, -1).linear(weight, Some(bias));
            let out = network.forward(&input, false).unwrap();
            assert!((out - expected).abs().max().double_value(&[]) < 1e-6, "zero_init: {zero_init}");
        }
    }

    #[test]
    fn a_heat_map_points_to_where_its_weight_lies() {
        let maps = Tensor::zeros([1, 2, 4, 4], (Kind::Float, Device::Cpu));
        // Row 1, column 3 of the first; even weight in the second.
        let _ = maps.get(0).get(0).get(1).get(3).fill_(50.0);
        let at = |low, high| Vec::<f32>::try_from(soft_argmax(&maps, low, high).unwrap().view(-1)).unwrap();
        let near =
            |a: Vec<f32>, b: [f32; 4]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?}");
        near(at(0.0, 96.0), [84.0, 36.0, 48.0, 48.0]);
        near(at(-1.0, 1.0), [0.75, -0.25, 0.0, 0.0]);
    }

    #[test]
    fn heat_maps_learn_in_bf16_and_have_halves_for_each_source() {
        let text = r#"{ "family": "residual", "filters": [2, 4], "head": "heatmap", "heatmap_filters": 3,
                        "sources": "heads" }"#;
        let params: Params = serde_json::from_str(text).unwrap();
        let plan = Plan::from_params(&params).unwrap();
        let network = Network::initial(plan.layers(), 5, Device::Cpu, Kind::BFloat16).unwrap();
        let out = network.forward(&input(false, false), true).unwrap();
        assert_eq!((out.size(), out.kind()), (vec![2, 30], Kind::Float));
        let loss = out.square().sum(Kind::Float);
        let gradients = Tensor::f_run_backward(&[loss], &network.trainable(), false, false).unwrap();
        assert!(gradients.iter().all(|g| g.isfinite().all().int64_value(&[]) == 1));
        let _guard = tch::no_grad_guard();
        let (full, common) =
            (network.forward(&input(false, false), false), network.forward(&input(true, false), false));
        assert!((full.unwrap() - common.unwrap()).abs().max().double_value(&[]) > 1e-4);
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
