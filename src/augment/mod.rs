//! Augmentation, the part that is no pixels: what is done to which image, and where its keypoints go.
//!
//! [`Draw`] is what one image undergoes, drawn from a random stream of the caller's and so a function of its key
//! alone. Its [`Motion`] maps places of the new image to the places of the old one that are seen there, which is what
//! a trainer needs to make the image, and moves keypoints exactly along; a test holds both against each other.
//!
//! Places are in pixels; the pixel in column i covers i to i + 1, so the image covers 0 to 96 along each axis.
//! What is absent: images, tensors, clocks, files. The settings are the model room's.

mod draw;
mod motion;
#[cfg(test)]
mod motion_test;

pub use draw::Draw;
pub use motion::{Affine, Motion, WAVES, Wave, move_labels};
