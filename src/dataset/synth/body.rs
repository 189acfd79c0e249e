//! The head itself: shoulders, neck, hair, ears and the lit skin that the features are drawn upon.

use super::backdrop::ellipse;
use super::canvas::{Canvas, Mask, Point};
use super::dice::{Dice, mix, noise, sin_cos, smooth};
use super::head::{Hit, Place, Pose, Shape};
use super::looks::{Hair, Looks};

/// A picture being drawn, with the light that falls on each pixel of the skin (1 as in the open).
pub(super) struct Portrait<'a> {
    pub(super) canvas: Canvas,
    pub(super) light: Canvas,
    pub(super) shape: &'a Shape,
    pub(super) looks: &'a Looks,
    pub(super) pose: &'a Pose,
}

impl Portrait<'_> {
    /// Places of the skin (x, y, how far above it) on the picture.
    pub(super) fn on_skin(&self, places: &[Place]) -> Vec<Point> {
        places.iter().map(|p| self.pose.project(self.shape.above(p[0], p[1], p[2]))).collect()
    }

    /// Paints a grey under the skin's light.
    pub(super) fn lit(&mut self, mask: &Mask, opacity: f32, grey: f32) {
        let light = &self.light;
        self.canvas.through(mask, opacity, |x, y, _| grey * at(light, x, y));
    }

    /// Darkens (below 1) or lightens (above 1) what is there.
    pub(super) fn tone(&mut self, mask: &Mask, opacity: f32, factor: f32) {
        self.canvas.through(mask, opacity, |_, _, old| old * factor);
    }

    /// Lambert's light on a surface of this direction (viewer's frame).
    pub(super) fn light_on(&self, normal: Place) -> f32 {
        let l = self.looks.light;
        let facing = normal[0] * l[0] + normal[1] * l[1] + normal[2] * l[2];
        // Softer than a point's light: it reaches a little beyond the horizon.
        let reached = ((facing + 0.25) / 1.25).max(0.0);
        self.looks.ambient + (1.12 - self.looks.ambient) * reached
    }

    /// Shoulders, neck and what of the hair is behind the face.
    pub(super) fn behind(&mut self, dice: &mut Dice) {
        let hair = self.looks.hair;
        let [a, b, _] = self.shape.axes;
        if hair == Hair::Long {
            self.long_hair(dice);
        }
        self.shoulders(dice);
        if !matches!(hair, Hair::None | Hair::Hat) {
            let puff = if hair == Hair::Curly { dice.range(1.14, 1.42) } else { dice.range(1.03, 1.14) };
            let top = if hair == Hair::Curly { 1.22 } else { 1.12 };
            let wave = if hair == Hair::Curly { 0.09 } else { 0.025 };
            let points: Vec<Point> = (0..40u8)
                .map(|i| {
                    let (sin, cos) = sin_cos(f32::from(i) * (std::f32::consts::TAU / 40.0));
                    let bump =
                        1.0 + wave * (noise(self.looks.grain, f32::from(i % 39) * 0.7, 5.0) - 0.5) * 2.0;
                    let half_y = if sin < 0.0 { b * top * bump } else { b * 0.35 };
                    self.pose.project([a * puff * bump * cos, -6.0 + half_y * sin, -6.0])
                })
                .collect();
            self.strands(&Mask::polygon(&points));
        }
        self.ears(false);
    }

    /// The ears that the head hides in part, or those that are before it.
    fn ears(&mut self, before: bool) {
        if matches!(self.looks.hair, Hair::Long | Hair::Curly) {
            return;
        }
        for side in [-1.0, 1.0] {
            let place = [side * self.shape.axes[0] * 0.99, -5.0, -3.0];
            let near = self.pose.turned(place)[2];
            if (near > 3.0) != before {
                continue;
            }
            let ear = self.pose.project(place);
            // Seen more from its broad side, the more the head is turned.
            let half = [(5.0 + 0.16 * near.max(0.0)) * self.pose.scale, 9.5 * self.pose.scale];
            let grey = self.looks.skin * self.light_on(self.pose.turned([side * 0.75, 0.0, 0.66]));
            self.canvas.through(&Mask::polygon(&ellipse(ear, half)), 1.0, |_, _, _| grey * 0.9);
            let inner = Mask::spot([ear[0] + side * 0.5, ear[1]], [half[0] * 0.8, half[1] * 0.75]);
            self.tone(&inner, 0.65, 0.6);
        }
    }

    fn long_hair(&mut self, dice: &mut Dice) {
        let [a, b, _] = self.shape.axes;
        let (length, wide) = (dice.range(0.5, 1.5), dice.range(1.12, 1.32));
        let mut points = Vec::new();
        for (x, y) in [(-0.75, -0.7), (-1.0, -0.1), (-1.03, 0.45), (-0.98, 1.0), (-0.6, 1.04)] {
            let y = if y > 0.0 { y * length } else { y };
            points.push(self.pose.project([x * a * wide, y * b, -8.0]));
        }
        let other: Vec<Point> = [(0.6, 1.04), (0.98, 1.0), (1.03, 0.45), (1.0, -0.1), (0.75, -0.7)]
            .iter()
            .map(|(x, y): &(f32, f32)| {
                let y = if *y > 0.0 { y * length } else { *y };
                self.pose.project([x * a * wide, y * b, -8.0])
            })
            .collect();
        points.extend(other);
        self.strands(&Mask::polygon(&points).feather(1));
    }

    fn strands(&mut self, mask: &Mask) {
        let (grey, grain) = (self.looks.hair_grey, self.looks.grain);
        let light = 0.55 + 0.45 * self.light_on([0.0, -0.5, 0.8]);
        self.canvas.through(mask, 1.0, |x, y, _| {
            let strand = noise(grain, x * 0.9, y * 0.18) + 0.5 * noise(grain ^ 7, x * 0.3, y * 0.3);
            grey * light * (0.55 + 0.6 * strand)
        });
    }

    fn shoulders(&mut self, dice: &mut Dice) {
        let [a, b, _] = self.shape.axes;
        let chin = self.pose.project([0.0, b * 0.9, 0.0]);
        let scale = self.pose.scale;
        let drop = dice.range(10.0, 17.0) * scale;
        let base = [mix(chin[0], self.pose.middle[0], 0.5), chin[1] + drop];
        let wide = dice.range(1.9, 2.7) * a * scale;
        let clothes = self.looks.clothes;
        let body = [
            [base[0] - wide, 140.0],
            [base[0] - wide * 0.93, base[1] + 15.0 * scale],
            [base[0] - wide * 0.4, base[1] - 1.0],
            [base[0] + wide * 0.4, base[1] - 1.0],
            [base[0] + wide * 0.93, base[1] + 15.0 * scale],
            [base[0] + wide, 140.0],
        ];
        let (grain, pattern) = (self.looks.grain, if dice.chance(0.3) { 0.35 } else { 0.1 });
        let neck_half = dice.range(0.5, 0.66) * a;
        let neck_top = [-1.0f32, 1.0].map(|side| self.pose.project([side * neck_half, b * 0.5, -14.0]));
        let neck = [
            neck_top[0],
            neck_top[1],
            [base[0] + neck_half * scale * 1.15, base[1] + 2.0],
            [base[0], base[1] + dice.range(3.0, 16.0) * scale],
            [base[0] - neck_half * scale * 1.15, base[1] + 2.0],
        ];
        self.canvas.through(&Mask::polygon(&body).feather(1), 1.0, |x, y, _| {
            clothes * (1.0 - pattern + 2.0 * pattern * noise(grain ^ 3, x * 0.35, y * 0.12))
        });
        // The chin's shadow falls on the neck.
        let (skin, below) = (self.looks.skin * self.light_on([0.0, 0.35, 0.9]), chin[1]);
        self.canvas.through(&Mask::polygon(&neck).feather(1), 1.0, |_, y, _| {
            skin * mix(0.5, 0.85, smooth(below - 4.0, below + 14.0, y))
        });
    }

    /// The lit skin of the face, with the hair that grows on it.
    pub(super) fn face(&mut self) {
        let mut canvas = std::mem::replace(&mut self.canvas, Canvas(Vec::new()));
        let mut light = std::mem::replace(&mut self.light, Canvas(Vec::new()));
        canvas.each(|x, y, old| match self.pose.hit([x, y]) {
            None => old,
            Some(hit) => {
                let falls = self.light_on(hit.normal);
                light.0[index(x, y)] = falls;
                mix(old, self.skin_grey(&hit, falls), hit.cover)
            }
        });
        (self.canvas, self.light) = (canvas, light);
        self.ears(true);
    }

    fn skin_grey(&self, hit: &Hit, falls: f32) -> f32 {
        let (looks, [x, y, _]) = (self.looks, hit.place);
        let mut grey = looks.skin * falls;
        // Hollows of the eyes, the cheeks' roundness, the chin's dimple.
        for side in [-1.0, 1.0] {
            let eye = (self.shape.eye_inner + self.shape.eye_outer) / 2.0;
            grey *= 1.0 - 0.24 * bump(x - side * eye, y - self.shape.eye_inner_y + 1.5, 15.0, 10.0);
            grey *= 1.0 + 0.09 * bump(x - side * (eye + 3.0), y - 6.0, 13.0, 12.0);
            grey *= 1.0
                - 0.14 * looks.wrinkles * bump(x - side * eye, y - self.shape.eye_inner_y - 6.5, 9.0, 3.5);
        }
        grey *= 1.0 - 0.16 * bump(x, y - self.shape.lip_bottom_y - 4.0, 10.0, 4.0);
        grey *= 1.0 + 0.07 * bump(x, y - 37.0, 10.0, 7.0);
        grey += looks.gloss * bump(x + 6.0 * looks.light[0], y + 29.0, 17.0, 11.0) * falls * 0.35;
        grey *= 1.0 + 0.05 * (noise(looks.grain ^ 11, x * 0.5, y * 0.5) - 0.5);
        grey *= 1.0 - looks.freckles * smooth(0.62, 0.8, noise(looks.grain ^ 13, x * 0.8, y * 0.8));
        // Furrows of the forehead.
        let furrow = (y + 33.0) / 3.4;
        let crease = smooth(0.32, 0.5, (furrow - furrow.floor() - 0.5).abs());
        grey *= 1.0 - 0.13 * looks.wrinkles * crease * bump(x, y + 33.0, 22.0, 8.0);
        let beard = looks.beard * self.beard_cover(x, y);
        grey = mix(grey, self.hair_at(x, y, 1.6) * falls, beard);
        mix(grey, self.hair_at(x, y, 1.0) * (0.4 + 0.6 * falls), self.hair_cover(hit.place))
    }

    /// How far a place of the head is covered by the hair of the head (or a hat).
    fn hair_cover(&self, [x, y, z]: Place) -> f32 {
        let looks = self.looks;
        let [a, _, c] = self.shape.axes;
        let ragged = 3.0 * (noise(looks.grain ^ 17, x * 0.35, z * 0.35) - 0.5);
        // Behind the temples and above the ears; lower and further forward where it is long.
        let (front, low) = match looks.hair {
            Hair::Long => (0.52, 45.0),
            Hair::Curly => (0.4, 14.0),
            _ => (0.3, -1.0),
        };
        let edge = c * (front - 0.12 * smooth(-30.0, 5.0, y));
        let sides = smooth(edge + 3.0, edge - 3.0, z + ragged) * smooth(low + 4.0, low - 4.0, y + ragged);
        // Not below the chin.
        let sides = sides * smooth(0.35, 0.65, x.abs() / a + smooth(15.0, -5.0, y));
        match looks.hair {
            Hair::None => 0.5 * sides * smooth(-24.0, -14.0, y),
            Hair::Hat => sides.max(smooth(1.0, -1.0, y - looks.hairline)),
            _ => {
                let t = (x - looks.hair_part) / a;
                let line = looks.hairline + looks.hair_fall * t * t + ragged;
                sides.max(smooth(1.2, -1.2, y - line))
            }
        }
    }

    fn hair_at(&self, x: f32, y: f32, coarse: f32) -> f32 {
        let grain = self.looks.grain;
        if self.looks.hair == Hair::Hat && y < self.looks.hairline + 8.0 {
            let knit = noise(grain ^ 23, x * 0.6, y * 0.25);
            return self.looks.clothes * (0.75 + 0.35 * knit);
        }
        let strand = noise(grain ^ 19, x * 1.1 * coarse, y * 0.25 * coarse);
        self.looks.hair_grey * (0.6 + 0.75 * strand)
    }

    /// How far the beard covers a place: jaw and chin, not the mouth nor the cheeks.
    fn beard_cover(&self, x: f32, y: f32) -> f32 {
        let t = x / self.shape.axes[0];
        let edge =
            self.shape.lip_bottom_y - 2.0 - 26.0 * t * t + 3.0 * noise(self.looks.grain ^ 29, x * 0.4, 2.0);
        smooth(edge, edge + 6.0, y)
    }
}

/// 1 in the middle, 0 from the half axes outwards.
fn bump(dx: f32, dy: f32, half_x: f32, half_y: f32) -> f32 {
    let (u, v) = (dx / half_x, dy / half_y);
    let rest = (1.0 - u * u - v * v).max(0.0);
    rest * rest
}

fn index(x: f32, y: f32) -> usize {
    y as usize * crate::dataset::columns::SIDE_PX + x as usize
}

/// A picture's value at a pixel's middle.
fn at(canvas: &Canvas, x: f32, y: f32) -> f32 {
    canvas.0[index(x, y)]
}
