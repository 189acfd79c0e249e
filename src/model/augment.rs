//! What is done to training images, and their keypoints along with them: settings only. Drawing from them and moving
//! keypoints is `augment`'s, changing pixels the trainer's.

use super::choices::words;
use super::read::Reader;
use serde::Serialize;

words!(
    /// What stands where a moved image shows what was outside of it.
    Fill {
        /// The nearest pixel of the image.
        Edge = "edge",
        /// Black.
        Black = "black",
        /// The image, mirrored.
        Mirror = "mirror",
    }
);

/// One change: how strong at most, and how often. Off where either is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// The most of it; what it means is said at [`Augment`]'s fields.
    pub strength: f64,
    /// The share of images that it is done to.
    pub probability: f64,
}

impl Effect {
    /// Not at all.
    pub const OFF: Self = Self { strength: 0.0, probability: 0.0 };

    /// Whether it does anything.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.strength > 0.0 && self.probability > 0.0
    }
}

/// What is done to training images. Each image is drawn anew in every epoch, unless `copies` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Augment {
    /// Share of images that are mirrored, left to right; the keypoints' names change sides.
    pub flip: f64,
    /// Share of images that are turned by 90, 180 or 270 degrees.
    pub quarter_turns: f64,
    /// Turned by up to so many degrees either way.
    pub rotation: Effect,
    /// Larger or smaller by up to this share.
    pub zoom: Effect,
    /// Moved by up to this share of the image's side, along each axis.
    pub shift: Effect,
    /// Cut to a window whose side is smaller by up to this share, and enlarged again.
    pub crop: Effect,
    /// Bent along waves, by up to so many pixels.
    pub distortion: Effect,
    /// Brighter or darker by up to this share of white.
    pub brightness: Effect,
    /// Contrast larger or smaller by up to this share.
    pub contrast: Effect,
    /// Gaussian noise with a deviation of up to this share of white.
    pub noise: Effect,
    /// Poisson noise with a deviation at white of up to this share of white.
    pub poisson: Effect,
    /// Up to this share of pixels becomes black or white.
    pub salt_pepper: Effect,
    /// Gaussian blur of up to so many pixels.
    pub blur: Effect,
    /// A grey square with a side of up to this share of the image's.
    pub erase: Effect,
    /// What stands where there was no image.
    pub fill: Fill,
    /// Instead of drawing anew in every epoch: so many fixed variants of each image, all of them in each epoch.
    pub copies: Option<u64>,
}

impl Augment {
    /// Whether images or keypoints are moved.
    #[must_use]
    pub fn moves(&self) -> bool {
        let often = [self.flip, self.quarter_turns].into_iter().any(|share| share > 0.0);
        let effects = [self.rotation, self.zoom, self.shift, self.crop, self.distortion];
        often || effects.into_iter().any(Effect::is_on)
    }

    /// Whether grey values are changed in their places.
    #[must_use]
    pub fn shades(&self) -> bool {
        let effects = [self.brightness, self.contrast, self.noise, self.poisson, self.salt_pepper];
        effects.into_iter().chain([self.blur, self.erase]).any(Effect::is_on)
    }

    pub(crate) fn read(reader: &Reader<'_>) -> Self {
        let mut augment = Self {
            flip: reader.number_unless_zero("augment_flip"),
            quarter_turns: reader.number_unless_zero("augment_quarter_turns"),
            rotation: effect(reader, "augment_rotation", "augment_rotation_p"),
            zoom: effect(reader, "augment_zoom", "augment_zoom_p"),
            shift: effect(reader, "augment_shift", "augment_shift_p"),
            crop: effect(reader, "augment_crop", "augment_crop_p"),
            distortion: effect(reader, "augment_distortion", "augment_distortion_p"),
            brightness: effect(reader, "augment_brightness", "augment_brightness_p"),
            contrast: effect(reader, "augment_contrast", "augment_contrast_p"),
            noise: effect(reader, "augment_noise", "augment_noise_p"),
            poisson: effect(reader, "augment_poisson", "augment_poisson_p"),
            salt_pepper: effect(reader, "augment_salt_pepper", "augment_salt_pepper_p"),
            blur: effect(reader, "augment_blur", "augment_blur_p"),
            erase: effect(reader, "augment_erase", "augment_erase_p"),
            fill: Fill::Edge,
            copies: None,
        };
        if augment.moves() {
            augment.fill = reader.word("augment_fill", Fill::Edge);
        }
        if augment.moves() || augment.shades() {
            augment.copies = Some(reader.whole("augment_copies", 0).unsigned_abs()).filter(|n| *n > 0);
        }
        augment
    }
}

fn effect(reader: &Reader<'_>, name: &'static str, probability: &'static str) -> Effect {
    let strength = reader.number_unless_zero(name);
    if strength == 0.0 {
        return Effect::OFF;
    }
    Effect { strength, probability: reader.number(probability, 1.0) }
}
