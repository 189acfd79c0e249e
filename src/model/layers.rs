//! The layer table: what an architecture amounts to, layer by layer, tensor by tensor.
//!
//! Layers stand in the order in which they are computed, and each says which earlier ones it takes: most take the
//! one before, but a sum or a concatenation takes several, and a layer may be taken by several. So branches need no
//! structure of their own, and whoever walks the list once has seen everything.

use super::choices::{Activation, ExtraInput, Scaling};
use super::shape::Shape;
use super::tensors::TensorSpec;
use serde::Serialize;

/// All layers of a network, from the image to the keypoints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerTable {
    pub(super) layers: Vec<Layer>,
    pub(super) trunk: usize,
    pub(super) head: usize,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Its name, unique in the table: `block1.conv1`.
    pub name: String,
    /// What it does.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// The earlier layers whose outputs it takes, by their places in the table; none for the image.
    pub from: Vec<usize>,
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
    MaxPool(Window),
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
    /// The sum of what several layers put out.
    Add,
    /// The feature maps of several layers, one after the other.
    Concat,
    /// The mean of each feature map.
    MeanOfMaps,
    /// Feature maps made larger: each number takes the place of several.
    Upsample {
        /// Height and width that they get.
        side: usize,
    },
    /// For each map where its weight lies: the mean of its places (x, then y), weighted by its softmax.
    SoftArgmax {
        /// What stands for the image's left and upper edge.
        low: f64,
        /// What stands for its right and lower edge.
        high: f64,
    },
    /// Numbers about the image itself.
    ExtraInputs {
        /// Which.
        which: Vec<ExtraInput>,
        /// What was done to its grey values.
        scaling: Scaling,
    },
    /// Numbers of the dataset's rows, each less its column's mean and divided by its deviation; 0 where missing.
    Columns {
        /// Which columns.
        names: Vec<String>,
    },
    /// The first half of what comes in for rows with all points, the second for those with only the common ones.
    SourceHalves,
}

impl LayerKind {
    /// The word that it is serialised with.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv2d",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Activation(_) => "activation",
            Self::MaxPool(_) => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::Flatten => "flatten",
            Self::Linear { .. } => "linear",
            Self::Heads { .. } => "heads",
            Self::SourceOffsets => "source_offsets",
            Self::Dropout { .. } => "dropout",
            Self::Add => "add",
            Self::Concat => "concat",
            Self::MeanOfMaps => "mean_of_maps",
            Self::Upsample { .. } => "upsample",
            Self::SoftArgmax { .. } => "soft_argmax",
            Self::ExtraInputs { .. } => "extra_inputs",
            Self::Columns { .. } => "columns",
            Self::SourceHalves => "source_halves",
        }
    }
}

/// What a maximum is taken of, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Height and width.
    pub size: usize,
    /// How far it moves.
    pub stride: usize,
    /// Places around the maps that it may reach into.
    pub padding: usize,
    /// Whether a last window may reach over the maps' end.
    pub ceil: bool,
}

impl Window {
    /// Windows beside each other.
    #[must_use]
    pub fn halving() -> Self {
        Self { size: 2, stride: 2, padding: 0, ceil: false }
    }
}

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

    /// The layers whose outputs a layer takes; none for one that takes the image.
    pub fn inputs<'a>(&'a self, layer: &'a Layer) -> impl Iterator<Item = &'a Layer> {
        layer.from.iter().map(|place| &self.layers[*place])
    }

    /// How many of the first layers are the trunk: what turns the image into feature maps.
    #[must_use]
    pub fn trunk(&self) -> usize {
        self.trunk
    }

    /// The place of the head, the last layer with weights: from it on numbers need more than eight bits.
    #[must_use]
    pub fn head(&self) -> usize {
        self.head
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
}
