//! The shape of a head and how it is held: from places on the head to places on the picture.
//!
//! The head is an ellipsoid narrowed towards the chin. Lengths on the head are in units of which an upright
//! face at scale 1 has one per pixel; x grows to the picture's right (the person's left), y downwards, z
//! towards the viewer, with the origin between eyes and nose in the middle of the head.

use super::Poses;
use super::canvas::Point;
use super::dice::{Dice, mix, sin_cos, smooth};
use crate::dataset::columns::COLUMNS;

/// A place on or near the head: x, y, z.
pub(super) type Place = [f32; 3];

/// The shape of a person's head and features.
pub(super) struct Shape {
    /// Half axes of the ellipsoid.
    pub(super) axes: Place,
    /// How much narrower the chin is, as a share of the width.
    pub(super) taper: f32,
    /// Inner and outer corner's distance from the middle, and the corners' y.
    pub(super) eye_inner: f32,
    pub(super) eye_outer: f32,
    pub(super) eye_inner_y: f32,
    pub(super) eye_outer_y: f32,
    /// Brows' inner and outer ends, x from the middle and y; differing between the sides by `brow_skew`.
    pub(super) brow_inner: Point,
    pub(super) brow_outer: Point,
    pub(super) brow_skew: f32,
    /// The nose tip's y, how far it stands out, and half the width of the wings.
    pub(super) nose_y: f32,
    pub(super) nose_out: f32,
    pub(super) nose_wing: f32,
    /// Half the mouth's width, y of its corners, y of the top lip's and the bottom lip's edge, a shift to
    /// one side, and how much higher the left corner is.
    pub(super) mouth_half: f32,
    pub(super) mouth_y: f32,
    pub(super) lip_top_y: f32,
    pub(super) lip_bottom_y: f32,
    pub(super) mouth_shift: f32,
    pub(super) mouth_skew: f32,
    /// How far the mouth is open, and how much the corners are pulled up (1 a broad smile).
    pub(super) mouth_open: f32,
    pub(super) smile: f32,
}

impl Shape {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let width = dice.normal(1.0, 0.05, 2.0);
        let eye_y = dice.normal(-16.5, 1.3, 2.0);
        let eye_half = dice.normal(7.0, 0.6, 2.0);
        let eye_x = width * dice.normal(17.6, 0.9, 2.0);
        let tilt = dice.normal(0.3, 0.8, 2.0);
        let raised = dice.normal(0.0, 1.6, 2.0);
        let frown = dice.normal(0.0, 1.1, 2.0);
        let brow_y = eye_y - dice.normal(8.2, 1.0, 2.0) - raised;
        let smile = if dice.chance(0.45) { dice.range(0.3, 1.0) } else { dice.normal(0.0, 0.25, 2.0) };
        let open = if dice.chance(0.35) { dice.range(1.5, 9.0) } else { 0.0 };
        let mouth_y = dice.normal(21.5, 1.5, 2.0);
        let upper = dice.normal(3.2, 0.7, 2.0);
        let lower = dice.normal(4.4, 0.9, 2.0);
        let smile_up = 3.2 * smile;
        Self {
            axes: [37.0 * width, dice.normal(47.0, 2.0, 2.0), dice.normal(41.0, 1.5, 2.0)],
            taper: dice.range(0.02, 0.2),
            eye_inner: eye_x - eye_half,
            eye_outer: eye_x + eye_half,
            eye_inner_y: eye_y + tilt * 0.5,
            eye_outer_y: eye_y - tilt * 0.5,
            brow_inner: [eye_x - eye_half - dice.normal(1.6, 1.0, 2.0), brow_y + frown],
            brow_outer: [eye_x + eye_half + dice.normal(2.2, 0.9, 2.0), brow_y + 1.2 - 0.5 * frown],
            brow_skew: if dice.chance(0.2) { dice.normal(0.0, 1.8, 2.0) } else { 0.0 },
            nose_y: dice.normal(6.5, 2.0, 2.0),
            nose_out: dice.normal(10.0, 1.5, 2.0),
            nose_wing: dice.normal(7.2, 0.9, 2.0),
            mouth_half: dice.normal(13.0, 1.3, 2.0) * (1.0 + 0.22 * smile) * (1.0 - 0.02 * open),
            mouth_y: mouth_y - smile_up + 0.25 * open,
            lip_top_y: mouth_y - upper - 0.6 * smile,
            lip_bottom_y: mouth_y + lower + open - 0.4 * smile,
            mouth_shift: dice.normal(0.0, 0.6, 2.0),
            mouth_skew: dice.normal(0.0, 0.7, 2.0),
            mouth_open: open,
            smile,
        }
    }

    /// The height of the skin at a place of the front of the head.
    pub(super) fn skin(&self, x: f32, y: f32) -> Place {
        let [a, b, c] = self.axes;
        let rest = 1.0 - (x / a) * (x / a) - (y / b) * (y / b);
        [x, y, c * rest.max(0.01).sqrt()]
    }

    /// A place above the skin by `out`.
    pub(super) fn above(&self, x: f32, y: f32, out: f32) -> Place {
        let [x, y, z] = self.skin(x, y);
        [x, y, z + out]
    }

    /// The 15 keypoints in the order of the columns.
    pub(super) fn keypoints(&self) -> [Place; COLUMNS / 2] {
        let eye = |side: f32, x: f32, y: f32| self.skin(side * x, y);
        let (eye_x, eye_y) =
            ((self.eye_inner + self.eye_outer) / 2.0, (self.eye_inner_y + self.eye_outer_y) / 2.0);
        let brow = |side: f32, end: Point| self.skin(side * end[0], end[1] + side * self.brow_skew);
        let corner = |side: f32| {
            self.skin(side * self.mouth_half + self.mouth_shift, self.mouth_y - side * self.mouth_skew)
        };
        [
            eye(1.0, eye_x, eye_y),
            eye(-1.0, eye_x, eye_y),
            eye(1.0, self.eye_inner, self.eye_inner_y),
            eye(1.0, self.eye_outer, self.eye_outer_y),
            eye(-1.0, self.eye_inner, self.eye_inner_y),
            eye(-1.0, self.eye_outer, self.eye_outer_y),
            brow(1.0, self.brow_inner),
            brow(1.0, self.brow_outer),
            brow(-1.0, self.brow_inner),
            brow(-1.0, self.brow_outer),
            self.above(0.0, self.nose_y, self.nose_out),
            corner(1.0),
            corner(-1.0),
            self.above(self.mouth_shift, self.lip_top_y, 1.0),
            self.above(self.mouth_shift, self.lip_bottom_y, 1.0),
        ]
    }
}

