//! Pixels go where keypoints go, and are changed as much as is said.

use crate::pixels::Changes;
use sweepd::augment::Draw;
use sweepd::domain::Params;
use sweepd::domain::stream::{Key, stream};
use sweepd::model::{Augment, Plan};
use tch::{Device, Tensor};

const SIDE: usize = 96;

fn settings(text: &str) -> Augment {
    let params: Params = serde_json::from_str(text).unwrap();
    Plan::from_params(&params).unwrap().training().augment.clone()
}

/// Images whose grey at a place is a function of the place, as f32 `[count, 1, 96, 96]`.
fn images(count: usize, grey: impl Fn(f64, f64) -> f64) -> Tensor {
    let one: Vec<f32> =
        (0..SIDE * SIDE).map(|i| grey((i % SIDE) as f64 + 0.5, (i / SIDE) as f64 + 0.5) as f32).collect();
    Tensor::from_slice(&one.repeat(count)).view([count as i64, 1, SIDE as i64, SIDE as i64])
}

/// What the settings make of images, and what was drawn.
fn applied(text: &str, images: &Tensor) -> (Vec<Draw>, Vec<Vec<f32>>) {
    let settings = settings(text);
    let count = images.size()[0] as u64;
    let draws: Vec<Draw> =
        (0..count).map(|row| Draw::new(&settings, &mut stream(3, "augment", &[Key::Number(row)]))).collect();
    tch::manual_seed(1);
    let changes = Changes::new(&settings, &draws, Device::Cpu).unwrap();
    let out = changes.apply(images.copy(), &(0..count as usize)).unwrap();
    let rows =
        (0..count as i64).map(|i| Vec::<f32>::try_from(out.get(i).flatten(0, -1).contiguous()).unwrap());
    (draws, rows.collect())
}

/// A smooth landscape with no symmetry.
fn hills(x: f64, y: f64) -> f64 {
    127.0 + 60.0 * (x / 17.0 + 0.3).sin() * (y / 23.0).cos() + 40.0 * ((x + 2.0 * y) / 31.0).sin()
}

#[test]
fn a_pixel_of_the_new_image_shows_the_place_it_should() {
    for text in [
        r#"{ "augment_flip": 0.5 }"#,
        r#"{ "augment_quarter_turns": 0.8 }"#,
        r#"{ "augment_rotation": 30 }"#,
        r#"{ "augment_zoom": 0.3 }"#,
        r#"{ "augment_shift": 0.2, "augment_fill": "mirror" }"#,
        r#"{ "augment_crop": 0.4 }"#,
        r#"{ "augment_distortion": 4, "augment_fill": "black" }"#,
        r#"{ "augment_flip": 0.5, "augment_quarter_turns": 0.3, "augment_rotation": 40, "augment_zoom": 0.3,
             "augment_shift": 0.2, "augment_crop": 0.3, "augment_distortion": 4 }"#,
    ] {
        let (draws, rows) = applied(text, &images(12, hills));
        let (mut compared, mut moved) = (0, 0.0f64);
        for (draw, row) in draws.iter().zip(rows) {
            for (i, grey) in row.iter().enumerate() {
                let place = ((i % SIDE) as f64 + 0.5, (i / SIDE) as f64 + 0.5);
                let (x, y) = draw.motion.source_of(place);
                // Inside, so that what was outside has no part in it.
                if (1.0..95.0).contains(&x) && (1.0..95.0).contains(&y) {
                    assert!((f64::from(*grey) - hills(x, y)).abs() < 0.6, "{text}: {place:?} shows {x}, {y}");
                    compared += 1;
                    moved = moved.max((x - place.0).hypot(y - place.1));
                }
            }
        }
        assert!(compared > 12 * 4000, "{text}: {compared} pixels");
        assert!(moved > 1.0, "{text} moved by {moved}");
    }
}

#[test]
fn a_keypoint_stays_on_its_dot() {
    let dot = (61.0, 37.0);
    let blob = |x: f64, y: f64| 250.0 * (-((x - dot.0).powi(2) + (y - dot.1).powi(2)) / 8.0).exp();
    let text = r#"{ "augment_flip": 0.5, "augment_rotation": 25, "augment_zoom": 0.2, "augment_distortion": 3,
        "augment_fill": "black" }"#;
    let (draws, rows) = applied(text, &images(20, blob));
    for (draw, row) in draws.iter().zip(rows) {
        let total: f64 = row.iter().map(|grey| f64::from(*grey)).sum();
        let middle = |of: fn(usize) -> usize| {
            let all = row.iter().enumerate();
            all.map(|(i, grey)| (of(i) as f64 + 0.5) * f64::from(*grey)).sum::<f64>() / total
        };
        let seen = (middle(|i| i % SIDE), middle(|i| i / SIDE));
        let said = draw.motion.target_of(dot);
        // A bent dot's middle is not quite the middle's place.
        assert!((seen.0 - said.0).hypot(seen.1 - said.1) < 0.3, "{seen:?} is not {said:?}");
    }
}

