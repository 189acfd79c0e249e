//! What a network consists of, read from parameters; not yet its layers and shapes.

use super::choices::{Activation, ExtraInput, Family, Neck, NormPlace, Pooling, Sources, Word, words};
use super::read::{Reader, as_usize};
use crate::domain::Value;
use serde::Serialize;
use std::collections::BTreeSet;

words!(
    /// The last layer.
    Head {
        /// The numbers as they come.
        Linear = "linear",
        /// Through a sigmoid: between 0 and 1.
        Sigmoid = "sigmoid",
        /// A map for each point, whose weight lies where the point is.
        Heatmap = "heatmap",
    }
);

/// What a network consists of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// What turns the image into feature maps.
    pub trunk: Trunk,
    /// What turns feature maps into keypoints.
    pub top: Top,
    /// Whether rows of another source have something of their own in it.
    pub sources: Sources,
}

/// What turns the image into feature maps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "family", rename_all = "snake_case")]
pub enum Trunk {
    /// Nothing does: dense layers take the pixels.
    Dense,
    /// Blocks of convolutions.
    Cnn(Convolutions),
    /// Units whose results are added to what they take.
    Residual(Residual),
    /// VGG.
    Vgg(Vgg),
    /// ResNet.
    Resnet(Resnet),
    /// GoogLeNet.
    Googlenet(Googlenet),
}

impl Trunk {
    /// The batch norm after its convolutions, if any.
    #[must_use]
    pub fn norm(&self) -> Option<BatchNorm> {
        match self {
            Self::Dense => None,
            Self::Cnn(cnn) => cnn.norm,
            Self::Residual(residual) => residual.norm,
            Self::Vgg(vgg) => vgg.norm,
            Self::Resnet(resnet) => Some(resnet.norm),
            Self::Googlenet(googlenet) => Some(googlenet.norm),
        }
    }
}

/// What turns feature maps into keypoints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Top {
    /// Dense layers.
    Dense {
        /// How feature maps become a row of numbers.
        neck: Neck,
        /// What of the image itself stands beside it.
        extra: Vec<ExtraInput>,
        /// Which columns of the dataset do, by name, in order.
        columns: Vec<String>,
        /// The hidden ones.
        hidden: Vec<Dense>,
        /// Whether the last one ends with a sigmoid.
        sigmoid: bool,
    },
    /// A map for each keypoint.
    Heatmap {
        /// Height and width of the maps are at least so large.
        side: usize,
        /// Feature maps from which they are made.
        filters: usize,
    },
}

/// The convolutional part of a plain network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Convolutions {
    /// Its blocks, from the image on.
    pub blocks: Vec<Block>,
    /// Convolutions in each block, each with its activation and batch norm.
    pub per_block: usize,
    /// After each convolution.
    pub activation: Activation,
    /// After each convolution, if at all.
    pub norm: Option<BatchNorm>,
    /// Before or after the activation.
    pub norm_place: NormPlace,
    /// Whether convolutions have a bias.
    pub bias: bool,
    /// How each block halves height and width.
    pub pooling: Pooling,
    /// Whether the last block does so too.
    pub pool_last: bool,
}

/// The convolutional part of a residual network (He et al. 2015).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Residual {
    /// Its blocks, from the stem on; all but the first halve height and width.
    pub blocks: Vec<Block>,
    /// Units in each block.
    pub depths: Vec<usize>,
    /// How often the stem halves height and width: by its stride, then by pooling.
    pub stem_halvings: usize,
    /// Inner convolutions have so many times fewer filters; 1 for units of two plain convolutions.
    pub bottleneck: usize,
    /// After each convolution and each sum.
    pub activation: Activation,
    /// After each convolution, if at all.
    pub norm: Option<BatchNorm>,
    /// Whether units begin as the identity (Goyal et al. 2017).
    pub zero_init: bool,
}

/// VGG.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Vgg {
    /// 11, 13, 16 or 19.
    pub layers: u64,
    /// After each convolution, if at all.
    pub norm: Option<BatchNorm>,
}

/// ResNet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resnet {
    /// 18, 34 or 50.
    pub layers: u64,
    /// After each convolution.
    pub norm: BatchNorm,
}

/// GoogLeNet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Googlenet {
    /// After each convolution.
    pub norm: BatchNorm,
}

/// A block of convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Feature maps that each convolution puts out.
    pub filters: usize,
    /// Height and width of the kernels, in pixels; odd.
    pub kernel: usize,
}

/// Batch normalisation (Ioffe, Szegedy 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BatchNorm {
    /// Share of each batch in the running mean and variance.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