/// How a head is held and where it is: turn (yaw), nod (pitch), tilt (roll), scale and place.
pub(super) struct Pose {
    yaw: (f32, f32),
    pitch: (f32, f32),
    roll: (f32, f32),
    /// Pixels per unit of the head.
    pub(super) scale: f32,
    /// Where the head's middle is on the picture.
    pub(super) middle: Point,
    axes: Place,
    taper: f32,
    /// The silhouette before narrowing: points with `p · outline · p < 1` are inside.
    outline: [[f32; 2]; 2],
}

/// The skin seen through one pixel.
pub(super) struct Hit {
    /// Where on the head.
    pub(super) place: Place,
    /// The surface's direction there, in the viewer's frame.
    pub(super) normal: Place,
    /// How much of the pixel the head covers, 0 to 1.
    pub(super) cover: f32,
}

/// How much of the usual sway steady heads have.
const STEADY: f32 = 0.3;

impl Pose {
    /// A pose at which all of these places are well inside the picture.
    pub(super) fn draw(dice: &mut Dice, poses: Poses, shape: &Shape, places: &[Place]) -> Self {
        let sway = match poses {
            Poses::Free => 1.0,
            Poses::Steady => STEADY,
        };
        let yaw = sin_cos(dice.normal(0.0, 0.23 * sway, 2.0));
        let pitch = sin_cos(dice.normal(0.02, 0.13 * sway, 2.0));
        let roll = sin_cos(dice.normal(0.0, 0.2 * sway, 2.3));
        let scale = dice.normal(0.78, 0.09 * sway, 2.2);
        let wish = [dice.normal(48.0, 5.0 * sway, 2.4), dice.normal(50.5, 4.5 * sway, 2.4)];
        let mut pose = Self {
            yaw,
            pitch,
            roll,
            scale,
            middle: wish,
            axes: shape.axes,
            taper: shape.taper,
            outline: [[0.0; 2]; 2],
        };
        pose.outline = pose.silhouette();
        // Moved towards the middle, and at last made smaller, until everything is inside.
        for attempt in 0..12 {
            let inside = |p: Point| p.iter().all(|v| (3.0..=93.0).contains(v));
            if places.iter().all(|place| inside(pose.project(*place))) {
                break;
            }
            let keep = 1.0 - 0.2 * attempt.min(5) as f32;
            pose.middle = [mix(48.0, wish[0], keep), mix(48.0, wish[1], keep)];
            if attempt >= 5 {
                pose.scale *= 0.9;
            }
        }
        pose
    }

    /// From the head's frame to the viewer's.
    pub(super) fn turned(&self, [x, y, z]: Place) -> Place {
        let ((sy, cy), (sp, cp)) = (self.yaw, self.pitch);
        let (x, z) = (x * cy + z * sy, z * cy - x * sy);
        [x, y * cp + z * sp, z * cp - y * sp]
    }

