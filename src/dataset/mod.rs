//! Datasets: the Kaggle import, synthetic faces, splits, and the memory-mapped cache.
//!
//! A dataset is 96x96 grey images with 15 keypoints each, kept in one file `HOME/datasets/NAME.faces`
//! ([`cache`]). It is written once, under a temporary name, and never changed: who has it open keeps
//! what was opened, also when the name is replaced.
//!
//! What is absent: augmentation and scaling (the trainer's), and any knowledge of sweeps and trials.
//! Knows the domain; never the store.

pub mod baseline;
pub mod builder;
pub mod cache;
pub mod columns;
mod error;
pub mod inputs;
pub mod kaggle;
pub mod missing;
pub mod numbers;
pub mod picture;
pub mod registry;
mod source;
pub mod split;
pub mod submission;
pub mod summary;
pub mod synth;
mod table;

pub use baseline::{mean_face, mean_face_rmse};
pub use builder::{Builder, IfExists, Written};
pub use cache::{Dataset, Provenance};
pub use columns::{COLUMNS, PIXELS, SIDE_PX};
pub use error::{DatasetError, Place};
pub use inputs::Inputs;
pub use missing::{Missing, fill};
pub use numbers::Numbers;
pub use registry::{find, list};
pub use source::Limits;
pub use split::Split;
