//! A grey picture and what is drawn on it: polygons, strokes, soft spots, all anti-aliased.
//!
//! Places are continuous: pixel `i` covers `[i, i + 1)`, so its middle is at `i + 0.5`.

use crate::dataset::columns::{PIXELS, SIDE_PX};

/// A place on the picture, in pixels.
pub(super) type Point = [f32; 2];

/// A grey picture, f32 `[96 * 96]`, 0 black to 1 white (it may go beyond while being drawn).
pub(super) struct Canvas(pub(super) Vec<f32>);

/// How much of each pixel of a box a shape covers, 0 to 1.
pub(super) struct Mask {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    cover: Vec<f32>,
}

/// Sub-lines per pixel row when a polygon is filled.
const SUB_LINES: usize = 4;

impl Canvas {
    /// All of one grey.
    pub(super) fn new(grey: f32) -> Self {
        Self(vec![grey; PIXELS])
    }

    /// Changes every pixel, given its middle and its value.
    pub(super) fn each(&mut self, mut change: impl FnMut(f32, f32, f32) -> f32) {
        for (i, value) in self.0.iter_mut().enumerate() {
            let (x, y) = ((i % SIDE_PX) as f32 + 0.5, (i / SIDE_PX) as f32 + 0.5);
            *value = change(x, y, *value);
        }
    }

    /// Paints through a mask: `paint` gets the pixel's middle and value and gives the new value where the
    /// mask covers it wholly.
    pub(super) fn through(&mut self, mask: &Mask, opacity: f32, paint: impl Fn(f32, f32, f32) -> f32) {
        for row in 0..mask.height {
            for column in 0..mask.width {
                let cover = mask.cover[row * mask.width + column] * opacity;
                if cover > 0.0 {
                    let (x, y) = (mask.left + column, mask.top + row);
                    let value = &mut self.0[y * SIDE_PX + x];
                    let new = paint(x as f32 + 0.5, y as f32 + 0.5, *value);
                    *value += (new - *value) * cover;
                }
            }
        }
    }

    /// Blurs by a [1, 2, 1] kernel weighted by `amount` (0 nothing, 1 the full kernel), both ways.
    pub(super) fn blur(&mut self, amount: f32) {
        let side = amount / (2.0 + 2.0 * amount);
        let middle = 1.0 - 2.0 * side;
        for (step, line) in [(1, SIDE_PX), (SIDE_PX, 1)] {
            let old = self.0.clone();
            for a in 0..SIDE_PX {
                for b in 0..SIDE_PX {
                    let at = |i: usize| old[a * line + i * step];
                    let (before, after) = (at(b.saturating_sub(1)), at((b + 1).min(SIDE_PX - 1)));
                    self.0[a * line + b * step] = middle * at(b) + side * (before + after);
                }
            }
        }
    }
}

impl Mask {
    fn empty_around(points: &[Point], margin: f32) -> Self {
        let bound = |axis: usize| {
            let low = points.iter().map(|p| p[axis]).fold(f32::INFINITY, f32::min) - margin;
            let high = points.iter().map(|p| p[axis]).fold(f32::NEG_INFINITY, f32::max) + margin;
            let limit = SIDE_PX as f32;
            (low.floor().clamp(0.0, limit) as usize, high.ceil().clamp(0.0, limit) as usize)
        };
        let ((left, right), (top, bottom)) = (bound(0), bound(1));
        let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
        Self { left, top, width, height, cover: vec![0.0; width * height] }
    }

