//! What is behind the head: a ground, clutter, and at times somebody else.

use super::canvas::{Canvas, Mask, Point};
use super::dice::{Dice, mix, noise, sin_cos, smooth};

/// A cluttered background.
pub(super) fn draw(dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(0.0);
    ground(&mut canvas, dice);
    let things = if dice.chance(0.3) { 0 } else { 2 + dice.below(9) };
    for _ in 0..things {
        thing(&mut canvas, dice);
    }
    if dice.chance(0.2) {
        bystander(&mut canvas, dice);
    }
    // Out of focus, more or less.
    for _ in 0..dice.below(4) {
        canvas.blur(1.0);
    }
    canvas
}

/// A slope of grey with blotches of any size.
fn ground(canvas: &mut Canvas, dice: &mut Dice) {
    let (from, to) = (dice.range(0.02, 0.98), dice.range(0.02, 0.98));
    let to = mix(from, to, 0.6);
    let (sin, cos) = sin_cos(dice.range(0.0, 6.3));
    let (seed, grain, strength) = (dice.below(1 << 30), dice.range(4.0, 40.0), dice.range(0.0, 0.35));
    canvas.each(|x, y, _| {
        let along = ((x - 48.0) * cos + (y - 48.0) * sin) / 96.0 + 0.5;
        mix(from, to, along) + strength * (noise(seed, x / grain, y / grain) - 0.5)
    });
}

/// A box, a disc, a bar, a stripe of pattern, or a pair of dark spots.
fn thing(canvas: &mut Canvas, dice: &mut Dice) {
    let middle = [dice.range(-5.0, 101.0), dice.range(-5.0, 101.0)];
    let (grey, opacity) = (dice.range(0.0, 1.0), dice.range(0.35, 0.95));
    match dice.below(5) {
        0 => {
            let mask = Mask::polygon(&slanted_box(dice, middle, 6.0, 32.0));
            canvas.through(&mask, opacity, |_, _, _| grey);
        }
        1 => {
            let mask = Mask::polygon(&ellipse(middle, [dice.range(3.0, 18.0), dice.range(3.0, 18.0)]));
            let slope = dice.range(-0.02, 0.02);
            canvas.through(&mask, opacity, |x, _, _| grey + slope * (x - middle[0]));
        }
        2 => {
            let (sin, cos) = sin_cos(dice.range(0.0, 6.3));
            let ends = [
                [middle[0] - 80.0 * cos, middle[1] - 80.0 * sin],
                [middle[0] + 80.0 * cos, middle[1] + 80.0 * sin],
            ];
            canvas.through(&Mask::stroke(&ends, dice.range(0.8, 7.0)), opacity, |_, _, _| grey);
        }
        3 => {
            let mask = Mask::polygon(&slanted_box(dice, middle, 14.0, 45.0));
            let (sin, cos) = sin_cos(dice.range(0.0, 6.3));
            let period = dice.range(3.0, 11.0);
            canvas.through(&mask, opacity * 0.7, |x, y, old| {
                let phase = (x * cos + y * sin) / period;
                mix(old, grey, smooth(0.15, 0.35, (phase - phase.floor() - 0.5).abs()))
            });
        }
        _ => {
            let apart = dice.range(4.0, 11.0);
            let radius = dice.range(1.2, 3.4);
            let lean = dice.normal(0.0, 2.0, 2.0);
            for side in [-1.0, 1.0] {
                let spot = [middle[0] + side * apart, middle[1] + side * lean];
                let white = Mask::polygon(&ellipse(spot, [radius * 2.1, radius * 1.3]));
                canvas.through(&white, 0.8 * opacity, |_, _, _| 0.8);
                canvas.through(&Mask::polygon(&ellipse(spot, [radius; 2])), opacity, |_, _, _| 0.08);
            }
        }
    }
}

/// Part of another head, with dark eyes and mouth, at the picture's edge.
fn bystander(canvas: &mut Canvas, dice: &mut Dice) {
    let size = dice.range(0.35, 0.8);
    let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
    let middle = [48.0 + side * dice.range(34.0, 52.0), dice.range(12.0, 70.0)];
    let (skin, hair) = (dice.range(0.35, 0.85), dice.range(0.05, 0.5));
    let at = |x: f32, y: f32| [middle[0] + x * size, middle[1] + y * size];
    let mut oval = |x: f32, y: f32, rx: f32, ry: f32, grey: f32| {
        canvas.through(&Mask::polygon(&ellipse(at(x, y), [rx * size, ry * size])), 1.0, |_, _, _| grey);
    };
    oval(0.0, 62.0, 60.0, 26.0, hair * 0.8);
    oval(0.0, -9.0, 37.0, 46.0, hair);
    oval(0.0, 0.0, 31.0, 42.0, skin);
    for eye in [-1.0, 1.0] {
        oval(eye * 14.0, -12.0, 6.0, 3.2, skin * 0.35);
        oval(eye * 14.0, -19.0, 8.0, 1.4, hair);
    }
    oval(0.0, 7.0, 5.0, 3.0, skin * 0.7);
    oval(0.0, 21.0, 11.0, 3.4, skin * 0.5);
}

/// An ellipse as a polygon of 20 corners.
pub(super) fn ellipse(middle: Point, half: [f32; 2]) -> Vec<Point> {
    let corner = |i: u8| {
        let (sin, cos) = sin_cos(f32::from(i) * (std::f32::consts::TAU / 20.0));
        [middle[0] + half[0] * cos, middle[1] + half[1] * sin]
    };
    (0..20).map(corner).collect()
}

fn slanted_box(dice: &mut Dice, middle: Point, least: f32, most: f32) -> [Point; 4] {
    let (w, h) = (dice.range(least, most) / 2.0, dice.range(least, most) / 2.0);
    let (sin, cos) = if dice.chance(0.5) { (0.0, 1.0) } else { sin_cos(dice.range(0.0, 3.2)) };
    [(-w, -h), (w, -h), (w, h), (-w, h)]
        .map(|(x, y)| [middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos])
}
