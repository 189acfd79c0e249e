//! What stands on a trunk: dense layers, or heat maps; and the head.

use super::{Builder, Conv};
use crate::model::OUTPUTS;
use crate::model::SIDE_PX;
use crate::model::architecture::{Architecture, BatchNorm, Dense, Top};
use crate::model::choices::{Activation, ExtraInput, Neck, Scaling, Sources};
use crate::model::layers::LayerKind;
use crate::model::problem::Problem;
use crate::model::shape::Shape;
use crate::model::tensors::{Init, TensorSpec, constant, weight};

impl Builder {
    /// Also the place of the head.
    pub(super) fn top(
        &mut self,
        architecture: &Architecture,
        inputs: Scaling,
        targets: Scaling,
    ) -> Result<usize, Problem> {
        let sources = architecture.sources;
        let head = match &architecture.top {
            Top::Dense { neck, extra, columns, hidden, sigmoid } => {
                self.neck(*neck);
                self.extra(extra, inputs);
                self.columns(columns);
                self.dense(hidden, sources, *sigmoid)
            }
            Top::Heatmap { side, filters } => {
                self.heatmap(*side, *filters, architecture.trunk.norm())?;
                self.heatmap_head(sources, targets)
            }
        };
        Ok(head)
    }

    fn neck(&mut self, neck: Neck) {
        match neck {
            Neck::Flatten => self.push("flatten", LayerKind::Flatten, Vec::new()),
            Neck::Mean => self.push("mean", LayerKind::MeanOfMaps, Vec::new()),
        }
    }

    /// Numbers that are computed from the image itself, beside those of the trunk.
    fn extra(&mut self, which: &[ExtraInput], scaling: Scaling) {
        if which.is_empty() {
            return;
        }
        let trunk = self.at;
        let which = which.to_vec();
        self.join("extra", LayerKind::ExtraInputs { which, scaling }, Vec::new());
        let both = trunk.into_iter().chain(self.at).collect();
        self.join("together", LayerKind::Concat, both);
    }

    /// Numbers of the dataset's rows, beside all others.
    fn columns(&mut self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let others = self.at;
        // Those of the rows that train are filled in before the first step.
        let tensor = |(what, value)| constant("columns", what, names.len(), value, false);
        let tensors = [("mean", 0.0), ("deviation", 1.0)].map(tensor).to_vec();
        self.push_from("columns", LayerKind::Columns { names: names.to_vec() }, Vec::new(), tensors);
        let both = others.into_iter().chain(self.at).collect();
        self.join("with_columns", LayerKind::Concat, both);
    }

    fn dense(&mut self, hidden: &[Dense], sources: Sources, sigmoid: bool) -> usize {
        for (i, dense) in hidden.iter().enumerate() {
            let name = format!("dense{}", i + 1);
            self.linear(&name, dense.width, Some(dense.activation));
            self.activation(&format!("{name}.activation"), dense.activation);
            if dense.dropout > 0.0 {
                let kind = LayerKind::Dropout { share: dense.dropout };
                self.push(&format!("{name}.dropout"), kind, Vec::new());
            }
        }
        let head = self.layers.len();
        self.head(sources);
        if sigmoid {
            self.activation("head.activation", Activation::Sigmoid);
        }
        head
    }

    fn head(&mut self, sources: Sources) {
        let (inputs, outputs) = (self.shape().numel(), OUTPUTS);
        if sources == Sources::Heads {
            let both = ["head", "head_common"];
            let tensors = both.iter().flat_map(|name| linear(name, inputs, outputs, None)).collect();
            self.push("heads", LayerKind::Heads { inputs, outputs }, tensors);
        } else {
            self.linear("head", outputs, None);
        }
        self.offsets(sources);
    }

    fn offsets(&mut self, sources: Sources) {
        if sources != Sources::Shared {
            let both = ["head", "head_common"];
            let tensors = both.map(|name| constant(name, "offset", OUTPUTS, 0.0, true)).to_vec();
            self.push("offsets", LayerKind::SourceOffsets, tensors);
        }
    }

