//! How a person and a picture look: everything drawn by chance that is neither shape nor pose.

use super::dice::{Dice, sin_cos};
use super::head::Place;

/// How the hair is worn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hair {
    None,
    Short,
    Long,
    Fringe,
    Curly,
    Hat,
}

/// What is worn before the eyes.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Glasses {
    /// Half axes of a lens.
    pub(super) lens: [f32; 2],
    /// Round (0) to square (1).
    pub(super) square: f32,
    /// Of the frame's stroke, in units of the head.
    pub(super) width: f32,
    pub(super) frame: f32,
    /// What passes the lenses: 1 clear, 0.2 sunglasses.
    pub(super) clear: f32,
    pub(super) glare: f32,
}

/// Greys (0 black to 1 white), textures, light.
pub(super) struct Looks {
    pub(super) skin: f32,
    pub(super) hair: Hair,
    pub(super) hair_grey: f32,
    /// y of the hairline in the middle, and how far it falls towards the sides.
    pub(super) hairline: f32,
    pub(super) hair_fall: f32,
    pub(super) hair_part: f32,
    pub(super) brow_grey: f32,
    pub(super) brow_width: f32,
    pub(super) brow_arch: f32,
    /// How far the lids are open: 0 shut, 1 as usual.
    pub(super) lids: f32,
    pub(super) iris: f32,
    pub(super) gaze: [f32; 2],
    pub(super) lips: f32,
    pub(super) beard: f32,
    pub(super) moustache: f32,
    pub(super) wrinkles: f32,
    pub(super) freckles: f32,
    pub(super) glasses: Option<Glasses>,
    pub(super) clothes: f32,
    /// Towards the light, of length 1, in the viewer's frame.
    pub(super) light: Place,
    pub(super) ambient: f32,
    pub(super) gloss: f32,
    /// Seed of this picture's textures.
    pub(super) grain: u32,
}

impl Looks {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let skin = dice.range(0.36, 0.88);
        let hair = match dice.below(20) {
            0 => Hair::None,
            1..=7 => Hair::Short,
            8..=12 => Hair::Long,
            13..=15 => Hair::Fringe,
            16..=18 => Hair::Curly,
            _ => Hair::Hat,
        };
        let hair_grey = if dice.chance(0.65) { dice.range(0.04, 0.28) } else { dice.range(0.3, 0.85) };
        let bearded = dice.chance(0.2);
        Self {
            skin,
            hair,
            hair_grey,
            hairline: match hair {
                Hair::Fringe => dice.range(-33.0, -26.0),
                Hair::Hat => dice.range(-36.0, -29.0),
                _ => dice.range(-42.0, -34.0),
            },
            hair_fall: dice.range(2.0, 12.0),
            hair_part: dice.normal(0.0, 6.0, 2.0),
            brow_grey: (hair_grey * 0.7).min(skin * 0.75),
            brow_width: dice.range(1.7, 4.2),
            brow_arch: dice.normal(2.2, 1.0, 2.0),
            lids: if dice.chance(0.06) { dice.range(0.05, 0.2) } else { dice.normal(1.0, 0.2, 2.0) },
            iris: dice.range(0.06, 0.38),
            gaze: [dice.normal(0.0, 1.5, 2.0), dice.normal(0.2, 0.5, 2.0)],
            lips: dice.range(0.62, 0.92),
            beard: if bearded { dice.range(0.25, 0.9) } else { 0.0 },
            moustache: if bearded || dice.chance(0.07) { dice.range(0.3, 0.95) } else { 0.0 },
            wrinkles: dice.range(0.0, 1.0) * dice.range(0.0, 1.0),
            freckles: if dice.chance(0.2) { dice.range(0.0, 0.13) } else { 0.0 },
            glasses: dice.chance(0.25).then(|| Glasses::draw(dice)),
            clothes: dice.range(0.05, 0.95),
            light: light(dice),
            ambient: dice.range(0.3, 0.62),
            gloss: dice.range(0.0, 0.28),
            grain: dice.below(1 << 30),
        }
    }
}

impl Glasses {
    fn draw(dice: &mut Dice) -> Self {
        let sun = dice.chance(0.12);
        Self {
            lens: [dice.range(9.0, 11.5), dice.range(6.2, 9.5)],
            square: dice.range(0.0, 1.0),
            width: dice.range(0.9, 2.8),
            frame: if dice.chance(0.75) { dice.range(0.02, 0.25) } else { dice.range(0.5, 0.9) },
            clear: if sun { dice.range(0.12, 0.35) } else { dice.range(0.85, 1.0) },
            glare: if dice.chance(0.35) { dice.range(0.2, 0.75) } else { 0.0 },
        }
    }
}

/// From the front, more often from above, at times far from one side.
fn light(dice: &mut Dice) -> Place {
    let (side, front) = sin_cos(dice.normal(0.0, 0.6, 2.0));
    let (down, level) = sin_cos(dice.normal(-0.35, 0.3, 2.0));
    [side * level, down, front * level]
}
