//! Every parameter of the built-in trainer: the one source for checks, messages and documents.

use super::augment::Fill;
use super::choices::{
    Activation, ExtraInput, Family, Missing, Neck, NormPlace, Pooling, Precision, Scaling, Sources,
};
use super::loss::LossKind;
use super::schedule::ScheduleKind;
use super::training::OptimizerKind;
use std::fmt;

/// A parameter of the built-in trainer.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name in a sweep file.
    pub name: &'static str,
    /// What it can be set to.
    pub accepts: Accepts,
    /// What it is when it is not set, in words.
    pub default: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
}

/// What a parameter can be set to. Displayed as people say it: `a whole number from 1 to 9`.
#[derive(Debug, Clone, Copy)]
pub struct Accepts {
    /// A single value.
    pub item: Item,
    /// Whether a list of such values will do, and how long it must be.
    pub lists: Lists,
    /// A word that will do instead of a number.
    pub or_word: Option<&'static str>,
}

/// A single value.
#[derive(Debug, Clone, Copy)]
pub enum Item {
    /// One of these words.
    Word(&'static [&'static str]),
    /// The path of a file, from the root on.
    Path,
    /// The name of a column.
    Column,
    /// `true` or `false`.
    Flag,
    /// A whole number in `[low, high]`.
    Whole {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
        /// Only odd ones.
        odd: bool,
    },
    /// A number: above `low` (or equal, unless `above`), up to `high` (below it, if `below`).
    Number {
        /// Lower end.
        low: f64,
        /// Upper end; infinite for none.
        high: f64,
        /// The lower end itself is excluded.
        above: bool,
        /// The upper end itself is excluded.
        below: bool,
    },
}

/// Whether a parameter can be a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// It cannot.
    Never,
    /// One item per block.
    PerBlock,
    /// One item per hidden dense layer.
    PerDense,
    /// Any number of different ones.
    Any,
}

