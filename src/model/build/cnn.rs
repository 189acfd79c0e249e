//! Plain convolutional networks.

use super::{Builder, Conv};
use crate::model::SIDE_PX;
use crate::model::architecture::Convolutions;
use crate::model::choices::{NormPlace, Pooling};
use crate::model::layers::{LayerKind, Window};
use crate::model::problem::Problem;

impl Builder {
    pub(super) fn cnn(&mut self, all: &Convolutions) -> Result<(), Problem> {
        let last = all.blocks.len() - 1;
        for (b, block) in all.blocks.iter().enumerate() {
            let pools = b < last || all.pool_last;
            for c in 0..all.per_block {
                let halves = pools && all.pooling == Pooling::Stride && c + 1 == all.per_block;
                let names = |what| format!("block{}.{what}{}", b + 1, c + 1);
                let conv = Conv {
                    filters: block.filters,
                    kernel: block.kernel,
                    stride: if halves { 2 } else { 1 },
                    bias: all.bias,
                    then: Some(all.activation),
                };
                self.conv(&names("conv"), conv);
                if let Some(norm) = all.norm.filter(|_| all.norm_place == NormPlace::Before) {
                    self.norm(&names("norm"), norm);
                }
                self.activation(&names("activation"), all.activation);
                if let Some(norm) = all.norm.filter(|_| all.norm_place == NormPlace::After) {
                    self.norm(&names("norm"), norm);
                }
            }
            self.end_of_stage();
            let kind = match all.pooling {
                Pooling::Max => LayerKind::MaxPool(Window::halving()),
                Pooling::Average => LayerKind::AveragePool { size: 2 },
                Pooling::Stride => continue,
            };
            if pools {
                self.pool(b, all.blocks.len(), kind)?;
            }
        }
        Ok(())
    }

    fn pool(&mut self, block: usize, blocks: usize, kind: LayerKind) -> Result<(), Problem> {
        let (_, side) = self.maps();
        if side < 2 {
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
        self.push(&format!("block{}.pool", block + 1), kind, Vec::new());
        Ok(())
    }
}
