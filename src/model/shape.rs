//! Shapes, and which one each kind of layer puts out.

use super::layers::{LayerKind, Window};
use super::{CHANNELS, SIDE_PX};
use serde::{Serialize, Serializer};
use std::fmt;

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

/// What a layer puts out for what it takes: nothing for shapes that do not suit it.
pub(super) fn output(kind: &LayerKind, inputs: &[Shape]) -> Option<Shape> {
    let image = Shape::Maps { channels: CHANNELS, side: SIDE_PX };
    let first = inputs.first().copied().unwrap_or(image);
    let maps = |change: &dyn Fn(usize, usize) -> Option<Shape>| match first {
        Shape::Maps { channels, side } => change(channels, side),
        Shape::Row(_) => None,
    };
    let row = |width: usize| matches!(first, Shape::Row(_)).then_some(Shape::Row(width));
    match *kind {
        LayerKind::Conv2d { inputs, outputs, kernel, stride, padding, .. } => maps(&|channels, side| {
            let side = ((side + 2 * padding).checked_sub(kernel)?) / stride + 1;
            (channels == inputs).then_some(Shape::Maps { channels: outputs, side })
        }),
        LayerKind::BatchNorm { features, .. } => maps(&|channels, _| (channels == features).then_some(first)),
        LayerKind::Activation(_) | LayerKind::Dropout { .. } => Some(first),
        LayerKind::MaxPool(window) => {
            maps(&|channels, side| Some(Shape::Maps { channels, side: pooled(side, window)? }))
        }
        LayerKind::AveragePool { size } => {
            maps(&|channels, side| (side >= size).then_some(Shape::Maps { channels, side: side / size }))
        }
        LayerKind::Flatten => Some(Shape::Row(first.numel())),
        LayerKind::Linear { inputs, outputs } | LayerKind::Heads { inputs, outputs } => {
            row(outputs).filter(|_| first.numel() == inputs)
        }
        LayerKind::SourceOffsets => row(first.numel()),
        LayerKind::Add => inputs.iter().all(|shape| *shape == first).then_some(first),
        LayerKind::Concat => concatenated(inputs),
        LayerKind::MeanOfMaps => maps(&|channels, _| Some(Shape::Row(channels))),
        LayerKind::Upsample { side } => maps(&|channels, _| Some(Shape::Maps { channels, side })),
        LayerKind::SoftArgmax { .. } => maps(&|channels, _| Some(Shape::Row(2 * channels))),
        LayerKind::ExtraInputs { ref which, .. } => {
            Some(Shape::Row(which.iter().map(|what| what.count()).sum()))
        }
        LayerKind::Columns { ref names } => Some(Shape::Row(names.len())),
        LayerKind::SourceHalves => row(first.numel() / 2),
    }
}

/// Places of a window along a side, as PyTorch counts them: none begins beyond the maps.
fn pooled(side: usize, window: Window) -> Option<usize> {
    let Window { size, stride, padding, ceil } = window;
    let room = (side + 2 * padding).checked_sub(size)?;
    let places = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
    Some(if ceil && (places - 1) * stride >= side + padding { places - 1 } else { places })
}

fn concatenated(inputs: &[Shape]) -> Option<Shape> {
    let (first, rest) = inputs.split_first()?;
    rest.iter().try_fold(*first, |all, next| match (all, *next) {
        (Shape::Row(a), Shape::Row(b)) => Some(Shape::Row(a + b)),
        (Shape::Maps { channels: a, side }, Shape::Maps { channels: b, side: other }) if side == other => {
            Some(Shape::Maps { channels: a + b, side })
        }
        _ => None,
    })
}