    fn linear(&mut self, name: &str, outputs: usize, then: Option<Activation>) {
        let inputs = self.shape().numel();
        self.push(name, LayerKind::Linear { inputs, outputs }, linear(name, inputs, outputs, then));
    }

    /// From the last feature maps to larger ones, each time with the trunk's own of that size added (Lin et al. 2017:
    /// Feature Pyramid Networks), until they are large enough.
    fn heatmap(&mut self, side: usize, filters: usize, norm: Option<BatchNorm>) -> Result<(), Problem> {
        let (_, last) = self.maps();
        let sides = self.stages.iter().map(|place| side_of(self.layers[*place].output));
        let largest = sides.max().unwrap_or(0);
        if side > largest {
            let message = format!("the largest feature maps that this network has are {largest} x {largest}");
            return Err(Problem::new("heatmap_side", message));
        }
        let steps = self.larger_maps(last, side);
        self.heatmap_conv("heatmap1", filters, norm);
        for (i, place) in steps.into_iter().enumerate() {
            let name = format!("heatmap{}", i + 2);
            let side = side_of(self.layers[place].output);
            self.push(&format!("{name}.enlarged"), LayerKind::Upsample { side }, Vec::new());
            let enlarged = self.at;
            self.at = Some(place);
            let conv = Conv { filters, kernel: 1, stride: 1, bias: true, then: None };
            self.conv(&format!("{name}.lateral"), conv);
            let both = self.at.into_iter().chain(enlarged).collect();
            self.join(&format!("{name}.add"), LayerKind::Add, both);
            self.heatmap_conv(&name, filters, norm);
        }
        Ok(())
    }

    /// The last stage of each size above `last`, up to the first of at least `wanted`.
    fn larger_maps(&self, last: usize, wanted: usize) -> Vec<usize> {
        let (mut reached, mut found) = (last, Vec::new());
        for place in self.stages.iter().rev() {
            let side = side_of(self.layers[*place].output);
            if reached < wanted && side > reached {
                found.push(*place);
                reached = side;
            }
        }
        found
    }

    fn heatmap_conv(&mut self, name: &str, filters: usize, norm: Option<BatchNorm>) {
        let (bias, then) = (norm.is_none(), Some(Activation::Relu));
        self.conv(&format!("{name}.conv"), Conv { filters, kernel: 3, stride: 1, bias, then });
        if let Some(norm) = norm {
            self.norm(&format!("{name}.norm"), norm);
        }
        self.activation(&format!("{name}.activation"), Activation::Relu);
    }

    /// One map for each keypoint (for each kind of rows, if they have heads of their own), and where it points to.
    fn heatmap_head(&mut self, sources: Sources, targets: Scaling) -> usize {
        let head = self.layers.len();
        let kinds = if sources == Sources::Heads { 2 } else { 1 };
        let filters = kinds * OUTPUTS / 2;
        self.conv("head", Conv { filters, kernel: 1, stride: 1, bias: false, then: None });
        let (offset, divisor) = targets.affine(SIDE_PX as f64);
        let (low, high) = (-offset / divisor, (SIDE_PX as f64 - offset) / divisor);
        self.push("head.points", LayerKind::SoftArgmax { low, high }, Vec::new());
        if kinds > 1 {
            self.push("head.source", LayerKind::SourceHalves, Vec::new());
        }
        self.offsets(sources);
        head
    }
}

/// Height and width; 0 of a row.
fn side_of(shape: Shape) -> usize {
    match shape {
        Shape::Maps { side, .. } => side,
        Shape::Row(_) => 0,
    }
}

fn linear(name: &str, inputs: usize, outputs: usize, then: Option<Activation>) -> Vec<TensorSpec> {
    let init = match then {
        Some(_) => Init::weights(inputs, outputs, then),
        None => Init::last(inputs),
    };
    vec![weight(name, vec![outputs, inputs], init), constant(name, "bias", outputs, 0.0, true)]
}
