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

/// For each point the one that it becomes in a mirror image: its other side, or itself.
pub const MIRRORED: [usize; POINTS] = [1, 0, 4, 5, 2, 3, 8, 9, 6, 7, 10, 12, 11, 13, 14];

/// Whether a row of labels (NaN where missing) has none but the four common points: it is then of the source whose
/// labels other people placed.
#[must_use]
pub fn only_common(labels: &[f32]) -> bool {
    let existing = labels.iter().enumerate().filter(|(_, label)| !label.is_nan());
    existing.into_iter().all(|(column, _)| COMMON_POINTS.contains(&(column / 2)))
}

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
    fn a_mirror_changes_left_and_right() {
        for (point, mirrored) in MIRRORED.iter().enumerate() {
            let name = POINT_NAMES[point];
            let other = if name.contains("left") {
                name.replace("left", "right")
            } else {
                name.replace("right", "left")
            };
            assert_eq!(POINT_NAMES[*mirrored], other);
        }
    }

    #[test]
    fn rows_of_the_four_points_are_told_from_those_of_all() {
        let mut labels = [f32::NAN; COLUMNS];
        for point in COMMON_POINTS {
            labels[2 * point] = 1.0;
        }
        assert!(only_common(&labels));
        labels[4] = 1.0;
        assert!(!only_common(&labels));
    }

    #[test]
    fn every_name_has_its_index() {
        for (i, name) in names().iter().enumerate() {
            assert_eq!(index_of(name), Some(i), "{name}");
        }
        assert_eq!(index_of("left_eye_center_z"), None);
        assert_eq!(index_of("Image"), None);
    }
}
