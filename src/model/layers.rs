//! The layer table: what an architecture amounts to, layer by layer, tensor by tensor.

use super::architecture::{Architecture, BatchNorm, Convolutions, Head};
use super::choices::{Activation, NormPlace, Pooling, Sources};
use super::problem::Problem;
use super::{CHANNELS, OUTPUTS, SIDE_PX};
use serde::{Serialize, Serializer};
use std::fmt;

/// All layers of a network, from the image to the keypoints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerTable {
    layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Its name, unique in the table: `block1.conv1`.
    pub name: String,
    /// What it does.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// What it puts out for one image.
    pub output: Shape,
    /// Its numbers that training changes, and those that only follow along (batch norm's running ones).
    pub tensors: Vec<TensorSpec>,
}

/// What a layer does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerKind {
    /// A convolution, padded by half its kernel: without a stride, output and input are equally large.
    Conv2d {
        /// Feature maps in.
        inputs: usize,
        /// Feature maps out.
        outputs: usize,
        /// Height and width of the kernel.
        kernel: usize,
        /// 1, or 2 to halve height and width.
        stride: usize,
        /// Zeros added on each side.
        padding: usize,
        /// Whether it has a bias.
        bias: bool,
    },
    /// Batch normalisation over each feature map.
    BatchNorm {
        /// Feature maps.
        features: usize,
        /// Share of each batch in the running mean and variance.
        momentum: f64,
        /// Added to the variance.
        epsilon: f64,
    },
    /// A function of each number.
    Activation(Activation),
    /// The maximum of each `size` x `size`.
    MaxPool {
        /// Height, width and stride.
        size: usize,
    },
    /// The mean of each `size` x `size`.
    AveragePool {
        /// Height, width and stride.
        size: usize,
    },
    /// Feature maps to one row of numbers.
    Flatten,
    /// A dense layer.
    Linear {
        /// Numbers in.
        inputs: usize,
        /// Numbers out.
        outputs: usize,
    },
    /// Two dense layers: one for rows with all points, one for those with only the common ones.
    Heads {
        /// Numbers in.
        inputs: usize,
        /// Numbers out.
        outputs: usize,
    },
    /// Adds numbers to what comes in: some for rows with all points, others for those with only the common ones. In a
    /// mirrored image they change sides and direction.
    SourceOffsets,
    /// Leaves out a share of its inputs while training.
    Dropout {
        /// The share.
        share: f64,
    },
}

/// What a layer puts out for one image. Serialised as a list: `[C, H, W]` or `[width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Feature maps.
    Maps {
        /// How many.
        channels: usize,
        /// Height and width of each.
        side: usize,
    },
    /// A row of numbers.
    Row(usize),
}

impl LayerKind {
    /// The word that it is serialised with.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv2d",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Activation(_) => "activation",
            Self::MaxPool { .. } => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::Flatten => "flatten",
            Self::Linear { .. } => "linear",
            Self::Heads { .. } => "heads",
            Self::SourceOffsets => "source_offsets",
            Self::Dropout { .. } => "dropout",
        }
    }
}

impl Shape {
    /// `[C, H, W]` or `[width]`.
    #[must_use]
    pub fn dimensions(self) -> Vec<usize> {
        match self {
            Self::Maps { channels, side } => vec![channels, side, side],
            Self::Row(width) => vec![width],
        }
    }

    /// How many numbers.
    #[must_use]
    pub fn numel(self) -> usize {
        match self {
            Self::Maps { channels, side } => channels * side * side,
            Self::Row(width) => width,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maps { channels, side } => write!(f, "{channels} x {side} x {side}"),
            Self::Row(width) => width.fmt(f),
        }
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dimensions().serialize(serializer)
    }
}

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
    fn weights(fan_in: usize, fan_out: usize, then: Option<Activation>) -> Self {
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
    fn last(fan_in: usize) -> Self {
        Self::Uniform { bound: LAST * (3.0 / fan_in as f64).sqrt() }
    }
}

/// Share of the usual deviation that the weights of a last layer begin with.
const LAST: f64 = 0.1;

impl Layer {
    /// How many numbers it holds, trainable or not.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(|t| t.numel() as u64).sum()
    }
}