    /// From the viewer's frame to the head's.
    fn turned_back(&self, [x, y, z]: Place) -> Place {
        let ((sy, cy), (sp, cp)) = (self.yaw, self.pitch);
        let (y, z) = (y * cp - z * sp, y * sp + z * cp);
        [x * cy - z * sy, y, x * sy + z * cy]
    }

    /// Where a place of the head is on the picture.
    pub(super) fn project(&self, place: Place) -> Point {
        let [x, y, _] = self.turned(place);
        let x = x * self.narrowing(y);
        let (sin, cos) = self.roll;
        [self.middle[0] + self.scale * (x * cos - y * sin), self.middle[1] + self.scale * (x * sin + y * cos)]
    }

    /// The skin that is seen at a place of the picture, if the head is there.
    pub(super) fn hit(&self, [x, y]: Point) -> Option<Hit> {
        let (sin, cos) = self.roll;
        let (dx, dy) = ((x - self.middle[0]) / self.scale, (y - self.middle[1]) / self.scale);
        let (x, y) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let x = x / self.narrowing(y);
        // How far out, 1 on the silhouette; and how fast that grows per unit.
        let m = &self.outline;
        let (gx, gy) = (m[0][0] * x + m[0][1] * y, m[1][0] * x + m[1][1] * y);
        let out = (x * gx + y * gy).max(1e-9).sqrt();
        let steep = (gx * gx + gy * gy).sqrt() / out;
        let cover = ((1.0 - out) / steep * self.scale + 0.5).clamp(0.0, 1.0);
        if cover <= 0.0 {
            return None;
        }
        // A pixel just beyond the silhouette shows the skin at the silhouette.
        let pull = if out > 0.999 { 0.999 / out } else { 1.0 };
        let (x, y) = (x * pull, y * pull);
        let scaled = |p: Place| {
            let [hx, hy, hz] = self.turned_back(p);
            [hx / self.axes[0], hy / self.axes[1], hz / self.axes[2]]
        };
        let (u, v) = (scaled([x, y, 0.0]), scaled([0.0, 0.0, 1.0]));
        let dot = |a: Place, b: Place| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let (uv, vv) = (dot(u, v), dot(v, v));
        let z = ((uv * uv - vv * (dot(u, u) - 1.0)).max(0.0).sqrt() - uv) / vv;
        let place = self.turned_back([x, y, z]);
        let gradient = [
            place[0] / (self.axes[0] * self.axes[0]),
            place[1] / (self.axes[1] * self.axes[1]),
            place[2] / (self.axes[2] * self.axes[2]),
        ];
        let length = dot(gradient, gradient).sqrt();
        let normal = self.turned([gradient[0] / length, gradient[1] / length, gradient[2] / length]);
        Some(Hit { place, normal, cover })
    }

    /// The width of the head at a height of the viewer's frame, as a share of the ellipsoid's: fuller at
    /// the crown and the jaw, narrower towards the chin.
    fn narrowing(&self, y: f32) -> f32 {
        let t = y / self.axes[1];
        let full = 0.13 * smooth(0.2, 0.95, -t) + 0.11 * smooth(0.25, 0.85, t);
        1.0 + full - self.taper * smooth(-0.15, 1.05, t)
    }

    /// The turned ellipsoid's outline as seen from the front.
    fn silhouette(&self) -> [[f32; 2]; 2] {
        // An ellipsoid with the matrix S (its half axes squared, turned) projects to the ellipse with the
        // upper left 2x2 part of S.
        let mut s = [[0.0f32; 2]; 2];
        for axis in 0..3 {
            let mut unit = [0.0; 3];
            unit[axis] = self.axes[axis];
            let p = self.turned(unit);
            for (i, row) in s.iter_mut().enumerate() {
                for (j, value) in row.iter_mut().enumerate() {
                    *value += p[i] * p[j];
                }
            }
        }
        let determinant = s[0][0] * s[1][1] - s[0][1] * s[1][0];
        [[s[1][1] / determinant, -s[0][1] / determinant], [-s[1][0] / determinant, s[0][0] / determinant]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_projected_is_hit() {
        for row in 0..50 {
            let mut dice = Dice::new(3, "test", row);
            let shape = Shape::draw(&mut dice);
            let pose = Pose::draw(&mut dice, Poses::Free, &shape, &shape.keypoints());
            for place in [shape.skin(0.0, 0.0), shape.skin(10.0, -12.0), shape.skin(-8.0, 20.0)] {
                let hit = pose.hit(pose.project(place)).expect("the head is there");
                for axis in 0..3 {
                    assert!((hit.place[axis] - place[axis]).abs() < 0.05, "{:?} {place:?}", hit.place);
                }
                assert!(hit.cover == 1.0 && hit.normal[2] > 0.0);
            }
        }
    }
}
