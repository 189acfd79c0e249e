//! How a network is trained, read from parameters.

use super::architecture::Head;
use super::augment::Augment;
use super::choices::{Missing, Precision, Scaling, words};
use super::loss::Loss;
use super::read::Reader;
use super::schedule::Schedule;
use crate::domain::Value;
use serde::Serialize;

words!(
    /// The optimisers by name.
    OptimizerKind {
        /// Adaptive moments; weight decay is added to the gradient.
        Adam = "adam",
        /// Adaptive moments; weight decay acts on the weights themselves.
        AdamW = "adamw",
        /// Gradient descent with momentum.
        Sgd = "sgd",
    }
);

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum Optimizer {
    /// Kingma, Ba 2014.
    Adam {
        /// Memory for the gradient.
        beta1: f64,
        /// Memory for its square.
        beta2: f64,
        /// Added to the divisor.
        epsilon: f64,
    },
    /// Loshchilov, Hutter 2017.
    AdamW {
        /// Memory for the gradient.
        beta1: f64,
        /// Memory for its square.
        beta2: f64,
        /// Added to the divisor.
        epsilon: f64,
    },
    /// Gradient descent; with momentum, the velocity is `momentum * velocity + gradient`.
    Sgd {
        /// Memory for the gradient; 0 for none.
        momentum: f64,
        /// Whether the step looks ahead along the velocity.
        nesterov: bool,
    },
}

impl Optimizer {
    /// Numbers it remembers for each weight.
    #[must_use]
    pub fn state_per_weight(&self) -> u64 {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            Self::Sgd { momentum, .. } => u64::from(*momentum > 0.0),
        }
    }
}

/// How many images make a step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSize {
    /// All training rows.
    All,
    /// So many; the last batch of an epoch may be smaller.
    Images(u64),
}

impl BatchSize {
    /// Images per step with so many training rows.
    #[must_use]
    pub fn images(self, rows: u64) -> u64 {
        match self {
            Self::All => rows,
            Self::Images(images) => images.min(rows),
        }
        .max(1)
    }
}

/// A trunk that was trained before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transfer {
    /// The file with its weights.
    pub file: String,
    /// Factor of the learning rate for it; 0 for a trunk that stays as it is.
    pub learning_rate: f64,
    /// Epochs before it begins to change.
    pub frozen_epochs: u64,
}

impl Transfer {
    fn read(reader: &Reader<'_>, trunk: bool) -> Option<Self> {
        let file = reader.given("pretrained").and_then(Value::as_str)?;
        reader.settle("pretrained", file);
        if !trunk {
            reader.problem("pretrained", "a dense network has no trunk; use another `family`");
        }
        let learning_rate = reader.number("trunk_learning_rate", 1.0);
        let frozen = || reader.whole("frozen_epochs", 0).unsigned_abs();
        let frozen_epochs = if learning_rate > 0.0 { frozen() } else { 0 };
        Some(Self { file: file.to_owned(), learning_rate, frozen_epochs })
    }

    /// Whether the trunk stays as it is in an epoch, from 1.
    #[must_use]
    pub fn frozen_in(&self, epoch: u64) -> bool {
        self.learning_rate == 0.0 || epoch <= self.frozen_epochs
    }
}

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Training {
    /// The trunk's weights, if they are from elsewhere.
    pub transfer: Option<Transfer>,
    /// What becomes of missing labels of training rows.
    pub missing: Missing,
    /// Grey values as the network sees them.
    pub input_scaling: Scaling,
    /// Coordinates as the network puts them out.
    pub target_scaling: Scaling,
    /// What is done to training images.
    pub augment: Augment,
    /// Passes over the training rows.
    pub epochs: u64,
    /// Images per step.
    pub batch_size: BatchSize,
    /// What training makes small.
    pub loss: Loss,
    /// Share of each batch's labels, those with the largest errors, that the loss leaves out.
    pub trim: f64,
    /// Longest gradient; longer ones are shortened to it.
    pub clip_norm: Option<f64>,
    /// Memory of the mean of the weights that is validated and kept, for each step; `None` for the weights
    /// themselves.
    pub ema: Option<f64>,
    /// Whether predictions are means of those for an image and for its mirror image.
    pub test_flip: bool,
    /// What layers compute in.
    pub precision: Precision,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// The schedule's highest learning rate.
    pub learning_rate: f64,
    /// Pull of the weights (not biases, not batch norms) towards 0.
    pub weight_decay: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// Epochs without a better validation step before the trial ends; `None` for never.
    pub patience: Option<u64>,
    /// Seed of initial weights, shuffling and dropout; `None` for the trial's own.
    pub seed: Option<u64>,
}

impl Training {
    pub(crate) fn read(reader: &Reader<'_>, head: Head, trunk: bool) -> Self {
        let epochs = reader.whole("epochs", 30).unsigned_abs();
        Self {
            transfer: Transfer::read(reader, trunk),
            missing: reader.word("missing", Missing::Mask),
            input_scaling: reader.word("input_scaling", Scaling::Unit),
            target_scaling: read_target_scaling(reader, head),
            augment: Augment::read(reader),
            epochs,
            loss: Loss::read(reader),
            trim: reader.number_unless_zero("trim"),
            clip_norm: Some(reader.number_unless_zero("clip_norm")).filter(|norm| *norm > 0.0),
            ema: Some(reader.number_unless_zero("ema")).filter(|ema| *ema > 0.0),
            test_flip: reader.flag("test_flip", false),
            precision: reader.word("precision", Precision::Auto),
            batch_size: if reader.given("batch_size").is_some_and(|value| value.as_str().is_some()) {
                reader.settle("batch_size", "all");
                BatchSize::All
            } else {
                BatchSize::Images(reader.whole("batch_size", 64).unsigned_abs())
            },
            optimizer: read_optimizer(reader),
            learning_rate: reader.number("learning_rate", 1e-3),
            weight_decay: reader.number("weight_decay", 0.0),
            schedule: Schedule::read(reader, epochs),
            patience: Some(reader.whole("patience", 0).unsigned_abs()).filter(|n| *n > 0),
            seed: reader.given("seed").map(|_| reader.whole("seed", 0).unsigned_abs()),
        }
    }
}

fn read_target_scaling(reader: &Reader<'_>, head: Head) -> Scaling {
    let sigmoid = head == Head::Sigmoid;
    let default = if sigmoid { Scaling::Unit } else { Scaling::Centered };
    let scaling = reader.word("target_scaling", default);
    if sigmoid && scaling != Scaling::Unit {
        reader.problem(
            "target_scaling",
            format!(
                "a sigmoid head puts out 0 to 1 and cannot reach \"{}\" targets; use \"unit\" or head = \"linear\"",
                scaling.word()
            ),
        );
    }
    scaling
}

fn read_optimizer(reader: &Reader<'_>) -> Optimizer {
    let kind = reader.word("optimizer", OptimizerKind::Adam);
    if kind == OptimizerKind::Sgd {
        let momentum = reader.number("momentum", 0.9);
        let nesterov = reader.flag("nesterov", false);
        if nesterov && momentum == 0.0 {
            reader.problem("nesterov", "needs a `momentum` above 0");
        }
        return Optimizer::Sgd { momentum, nesterov };
    }
    let (beta1, beta2) = (reader.number("beta1", 0.9), reader.number("beta2", 0.999));
    let epsilon = reader.number("epsilon", 1e-8);
    if kind == OptimizerKind::AdamW {
        Optimizer::AdamW { beta1, beta2, epsilon }
    } else {
        Optimizer::Adam { beta1, beta2, epsilon }
    }
}
