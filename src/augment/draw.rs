//! What one image undergoes, drawn at random.

use super::motion::{Affine, Motion, WAVES, Wave};
use crate::domain::stream::uniform;
use crate::model::{Augment, Effect, SIDE_PX};
use rand_chacha::rand_core::Rng;

/// Periods of a wave per image along each axis, at most.
const MOST_PERIODS: f64 = 1.5;

/// What one image undergoes, in this order: moved, blurred, contrast and brightness, noises, a square covered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// How it moves.
    pub motion: Motion,
    /// Deviation of the Gaussian that blurs it, in pixels; 0 for none.
    pub blur_px: f64,
    /// Factor of each grey value's distance from the middle grey.
    pub gain: f64,
    /// Added to each grey value, as a share of white.
    pub brighter: f64,
    /// Deviation of Gaussian noise, as a share of white.
    pub noise: f64,
    /// Deviation of Poisson noise at white, as a share of white.
    pub poisson: f64,
    /// Share of pixels that become black or white.
    pub salt_pepper: f64,
    /// Left, upper, right and lower end of the square that is covered, in pixels; empty for none.
    pub erased: [f64; 4],
}

impl Draw {
    /// Nothing.
    pub const NONE: Self = Self {
        motion: Motion::NONE,
        blur_px: 0.0,
        gain: 1.0,
        brighter: 0.0,
        noise: 0.0,
        poisson: 0.0,
        salt_pepper: 0.0,
        erased: [0.0; 4],
    };

    /// What the settings and a random stream make of it. As many numbers are drawn whatever the settings are, so
    /// that another strength of one effect leaves the others as they were.
    pub fn new(settings: &Augment, random: &mut impl Rng) -> Self {
        let mut dice = Dice(random);
        let motion = draw_motion(settings, &mut dice);
        let blur_px = dice.up_to(settings.blur);
        let gain = 1.0 + dice.either_way(settings.contrast);
        let brighter = dice.either_way(settings.brightness);
        let noise = dice.up_to(settings.noise);
        let poisson = dice.up_to(settings.poisson);
        let salt_pepper = dice.up_to(settings.salt_pepper);
        let side = dice.up_to(settings.erase) * SIDE_PX as f64;
        let room = SIDE_PX as f64 - side;
        let (x, y) = (dice.share() * room, dice.share() * room);
        let erased = if side > 0.0 { [x, y, x + side, y + side] } else { [0.0; 4] };
        Self { motion, blur_px, gain, brighter, noise, poisson, salt_pepper, erased }
    }
}

fn draw_motion(settings: &Augment, dice: &mut Dice<'_, impl Rng>) -> Motion {
    let side = SIDE_PX as f64;
    let mut forward = Affine::IDENTITY;
    let mirrored = dice.happens(settings.flip);
    if mirrored {
        forward = forward.then(Affine::mirror());
    }
    let turns = dice.happens(settings.quarter_turns);
    let times = 1 + (dice.share() * 3.0) as u64;
    if turns {
        forward = forward.then(Affine::quarter_turns(times));
    }
    forward = forward.then(Affine::rotation(dice.either_way(settings.rotation)));
    forward = forward.then(Affine::zoom(1.0 + dice.either_way(settings.zoom)));
    let shifts = dice.happens(settings.shift.probability);
    let mut shift = || {
        let way = (2.0 * dice.share() - 1.0) * settings.shift.strength * side;
        if shifts { way } else { 0.0 }
    };
    forward = forward.then(Affine::shift(shift(), shift()));
    let window = side * (1.0 - dice.up_to(settings.crop));
    let (x, y) = (dice.share() * (side - window), dice.share() * (side - window));
    forward = forward.then(Affine::crop(x, y, window));
    Motion { mirrored, source: forward.inverse(), waves: draw_waves(settings.distortion, dice) }
}

fn draw_waves(effect: Effect, dice: &mut Dice<'_, impl Rng>) -> [Wave; WAVES] {
    let amplitude = dice.up_to(effect) / WAVES as f64;
    std::array::from_fn(|_| {
        let (sin, cos) = (dice.share() * std::f64::consts::TAU).sin_cos();
        let periods = (dice.share() * MOST_PERIODS, (2.0 * dice.share() - 1.0) * MOST_PERIODS);
        let phase = dice.share() * std::f64::consts::TAU;
        if amplitude > 0.0 {
            Wave::new((amplitude * cos, amplitude * sin), periods, phase)
        } else {
            Wave::STILL
        }
    })
}

struct Dice<'a, R>(&'a mut R);

impl<R: Rng> Dice<'_, R> {
    /// In `[0, 1)`.
    fn share(&mut self) -> f64 {
        uniform(self.0)
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// From 0 to the strength; 0 where it does not happen.
    fn up_to(&mut self, effect: Effect) -> f64 {
        let (happens, share) = (self.happens(effect.probability), self.share());
        if happens { share * effect.strength } else { 0.0 }
    }

    /// From minus the strength to the strength; 0 where it does not happen.
    fn either_way(&mut self, effect: Effect) -> f64 {
        let (happens, share) = (self.happens(effect.probability), self.share());
        if happens { (2.0 * share - 1.0) * effect.strength } else { 0.0 }
    }
}