impl fmt::Display for Accepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)?;
        if let Some(word) = self.or_word {
            write!(f, " or \"{word}\"")?;
        }
        match self.lists {
            Lists::Never => Ok(()),
            Lists::PerBlock => f.write_str(", or a list with one per block"),
            Lists::PerDense => f.write_str(", or a list with one per hidden dense layer"),
            Lists::Any => f.write_str(", or a list of them"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Word(words) => {
                f.write_str("one of ")?;
                for (i, word) in words.iter().enumerate() {
                    write!(f, "{}\"{word}\"", if i > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Self::Path => f.write_str("the absolute path of a file"),
            Self::Column => f.write_str("the name of a column"),
            Self::Flag => f.write_str("true or false"),
            Self::Whole { low, high, odd } => {
                let kind = if odd { "an odd whole number" } else { "a whole number" };
                if high == i64::MAX {
                    write!(f, "{kind} of at least {low}")
                } else {
                    write!(f, "{kind} from {low} to {high}")
                }
            }
            Self::Number { low, high, above, below } => {
                let from = if above { "above" } else { "from" };
                match (high.is_finite(), below) {
                    (false, _) if above => write!(f, "a number above {low}"),
                    (false, _) => write!(f, "a number of at least {low}"),
                    (true, true) => write!(f, "a number {from} {low} and below {high}"),
                    (true, false) => write!(f, "a number {from} {low} to {high}"),
                }
            }
        }
    }
}

const fn word(words: &'static [&'static str]) -> Accepts {
    Accepts { item: Item::Word(words), lists: Lists::Never, or_word: None }
}
const FLAG: Accepts = Accepts { item: Item::Flag, lists: Lists::Never, or_word: None };
const fn whole(low: i64, high: i64) -> Accepts {
    Accepts { item: Item::Whole { low, high, odd: false }, lists: Lists::Never, or_word: None }
}
const fn item(item: Item) -> Accepts {
    Accepts { item, lists: Lists::Never, or_word: None }
}
/// In `[low, high]`.
const fn within(low: f64, high: f64) -> Accepts {
    item(Item::Number { low, high, above: false, below: false })
}
/// In `[0, 1)`.
const SHARE: Accepts = item(Item::Number { low: 0.0, high: 1.0, above: false, below: true });
const ABOVE_ZERO: Accepts = item(Item::Number { low: 0.0, high: f64::INFINITY, above: true, below: false });
const fn or_list(accepts: Accepts, lists: Lists) -> Accepts {
    Accepts { lists, ..accepts }
}
const fn or_word(accepts: Accepts, word: &'static str) -> Accepts {
    Accepts { or_word: Some(word), ..accepts }
}
const fn known_as(name: &'static str, accepts: Accepts, default: &'static str, doc: &'static str) -> Known {
    Known { name, accepts, default, doc }
}

const ODD: Accepts = item(Item::Whole { low: 1, high: 31, odd: true });
/// More filters or a wider layer than any machine at hand would train.
const WIDEST: i64 = 65_536;

/// Every parameter, in the order in which documents list them.
pub const PARAMETERS: &[Known] = &[
    // Architecture
    known_as("family", word(Family::WORDS), "cnn", "what kind of network"),
    known_as("layers", whole(11, 50), "11 or 18", "layers of vgg (11, 13, 16, 19) or resnet (18, 34, 50)"),
    known_as(
        "blocks",
        whole(1, 12),
        "as many as `filters` lists; else 5, or 4 of a residual network",
        "blocks of convolutions; each halves height and width (in a residual network, each but the first)",
    ),
    known_as(
        "filters",
        or_list(whole(1, 8192), Lists::PerBlock),
        "32",
        "filters of the first block, from which `growth` leads on; or of every block",
    ),
    known_as(
        "growth",
        within(0.25, 8.0),
        "2",
        "factor from one block's filters to the next's, where `filters` is one number",
    ),
    known_as("max_filters", whole(1, 8192), "512", "where growth ends"),
    known_as("convs_per_block", whole(1, 2), "1", "convolutions in each block"),
    known_as(
        "kernel_size",
        or_list(ODD, Lists::PerBlock),
        "3",
        "height and width of a convolution's kernel, in pixels",
    ),
    known_as(
        "depth",
        or_list(whole(1, 64), Lists::PerBlock),
        "1",
        "units in each block of a residual network",
    ),
    known_as(
        "bottleneck",
        whole(1, 16),
        "1",
        "a residual unit's inner convolution has so many times fewer filters; 1 for two plain convolutions",
    ),
    known_as(
        "stem_halvings",
        whole(0, 2),
        "1",
        "how often a residual network halves height and width before its first block",
    ),
    known_as(
        "zero_init",
        FLAG,
        "false",
        "residual units begin by passing on what they take: for long trainings",
    ),
    known_as("activation", word(Activation::WORDS), "relu", "function after each convolution"),
    known_as("leaky_slope", within(0.0, 1.0), "0.1", "slope of leaky_relu for negative numbers"),
    known_as("batch_norm", FLAG, "true", "batch normalisation of each convolution"),
    known_as(
        "batch_norm_place",
        word(NormPlace::WORDS),
        "before",
        "batch norm before or after the activation",
    ),
    known_as(
        "batch_norm_momentum",
        item(Item::Number { low: 0.0, high: 1.0, above: true, below: false }),
        "0.1",
        "share of each batch in the running mean and variance",
    ),
    known_as("batch_norm_epsilon", ABOVE_ZERO, "0.00001, or 0.001 of googlenet", "added to the variance"),
    known_as("conv_bias", FLAG, "true without batch norm, else false", "bias of each convolution"),
    known_as("pooling", word(Pooling::WORDS), "max", "how a block halves height and width"),
    known_as("pool_last", FLAG, "true", "whether the last block pools too"),
    known_as(
        "neck",
        word(Neck::WORDS),
        "mean of resnet and googlenet, else flatten",
        "what dense layers take of the last feature maps: all numbers, or the mean of each map",
    ),
    known_as(
        "extra_inputs",
        or_list(word(ExtraInput::WORDS), Lists::Any),
        "[]",
        "numbers about the image itself that dense layers take, too",
    ),
    known_as(
        "extra_columns",
        or_list(item(Item::Column), Lists::Any),
        "[]",
        "columns of numbers of the dataset that dense layers take, too",
    ),
    known_as(
        "dense",
        or_list(whole(1, WIDEST), Lists::PerDense),
        "[] of resnet and googlenet, else 512",
        "widths of the hidden dense layers; [] for none",
    ),
    known_as(
        "dense_activation",
        or_list(word(Activation::WORDS), Lists::PerDense),
        "relu",
        "function after each hidden dense layer",
    ),
    known_as(
        "dropout",
        or_list(SHARE, Lists::PerDense),
        "0",
        "share of each hidden dense layer's outputs that training leaves out",
    ),
    known_as(
        "head",
        word(super::architecture::Head::WORDS),
        "linear",
        "last layer; sigmoid wants target_scaling = \"unit\"; heatmap stands for dense layers, too",
    ),
    known_as(
        "heatmap_side",
        whole(1, 96),
        "24",
        "heat maps have at least this height and width: a size that the feature maps have somewhere",
    ),
    known_as("heatmap_filters", whole(1, 8192), "64", "filters of the convolutions that make heat maps"),
    known_as(
        "sources",
        word(Sources::WORDS),
        "shared",
        "whether rows with all points and rows with only the four common ones, which others labelled, have offsets or heads of their own",
    ),
    // Weights from elsewhere
    known_as(
        "pretrained",
        item(Item::Path),
        "none",
        "a file with weights for all but the dense layers and heads",
    ),
    known_as(
        "trunk_learning_rate",
        within(0.0, 100.0),
        "1",
        "factor of the learning rate for pretrained weights; 0 keeps them as they are",
    ),
    known_as("frozen_epochs", whole(0, 1_000_000), "0", "epochs before pretrained weights begin to change"),
    // Data
    known_as("missing", word(Missing::WORDS), "mask", "what becomes of missing labels of training rows"),
    known_as("input_scaling", word(Scaling::WORDS), "unit", "grey values as 0 to 255, 0 to 1, or -1 to 1"),
    known_as(
        "target_scaling",
        word(Scaling::WORDS),
        "centered, or unit under a sigmoid head",
        "coordinates as 0 to 96, 0 to 1, or -1 to 1",
    ),
    // Augmentation
    known_as("augment_flip", within(0.0, 1.0), "0", "share of training images that are mirrored"),
    known_as(
        "augment_quarter_turns",
        within(0.0, 1.0),
        "0",
        "share of training images that are turned by 90, 180 or 270 degrees",
    ),
    known_as("augment_rotation", within(0.0, 180.0), "0", "turns images by up to so many degrees"),
    known_as(
        "augment_rotation_p",
        within(0.0, 1.0),
        "1",
        "share of images to which augment_rotation is done",
    ),
    known_as("augment_zoom", SHARE, "0", "makes images larger or smaller by up to this share"),
    known_as("augment_zoom_p", within(0.0, 1.0), "1", "share of images to which augment_zoom is done"),
    known_as("augment_shift", SHARE, "0", "moves images by up to this share of their side"),
    known_as("augment_shift_p", within(0.0, 1.0), "1", "share of images to which augment_shift is done"),
    known_as(
        "augment_crop",
        SHARE,
        "0",
        "cuts images to a window smaller by up to this share, and enlarges it",
    ),
    known_as("augment_crop_p", within(0.0, 1.0), "1", "share of images to which augment_crop is done"),
    known_as("augment_distortion", within(0.0, 4.0), "0", "bends images by up to so many pixels"),
    known_as(
        "augment_distortion_p",
        within(0.0, 1.0),
        "1",
        "share of images to which augment_distortion is done",
    ),
    known_as(
        "augment_brightness",
        within(0.0, 1.0),
        "0",
        "makes images brighter or darker by up to this share of white",
    ),
    known_as(
        "augment_brightness_p",
        within(0.0, 1.0),
        "1",
        "share of images to which augment_brightness is done",
    ),
    known_as("augment_contrast", SHARE, "0", "makes contrast larger or smaller by up to this share"),
    known_as(
        "augment_contrast_p",
        within(0.0, 1.0),
        "1",
        "share of images to which augment_contrast is done",
    ),
    known_as("augment_noise", within(0.0, 1.0), "0", "gaussian noise of up to this share of white"),
    known_as("augment_noise_p", within(0.0, 1.0), "1", "share of images to which augment_noise is done"),
    known_as(
        "augment_poisson",
        within(0.0, 1.0),
        "0",
        "poisson noise of up to this share of white where it is white",
    ),
    known_as("augment_poisson_p", within(0.0, 1.0), "1", "share of images to which augment_poisson is done"),
    known_as("augment_salt_pepper", SHARE, "0", "makes up to this share of pixels black or white"),
    known_as(
        "augment_salt_pepper_p",
        within(0.0, 1.0),
        "1",
        "share of images to which augment_salt_pepper is done",
    ),
    known_as("augment_blur", within(0.0, 8.0), "0", "blurs images by up to so many pixels"),
    known_as("augment_blur_p", within(0.0, 1.0), "1", "share of images to which augment_blur is done"),
    known_as("augment_erase", SHARE, "0", "covers a square of up to this share of the image's side"),
    known_as("augment_erase_p", within(0.0, 1.0), "1", "share of images to which augment_erase is done"),
    known_as("augment_fill", word(Fill::WORDS), "edge", "what stands where a moved image had nothing"),
    known_as(
        "augment_copies",
        whole(0, 100),
        "0",
        "so many fixed variants of each image in every epoch, instead of a new one in each; 0 for new ones",
    ),
    // Training
    known_as("epochs", whole(1, 1_000_000), "30", "passes over the training rows"),
    known_as("batch_size", or_word(whole(1, 1_000_000), "all"), "64", "images per step of the optimiser"),
    known_as("loss", word(LossKind::WORDS), "mse", "what training makes small"),
    known_as("loss_beta_px", ABOVE_ZERO, "1", "error from which smooth_l1 is straight, in pixels"),
    known_as("loss_width_px", ABOVE_ZERO, "5", "error from which wing is straight, in pixels"),
    known_as(
        "loss_curvature_px",
        ABOVE_ZERO,
        "0.5",
        "the smaller, the steeper is wing for small errors; in pixels",
    ),
    known_as(
        "trim",
        SHARE,
        "0",
        "share of each batch's labels, those with the largest errors, that the loss leaves out",
    ),
    known_as(
        "clip_norm",
        within(0.0, f64::INFINITY),
        "0",
        "longest gradient; longer ones are shortened; 0 for any",
    ),
    known_as(
        "ema",
        SHARE,
        "0",
        "memory of the mean of the weights that is validated and kept; 0 for the weights themselves",
    ),
    known_as("test_flip", FLAG, "false", "predicts each image and its mirror image, and takes the mean"),
    known_as(
        "precision",
        word(Precision::WORDS),
        "auto",
        "what layers compute in; auto: bf16 where the device is fast at it, else f32",
    ),
    known_as("optimizer", word(OptimizerKind::WORDS), "adam", "how gradients become steps"),
    known_as("learning_rate", ABOVE_ZERO, "0.001", "size of the steps; the schedule's highest"),
    known_as(
        "weight_decay",
        within(0.0, f64::INFINITY),
        "0",
        "pull of the weights (not biases, not batch norms) towards 0: adamw's own kind, else added to the gradient",
    ),
    known_as("beta1", SHARE, "0.9", "memory of adam and adamw for the gradient"),
    known_as("beta2", SHARE, "0.999", "memory of adam and adamw for its square"),
    known_as("epsilon", ABOVE_ZERO, "0.00000001", "added to adam's and adamw's divisor"),
    known_as("momentum", SHARE, "0.9", "memory of sgd for the gradient"),
    known_as("nesterov", FLAG, "false", "sgd looks ahead along its momentum"),
    known_as("schedule", word(ScheduleKind::WORDS), "constant", "how the learning rate moves over the trial"),
    known_as(
        "warmup",
        SHARE,
        "0.3 for one_cycle, else 0",
        "share of the trial over which the learning rate rises first",
    ),
    known_as(
        "start_factor",
        within(0.0, 1.0),
        "0.04",
        "first learning rate of the warm-up, as a share of the highest",
    ),
    known_as(
        "end_factor",
        within(0.0, 1.0),
        "0",
        "last learning rate of cosine and one_cycle, as a share of the highest",
    ),
    known_as(
        "step_every",
        whole(1, 1_000_000),
        "a third of the epochs",
        "epochs between the falls of the step schedule",
    ),
    known_as("step_factor", within(0.0, 1.0), "0.1", "factor of each fall of the step schedule"),
    known_as(
        "patience",
        or_word(whole(0, 1_000_000), "none"),
        "none",
        "epochs without a better validation step before the trial ends; 0 for never",
    ),
    known_as(
        "seed",
        whole(0, i64::MAX),
        "from the sweep's seed and the trial's number",
        "seed of initial weights, shuffling and dropout",
    ),
];

/// The parameter of that name.
#[must_use]
pub fn known(name: &str) -> Option<&'static Known> {
    PARAMETERS.iter().find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, a) in PARAMETERS.iter().enumerate() {
            assert!(PARAMETERS[..i].iter().all(|b| a.name != b.name), "{}", a.name);
        }
    }

    #[test]
    fn ranges_read_as_sentences() {
        let shown = |name| known(name).unwrap().accepts.to_string();
        assert_eq!(shown("kernel_size"), "an odd whole number from 1 to 31, or a list with one per block");
        assert_eq!(shown("batch_size"), "a whole number from 1 to 1000000 or \"all\"");
        assert_eq!(shown("beta1"), "a number from 0 and below 1");
        assert_eq!(shown("learning_rate"), "a number above 0");
        assert_eq!(shown("pooling"), "one of \"max\", \"average\", \"stride\"");
    }
}
