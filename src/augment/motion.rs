//! How an image moves: mirrored, turned, zoomed, shifted, cut, bent along waves.

use crate::dataset::columns::{COLUMNS, MIRRORED, SIDE_PX};
use std::f64::consts::TAU;

/// Waves that an image is bent along.
pub const WAVES: usize = 2;
const SIDE: f64 = SIDE_PX as f64;
/// The middle of the image.
const MIDDLE: f64 = SIDE / 2.0;
/// The search for a bent image's keypoints ends when a step is shorter, in pixels. Each step is shorter than the one
/// before by a factor of at least 0.6 (see [`Wave`]).
const EXACT_PX: f64 = 1e-7;
/// More steps than it ever takes.
const MOST_STEPS: usize = 100;

/// `x' = a x + b y + c`, `y' = d x + e y + f`, as `[a, b, c, d, e, f]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [f64; 6]);

impl Affine {
    /// Everything stays.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// A linear map about the middle of the image.
    fn about_middle([a, b, d, e]: [f64; 4]) -> Self {
        Self([a, b, MIDDLE - (a + b) * MIDDLE, d, e, MIDDLE - (d + e) * MIDDLE])
    }

    /// Left and right change sides.
    pub(super) fn mirror() -> Self {
        Self::about_middle([-1.0, 0.0, 0.0, 1.0])
    }

    /// Turns the image clockwise, as it is seen.
    pub(super) fn rotation(degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self::about_middle([cos, -sin, sin, cos])
    }

    /// Turns by 90 degrees so often, exactly.
    pub(super) fn quarter_turns(times: u64) -> Self {
        let (sin, cos) = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][(times % 4) as usize];
        Self::about_middle([cos, -sin, sin, cos])
    }

    /// Makes the image larger by a factor.
    pub(super) fn zoom(factor: f64) -> Self {
        Self::about_middle([factor, 0.0, 0.0, factor])
    }

    /// Moves the image by so many pixels.
    pub(super) fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, x, 0.0, 1.0, y])
    }

    /// Shows the window of this side whose left upper corner is at `(x, y)`, as large as the image.
    pub(super) fn crop(x: f64, y: f64, side: f64) -> Self {
        let factor = SIDE / side;
        Self([factor, 0.0, -x * factor, 0.0, factor, -y * factor])
    }

    /// First this, then another.
    #[must_use]
    pub(super) fn then(self, next: Self) -> Self {
        let ([a, b, c, d, e, f], [p, q, r, s, t, u]) = (self.0, next.0);
        Self([
            p * a + q * d,
            p * b + q * e,
            p * c + q * f + r,
            s * a + t * d,
            s * b + t * e,
            s * c + t * f + u,
        ])
    }

    /// The map back. All maps here have one: nothing is flattened.
    #[must_use]
    pub(super) fn inverse(self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let determinant = a * e - b * d;
        let [p, q, s, t] = [e, -b, -d, a].map(|n| n / determinant);
        Self([p, q, -(p * c + q * f), s, t, -(s * c + t * f)])
    }

    /// Where a place goes.
    #[must_use]
    pub fn apply(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }
}

/// A displacement of `along * sin(across . place + phase)` pixels. With all amplitudes together at most 4 pixels, and
/// at most 1.5 waves per image in each direction, two places never change order: the image bends and does not fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    /// Direction and size of the displacement, in pixels.
    pub along: (f64, f64),
    /// Radians per pixel.
    pub across: (f64, f64),
    /// Radians at the place (0, 0).
    pub phase: f64,
}

impl Wave {
    /// One that does nothing.
    pub const STILL: Self = Self { along: (0.0, 0.0), across: (0.0, 0.0), phase: 0.0 };

    /// A wave of so many periods per image along each axis.
    pub(super) fn new(along: (f64, f64), periods: (f64, f64), phase: f64) -> Self {
        Self { along, across: (TAU * periods.0 / SIDE, TAU * periods.1 / SIDE), phase }
    }

    fn displacement(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let height = (self.across.0 * x + self.across.1 * y + self.phase).sin();
        (self.along.0 * height, self.along.1 * height)
    }
}

/// How one image moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Whether left and right change names.
    pub mirrored: bool,
    /// From places of the new image to those of the old one.
    pub source: Affine,
    /// Displacements that are added to `source`.
    pub waves: [Wave; WAVES],
}

impl Motion {
    /// None.
    pub const NONE: Self = Self { mirrored: false, source: Affine::IDENTITY, waves: [Wave::STILL; WAVES] };

    /// The place of the old image that the new one shows here.
    #[must_use]
    pub fn source_of(&self, place: (f64, f64)) -> (f64, f64) {
        let (x, y) = self.source.apply(place);
        let (dx, dy) = self.displacement(place);
        (x + dx, y + dy)
    }

    /// The place of the new image that shows this one of the old image.
    #[must_use]
    pub fn target_of(&self, source: (f64, f64)) -> (f64, f64) {
        let forward = self.source.inverse();
        let mut place = forward.apply(source);
        if self.waves.iter().all(|wave| *wave == Wave::STILL) {
            return place;
        }
        for _ in 0..MOST_STEPS {
            let (dx, dy) = self.displacement(place);
            let before = place;
            place = forward.apply((source.0 - dx, source.1 - dy));
            // A label that is missing, NaN, is never near.
            let moved = (place.0 - before.0).hypot(place.1 - before.1);
            if moved.is_nan() || moved < EXACT_PX {
                break;
            }
        }
        place
    }

    fn displacement(&self, place: (f64, f64)) -> (f64, f64) {
        let each = self.waves.iter().map(|wave| wave.displacement(place));
        each.fold((0.0, 0.0), |(x, y), (dx, dy)| (x + dx, y + dy))
    }
}

/// Moves a row of labels (pixels, NaN where missing) along with its image: a mirrored face has its left eye where the
/// right one was; a point that leaves the image becomes missing.
#[must_use]
pub fn move_labels(labels: &[f32; COLUMNS], motion: &Motion) -> [f32; COLUMNS] {
    let mut moved = [f32::NAN; COLUMNS];
    for (point, mirrored) in MIRRORED.iter().enumerate() {
        let (x, y) = (f64::from(labels[2 * point]), f64::from(labels[2 * point + 1]));
        let (x, y) = motion.target_of((x, y));
        let inside = 0.0..=SIDE;
        if inside.contains(&x) && inside.contains(&y) {
            let to = if motion.mirrored { *mirrored } else { point };
            moved[2 * to] = x as f32;
            moved[2 * to + 1] = y as f32;
        }
    }
    moved
}
