//! Networks that others trained, under torchvision's names: their weights can be loaded from its files.
//!
//! As torchvision has them, but for one channel at the stem, and without what stands on the feature maps (auxiliary
//! classifiers among that).

use super::{Builder, Conv};
use crate::model::architecture::{BatchNorm, Googlenet, Resnet, Vgg};
use crate::model::choices::Activation;
use crate::model::layers::{LayerKind, Window};

/// Convolutions in each of VGG's five blocks, and their filters.
fn vgg_blocks(layers: u64) -> [(usize, usize); 5] {
    let counts = match layers {
        11 => [1, 1, 2, 2, 2],
        13 => [2, 2, 2, 2, 2],
        16 => [2, 2, 3, 3, 3],
        _ => [2, 2, 4, 4, 4],
    };
    let filters = [64, 128, 256, 512, 512];
    std::array::from_fn(|block| (counts[block], filters[block]))
}

const RELU: Activation = Activation::Relu;

impl Builder {
    /// Simonyan, Zisserman 2014: Very Deep Convolutional Networks.
    pub(super) fn vgg(&mut self, vgg: &Vgg) {
        // torchvision numbers all layers, those without weights too.
        let mut number = 0..;
        let mut next = || format!("features.{}", number.next().unwrap_or(0));
        for (count, filters) in vgg_blocks(vgg.layers) {
            for _ in 0..count {
                self.conv(&next(), Conv { filters, kernel: 3, stride: 1, bias: true, then: Some(RELU) });
                if let Some(norm) = vgg.norm {
                    self.norm(&next(), norm);
                }
                self.activation(&next(), RELU);
            }
            self.end_of_stage();
            self.push(&next(), LayerKind::MaxPool(Window::halving()), Vec::new());
        }
    }

    /// He et al. 2015: Deep Residual Learning. With 50 layers, units of three convolutions.
    pub(super) fn resnet(&mut self, resnet: &Resnet) {
        let depths = if resnet.layers == 18 { [2; 4] } else { [3, 4, 6, 3] };
        self.conv_norm("conv1", "bn1", 64, 7, 2, resnet.norm);
        self.activation("relu", RELU);
        self.end_of_stage();
        let window = Window { size: 3, stride: 2, padding: 1, ceil: false };
        self.push("maxpool", LayerKind::MaxPool(window), Vec::new());
        for (stage, depth) in depths.into_iter().enumerate() {
            for unit in 0..depth {
                let stride = if stage > 0 && unit == 0 { 2 } else { 1 };
                self.resnet_unit(&format!("layer{}.{unit}", stage + 1), 64 << stage, stride, resnet);
            }
            self.end_of_stage();
        }
    }

    fn resnet_unit(&mut self, unit: &str, width: usize, stride: usize, resnet: &Resnet) {
        let (shortcut, before) = (self.at, self.maps().0);
        let bottleneck = resnet.layers >= 50;
        let filters = if bottleneck { 4 * width } else { width };
        // (filters, kernel, stride) of each convolution.
        let convs = if bottleneck {
            vec![(width, 1, 1), (width, 3, stride), (filters, 1, 1)]
        } else {
            vec![(width, 3, stride), (width, 3, 1)]
        };
        for (i, (filters, kernel, stride)) in convs.iter().enumerate() {
            let number = i + 1;
            let (conv, norm) = (format!("{unit}.conv{number}"), format!("{unit}.bn{number}"));
            self.conv_norm(&conv, &norm, *filters, *kernel, *stride, resnet.norm);
            if number < convs.len() {
                self.activation(&format!("{unit}.relu{number}"), RELU);
            }
        }
        let last = self.at;
        self.at = shortcut;
        if stride > 1 || before != filters {
            let (conv, norm) = (format!("{unit}.downsample.0"), format!("{unit}.downsample.1"));
            self.conv_norm(&conv, &norm, filters, 1, stride, resnet.norm);
        }
        let both = last.into_iter().chain(self.at).collect();
        self.join(&format!("{unit}.add"), LayerKind::Add, both);
        self.activation(&format!("{unit}.relu"), RELU);
    }