/// A hidden dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dense {
    /// Numbers it puts out.
    pub width: usize,
    /// After it.
    pub activation: Activation,
    /// Share of its outputs that training leaves out.
    pub dropout: f64,
}

impl Architecture {
    pub(crate) fn read(reader: &Reader<'_>) -> (Self, Head) {
        let trunk = match reader.word("family", Family::Cnn) {
            Family::Cnn => Trunk::Cnn(Convolutions::read(reader)),
            Family::Residual => Trunk::Residual(Residual::read(reader)),
            Family::Dense => Trunk::Dense,
            Family::Vgg => Trunk::Vgg(Vgg {
                layers: read_layers(reader, &[11, 13, 16, 19]),
                norm: reader.flag("batch_norm", true).then(|| read_norm(reader, 1e-5)),
            }),
            Family::Resnet => Trunk::Resnet(Resnet {
                layers: read_layers(reader, &[18, 34, 50]),
                norm: read_norm(reader, 1e-5),
            }),
            Family::Googlenet => Trunk::Googlenet(Googlenet { norm: read_norm(reader, 1e-3) }),
        };
        let head = reader.word("head", Head::Linear);
        let top = read_top(reader, &trunk, head);
        (Self { trunk, top, sources: reader.word("sources", Sources::Shared) }, head)
    }
}

fn read_top(reader: &Reader<'_>, trunk: &Trunk, head: Head) -> Top {
    if head == Head::Heatmap {
        if *trunk == Trunk::Dense {
            reader.problem("head", "a heat map needs convolutions; use another `family` than \"dense\"");
        }
        return Top::Heatmap {
            side: reader.whole("heatmap_side", 24).unsigned_abs() as usize,
            filters: reader.whole("heatmap_filters", 64).unsigned_abs() as usize,
        };
    }
    // As their papers have them.
    let means = matches!(trunk, Trunk::Resnet(_) | Trunk::Googlenet(_));
    let neck = match trunk {
        // Pixels are no feature maps to take means of.
        Trunk::Dense => Neck::Flatten,
        _ => reader.word("neck", if means { Neck::Mean } else { Neck::Flatten }),
    };
    let hidden = read_dense(reader, if means { &[] } else { &[512] });
    let (extra, columns) = (read_extra(reader), read_columns(reader));
    Top::Dense { neck, extra, columns, hidden, sigmoid: head == Head::Sigmoid }
}

impl Top {
    /// The columns of the dataset that it takes beside the image, by name.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Dense { columns, .. } => columns,
            Self::Heatmap { .. } => &[],
        }
    }
}

/// Each once, in the order of their list: the same set is the same network.
fn read_extra(reader: &Reader<'_>) -> Vec<ExtraInput> {
    let words: Vec<&str> = match reader.given("extra_inputs") {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
        single => single.and_then(Value::as_str).into_iter().collect(),
    };
    let words = ExtraInput::WORDS.iter().filter(|word| words.contains(word));
    let extra: Vec<ExtraInput> = words.filter_map(|word| ExtraInput::parse(word)).collect();
    if !extra.is_empty() {
        let words: Vec<Value> = extra.iter().map(|extra| extra.word().into()).collect();
        reader.settle("extra_inputs", Value::List(words));
    }
    extra
}

fn read_columns(reader: &Reader<'_>) -> Vec<String> {
    let columns = reader.given(EXTRA_COLUMNS).map(columns_named).unwrap_or_default();
    if !columns.is_empty() {
        reader.settle(EXTRA_COLUMNS, Value::List(columns.iter().map(|name| name.as_str().into()).collect()));
    }
    columns
}

/// The parameter that names columns of the dataset.
pub const EXTRA_COLUMNS: &str = "extra_columns";

/// The columns that a value of [`EXTRA_COLUMNS`] names: each once, in order.
#[must_use]
pub fn columns_named(value: &Value) -> Vec<String> {
    let names: BTreeSet<&str> = match value {
        Value::List(items) => items.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    };
    names.into_iter().map(str::to_owned).collect()
}

/// How many layers a known network has; by default the fewest.
fn read_layers(reader: &Reader<'_>, known: &[i64]) -> u64 {
    let layers = reader.whole("layers", known[0]);
    if !known.contains(&layers) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        reader.problem("layers", format!("this family has {}, not {layers}", known.join(", ")));
    }
    layers.unsigned_abs()
}

fn activation(reader: &Reader<'_>, value: &Value) -> Activation {
    // Only words of the table get here.
    let parsed =
        value.as_str().and_then(|word| Activation::parse(word, || reader.number("leaky_slope", 0.1)));
    parsed.unwrap_or(Activation::Relu)
}

