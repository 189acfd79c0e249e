//! What a network consists of, read from parameters; not yet its layers and shapes.

use super::choices::{Activation, Family, NormPlace, Pooling, words};
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
        let convolutions = match reader.word("family", Family::parse, Family::Cnn) {
            Family::Cnn => Some(Convolutions::read(reader)),
            Family::Dense => None,
        };
        let dense = read_dense(reader);
        Self { convolutions, dense, head: reader.word("head", Head::parse, Head::Linear) }
    }
}

fn slope(reader: &Reader<'_>) -> f64 {
    reader.number("leaky_slope", 0.1)
}

fn activation(reader: &Reader<'_>, value: &Value) -> Option<Activation> {
    Activation::parse(value.as_str()?, || slope(reader))
}

impl Convolutions {
    fn read(reader: &Reader<'_>) -> Self {
        let norm = reader.flag("batch_norm", true).then(|| BatchNorm {
            place: reader.word("batch_norm_place", NormPlace::parse, NormPlace::Before),
            momentum: reader.number("batch_norm_momentum", 0.1),
            epsilon: reader.number("batch_norm_epsilon", 1e-5),
        });
        let filters = read_filters(reader);
        let kernels = reader.per("kernel_size", "block", filters.len(), as_usize, 3);
        Self {
            blocks: filters
                .into_iter()
                .zip(kernels)
                .map(|(filters, kernel)| Block { filters, kernel })
                .collect(),
            per_block: reader.whole("convs_per_block").unwrap_or(1),
            activation: reader
                .value("activation")
                .and_then(|value| activation(reader, value))
                .unwrap_or(Activation::Relu),
            bias: reader.flag("conv_bias", norm.is_none()),
            norm,
            pooling: reader.word("pooling", Pooling::parse, Pooling::Max),
            pool_last: reader.flag("pool_last", true),
        }
    }
}

/// Filters per block: a list as it is, or one number and its growth.
fn read_filters(reader: &Reader<'_>) -> Vec<usize> {
    let blocks = reader.whole("blocks");
    let first = match reader.value("filters") {
        Some(Value::List(items)) => {
            let filters: Vec<usize> = items.iter().filter_map(as_usize).collect();
            if let Some(blocks) = blocks.filter(|blocks| *blocks != filters.len()) {
                let listed = filters.len();
                reader.problem(
                    "filters",
                    format!("lists {listed} blocks, but `blocks` is {blocks}; leave one of them out"),
                );
            }
            return filters;
        }
        single => single.and_then(as_usize).unwrap_or(32),
    };
    let growth = reader.number("growth", 2.0);
    let most = reader.whole("max_filters").unwrap_or(512);
    if first > most {
        reader.problem("filters", format!("{first} is more than `max_filters`, which is {most}"));
    }
    (0..blocks.unwrap_or(5))
        .map(|block| {
            let grown = first as f64 * growth.powi(i32::try_from(block).unwrap_or(i32::MAX));
            (grown.round() as usize).clamp(1, most.max(1))
        })
        .collect()
}

fn read_dense(reader: &Reader<'_>) -> Vec<Dense> {
    let widths: Vec<usize> = match reader.value("dense") {
        Some(Value::List(items)) => items.iter().filter_map(as_usize).collect(),
        single => vec![single.and_then(as_usize).unwrap_or(512)],
    };
    let count = widths.len();
    let activations = reader.per(
        "dense_activation",
        "hidden dense layer",
        count,
        |value| activation(reader, value),
        Activation::Relu,
    );
    let dropouts = reader.per("dropout", "hidden dense layer", count, Value::as_f64, 0.0);
    let layers = widths.into_iter().zip(activations).zip(dropouts);
    layers.map(|((width, activation), dropout)| Dense { width, activation, dropout }).collect()
}
