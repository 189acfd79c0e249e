//! Keypoints go where the pixels go.

use super::*;
use crate::dataset::columns::{COLUMNS, POINT_NAMES};
use crate::domain::Params;
use crate::domain::stream::{Key, stream};
use crate::model::{Augment, Plan};

fn settings(text: &str) -> Augment {
    let params: Params = serde_json::from_str(text).unwrap();
    Plan::from_params(&params).unwrap().training().augment.clone()
}

fn draws(text: &str) -> impl Iterator<Item = Draw> {
    let settings = settings(text);
    (0..300).map(move |row| Draw::new(&settings, &mut stream(5, "augment", &[Key::Number(row)])))
}

const EVERYTHING: &str = r#"{ "augment_flip": 0.5, "augment_quarter_turns": 0.3, "augment_rotation": 40,
    "augment_zoom": 0.3, "augment_shift": 0.2, "augment_crop": 0.3, "augment_distortion": 4 }"#;

#[test]
fn a_keypoint_is_where_the_new_image_shows_its_place() {
    for draw in draws(EVERYTHING) {
        for source in [(20.0, 30.0), (48.0, 48.0), (70.5, 12.25), (95.0, 1.0)] {
            let (x, y) = draw.motion.source_of(draw.motion.target_of(source));
            assert!((x - source.0).hypot(y - source.1) < 1e-6, "{draw:?}");
        }
    }
}

#[test]
fn each_move_alone_is_the_one_it_is_named_after() {
    let near = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1) < 1e-9;
    for draw in draws(r#"{ "augment_flip": 1 }"#) {
        assert!(draw.motion.mirrored && near(draw.motion.target_of((20.0, 30.0)), (76.0, 30.0)));
    }
    let turned: Vec<_> = draws(r#"{ "augment_quarter_turns": 1 }"#).collect();
    let places = [(66.0, 20.0), (76.0, 66.0), (30.0, 76.0)];
    for place in places {
        assert!(turned.iter().any(|draw| near(draw.motion.target_of((20.0, 30.0)), place)), "{place:?}");
    }
    assert!(turned.iter().all(|draw| places.iter().any(|p| near(draw.motion.target_of((20.0, 30.0)), *p))));
    for draw in draws(r#"{ "augment_rotation": 10 }"#) {
        let (x, y) = draw.motion.target_of((48.0, 18.0));
        assert!(((x - 48.0).hypot(y - 48.0) - 30.0).abs() < 1e-9);
        assert!((x - 48.0).abs() <= 30.0 * 10f64.to_radians().sin() + 1e-9);
    }
    for draw in draws(r#"{ "augment_shift": 0.1 }"#) {
        let (x, y) = draw.motion.target_of((48.0, 18.0));
        assert!((x - 48.0).abs() <= 9.6 && (y - 18.0).abs() <= 9.6);
    }
    for draw in draws(r#"{ "augment_crop": 0.5 }"#) {
        // What is shown lies inside of the old image.
        for corner in [(0.0, 0.0), (96.0, 96.0), (0.0, 96.0)] {
            let (x, y) = draw.motion.source_of(corner);
            assert!((-1e-9..=96.0 + 1e-9).contains(&x) && (-1e-9..=96.0 + 1e-9).contains(&y));
        }
    }
    for draw in draws(r#"{ "augment_distortion": 3 }"#) {
        let (x, y) = draw.motion.target_of((48.0, 18.0));
        assert!((x - 48.0).hypot(y - 18.0) <= 3.0);
    }
}

#[test]
fn a_mirrored_face_changes_the_names_of_its_sides_and_what_leaves_is_missing() {
    let mut labels = [f32::NAN; COLUMNS];
    let point = |name: &str| POINT_NAMES.iter().position(|p| *p == name).unwrap();
    let (left, right) = (point("left_eye_center"), point("right_eye_center"));
    let mouth = (point("mouth_left_corner"), point("mouth_right_corner"));
    (labels[2 * left], labels[2 * left + 1]) = (66.0, 37.0);
    (labels[2 * right], labels[2 * right + 1]) = (30.0, 38.0);
    (labels[2 * mouth.0], labels[2 * mouth.0 + 1]) = (58.0, 77.0);
    let mirror = Motion { mirrored: true, source: Affine([-1.0, 0.0, 96.0, 0.0, 1.0, 0.0]), ..Motion::NONE };
    let moved = move_labels(&labels, &mirror);
    assert_eq!(moved[2 * left..2 * left + 2], [66.0, 38.0]);
    assert_eq!(moved[2 * right..2 * right + 2], [30.0, 37.0]);
    assert!(moved[2 * mouth.0].is_nan());
    assert_eq!(moved[2 * mouth.1..2 * mouth.1 + 2], [38.0, 77.0]);
    let twice = move_labels(&moved, &mirror);
    assert!(twice.iter().zip(&labels).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
    // Moved 40 to the right, one eye is gone.
    let shift = Motion { source: Affine([1.0, 0.0, -40.0, 0.0, 1.0, 0.0]), ..Motion::NONE };
    let moved = move_labels(&labels, &shift);
    assert!(moved[2 * left].is_nan() && moved[2 * left + 1].is_nan());
    assert_eq!(moved[2 * right..2 * right + 2], [70.0, 38.0]);
}

#[test]
fn another_strength_of_one_effect_leaves_the_others() {
    let weak = draws(r#"{ "augment_rotation": 10, "augment_noise": 0.1, "augment_flip": 0.5 }"#);
    let strong =
        draws(r#"{ "augment_rotation": 20, "augment_noise": 0.1, "augment_flip": 0.5, "augment_blur": 1 }"#);
    for (a, b) in weak.zip(strong) {
        assert_eq!((a.noise, a.motion.mirrored), (b.noise, b.motion.mirrored));
    }
    assert!(draws("{}").all(|draw| draw == Draw::NONE));
}

#[test]
fn probabilities_are_shares_of_images() {
    let share = |text, of: fn(&Draw) -> bool| draws(text).filter(of).count() as f64 / 300.0;
    let noisy = share(r#"{ "augment_noise": 0.1, "augment_noise_p": 0.3 }"#, |draw| draw.noise > 0.0);
    assert!((noisy - 0.3).abs() < 0.1, "{noisy}");
    let erased = share(r#"{ "augment_erase": 0.4, "augment_erase_p": 0.7 }"#, |draw| {
        let [left, upper, right, lower] = draw.erased;
        assert!(left >= 0.0 && upper >= 0.0 && right <= 96.0 && lower <= 96.0);
        right - left > 0.0
    });
    assert!((erased - 0.7).abs() < 0.1, "{erased}");
}