fn read_activation(reader: &Reader<'_>) -> Activation {
    let word = reader.given("activation").cloned().unwrap_or_else(|| "relu".into());
    reader.settle("activation", word.clone());
    activation(reader, &word)
}

fn read_norm(reader: &Reader<'_>, epsilon: f64) -> BatchNorm {
    BatchNorm {
        momentum: reader.number("batch_norm_momentum", 0.1),
        epsilon: reader.number("batch_norm_epsilon", epsilon),
    }
}

fn read_blocks(reader: &Reader<'_>, default: usize) -> Vec<Block> {
    let filters = read_filters(reader, default);
    let kernels = reader.per("kernel_size", "block", filters.len(), &Value::Int(3));
    let blocks = filters.into_iter().zip(&kernels);
    blocks.map(|(filters, k)| Block { filters, kernel: as_usize(k).unwrap_or(3) }).collect()
}

impl Convolutions {
    fn read(reader: &Reader<'_>) -> Self {
        let norm = reader.flag("batch_norm", true).then(|| read_norm(reader, 1e-5));
        let place = || reader.word("batch_norm_place", NormPlace::Before);
        Self {
            blocks: read_blocks(reader, 5),
            per_block: reader.whole("convs_per_block", 1).unsigned_abs() as usize,
            activation: read_activation(reader),
            bias: reader.flag("conv_bias", norm.is_none()),
            norm_place: norm.map_or(NormPlace::Before, |_| place()),
            norm,
            pooling: reader.word("pooling", Pooling::Max),
            pool_last: reader.flag("pool_last", true),
        }
    }
}

impl Residual {
    fn read(reader: &Reader<'_>) -> Self {
        let blocks = read_blocks(reader, 4);
        let depths = reader.per("depth", "block", blocks.len(), &Value::Int(1));
        Self {
            depths: depths.iter().map(|n| as_usize(n).unwrap_or(1)).collect(),
            blocks,
            stem_halvings: reader.whole("stem_halvings", 1).unsigned_abs() as usize,
            bottleneck: reader.whole("bottleneck", 1).unsigned_abs() as usize,
            activation: read_activation(reader),
            norm: reader.flag("batch_norm", true).then(|| read_norm(reader, 1e-5)),
            zero_init: reader.flag("zero_init", false),
        }
    }
}

/// Filters per block: a list as it is, or one number and its growth.
fn read_filters(reader: &Reader<'_>, default: usize) -> Vec<usize> {
    let blocks = reader.given("blocks").and_then(as_usize);
    let filters = match reader.given("filters") {
        Some(Value::List(items)) => {
            let filters: Vec<usize> = items.iter().filter_map(as_usize).collect();
            if let Some(blocks) = blocks.filter(|blocks| *blocks != filters.len()) {
                let listed = filters.len();
                reader.problem(
                    "filters",
                    format!("lists {listed} blocks, but `blocks` is {blocks}; leave one of them out"),
                );
            }
            filters
        }
        single => grow_filters(reader, single.and_then(as_usize).unwrap_or(32), blocks.unwrap_or(default)),
    };
    reader.settle("filters", filters.iter().map(|n| *n as i64).collect::<Vec<_>>());
    filters
}

fn grow_filters(reader: &Reader<'_>, first: usize, blocks: usize) -> Vec<usize> {
    let growth = reader.given("growth").and_then(Value::as_f64).unwrap_or(2.0);
    let most = reader.given("max_filters").and_then(as_usize).unwrap_or(512);
    if first > most {
        reader.problem("filters", format!("{first} is more than `max_filters`, which is {most}"));
    }
    let mut grown = first as f64;
    let mut filters = Vec::with_capacity(blocks);
    for _ in 0..blocks {
        filters.push((grown.round() as usize).clamp(1, most.max(1)));
        grown *= growth;
    }
    filters
}

fn read_dense(reader: &Reader<'_>, default: &[usize]) -> Vec<Dense> {
    let widths: Vec<usize> = match reader.given("dense") {
        Some(Value::List(items)) => items.iter().filter_map(as_usize).collect(),
        single => single.and_then(as_usize).map_or_else(|| default.to_vec(), |width| vec![width]),
    };
    reader.settle("dense", widths.iter().map(|n| *n as i64).collect::<Vec<_>>());
    let per = |name, default: Value| reader.per(name, "hidden dense layer", widths.len(), &default);
    let activations = per("dense_activation", "relu".into());
    let dropouts = per("dropout", Value::Float(0.0));
    let layers = widths.iter().zip(&activations).zip(&dropouts);
    layers
        .map(|((width, word), share)| Dense {
            width: *width,
            activation: activation(reader, word),
            dropout: share.as_f64().unwrap_or(0.0),
        })
        .collect()
}