    /// Szegedy et al. 2014: Going Deeper with Convolutions; with batch norms, and kernels of 3 where the paper has 5.
    pub(super) fn googlenet(&mut self, googlenet: &Googlenet) {
        let norm = googlenet.norm;
        self.basic("conv1", 64, 7, 2, norm);
        self.end_of_stage();
        self.shrink("maxpool1", 3);
        self.basic("conv2", 64, 1, 1, norm);
        self.basic("conv3", 192, 3, 1, norm);
        self.end_of_stage();
        self.shrink("maxpool2", 3);
        self.inception("inception3a", [64, 96, 128, 16, 32, 32], norm);
        self.inception("inception3b", [128, 128, 192, 32, 96, 64], norm);
        self.end_of_stage();
        self.shrink("maxpool3", 3);
        self.inception("inception4a", [192, 96, 208, 16, 48, 64], norm);
        self.inception("inception4b", [160, 112, 224, 24, 64, 64], norm);
        self.inception("inception4c", [128, 128, 256, 24, 64, 64], norm);
        self.inception("inception4d", [112, 144, 288, 32, 64, 64], norm);
        self.inception("inception4e", [256, 160, 320, 32, 128, 128], norm);
        self.end_of_stage();
        self.shrink("maxpool4", 2);
        self.inception("inception5a", [256, 160, 320, 32, 128, 128], norm);
        self.inception("inception5b", [384, 192, 384, 48, 128, 128], norm);
        self.end_of_stage();
    }

    /// Four branches beside each other. The numbers are filters: of the first branch, of the second's two convolutions,
    /// of the third's two, and of the one after the fourth's pooling.
    fn inception(&mut self, name: &str, filters: [usize; 6], norm: BatchNorm) {
        let [single, reduce3, wide3, reduce5, wide5, pooled] = filters;
        let (before, mut ends) = (self.at, Vec::new());
        self.basic(&format!("{name}.branch1"), single, 1, 1, norm);
        ends.extend(self.at);
        for (branch, reduced, wide) in [(2, reduce3, wide3), (3, reduce5, wide5)] {
            self.at = before;
            self.basic(&format!("{name}.branch{branch}.0"), reduced, 1, 1, norm);
            self.basic(&format!("{name}.branch{branch}.1"), wide, 3, 1, norm);
            ends.extend(self.at);
        }
        self.at = before;
        let window = Window { size: 3, stride: 1, padding: 1, ceil: true };
        self.push(&format!("{name}.branch4.0"), LayerKind::MaxPool(window), Vec::new());
        self.basic(&format!("{name}.branch4.1"), pooled, 1, 1, norm);
        ends.extend(self.at);
        self.join(name, LayerKind::Concat, ends);
    }

    /// GoogLeNet's pooling: windows may reach over the end.
    fn shrink(&mut self, name: &str, size: usize) {
        let window = Window { size, stride: 2, padding: 0, ceil: true };
        self.push(name, LayerKind::MaxPool(window), Vec::new());
    }

    /// A convolution, its batch norm and its function, as GoogLeNet names them.
    fn basic(&mut self, name: &str, filters: usize, kernel: usize, stride: usize, norm: BatchNorm) {
        self.conv_norm(&format!("{name}.conv"), &format!("{name}.bn"), filters, kernel, stride, norm);
        self.activation(&format!("{name}.relu"), RELU);
    }

    fn conv_norm(
        &mut self,
        conv: &str,
        norm: &str,
        filters: usize,
        kernel: usize,
        stride: usize,
        after: BatchNorm,
    ) {
        self.conv(conv, Conv { filters, kernel, stride, bias: false, then: Some(RELU) });
        self.norm(norm, after);
    }
}
