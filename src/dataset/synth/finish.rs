//! From the drawn picture to the photograph: occlusion, light across the picture, tone, blur, noise, bytes.

use super::canvas::{Canvas, Mask};
use super::dice::{Dice, mix, noise, sin_cos};
use crate::dataset::columns::PIXELS;

/// Takes the picture.
pub(super) fn photograph(mut canvas: Canvas, dice: &mut Dice) -> Box<[u8; PIXELS]> {
    if dice.chance(0.12) {
        occlude(&mut canvas, dice);
    }
    let (sin, cos) = sin_cos(dice.range(0.0, 6.3));
    let slope = dice.normal(0.0, 0.22, 2.0);
    // As a camera would expose it, more or less.
    let mean = canvas.0.iter().sum::<f32>() / PIXELS as f32;
    let gain = (dice.range(0.3, 0.62) / mean.max(0.05)).clamp(0.7, 1.7);
    let lift = dice.range(-0.06, 0.1);
    let bend = dice.normal(0.0, 0.25, 2.0);
    let vignette = dice.range(0.0, 0.25);
    canvas.each(|x, y, old| {
        let (dx, dy) = ((x - 48.0) / 48.0, (y - 48.0) / 48.0);
        let across = 1.0 + slope * (dx * cos + dy * sin) - vignette * 0.5 * (dx * dx + dy * dy);
        let v = (old * gain * across + lift).clamp(0.0, 1.0);
        // A tone curve that keeps black and white.
        (v + bend * v * (1.0 - v)).clamp(0.0, 1.0)
    });
    for _ in 0..dice.below(3) {
        canvas.blur(dice.range(0.1, 1.0));
    }
    let grain = if dice.chance(0.8) { dice.range(0.0, 0.022) } else { dice.range(0.022, 0.05) };
    let mut image = Box::new([0; PIXELS]);
    for (byte, value) in image.iter_mut().zip(&canvas.0) {
        let value = (value + dice.normal(0.0, grain, 3.0)).clamp(0.0, 1.0);
        *byte = (value * 255.0 + 0.5) as u8;
    }
    image
}

/// Something before the face: a hand's fingers from below, or a bar across a corner.
fn occlude(canvas: &mut Canvas, dice: &mut Dice) {
    let grey = dice.range(0.1, 0.85);
    let grain = dice.below(1 << 30);
    let shade = |x: f32, y: f32| grey * (0.85 + 0.3 * noise(grain, x * 0.2, y * 0.2));
    if dice.chance(0.6) {
        let (x, y, lean) = (dice.range(15.0, 81.0), dice.range(62.0, 84.0), dice.normal(0.0, 7.0, 2.0));
        for finger in 0..4u8 {
            let at = x + (f32::from(finger) - 1.5) * 7.2;
            let reach = y + 2.2 * (f32::from(finger) - 1.5).abs();
            let mask = Mask::stroke(&[[at, reach], [at - lean, 104.0]], 6.6);
            let edge = Mask::stroke(&[[at + 3.4, reach + 1.0], [at + 3.4 - lean, 104.0]], 1.0);
            canvas.through(&mask, 1.0, |x, y, _| shade(x, y));
            canvas.through(&edge, 0.6, |_, _, old| old * 0.55);
        }
    } else {
        let corner = if dice.chance(0.5) { 0.0 } else { 96.0 };
        let (reach, end) = (dice.range(4.0, 22.0), dice.range(20.0, 80.0));
        let line = [[corner, 96.0 - end], [mix(corner, 48.0, 0.9), 110.0]];
        canvas.through(&Mask::stroke(&line, reach), 1.0, |x, y, _| shade(x, y));
    }
}
