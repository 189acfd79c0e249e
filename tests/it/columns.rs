//! Networks that take columns of the dataset beside the image.

use crate::import::Tables;
use crate::support::Home;
use std::fmt::Write as _;
use std::fs;

const TRAINER: &str = env!("CARGO_BIN_EXE_sweepd-worker");
/// The images say nothing: only the number tells where the points are. In every ninth row it is missing.
const FACES: Tables =
    Tables { rows: 120, yaw: |row| (row % 9 != 4).then_some((row * 37 % 41) as f64 / 20.0 - 1.0) };
const SWEEP: &str = r#"
name = "columns"
seed = 3
[objective]
kind = "keypoints"
dataset = "faces"
[search]
sampler = "grid"
[space]
extra_columns = { type = "choice", values = [[], "-yaw"] }
filters = { type = "fixed", value = [2, 2] }
neck = { type = "fixed", value = "mean" }
dense = { type = "fixed", value = [] }
learning_rate = { type = "fixed", value = 0.03 }
batch_size = { type = "fixed", value = 16 }
ema = { type = "fixed", value = 0.5 }
test_flip = { type = "fixed", value = false }
epochs = { type = "fixed", value = 12 }
"#;

/// `test.csv` of the same faces, with that column or without.
fn test_table(yaw: bool) -> String {
    let mut text = String::from(if yaw { "ImageId,Image,-yaw\n" } else { "ImageId,Image\n" });
    for row in 0..FACES.rows {
        let more = if yaw { format!(",{}", FACES.cell(row)) } else { String::new() };
        writeln!(text, "{},{}{more}", row + 1, Tables::image(row)).unwrap();
    }
    text
}

#[test]
fn a_network_that_takes_the_column_knows_what_the_image_does_not_say() {
    let mut home = Home::new();
    let training = home.path().join("training.csv");
    // A name that begins like a flag is one like any other.
    fs::write(&training, FACES.training().replacen(",yaw,", ",-yaw,", 1)).unwrap();
    home.ok(&["data", "import", "faces", training.to_str().unwrap(), "--numbers=-yaw"]);
    home.serve_with(1, &["--worker-program", TRAINER], &[]);
    let sweep = home.submit(SWEEP);
    home.until_over(&sweep);
    let of = |number: u32| home.json(&["trial", &format!("columns/{number}")])["trial"].clone();
    let rmse = |number: u32| of(number)["value"].as_f64().unwrap();
    let (without, with) =
        if of(0)["params"]["extra_columns"] == "-yaw" { (rmse(1), rmse(0)) } else { (rmse(0), rmse(1)) };
    assert!(with < 0.6 * without, "{with} with the column, {without} without");
    let with = if rmse(0) < rmse(1) { "columns/0" } else { "columns/1" };

    // What it predicts goes where the number says.
    let predict = |who: &str, yaw: bool| {
        let (test, out) = (home.path().join("test.csv"), home.path().join("out.csv"));
        fs::write(&test, test_table(yaw)).unwrap();
        let output = home.sweepd(&[
            "predict",
            who,
            "--test",
            test.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--worker-program",
            TRAINER,
        ]);
        let said = String::from_utf8(output.stderr).unwrap();
        output.status.success().then(|| fs::read_to_string(out).unwrap()).ok_or(said)
    };
    let text = predict(with, true).unwrap();
    let x: Vec<f64> =
        text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    let square = |row: usize| (x[row] - FACES.x(row)).powi(2);
    let error = ((0..FACES.rows).map(square).sum::<f64>() / FACES.rows as f64).sqrt();
    assert!(error < 6.0, "{error} px off");
    let said = predict(with, false).unwrap_err();
    assert!(said.contains("its header has no column `-yaw`"), "{said}");

    // So do faces on the dashboard, and an ensemble with one that takes no column.
    let trial = home.json(&["trial", with])["trial"]["trial_id"].clone();
    let faces = home.get(&format!("/api/v1/trials/{trial}/faces?most=2"));
    assert!((faces["rmse"].as_f64().unwrap() - rmse(with[8..].parse().unwrap())).abs() < 1e-3, "{faces}");
    home.ok(&["ensemble", "columns", "--top", "2", "--name", "both", "--worker-program", TRAINER]);
    predict("columns/both", true).unwrap();
}