#[test]
fn what_lies_outside_is_filled_as_said() {
    let far = |fill: &str| {
        let text = format!(r#"{{ "augment_zoom": 0.5, "augment_fill": "{fill}" }}"#);
        let (draws, rows) = applied(&text, &images(30, |x, _| if x < 8.0 { 200.0 } else { 100.0 }));
        let smallest =
            draws.iter().enumerate().max_by(|a, b| a.1.motion.source.0[0].total_cmp(&b.1.motion.source.0[0]));
        rows[smallest.unwrap().0][48 * SIDE]
    };
    assert_eq!((far("black"), far("edge"), far("mirror")), (0.0, 200.0, 100.0));
}

/// Mean and deviation.
fn spread(row: &[f32]) -> (f64, f64) {
    let mean = row.iter().map(|g| f64::from(*g)).sum::<f64>() / row.len() as f64;
    let square = row.iter().map(|g| (f64::from(*g) - mean).powi(2)).sum::<f64>() / row.len() as f64;
    (mean, square.sqrt())
}

#[test]
fn grey_values_change_as_drawn() {
    let near = |a: f64, b: f64, by: f64| assert!((a - b).abs() < by, "{a} is not {b}");
    let grey = images(8, |_, _| 90.0);
    let (draws, rows) = applied(r#"{ "augment_brightness": 0.2, "augment_contrast": 0.5 }"#, &grey);
    for (draw, row) in draws.iter().zip(rows) {
        near(spread(&row).0, (90.0 - 127.5) * draw.gain + 127.5 + 255.0 * draw.brighter, 1e-3);
    }
    let (draws, rows) = applied(r#"{ "augment_noise": 0.1 }"#, &grey);
    for (draw, row) in draws.iter().zip(rows) {
        near(spread(&row).1, 255.0 * draw.noise, 0.6);
    }
    let (draws, rows) = applied(r#"{ "augment_poisson": 0.1 }"#, &grey);
    for (draw, row) in draws.iter().zip(rows) {
        near(spread(&row).0, 90.0, 0.7);
        near(spread(&row).1, 255.0 * draw.poisson * (90.0f64 / 255.0).sqrt(), 0.6);
    }
    let (draws, rows) = applied(r#"{ "augment_salt_pepper": 0.4 }"#, &grey);
    for (draw, row) in draws.iter().zip(rows) {
        let share = |grey: f32| row.iter().filter(|g| **g == grey).count() as f64 / row.len() as f64;
        near(share(0.0), draw.salt_pepper / 2.0, 0.02);
        near(share(255.0), draw.salt_pepper / 2.0, 0.02);
    }
    let (draws, rows) = applied(r#"{ "augment_erase": 0.6 }"#, &grey);
    for (draw, row) in draws.iter().zip(rows) {
        let covered = row.iter().filter(|g| **g == 127.5).count() as f64;
        near(covered.sqrt(), draw.erased[2] - draw.erased[0], 1.1);
    }
    // A step becomes the normal distribution's cumulative function.
    let (draws, rows) =
        applied(r#"{ "augment_blur": 3 }"#, &images(8, |x, _| if x < 48.0 { 0.0 } else { 200.0 }));
    for (draw, row) in draws.iter().zip(rows).filter(|(draw, _)| draw.blur_px > 0.5) {
        let at = f64::from(row[48 * SIDE + 49]);
        let share = 0.5 * (1.0 + statrs::function::erf::erf(1.5 / draw.blur_px / std::f64::consts::SQRT_2));
        near(at, 200.0 * share, 6.0);
        near(f64::from(row[0]), 0.0, 1e-3);
    }
}

#[test]
fn an_effect_that_does_not_happen_changes_nothing() {
    let grey = images(4, hills);
    let text = r#"{ "augment_noise": 0.1, "augment_noise_p": 0.0, "augment_blur": 2, "augment_blur_p": 0.5,
        "augment_poisson": 0.1, "augment_poisson_p": 0.5, "augment_erase": 0.3, "augment_erase_p": 0.5 }"#;
    let (draws, rows) = applied(text, &images(40, hills));
    let before = Vec::<f32>::try_from(grey.get(0).flatten(0, -1)).unwrap();
    let untouched = draws.iter().zip(&rows).filter(|(draw, _)| **draw == Draw::NONE);
    let mut count = 0;
    for (_, row) in untouched {
        assert!(row.iter().zip(&before).all(|(a, b)| (a - b).abs() < 0.5));
        count += 1;
    }
    assert!(count > 0);
}
