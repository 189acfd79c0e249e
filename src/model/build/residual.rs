//! Residual networks (He et al. 2015): units of convolutions whose result is added to what they take.

use super::{Builder, Conv};
use crate::model::architecture::{Block, Residual};
use crate::model::layers::{LayerKind, Window};
use crate::model::tensors::Init;

impl Builder {
    pub(super) fn residual(&mut self, all: &Residual) {
        let Some(first) = all.blocks.first() else { return };
        let stride = if all.stem_halvings > 0 { 2 } else { 1 };
        self.residual_conv("stem.", "", *first, stride, all, true);
        self.end_of_stage();
        if all.stem_halvings > 1 {
            self.push("stem.pool", LayerKind::MaxPool(Window::halving()), Vec::new());
        }
        for (b, (block, depth)) in all.blocks.iter().zip(&all.depths).enumerate() {
            for u in 0..*depth {
                let stride = if b > 0 && u == 0 { 2 } else { 1 };
                self.unit(&format!("block{}.unit{}.", b + 1, u + 1), *block, stride, all);
            }
            self.end_of_stage();
        }
    }

    /// One unit: two convolutions, or three of which the middle one is narrower; then the sum.
    fn unit(&mut self, name: &str, block: Block, stride: usize, all: &Residual) {
        let Block { filters, kernel } = block;
        let (shortcut, width) = (self.at, self.maps().0);
        let inner = (filters / all.bottleneck).max(1);
        let last = if all.bottleneck > 1 {
            self.residual_conv(name, "1", Block { filters: inner, kernel: 1 }, 1, all, true);
            self.residual_conv(name, "2", Block { filters: inner, kernel }, stride, all, true);
            self.residual_conv(name, "3", Block { filters, kernel: 1 }, 1, all, false);
            self.at
        } else {
            self.residual_conv(name, "1", block, stride, all, true);
            self.residual_conv(name, "2", block, 1, all, false);
            self.at
        };
        if all.zero_init {
            self.begin_at_zero();
        }
        self.at = shortcut;
        if stride > 1 || width != filters {
            self.residual_conv(name, "_shortcut", Block { filters, kernel: 1 }, stride, all, false);
        }
        let both = last.into_iter().chain(self.at).collect();
        self.join(&format!("{name}add"), LayerKind::Add, both);
        self.activation(&format!("{name}activation"), all.activation);
    }

    /// A convolution and its batch norm, and maybe its function.
    fn residual_conv(
        &mut self,
        unit: &str,
        number: &str,
        block: Block,
        stride: usize,
        all: &Residual,
        then: bool,
    ) {
        let Block { filters, kernel } = block;
        let conv = Conv { filters, kernel, stride, bias: all.norm.is_none(), then: Some(all.activation) };
        self.conv(&format!("{unit}conv{number}"), conv);
        if let Some(norm) = all.norm {
            self.norm(&format!("{unit}norm{number}"), norm);
        }
        if then {
            self.activation(&format!("{unit}activation{number}"), all.activation);
        }
    }

    /// Lets the layer where it is put out nothing at first: the gain of a batch norm, or the weights of a convolution.
    fn begin_at_zero(&mut self) {
        let tensor = self.at.and_then(|at| self.layers[at].tensors.first_mut());
        if let Some(weight) = tensor {
            weight.init = Init::Constant { value: 0.0 };
        }
    }
}
