//! Synthetic faces: a parametric head drawn in 96x96 greys, with keypoints known exactly.
//!
//! A face depends on its seed and its row alone, not on how many are drawn or by how many threads, and
//! its bytes are the same on every machine: the drawing uses no function whose last bit the platform's
//! library decides. What varies: pose (turn, nod, tilt, scale, place), shape, expression, skin, hair,
//! beard, glasses, light, background and clutter, occlusion, contrast, blur and noise.

mod backdrop;
mod body;
mod canvas;
mod dice;
mod features;
mod finish;
mod head;
mod labels;
mod looks;

use super::builder::{Builder, IfExists, Written};
use super::cache::Provenance;
use super::columns::{COLUMNS, PIXELS};
use super::error::DatasetError;
use super::numbers::Numbers;
use body::Portrait;
use canvas::Canvas;
use dice::Dice;
use head::{Pose, Shape};
use looks::Looks;
use std::path::Path;

/// Version of the drawing: another version draws other bytes from the same seed.
pub const VERSION: u32 = 1;

/// A drawn face.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticFace {
    /// Grey values, `[96 * 96]`.
    pub image: Box<[u8; PIXELS]>,
    /// Where all 15 points are, in pixels, x and y in turn; none is missing.
    pub points: [f32; COLUMNS],
}

/// How heads are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Poses {
    /// They turn, nod, lean, and stand nearer or farther.
    #[default]
    Free,
    /// They hardly do, as on passports: another distribution of the same heads.
    Steady,
}

/// Draws one face.
#[must_use]
pub fn face(seed: u64, row: u64, poses: Poses) -> SyntheticFace {
    let mut dice = Dice::new(seed, "synth-face", row);
    let shape = Shape::draw(&mut dice);
    let places = shape.keypoints();
    let pose = Pose::draw(&mut dice, poses, &shape, &places);
    let looks = Looks::draw(&mut dice);
    let canvas = backdrop::draw(&mut dice);
    let light = Canvas::new(looks.ambient);
    let mut portrait = Portrait { canvas, light, shape: &shape, looks: &looks, pose: &pose };
    portrait.behind(&mut dice);
    portrait.face();
    portrait.features(&mut dice);
    let image = finish::photograph(portrait.canvas, &mut dice);
    let mut points = [0.0; COLUMNS];
    for (point, place) in points.as_chunks_mut::<2>().0.iter_mut().zip(places) {
        *point = pose.project(place);
    }
    SyntheticFace { image, points }
}

/// What to draw, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The home whose dataset it becomes.
    pub home: &'a Path,
    /// The dataset's name.
    pub name: &'a str,
    /// How many faces, from row 0.
    pub rows: u64,
    /// Which faces.
    pub seed: u64,
    /// How their heads are held.
    pub poses: Poses,
    /// How many threads draw (at least 1); the bytes do not depend on it.
    pub threads: usize,
}

/// Draws a dataset; `progress` is told the rows so far now and then.
///
/// # Errors
/// As [`Builder`]: a bad name, a name taken, too many rows, none, or a disk that refuses.
pub fn write(
    request: &Request<'_>,
    if_exists: IfExists,
    progress: &mut dyn FnMut(u64),
) -> Result<Written, DatasetError> {
    let Request { home, name, rows, seed, poses, threads } = *request;
    let mut builder = Builder::create(home, name)?;
    let threads = threads.clamp(1, 64) as u64;
    let block = threads * 16;
    let mut first = 0;
    while first < rows {
        let end = rows.min(first.saturating_add(block));
        for (row, face) in (first..end).zip(draw_block((seed, poses), first, end, threads)) {
            builder.push(&face.image, &labels::hide(seed, row, &face.points))?;
        }
        first = end;
        progress(first);
    }
    let held = if poses == Poses::Steady { ", steady" } else { "" };
    let detail = format!("faces version {VERSION}, seed {seed}, rows {rows}{held}");
    builder.finish(&Numbers::default(), Provenance { kind: "synthetic".to_owned(), detail }, if_exists)
}

/// The faces `first..end`, in order.
fn draw_block((seed, poses): (u64, Poses), first: u64, end: u64, threads: u64) -> Vec<SyntheticFace> {
    let share = (end - first).div_ceil(threads).max(1) as usize;
    let rows: Vec<u64> = (first..end).collect();
    std::thread::scope(|scope| {
        let parts: Vec<_> = rows
            .chunks(share)
            .map(|part| {
                scope.spawn(move || part.iter().map(|row| face(seed, *row, poses)).collect::<Vec<_>>())
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean squared distance of a left eye from where it is on average, in pixels.
    fn sway(poses: Poses) -> f32 {
        let eyes: Vec<[f32; 2]> =
            (0..60).map(|row| face(7, row, poses).points).map(|points| [points[0], points[1]]).collect();
        let mean = |axis: usize| eyes.iter().map(|eye| eye[axis]).sum::<f32>() / eyes.len() as f32;
        let middle = [mean(0), mean(1)];
        let square = |eye: &[f32; 2]| (0..2).map(|axis| (eye[axis] - middle[axis]).powi(2)).sum::<f32>();
        eyes.iter().map(square).sum::<f32>() / eyes.len() as f32
    }

    #[test]
    fn steady_heads_hardly_move() {
        assert!(sway(Poses::Steady) < 0.3 * sway(Poses::Free), "{}", sway(Poses::Steady));
    }
}
