//! The 30 label columns, in the order of Kaggle's training.csv, and the sizes everything is built on.
//!
//! "Left" is the person's left: on the image the left eye has the larger x.

/// Width and height of every image, in pixels.
pub const SIDE_PX: usize = 96;
/// Pixels of one image.
pub const PIXELS: usize = SIDE_PX * SIDE_PX;
/// Keypoints of one face.
pub const POINTS: usize = 15;
/// Label columns: x and y of every keypoint.
pub const COLUMNS: usize = 2 * POINTS;

/// The keypoints' names; point `k` has the columns `2k` (x) and `2k + 1` (y).
pub const POINT_NAMES: [&str; POINTS] = [
    "left_eye_center",
    "right_eye_center",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "right_eye_inner_corner",
    "right_eye_outer_corner",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner",
    "mouth_right_corner",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
];

/// The four points that every row of Kaggle's data has, as indexes into [`POINT_NAMES`]; about two
/// thirds of the rows have no other.
pub const COMMON_POINTS: [usize; 4] = [0, 1, 10, 14];

/// The 30 column names: `left_eye_center_x`, `left_eye_center_y`, ...
#[must_use]
pub fn names() -> Vec<String> {
    POINT_NAMES.iter().flat_map(|point| [format!("{point}_x"), format!("{point}_y")]).collect()
}

/// The index of a column name.
#[must_use]
pub fn index_of(column: &str) -> Option<usize> {
    let (point, axis) = column.rsplit_once('_')?;
    let axis = match axis {
        "x" => 0,
        "y" => 1,
        _ => return None,
    };
    POINT_NAMES.iter().position(|name| *name == point).map(|k| 2 * k + axis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_index() {
        for (i, name) in names().iter().enumerate() {
            assert_eq!(index_of(name), Some(i), "{name}");
        }
        assert_eq!(index_of("left_eye_center_z"), None);
        assert_eq!(index_of("Image"), None);
    }
}
