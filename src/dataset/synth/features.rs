//! Eyes, brows, nose, mouth, moustache and glasses, drawn on the lit skin.

use super::body::Portrait;
use super::canvas::{Mask, Point};
use super::dice::{Dice, mix, sin_cos};
use super::head::Place;
use super::looks::Glasses;

impl Portrait<'_> {
    /// All features, each over the ones before.
    pub(super) fn features(&mut self, dice: &mut Dice) {
        for side in [-1.0, 1.0] {
            self.eye(side);
            self.brow(side);
        }
        self.nose();
        self.folds();
        self.mouth(dice);
        self.moustache();
        if let Some(glasses) = self.looks.glasses {
            self.glasses(&glasses, dice);
        }
    }

    /// A curve between an eye's corners that rises by `up` in the middle.
    fn lid(&self, side: f32, up: f32) -> Vec<Place> {
        let s = self.shape;
        (0..=8u8)
            .map(|i| {
                let t = f32::from(i) / 8.0;
                let bow = 4.0 * t * (1.0 - t) * (1.12 - 0.24 * t);
                [
                    side * mix(s.eye_inner, s.eye_outer, t),
                    mix(s.eye_inner_y, s.eye_outer_y, t) - up * bow,
                    0.0,
                ]
            })
            .collect()
    }

    fn eye(&mut self, side: f32) {
        let (s, looks, scale) = (self.shape, self.looks, self.pose.scale);
        let (up, down) = (3.3 * looks.lids * (1.0 - 0.2 * s.smile.max(0.0)), 2.2 * (0.4 + 0.6 * looks.lids));
        let upper = self.on_skin(&self.lid(side, up));
        let lower = self.on_skin(&self.lid(side, -down));
        let outline: Vec<Point> = upper.iter().chain(lower.iter().rev()).copied().collect();
        let opening = Mask::polygon(&outline);
        self.lit(&opening, 1.0, mix(0.72, 0.86, looks.skin));
        let middle = [
            side * (s.eye_inner + s.eye_outer) / 2.0 + looks.gaze[0],
            (s.eye_inner_y + s.eye_outer_y) / 2.0 - 0.35 * (up - down) + looks.gaze[1],
        ];
        let disc = |radius: f32| -> Vec<Place> {
            (0..16u8)
                .map(|i| {
                    let (sin, cos) = sin_cos(f32::from(i) * (std::f32::consts::TAU / 16.0));
                    [middle[0] + radius * cos, middle[1] + radius * sin, 0.0]
                })
                .collect()
        };
        let iris = Mask::polygon(&self.on_skin(&disc(3.3))).within(&opening);
        self.lit(&iris, 1.0, looks.iris);
        let pupil = Mask::polygon(&self.on_skin(&disc(1.6))).within(&opening);
        self.canvas.through(&pupil, 1.0, |_, _, _| 0.03);
        let glint = self.on_skin(&[[middle[0] + 1.2 * looks.light[0], middle[1] - 1.2, 0.0]])[0];
        let glint = Mask::spot(glint, [1.5 * scale, 1.5 * scale]).within(&opening);
        self.canvas.through(&glint, 0.9, |_, _, _| 0.95);
        // The upper lid's shadow and lashes, the lower lid's edge, the crease above.
        self.tone(&Mask::stroke(&upper, 2.2 * scale).feather(1).within(&opening), 0.7, 0.5);
        self.tone(&Mask::stroke(&upper, 1.5 * scale), 0.85, 0.3);
        self.tone(&Mask::stroke(&lower, 0.9 * scale), 0.6, 0.6);
        let crease = self.on_skin(&self.lid(side, up + 2.4));
        self.tone(&Mask::stroke(&crease[1..8], 1.0 * scale).feather(1), 0.6, 0.62);
    }

    fn brow(&mut self, side: f32) {
        let (s, looks) = (self.shape, self.looks);
        let (inner, outer) = (s.brow_inner, s.brow_outer);
        let along = |t: f32, across: f32| -> Place {
            let arch = looks.brow_arch * 4.0 * t * (1.0 - t) * (0.55 + 0.9 * t);
            let y = mix(inner[1], outer[1], t) + side * s.brow_skew - arch;
            let half = looks.brow_width / 2.0 * (1.0 - 0.75 * t * t) * (0.75 + 0.25 * (8.0 * t).min(1.0));
            [side * mix(inner[0], outer[0], t), y + across * half, 0.5]
        };
        let steps = || (0..=8u8).map(|i| f32::from(i) / 8.0);
        let upper = steps().map(|t| along(t, -1.0));
        let lower: Vec<Place> = steps().map(|t| along(t, 1.0)).collect();
        let outline: Vec<Place> = upper.chain(lower.into_iter().rev()).collect();
        let mask = Mask::polygon(&self.on_skin(&outline));
        self.lit(&mask, 0.88, looks.brow_grey);
    }

    /// Two flanks and an underside, each lit by its own direction; wings and nostrils.
    fn nose(&mut self) {
        let (s, scale) = (self.shape, self.pose.scale);
        let bridge = s.above(0.0, s.eye_inner_y - 2.0, 2.0);
        let tip = s.above(0.0, s.nose_y, s.nose_out);
        let base = s.above(0.0, s.nose_y + 4.2, 2.5);
        let wing = |side: f32| s.above(side * s.nose_wing, s.nose_y + 2.2, 0.5);
        let root = |side: f32| s.above(side * 4.0, s.eye_inner_y, 0.0);
        let own = self.light_on(self.pose.turned([0.0, 0.0, 1.0]));
        for side in [-1.0, 1.0] {
            let flank = [bridge, tip, wing(side), root(side)];
            let light = self.light_on(self.pose.turned([side * 0.68, 0.05, 0.73]));
            let places: Vec<Point> = flank.iter().map(|p| self.pose.project(*p)).collect();
            self.tone(&Mask::polygon(&places).feather(1), 0.8, 0.97 * light / own);
        }
        let under = [wing(-1.0), tip, wing(1.0), base].map(|p| self.pose.project(p));
        let light = self.light_on(self.pose.turned([0.0, 0.85, 0.5]));
        self.tone(&Mask::polygon(&under).feather(1), 0.85, 0.88 * light / own);
        for side in [-1.0, 1.0] {
            let nostril = self.pose.project(s.above(side * s.nose_wing * 0.48, s.nose_y + 2.9, 3.5));
            self.tone(&Mask::spot(nostril, [2.9 * scale, 1.9 * scale]), 0.95, 0.22);
            let rim = [
                s.above(side * (s.nose_wing - 0.6), s.nose_y - 1.6, 1.0),
                s.above(side * (s.nose_wing + 0.3), s.nose_y + 1.2, 0.5),
                s.above(side * (s.nose_wing - 1.2), s.nose_y + 3.4, 1.0),
            ]
            .map(|p| self.pose.project(p));
            self.tone(&Mask::stroke(&rim, 1.5 * scale).feather(1), 0.7, 0.6);
        }
        let at = self.pose.project([tip[0] + 1.4 * self.looks.light[0], tip[1] - 1.3, tip[2]]);
        self.tone(&Mask::spot(at, [4.6 * scale, 4.4 * scale]), 0.8, 1.16 + 0.8 * self.looks.gloss);
        let ridge = [0.25, 0.55, 0.8]
            .map(|t| self.pose.project([0.0, mix(bridge[1], tip[1], t), mix(bridge[2], tip[2], t) + 0.5]));
        self.tone(&Mask::stroke(&ridge, 3.0 * scale).feather(1), 0.6, 1.13 + 0.4 * self.looks.gloss);
    }

    /// From the nose's wings to the corners of the mouth, deeper with a smile and with age.
    fn folds(&mut self) {
        let (s, scale) = (self.shape, self.pose.scale);
        let depth = (0.15 + 0.5 * s.smile.max(0.0) + 0.4 * self.looks.wrinkles).min(0.9);
        for side in [-1.0, 1.0] {
            let line = self.on_skin(&[
                [side * (s.nose_wing + 1.0), s.nose_y + 0.5, 0.0],
                [side * (s.nose_wing + 4.5), s.nose_y + 5.0, 0.0],
                [side * (s.mouth_half + 2.2), s.mouth_y - 3.0, 0.0],
                [side * (s.mouth_half + 3.0), s.mouth_y + 2.0, 0.0],
            ]);
            self.tone(&Mask::stroke(&line, 1.7 * scale).feather(1), depth, 0.66);
        }
    }

    fn mouth(&mut self, dice: &mut Dice) {
        let (s, looks, scale) = (self.shape, self.looks, self.pose.scale);
        let line = mix(s.lip_top_y, s.lip_bottom_y - s.mouth_open, 0.44);
        let point = |t: f32, y: f32, out: f32| -> Place {
            let corner_y = s.mouth_y - t * s.mouth_skew;
            let w = 1.0 - t * t;
            [t * s.mouth_half + s.mouth_shift, mix(corner_y, y, w), out * w]
        };
        let arc = |y: f32, power: f32| -> Vec<Place> {
            (0..=12u8)
                .map(|i| {
                    let t = f32::from(i) / 6.0 - 1.0;
                    // The upper lip's bow: a dip in the middle between two peaks.
                    let bow = power * (t.abs() * 3.0).min(1.0) * (1.0 - t * t) * (1.0 - t * t);
                    let mut p = point(t, y, 1.0);
                    p[1] -= bow;
                    p
                })
                .collect()
        };
        let ring = |upper: Vec<Place>, lower: Vec<Place>| -> Vec<Place> {
            upper.into_iter().chain(lower.into_iter().rev()).collect()
        };
        let (top, bottom) = (arc(s.lip_top_y, 0.9), arc(s.lip_bottom_y, 0.0));
        let (open_top, open_bottom) = (arc(line, -0.3), arc(line + s.mouth_open, 0.0));
        let upper_lip = Mask::polygon(&self.on_skin(&ring(top, open_top.clone())));
        let lower_lip = Mask::polygon(&self.on_skin(&ring(open_bottom.clone(), bottom.clone())));
        self.tone(&upper_lip, 0.95, looks.lips * 0.82);
        self.tone(&lower_lip, 0.95, looks.lips);
        let shine = self.on_skin(&[point(0.0, mix(line + s.mouth_open, s.lip_bottom_y, 0.45), 2.0)])[0];
        self.tone(&Mask::spot(shine, [6.0 * scale, 1.8 * scale]), 0.8, 1.12 + looks.gloss);
        if s.mouth_open > 0.0 {
            let opening = Mask::polygon(&self.on_skin(&ring(open_top.clone(), open_bottom)));
            self.canvas.through(&opening, 1.0, |_, _, old| 0.12 * old + 0.02);
            if dice.chance(0.35 + 0.5 * s.smile.clamp(0.0, 1.0)) {
                let deep = line + (s.mouth_open * 0.7).min(3.6);
                let teeth = Mask::polygon(&self.on_skin(&ring(open_top, arc(deep, 0.0)))).within(&opening);
                self.lit(&teeth, 0.92, dice.range(0.66, 0.9));
            }
        } else {
            self.tone(&Mask::stroke(&self.on_skin(&open_top), 1.3 * scale), 0.85, 0.36);
        }
        for t in [-1.0, 1.0] {
            let corner = self.on_skin(&[point(t, 0.0, 0.0)])[0];
            self.tone(&Mask::spot(corner, [2.2 * scale, 1.9 * scale]), 0.75, 0.5);
        }
        // The shadow below the lower lip.
        let below: Vec<Place> = bottom[3..10].iter().map(|p| [p[0], p[1] + 1.6, p[2]]).collect();
        self.tone(&Mask::stroke(&self.on_skin(&below), 2.0 * scale).feather(1), 0.5, 0.72);
    }

    fn moustache(&mut self) {
        let (s, looks) = (self.shape, self.looks);
        if looks.moustache <= 0.0 {
            return;
        }
        let half = s.mouth_half * 0.95;
        let places: Vec<Place> = [
            [0.0, s.nose_y + 5.5, 1.5],
            [half * 0.6, s.nose_y + 6.2, 1.0],
            [half, s.mouth_y - 1.0, 0.5],
            [half * 0.55, s.lip_top_y + 0.3, 1.0],
            [0.0, s.lip_top_y - 0.2, 1.5],
            [-half * 0.55, s.lip_top_y + 0.3, 1.0],
            [-half, s.mouth_y - 1.0, 0.5],
            [-half * 0.6, s.nose_y + 6.2, 1.0],
        ]
        .to_vec();
        let mask = Mask::polygon(&self.on_skin(&places)).feather(1);
        self.lit(&mask, looks.moustache * 0.85, looks.hair_grey * 0.85);
    }

    fn glasses(&mut self, glasses: &Glasses, dice: &mut Dice) {
        let (s, scale) = (self.shape, self.pose.scale);
        let x = (s.eye_inner + s.eye_outer) / 2.0 + 0.5;
        let y = (s.eye_inner_y + s.eye_outer_y) / 2.0 + 0.8;
        let plane = s.skin(x, y)[2] + 6.5;
        let width = glasses.width * scale;
        let lens_x = glasses.lens[0].min(x - 2.6);
        let mut frames: Vec<Vec<Point>> = Vec::new();
        for side in [-1.0, 1.0] {
            let rim: Vec<Point> = (0..=28u8)
                .map(|i| {
                    let (sin, cos) = sin_cos(f32::from(i) * (std::f32::consts::TAU / 28.0));
                    // Between a circle and its squared cousin x^4 + y^4 = 1.
                    let square = |v: f32| mix(v, v.signum() * v.abs().sqrt(), glasses.square);
                    let (dx, dy) = (lens_x * square(cos), glasses.lens[1] * square(sin));
                    self.pose.project([side * x + dx, y + dy, plane - 0.012 * dx * dx])
                })
                .collect();
            let lens = Mask::polygon(&rim);
            self.tone(&lens, 1.0, glasses.clear);
            if glasses.glare > 0.0 {
                let [cx, cy] = [side * x + dice.range(-4.0, 4.0), y + dice.range(-3.0, 3.0)];
                let lean = dice.range(-4.0, 4.0);
                let streak = [[cx + lean, cy - 9.0, plane], [cx - lean, cy + 9.0, plane]]
                    .map(|p| self.pose.project(p));
                let streak = Mask::stroke(&streak, dice.range(2.0, 6.0) * scale).feather(1).within(&lens);
                self.canvas.through(&streak, glasses.glare, |_, _, _| 1.0);
            }
            frames.push(rim);
            let hinge = [side * (x + lens_x), y - 2.0, plane - 1.5];
            let ear = [side * s.axes[0], y - 1.0, 2.0];
            frames.push(vec![self.pose.project(hinge), self.pose.project(ear)]);
        }
        let inner = x - lens_x;
        frames.push(
            [[-inner, y - 2.0, plane], [0.0, y - 3.2, plane + 0.8], [inner, y - 2.0, plane]]
                .map(|p| self.pose.project(p))
                .to_vec(),
        );
        let grey = glasses.frame;
        for line in frames {
            self.canvas.through(&Mask::stroke(&line, width), 0.95, |_, _, _| grey);
        }
    }
}
