//! Every parameter of the built-in trainer: the one source for checks, messages and documents.

use super::choices::{Activation, Family, Missing, NormPlace, Pooling, Scaling};
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
    known_as(
        "blocks",
        whole(1, 12),
        "5, or as many as `filters` lists",
        "blocks of convolutions; each halves height and width",
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
    known_as("batch_norm_epsilon", ABOVE_ZERO, "0.00001", "added to the variance"),
    known_as("conv_bias", FLAG, "true without batch norm, else false", "bias of each convolution"),
    known_as("pooling", word(Pooling::WORDS), "max", "how a block halves height and width"),
    known_as("pool_last", FLAG, "true", "whether the last block pools too"),
    known_as(
        "dense",
        or_list(whole(1, WIDEST), Lists::PerDense),
        "512",
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
        "last layer; sigmoid wants target_scaling = \"unit\"",
    ),
    // Data
    known_as("missing", word(Missing::WORDS), "mask", "what becomes of missing labels of training rows"),
    known_as("input_scaling", word(Scaling::WORDS), "unit", "grey values as 0 to 255, 0 to 1, or -1 to 1"),
    known_as(
        "target_scaling",
        word(Scaling::WORDS),
        "centered, or unit under a sigmoid head",
        "coordinates as 0 to 96, 0 to 1, or -1 to 1",
    ),
    // Training
    known_as("epochs", whole(1, 1_000_000), "30", "passes over the training rows"),
    known_as("batch_size", or_word(whole(1, 1_000_000), "all"), "64", "images per step of the optimiser"),
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