    /// A closed polygon, filled by the even-odd rule.
    pub(super) fn polygon(points: &[Point]) -> Self {
        let mut mask = Self::empty_around(points, 0.0);
        let mut crossings = Vec::new();
        for line in 0..mask.height * SUB_LINES {
            let y = mask.top as f32 + (line as f32 + 0.5) / SUB_LINES as f32;
            crossings.clear();
            let mut from = points[points.len() - 1];
            for to in points {
                if (from[1] <= y) != (to[1] <= y) {
                    crossings.push(from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
                }
                from = *to;
            }
            crossings.sort_unstable_by(f32::total_cmp);
            let row = &mut mask.cover[line / SUB_LINES * mask.width..][..mask.width];
            for span in crossings.as_chunks::<2>().0 {
                cover_span(row, span[0] - mask.left as f32, span[1] - mask.left as f32);
            }
        }
        mask
    }

    /// A line through the points, `width_px` wide, with round ends.
    pub(super) fn stroke(points: &[Point], width_px: f32) -> Self {
        let radius = width_px / 2.0;
        let mut mask = Self::empty_around(points, radius + 1.0);
        // A line thinner than a pixel is drawn one pixel wide and paler.
        let (reach, strength) = (radius.max(0.5) + 0.5, (width_px).min(1.0));
        mask.fill_by(|x, y| {
            let mut nearest = f32::INFINITY;
            for pair in points.windows(2) {
                nearest = nearest.min(square_distance(pair[0], pair[1], [x, y]));
            }
            if nearest >= reach * reach { 0.0 } else { (reach - nearest.sqrt()).min(1.0) * strength }
        });
        mask
    }

    /// A round spot that is 1 in its middle and fades to 0 at `radius` (two half axes, pixels).
    pub(super) fn spot(middle: Point, radius: Point) -> Self {
        let corners =
            [[middle[0] - radius[0], middle[1] - radius[1]], [middle[0] + radius[0], middle[1] + radius[1]]];
        let mut mask = Self::empty_around(&corners, 1.0);
        mask.fill_by(|x, y| {
            let (dx, dy) = ((x - middle[0]) / radius[0], (y - middle[1]) / radius[1]);
            let rest = (1.0 - dx * dx - dy * dy).max(0.0);
            rest * rest
        });
        mask
    }

    /// Only where the other covers too.
    pub(super) fn within(mut self, other: &Self) -> Self {
        for row in 0..self.height {
            for column in 0..self.width {
                let (x, y) = (self.left + column, self.top + row);
                self.cover[row * self.width + column] *= other.at(x, y);
            }
        }
        self
    }

    /// Softer edges: the mean over `2 reach + 1` pixels both ways.
    pub(super) fn feather(self, reach: usize) -> Self {
        let left = self.left.saturating_sub(reach);
        let top = self.top.saturating_sub(reach);
        let width = (self.left + self.width + reach).min(SIDE_PX) - left;
        let height = (self.top + self.height + reach).min(SIDE_PX) - top;
        let mut across = vec![0.0; width * height];
        let mut cover = vec![0.0; width * height];
        let share = 1.0 / (2 * reach + 1) as f32;
        for row in 0..height {
            for column in 0..width {
                let x = left + column;
                let near = x.saturating_sub(reach)..=x + reach;
                across[row * width + column] = near.map(|x| self.at(x, top + row)).sum::<f32>() * share;
            }
        }
        for row in 0..height {
            for column in 0..width {
                let near = row.saturating_sub(reach)..=(row + reach).min(height - 1);
                cover[row * width + column] =
                    near.map(|row| across[row * width + column]).sum::<f32>() * share;
            }
        }
        Self { left, top, width, height, cover }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let (column, row) = (x.wrapping_sub(self.left), y.wrapping_sub(self.top));
        if column < self.width && row < self.height { self.cover[row * self.width + column] } else { 0.0 }
    }

    fn fill_by(&mut self, cover: impl Fn(f32, f32) -> f32) {
        for row in 0..self.height {
            for column in 0..self.width {
                let (x, y) = ((self.left + column) as f32 + 0.5, (self.top + row) as f32 + 0.5);
                self.cover[row * self.width + column] = cover(x, y);
            }
        }
    }
}

/// Adds one sub-line's span to a row of pixels, by the exact part of each pixel.
fn cover_span(row: &mut [f32], from: f32, to: f32) {
    let (from, to) = (from.max(0.0), to.min(row.len() as f32));
    if to <= from {
        return;
    }
    let share = 1.0 / SUB_LINES as f32;
    let last = (to.ceil() as usize).min(row.len());
    for (i, cover) in row.iter_mut().enumerate().take(last).skip(from as usize) {
        let part = (to.min(i as f32 + 1.0) - from.max(i as f32)).max(0.0);
        *cover += part * share;
    }
}

/// The squared distance from `p` to the line from `a` to `b`.
fn square_distance(a: Point, b: Point, p: Point) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (px, py) = (p[0] - a[0], p[1] - a[1]);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (px - t * dx, py - t * dy);
    ex * ex + ey * ey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_covers_its_area() {
        let mask = Mask::polygon(&[[10.25, 10.0], [20.75, 10.0], [20.75, 30.5], [10.25, 30.5]]);
        let area: f32 = mask.cover.iter().sum();
        assert!((area - 10.5 * 20.5).abs() < 1e-2, "{area}");
        assert!((mask.at(10, 15) - 0.75).abs() < 1e-6);
    }

    #[test]
    fn shapes_beyond_the_picture_are_cut_off() {
        let far = Mask::polygon(&[[-50.0, -50.0], [-10.0, -50.0], [-10.0, 200.0]]);
        assert!(far.cover.iter().all(|c| *c == 0.0));
        let mut canvas = Canvas::new(0.0);
        canvas.through(&Mask::stroke(&[[-5.0, 90.0], [200.0, 99.0]], 3.0).feather(2), 1.0, |_, _, _| 1.0);
        canvas.through(&Mask::spot([96.0, 0.0], [9.0, 9.0]), 1.0, |_, _, _| 1.0);
        assert!(canvas.0.iter().all(|v| (0.0..=1.0001).contains(v)));
    }
}
