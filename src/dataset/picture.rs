//! Contact sheets: faces side by side, with points drawn on them, as a PNG.

use super::columns::{COLUMNS, POINT_NAMES, SIDE_PX};
use super::error::DatasetError;
use std::io::BufWriter;
use std::path::Path;

/// How a set of points is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Filled dots: the person's left orange, right blue, the middle green. For labels.
    Dot,
    /// Small crosses in the same colours, lighter. For predictions.
    Cross,
}

/// One face of a sheet.
#[derive(Debug, Clone)]
pub struct Face<'a> {
    /// Grey values, `[96 * 96]`.
    pub image: &'a [u8],
    /// Sets of points, `[30]` in pixels of the image, NaN = not drawn.
    pub points: Vec<(&'a [f32], Mark)>,
}

/// Pixels of the sheet per pixel of a face.
const SCALE: usize = 2;
/// Between faces, in pixels of the sheet.
const GAP: usize = 4;
const BACKGROUND: [u8; 3] = [255, 255, 255];

/// An RGB picture, u8 `[height, width, 3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// Draws faces in rows of `across` (at least 1), each at twice its size.
#[must_use]
pub fn contact_sheet(faces: &[Face<'_>], across: usize) -> Picture {
    let across = across.clamp(1, faces.len().max(1));
    let cell = SIDE_PX * SCALE + GAP;
    let (width, height) = (across * cell + GAP, faces.len().div_ceil(across) * cell + GAP);
    let mut picture = Picture { width, height, rgb: BACKGROUND.repeat(width * height) };
    for (i, face) in faces.iter().enumerate() {
        let (left, top) = (GAP + i % across * cell, GAP + i / across * cell);
        picture.face(face, left, top);
    }
    picture
}

impl Picture {
    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Writes it as a PNG file.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<(), DatasetError> {
        let doing = "write";
        let file = std::fs::File::create(path).map_err(DatasetError::io(doing, path))?;
        let size = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(BufWriter::new(file), size(self.width), size(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.rgb)?;
            writer.finish()
        });
        written.map_err(|e| DatasetError::io(doing, path)(std::io::Error::other(e)))
    }

    fn face(&mut self, face: &Face<'_>, left: usize, top: usize) {
        let side = SIDE_PX * SCALE;
        for y in 0..side {
            for x in 0..side {
                let grey = face.image.get(y / SCALE * SIDE_PX + x / SCALE).copied().unwrap_or_default();
                self.set(left + x, top + y, [grey; 3]);
            }
        }
        for (points, mark) in &face.points {
            for (k, point) in points.as_chunks::<2>().0.iter().take(COLUMNS / 2).enumerate() {
                let inside = |v: f32| (0.0..=SIDE_PX as f32).contains(&v);
                if inside(point[0]) && inside(point[1]) {
                    let place = [point[0], point[1]].map(|v| ((v * SCALE as f32) as usize).min(side - 1));
                    self.mark(left + place[0], top + place[1], colour(k, *mark), *mark);
                }
            }
        }
    }

    fn mark(&mut self, x: usize, y: usize, colour: [u8; 3], mark: Mark) {
        let offsets: &[(isize, isize)] = match mark {
            Mark::Dot => &[
                (0, 0),
                (1, 0),
                (-1, 0),
                (0, 1),
                (0, -1),
                (1, 1),
                (1, -1),
                (-1, 1),
                (-1, -1),
                (2, 0),
                (-2, 0),
                (0, 2),
                (0, -2),
            ],
            Mark::Cross => &[(0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 2), (2, -2), (-2, 2), (-2, -2)],
        };
        for (dx, dy) in offsets {
            if let (Some(x), Some(y)) = (x.checked_add_signed(*dx), y.checked_add_signed(*dy)) {
                self.set(x, y, colour);
            }
        }
    }

    fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        if x < self.width && y < self.height {
            self.rgb[(y * self.width + x) * 3..][..3].copy_from_slice(&colour);
        }
    }
}

fn colour(point: usize, mark: Mark) -> [u8; 3] {
    let name = POINT_NAMES.get(point).copied().unwrap_or_default();
    let dark = if name.starts_with("left") || name.contains("_left_") {
        [255, 120, 0]
    } else if name.starts_with("right") || name.contains("_right_") {
        [0, 130, 255]
    } else {
        [30, 200, 60]
    };
    match mark {
        Mark::Dot => dark,
        Mark::Cross => dark.map(|c: u8| c / 2 + 127),
    }
}
