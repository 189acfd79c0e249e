//! The choices that are words: each with its list, so that messages and checks cannot drift apart.

use serde::Serialize;

/// A choice that is a word.
pub(crate) trait Word: Copy {
    /// The word in a sweep file.
    fn word(self) -> &'static str;
    /// What a word means.
    fn parse(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The words a parameter can be set to.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word in a sweep file.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::model::choices::Word for $name {
            fn word(self) -> &'static str {
                self.word()
            }

            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}
pub(crate) use words;

words!(
    /// What kind of network.
    Family {
        /// Blocks of convolutions, then dense layers.
        Cnn = "cnn",
        /// Blocks of units whose results are added to what they take.
        Residual = "residual",
        /// VGG, under torchvision's names.
        Vgg = "vgg",
        /// ResNet, under torchvision's names.
        Resnet = "resnet",
        /// GoogLeNet, under torchvision's names.
        Googlenet = "googlenet",
        /// Dense layers on the pixels.
        Dense = "dense",
    }
);

words!(
    /// How feature maps become the row of numbers that dense layers take.
    Neck {
        /// All their numbers.
        Flatten = "flatten",
        /// The mean of each.
        Mean = "mean",
    }
);

words!(
    /// Numbers about an image itself, which dense layers take beside those of the trunk.
    ExtraInput {
        /// Mean, deviation, least and greatest of its grey values.
        Statistics = "statistics",
        /// How its grey values are distributed.
        Histogram = "histogram",
        /// How steep it is in each direction, where, and how far spread.
        Gradients = "gradients",
    }
);

impl ExtraInput {
    /// Classes of grey values that a histogram counts.
    pub const CLASSES: usize = 16;

    /// How many numbers.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Statistics => 4,
            Self::Histogram => Self::CLASSES,
            Self::Gradients => 7,
        }
    }
}

words!(
    /// How a block makes its feature maps smaller.
    Pooling {
        /// The maximum of each 2x2.
        Max = "max",
        /// The mean of each 2x2.
        Average = "average",
        /// The block's last convolution takes every second place.
        Stride = "stride",
    }
);

words!(
    /// Where a batch norm stands.
    NormPlace {
        /// Between convolution and activation.
        Before = "before",
        /// After the activation.
        After = "after",
    }
);

words!(
    /// What becomes of a training row's missing labels. Validation rows are never altered.
    Missing {
        /// The loss leaves them out.
        Mask = "mask",
        /// Rows with a missing label are left out.
        Drop = "drop",
        /// The column's mean over the training rows.
        Mean = "mean",
        /// The value of the previous training row.
        Previous = "previous",
    }
);

words!(
    /// Rows come from two sources: some have all points, others only the four common ones, placed by other people.
    Sources {
        /// One head for all.
        Shared = "shared",
        /// One head, and offsets for each: how its people's points differ on average.
        Offset = "offset",
        /// A head and offsets for each.
        Heads = "heads",
    }
);

words!(
    /// What layers compute in. Weights, running statistics and the optimiser are always f32.
    Precision {
        /// bf16 where the device has instructions for it, else f32.
        Auto = "auto",
        /// 32 bits.
        F32 = "f32",
        /// 16 bits with the exponent of f32.
        Bf16 = "bf16",
    }
);

words!(
    /// The numbers a network sees or puts out instead of raw ones.
    Scaling {
        /// Raw: grey values 0 to 255, coordinates 0 to 96.
        Pixels = "pixels",
        /// 0 to 1.
        Unit = "unit",
        /// -1 to 1.
        Centered = "centered",
    }
);

impl Scaling {
    /// `(offset, divisor)` such that `scaled = (raw - offset) / divisor`, for raw numbers from 0 to `top`.
    #[must_use]
    pub fn affine(self, top: f64) -> (f64, f64) {
        match self {
            Self::Pixels => (0.0, 1.0),
            Self::Unit => (0.0, top),
            Self::Centered => (top / 2.0, top / 2.0),
        }
    }
}

/// A layer's non-linear function, applied to each number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "function", rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x, times `slope` where negative.
    LeakyRelu {
        /// The factor of negative numbers.
        slope: f64,
    },
    /// x, or exp(x) - 1 where negative (Clevert et al. 2015).
    Elu,
    /// The self-normalising scaled ELU (Klambauer et al. 2017).
    Selu,
    /// x times the normal distribution's cumulative function, exactly, not by tanh (Hendrycks, Gimpel 2016).
    Gelu,
    /// x times its sigmoid (Ramachandran et al. 2017).
    Silu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// The words a parameter can be set to.
    pub const WORDS: &[&str] = &["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh"];

    /// The word in a sweep file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
        }
    }

    /// What a word means; `slope` is read only where the word needs it.
    pub(crate) fn parse(word: &str, slope: impl FnOnce() -> f64) -> Option<Self> {
        match word {
            "relu" => Some(Self::Relu),
            "leaky_relu" => Some(Self::LeakyRelu { slope: slope() }),
            "elu" => Some(Self::Elu),
            "selu" => Some(Self::Selu),
            "gelu" => Some(Self::Gelu),
            "silu" => Some(Self::Silu),
            "sigmoid" => Some(Self::Sigmoid),
            "tanh" => Some(Self::Tanh),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_activation_word_is_understood() {
        for word in Activation::WORDS {
            assert_eq!(Activation::parse(word, || 0.1).unwrap().word(), *word);
        }
    }

    #[test]
    fn scalings_reach_their_ends() {
        let ends = |s: Scaling| {
            let (offset, divisor) = s.affine(96.0);
            ((0.0 - offset) / divisor, (96.0 - offset) / divisor)
        };
        assert_eq!(ends(Scaling::Pixels), (0.0, 96.0));
        assert_eq!(ends(Scaling::Unit), (0.0, 1.0));
        assert_eq!(ends(Scaling::Centered), (-1.0, 1.0));
    }
}
