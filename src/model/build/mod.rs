//! Architectures to layer tables.
//!
//! A file for each kind of trunk, one for what stands on it; all build through [`Builder`], which knows where it is
//! and what shape that has.

mod cnn;
mod known;
mod residual;
mod top;

use super::architecture::{Architecture, BatchNorm, Trunk};
use super::choices::{Activation, Scaling};
use super::layers::{Layer, LayerKind, LayerTable};
use super::problem::Problem;
use super::shape::{self, Shape};
use super::tensors::{Init, TensorSpec, constant, weight};
use super::{CHANNELS, SIDE_PX};

/// The table of an architecture for grey images of 96 x 96 and 15 keypoints.
pub(super) fn layers(
    architecture: &Architecture,
    inputs: Scaling,
    targets: Scaling,
) -> Result<LayerTable, Problem> {
    let mut builder = Builder::default();
    match &architecture.trunk {
        Trunk::Dense => {}
        Trunk::Cnn(cnn) => builder.cnn(cnn)?,
        Trunk::Residual(residual) => builder.residual(residual),
        Trunk::Vgg(vgg) => builder.vgg(vgg),
        Trunk::Resnet(resnet) => builder.resnet(resnet),
        Trunk::Googlenet(googlenet) => builder.googlenet(googlenet),
    }
    let trunk = builder.layers.len();
    let head = builder.top(architecture, inputs, targets)?;
    Ok(LayerTable { layers: builder.layers, trunk, head })
}

/// A table under construction. New layers take what the layer `at` puts out, and are then `at` themselves.
#[derive(Default)]
struct Builder {
    layers: Vec<Layer>,
    /// Where it is; `None` for the image.
    at: Option<usize>,
    /// The last layers of the trunk's stages.
    stages: Vec<usize>,
}

/// A convolution.
#[derive(Debug, Clone, Copy)]
struct Conv {
    filters: usize,
    kernel: usize,
    stride: usize,
    bias: bool,
    /// The function that follows.
    then: Option<Activation>,
}

impl Builder {
    fn shape(&self) -> Shape {
        let image = Shape::Maps { channels: CHANNELS, side: SIDE_PX };
        self.at.map_or(image, |at| self.layers[at].output)
    }

    /// Notes that heat maps may take what is put out here.
    fn end_of_stage(&mut self) {
        self.stages.extend(self.at);
    }

    /// Channels and side of where it is.
    fn maps(&self) -> (usize, usize) {
        match self.shape() {
            Shape::Maps { channels, side } => (channels, side),
            Shape::Row(_) => unreachable!("feature maps come before rows"),
        }
    }

    /// A layer that takes several others.
    fn join(&mut self, name: &str, kind: LayerKind, from: Vec<usize>) {
        self.push_from(name, kind, from, Vec::new());
    }

    fn push(&mut self, name: &str, kind: LayerKind, tensors: Vec<TensorSpec>) {
        let from = self.at.into_iter().collect();
        self.push_from(name, kind, from, tensors);
    }

    fn push_from(&mut self, name: &str, kind: LayerKind, from: Vec<usize>, tensors: Vec<TensorSpec>) {
        let inputs: Vec<Shape> = from.iter().map(|place| self.layers[*place].output).collect();
        let output = shape::output(&kind, &inputs);
        let output = output.unwrap_or_else(|| unreachable!("{name}: {kind:?} does not take {inputs:?}"));
        self.at = Some(self.layers.len());
        self.layers.push(Layer { name: name.to_owned(), kind, from, output, tensors });
    }

    fn activation(&mut self, name: &str, function: Activation) {
        self.push(name, LayerKind::Activation(function), Vec::new());
    }

    fn conv(&mut self, name: &str, conv: Conv) {
        let Conv { filters: outputs, kernel, stride, bias, then } = conv;
        let (inputs, _) = self.maps();
        let area = kernel * kernel;
        let init = Init::weights(inputs * area, outputs * area, then);
        let mut tensors = vec![weight(name, vec![outputs, inputs, kernel, kernel], init)];
        if bias {
            tensors.push(constant(name, "bias", outputs, 0.0, true));
        }
        let kind = LayerKind::Conv2d { inputs, outputs, kernel, stride, padding: kernel / 2, bias };
        self.push(name, kind, tensors);
    }

    fn norm(&mut self, name: &str, norm: BatchNorm) {
        self.norm_from(name, norm, 1.0);
    }

    /// A batch norm that begins with this gain.
    fn norm_from(&mut self, name: &str, norm: BatchNorm, gain: f64) {
        let (features, _) = self.maps();
        let tensors = vec![
            constant(name, "weight", features, gain, true),
            constant(name, "bias", features, 0.0, true),
            constant(name, "running_mean", features, 0.0, false),
            constant(name, "running_var", features, 1.0, false),
        ];
        let kind = LayerKind::BatchNorm { features, momentum: norm.momentum, epsilon: norm.epsilon };
        self.push(name, kind, tensors);
    }
}