impl LayerTable {
    /// The layers in order.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All tensors, in the order of the layers.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorSpec> {
        self.layers.iter().flat_map(|layer| &layer.tensors)
    }

    /// How many numbers the network holds, as Keras counts: with batch norm's running ones.
    #[must_use]
    pub fn parameter_count(&self) -> u64 {
        self.tensors().map(|t| t.numel() as u64).sum()
    }

    /// How many of them training changes.
    #[must_use]
    pub fn trainable_count(&self) -> u64 {
        self.tensors().filter(|t| t.trainable).map(|t| t.numel() as u64).sum()
    }

    /// Multiplications, each with an addition, for one image on its way forwards; the way back takes twice as many.
    #[must_use]
    pub fn multiply_adds(&self) -> u64 {
        let of = |layer: &Layer| match layer.kind {
            LayerKind::Conv2d { inputs, kernel, .. } => layer.output.numel() * inputs * kernel * kernel,
            LayerKind::Linear { inputs, outputs } => inputs * outputs,
            LayerKind::Heads { inputs, outputs } => 2 * inputs * outputs,
            _ => 0,
        };
        self.layers.iter().map(|layer| of(layer) as u64).sum()
    }

    /// The table of an architecture for grey images of 96 x 96 and 15 keypoints.
    pub(crate) fn build(architecture: &Architecture) -> Result<Self, Problem> {
        let mut builder =
            Builder { layers: Vec::new(), shape: Shape::Maps { channels: CHANNELS, side: SIDE_PX } };
        if let Some(convolutions) = &architecture.convolutions {
            builder.convolutions(convolutions)?;
        }
        builder.push("flatten", LayerKind::Flatten, Shape::Row(builder.shape.numel()), Vec::new());
        for (i, dense) in architecture.dense.iter().enumerate() {
            let name = format!("dense{}", i + 1);
            builder.linear(&name, dense.width, Some(dense.activation));
            builder.keep(&format!("{name}.activation"), LayerKind::Activation(dense.activation));
            if dense.dropout > 0.0 {
                builder.keep(&format!("{name}.dropout"), LayerKind::Dropout { share: dense.dropout });
            }
        }
        builder.head(architecture.sources);
        if architecture.head == Head::Sigmoid {
            builder.keep("head.activation", LayerKind::Activation(Activation::Sigmoid));
        }
        Ok(Self { layers: builder.layers })
    }
}

struct Builder {
    layers: Vec<Layer>,
    shape: Shape,
}

impl Builder {
    fn push(&mut self, name: &str, kind: LayerKind, output: Shape, tensors: Vec<TensorSpec>) {
        self.shape = output;
        self.layers.push(Layer { name: name.to_owned(), kind, output, tensors });
    }

    /// A layer that keeps the shape and holds nothing.
    fn keep(&mut self, name: &str, kind: LayerKind) {
        self.push(name, kind, self.shape, Vec::new());
    }

    fn convolutions(&mut self, all: &Convolutions) -> Result<(), Problem> {
        let last = all.blocks.len() - 1;
        for (b, block) in all.blocks.iter().enumerate() {
            let pools = b < last || all.pool_last;
            for c in 0..all.per_block {
                let stride = pools && all.pooling == Pooling::Stride && c + 1 == all.per_block;
                let names = |what| format!("block{}.{what}{}", b + 1, c + 1);
                self.conv(&names("conv"), block.filters, block.kernel, if stride { 2 } else { 1 }, all);
                if let Some(norm) = all.norm.filter(|norm| norm.place == NormPlace::Before) {
                    self.norm(&names("norm"), &norm);
                }
                self.keep(&names("activation"), LayerKind::Activation(all.activation));
                if let Some(norm) = all.norm.filter(|norm| norm.place == NormPlace::After) {
                    self.norm(&names("norm"), &norm);
                }
            }
            let size = 2;
            let kind = match all.pooling {
                Pooling::Max => LayerKind::MaxPool { size },
                Pooling::Average => LayerKind::AveragePool { size },
                Pooling::Stride => continue,
            };
            if pools {
                self.pool(b, all.blocks.len(), kind, size)?;
            }
        }
        Ok(())
    }

