//! Architecture as data: parameters in, layer table, shapes and counts out.
//!
//! The way through: [`PARAMETERS`] says what may be set and to what; [`Plan::from_params`] turns a
//! trial's parameters into an [`Architecture`] and [`Training`] settings, or into every [`Problem`] with
//! them; [`LayerTable`] is what the architecture amounts to. The trainer builds its network from that
//! table and from nothing else, so a shape or a count shown before training is the one trained.
//!
//! Invariants: a plan that exists can be built (no feature map is pooled to nothing, lists fit each
//! other); the same parameters give the same plan.
//! What is absent: tensors, tch, files, clocks.

mod architecture;
mod augment;
mod build;
mod check;
mod choices;
#[cfg(test)]
mod families_test;
mod fuse;
mod inherit;
mod layers;
mod loss;
mod memory;
mod nearest;
mod parameters;
mod plan;
#[cfg(test)]
mod plan_test;
mod problem;
mod read;
mod render;
mod schedule;
mod shape;
mod tensors;
mod training;

pub use architecture::{
    Architecture, BatchNorm, Block, Convolutions, Dense, EXTRA_COLUMNS, Googlenet, Head, Residual, Resnet,
    Top, Trunk, Vgg, columns_named,
};
pub use augment::{Augment, Effect, Fill};
pub use check::check_value;
pub use choices::{
    Activation, ExtraInput, Family, Missing, Neck, NormPlace, Pooling, Precision, Scaling, Sources,
};
pub use inherit::survives;
pub use layers::{Layer, LayerKind, LayerTable, Window};
pub use loss::{Loss, LossKind};
pub use nearest::nearest;
pub use parameters::{Accepts, Item, Known, Lists, PARAMETERS, known};
pub use plan::Plan;
pub use problem::Problem;
pub use schedule::{Schedule, ScheduleKind};
pub use shape::Shape;
pub use tensors::{Init, TensorSpec};
pub use training::{BatchSize, Optimizer, Training, Transfer};

/// Height and width of an input image, in pixels.
pub const SIDE_PX: usize = 96;
/// Channels of an input image: grey.
pub const CHANNELS: usize = 1;
/// Numbers that a network puts out: x and y of 15 keypoints.
pub const OUTPUTS: usize = 30;
