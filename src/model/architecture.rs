//! What a network consists of, read from parameters; not yet its layers and shapes.

use super::choices::{Activation, Family, NormPlace, Pooling, Sources, words};
use super::read::{Reader, as_usize};
use crate::domain::Value;
use serde::Serialize;

words!(
    /// The last layer.
    Head {
        /// The numbers as they come.
        Linear = "linear",
        /// Through a sigmoid: between 0 and 1.
        Sigmoid = "sigmoid",
    }
);

/// What a network consists of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// The convolutions on the image; `None` for a network of dense layers only.
    pub convolutions: Option<Convolutions>,
    /// The hidden dense layers.
    pub dense: Vec<Dense>,
    /// The last layer.
    pub head: Head,
    /// Whether rows of another source have something of their own in it.
    pub sources: Sources,
}

/// The convolutional part.
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
    /// Whether convolutions have a bias.
    pub bias: bool,
    /// How each block halves height and width.
    pub pooling: Pooling,
    /// Whether the last block does so too.
    pub pool_last: bool,
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
    /// Before or after the activation.
    pub place: NormPlace,
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
    pub(crate) fn read(reader: &Reader<'_>) -> Self {
        let convolutions = match reader.word("family", Family::Cnn) {
            Family::Cnn => Some(Convolutions::read(reader)),
            Family::Dense => None,
        };
        Self {
            convolutions,
            dense: read_dense(reader),
            head: reader.word("head", Head::Linear),
            sources: reader.word("sources", Sources::Shared),
        }
    }
}

fn activation(reader: &Reader<'_>, value: &Value) -> Activation {
    // Only words of the table get here.
    let parsed =
        value.as_str().and_then(|word| Activation::parse(word, || reader.number("leaky_slope", 0.1)));
    parsed.unwrap_or(Activation::Relu)
}

impl Convolutions {
    fn read(reader: &Reader<'_>) -> Self {
        let norm = reader.flag("batch_norm", true).then(|| BatchNorm {
            place: reader.word("batch_norm_place", NormPlace::Before),
            momentum: reader.number("batch_norm_momentum", 0.1),
            epsilon: reader.number("batch_norm_epsilon", 1e-5),
        });
        let filters = read_filters(reader);
        let kernels = reader.per("kernel_size", "block", filters.len(), &Value::Int(3));
        let blocks = filters.into_iter().zip(&kernels);
        let word = reader.given("activation").cloned().unwrap_or_else(|| "relu".into());
        reader.settle("activation", word.clone());
        Self {
            blocks: blocks.map(|(filters, k)| Block { filters, kernel: as_usize(k).unwrap_or(3) }).collect(),
            per_block: reader.whole("convs_per_block", 1).unsigned_abs() as usize,
            activation: activation(reader, &word),
            bias: reader.flag("conv_bias", norm.is_none()),
            norm,
            pooling: reader.word("pooling", Pooling::Max),
            pool_last: reader.flag("pool_last", true),
        }
    }
}

/// Filters per block: a list as it is, or one number and its growth.
fn read_filters(reader: &Reader<'_>) -> Vec<usize> {
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
        single => grow_filters(reader, single.and_then(as_usize).unwrap_or(32), blocks.unwrap_or(5)),
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

fn read_dense(reader: &Reader<'_>) -> Vec<Dense> {
    let widths: Vec<usize> = match reader.given("dense") {
        Some(Value::List(items)) => items.iter().filter_map(as_usize).collect(),
        single => vec![single.and_then(as_usize).unwrap_or(512)],
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