    fn conv(&mut self, name: &str, outputs: usize, kernel: usize, stride: usize, all: &Convolutions) {
        let Shape::Maps { channels: inputs, side } = self.shape else {
            unreachable!("convolutions come before the flattening");
        };
        let area = kernel * kernel;
        let init = Init::weights(inputs * area, outputs * area, Some(all.activation));
        let mut tensors = vec![weight(name, vec![outputs, inputs, kernel, kernel], init)];
        if all.bias {
            tensors.push(constant(name, "bias", outputs, 0.0, true));
        }
        let kind = LayerKind::Conv2d { inputs, outputs, kernel, stride, padding: kernel / 2, bias: all.bias };
        // An odd kernel padded by half of it leaves ceil(side / stride).
        let output = Shape::Maps { channels: outputs, side: side.div_ceil(stride) };
        self.push(name, kind, output, tensors);
    }

    fn norm(&mut self, name: &str, norm: &BatchNorm) {
        let Shape::Maps { channels: features, .. } = self.shape else {
            unreachable!("batch norms come before the flattening");
        };
        let tensors = vec![
            constant(name, "weight", features, 1.0, true),
            constant(name, "bias", features, 0.0, true),
            constant(name, "running_mean", features, 0.0, false),
            constant(name, "running_var", features, 1.0, false),
        ];
        let kind = LayerKind::BatchNorm { features, momentum: norm.momentum, epsilon: norm.epsilon };
        self.push(name, kind, self.shape, tensors);
    }

    fn pool(&mut self, block: usize, blocks: usize, kind: LayerKind, size: usize) -> Result<(), Problem> {
        let Shape::Maps { channels, side } = self.shape else {
            unreachable!("pooling comes before the flattening");
        };
        if side < size {
            return Err(Problem::new(
                "blocks",
                format!(
                    "block {} of {blocks} would pool a {side} x {side} feature map to nothing; a {SIDE_PX} x \
                     {SIDE_PX} image can be halved {} times",
                    block + 1,
                    SIDE_PX.ilog2()
                ),
            ));
        }
        self.push(
            &format!("block{}.pool", block + 1),
            kind,
            Shape::Maps { channels, side: side / size },
            vec![],
        );
        Ok(())
    }

    fn head(&mut self, sources: Sources) {
        let (inputs, outputs) = (self.shape.numel(), OUTPUTS);
        if sources == Sources::Heads {
            let both = ["head", "head_common"];
            let tensors = both.iter().flat_map(|name| dense(name, inputs, outputs, None)).collect();
            self.push("heads", LayerKind::Heads { inputs, outputs }, Shape::Row(outputs), tensors);
        } else {
            self.linear("head", outputs, None);
        }
        if sources != Sources::Shared {
            let both = ["head", "head_common"];
            let tensors = both.map(|name| constant(name, "offset", outputs, 0.0, true)).to_vec();
            self.push("offsets", LayerKind::SourceOffsets, Shape::Row(outputs), tensors);
        }
    }

    fn linear(&mut self, name: &str, outputs: usize, then: Option<Activation>) {
        let inputs = self.shape.numel();
        let tensors = dense(name, inputs, outputs, then);
        self.push(name, LayerKind::Linear { inputs, outputs }, Shape::Row(outputs), tensors);
    }
}

fn dense(name: &str, inputs: usize, outputs: usize, then: Option<Activation>) -> Vec<TensorSpec> {
    let init = match then {
        Some(_) => Init::weights(inputs, outputs, then),
        None => Init::last(inputs),
    };
    vec![weight(name, vec![outputs, inputs], init), constant(name, "bias", outputs, 0.0, true)]
}

fn weight(layer: &str, shape: Vec<usize>, init: Init) -> TensorSpec {
    TensorSpec { name: format!("{layer}.weight"), shape, trainable: true, decays: true, init }
}

fn constant(layer: &str, what: &str, width: usize, value: f64, trainable: bool) -> TensorSpec {
    let init = Init::Constant { value };
    TensorSpec { name: format!("{layer}.{what}"), shape: vec![width], trainable, decays: false, init }
}
