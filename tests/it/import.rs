//! Faces from files: Kaggle's tables, packed or not, further columns of numbers, and mistakes in them.

use crate::support::Home;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use sweepd::dataset::{self, IfExists, Limits, columns, kaggle};

/// Faces that are noise; where their points are, a number tells.
pub struct Tables {
    pub rows: usize,
    /// Beside the labels, before the image: what a table holds of it.
    pub yaw: fn(usize) -> Option<f64>,
}

impl Tables {
    /// Where the points of a row are on the x axis, in pixels.
    pub fn x(&self, row: usize) -> f64 {
        48.0 + 20.0 * (self.yaw)(row).unwrap_or(0.0)
    }

    /// Pixels as a table has them.
    pub fn image(row: usize) -> String {
        let pixel = |i: usize| ((i * 7919 + row * 104_729) % 65_537 % 256).to_string();
        (0..9216).map(pixel).collect::<Vec<_>>().join(" ")
    }

    /// The number as a table has it: empty where it is missing.
    pub fn cell(&self, row: usize) -> String {
        (self.yaw)(row).map(|yaw| yaw.to_string()).unwrap_or_default()
    }

    /// `training.csv` with the column `yaw`, all points of a row at the same place.
    pub fn training(&self) -> String {
        let mut text = format!("{},yaw,Image\n", columns::names().join(","));
        for row in 0..self.rows {
            let point = format!("{},40,", self.x(row));
            writeln!(text, "{}{},{}", point.repeat(columns::POINTS), self.cell(row), Self::image(row))
                .unwrap();
        }
        text
    }
}

const FEW: Tables = Tables { rows: 12, yaw: |row| (row != 5).then_some(row as f64 / 10.0 - 0.5) };

fn written(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// What an import prints that must fail.
fn refused(home: &Home, path: &Path, more: &[&str]) -> String {
    let args = [&["data", "import", "faces", path.to_str().unwrap()], more].concat();
    let output = home.sweepd(&args);
    assert!(!output.status.success(), "{args:?} went well");
    assert!(dataset::list(home.path()).unwrap().is_empty(), "something is left of it");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_table_is_the_same_dataset_however_it_is_packed() {
    let home = Home::new();
    let table = FEW.training();
    let inner = zipped("training.csv", table.as_bytes());
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    written(&folder, "training.zip", &inner);
    let paths = [
        written(home.path(), "faces.csv", &table),
        written(home.path(), "training.zip", &inner),
        written(home.path(), "bundle.zip", zipped("training.zip", &inner)),
        folder,
    ];
    let mut hashes = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let name = format!("faces{number}");
        let import = ["data", "import", "faces", path.to_str().unwrap(), "--numbers", "yaw", "--name", &name];
        home.ok(&import);
        hashes.push(home.json(&["data", "show", &name])["hash"].clone());
    }
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    let shown = home.json(&["data", "show", "faces0"]);
    assert_eq!((&shown["rows"], &shown["numbers"]), (&12.into(), &serde_json::json!(["yaw"])));
    let faces = dataset::find(home.path(), "faces0").unwrap();
    assert_eq!(faces.numbers().row(0), [-0.5]);
    assert!(faces.numbers().row(5)[0].is_nan(), "an empty cell is missing");
    assert_eq!(faces.labels(2)[..2], [FEW.x(2) as f32, 40.0]);
    assert!(home.ok(&["data", "show", "faces0"]).contains("numbers     yaw"));
}

#[test]
fn numbers_make_another_dataset() {
    let home = Home::new();
    let table = FEW.training();
    let path = written(home.path(), "training.csv", table.replace(",yaw,", ",").replace(",-0.5,", ","));
    let one_row = |text: &str| text.lines().take(2).collect::<Vec<_>>().join("\n");
    fs::write(&path, one_row(&fs::read_to_string(&path).unwrap())).unwrap();
    home.ok(&["data", "import", "faces", path.to_str().unwrap(), "--name", "plain"]);
    fs::write(&path, one_row(&table)).unwrap();
    home.ok(&["data", "import", "faces", path.to_str().unwrap(), "--name", "more", "--numbers", "yaw"]);
    let hash = |name: &str| home.json(&["data", "show", name])["hash"].clone();
    assert_ne!(hash("plain"), hash("more"));
    // Older programs read what has no numbers; the others say that they are of a later version.
    let version = |name: &str| fs::read(home.path().join(format!("datasets/{name}.faces"))).unwrap()[8];
    assert_eq!((version("plain"), version("more")), (1, 2));
}

#[test]
fn a_mistake_is_told_with_its_place_and_leaves_nothing() {
    let home = Home::new();
    let table = FEW.training();
    let path = home.path().join("training.csv");
    let first_x = FEW.x(0).to_string();
    for (text, numbers, told) in [
        (table.clone(), "", "its header has columns that are not known: `yaw` (`--numbers` names those"),
        (table.clone(), "age", "its header has no column `age`"),
        (table.clone(), "yaw,yaw", "the column `yaw` is named more than once"),
        (table.clone(), "nose_tip_x", "`nose_tip_x` is no further column"),
        (table.replace(",-0.5,", ",left,"), "yaw", "row 1 (line 2), column yaw: `left` is not a number"),
        (
            table.replacen(&format!("\n{first_x},"), "\n97,", 1),
            "yaw",
            "row 1 (line 2), column left_eye_center_x: 97 is outside the image, which spans 0 to 96",
        ),
        (table.replacen(" 255 ", " 256 ", 1), "yaw", "is `256`: a whole number from 0 to 255 was expected"),
        (table.lines().next().unwrap().to_owned(), "yaw", "it has a header but no rows"),
        (String::new(), "yaw", "it is empty"),
    ] {
        fs::write(&path, text).unwrap();
        let more: &[&str] = if numbers.is_empty() { &[] } else { &["--numbers", numbers] };
        let said = refused(&home, &path, more);
        assert!(said.contains(told), "{told}: {said}");
    }
    let cut_off = zipped("training.csv", table.as_bytes());
    let path = written(home.path(), "training.zip", &cut_off[..cut_off.len() / 2]);
    let said = refused(&home, &path, &["--numbers", "yaw"]);
    assert!(said.contains("the zip archive is damaged or cut off; download it again"), "{said}");
}

#[test]
fn a_row_with_a_cell_too_many_moves_no_number() {
    let home = Home::new();
    // Quoted commas, as spreadsheets write them: the cells behind would be one place further.
    let table = FEW.training().replacen(",-0.5,", ",\"-0,5\",", 1);
    let path = written(home.path(), "training.csv", table);
    let said = refused(&home, &path, &["--numbers", "yaw"]);
    assert!(said.contains("row 1 (line 2): 1 cells too many: 32 were expected"), "{said}");
}

#[test]
fn a_damaged_file_is_told_from_a_dataset() {
    let home = Home::new();
    let path = written(home.path(), "training.csv", FEW.training());
    home.ok(&["data", "import", "faces", path.to_str().unwrap(), "--numbers", "yaw"]);
    let whole = fs::read(dataset::find(home.path(), "faces").unwrap().path()).unwrap();
    let open = |bytes: &[u8]| {
        let path = home.path().join("other.faces");
        fs::write(&path, bytes).unwrap();
        dataset::Dataset::open(&path).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(open(&whole), Ok(()));
    // Version, columns, bytes of the description, rows: each with a header's hash that fits.
    for (place, number) in [
        (8, 1u32),
        (8, 3),
        (16, 30),
        (16, 29),
        (16, 32),
        (16, u32::MAX),
        (20, u32::MAX),
        (24, u32::MAX),
        (28, 9),
    ] {
        let mut bytes = whole.clone();
        bytes[place..place + 4].copy_from_slice(&number.to_le_bytes());
        assert!(open(&bytes).unwrap_err().contains("the header's hash") || place == 8);
        let hash = *blake3::hash(&bytes[..128]).as_bytes();
        bytes[128..160].copy_from_slice(&hash);
        let said = open(&bytes).unwrap_err();
        assert!(said.contains("is damaged") || said.contains("has format version 3"), "{place}: {said}");
    }
    // A number changed, and cut off.
    let mut bytes = whole.clone();
    let number = 4096 + 12 * (9216 + 120);
    bytes[number] ^= 1;
    assert!(open(&bytes).unwrap_err().contains("the hash of its labels does not fit"));
    for length in [0, 100, 4096, whole.len() - 1] {
        assert!(open(&whole[..length]).unwrap_err().contains("is damaged"), "{length}");
    }
}

#[test]
fn an_archive_fills_no_disk() {
    let home = Home::new();
    let path = written(home.path(), "training.zip", zipped("training.csv", &vec![b' '; 4 << 20]));
    let limits = Limits { entry_bytes: 1 << 20, ..Limits::default() };
    let import = |limits| {
        let from = (path.as_path(), limits);
        kaggle::import_within(home.path(), "bomb", from, Vec::new(), IfExists::Refuse, &mut |_| {})
    };
    assert!(import(limits).is_err());
    let limits = Limits { ratio_from_bytes: 1 << 16, ..Limits::default() };
    let error = import(limits).unwrap_err().to_string();
    assert!(error.contains("training.zip"), "{error}");
    assert!(dataset::list(home.path()).unwrap().is_empty());
}

#[test]
fn a_sweep_of_a_column_that_is_not_there_is_refused() {
    let mut home = Home::new();
    let path = written(home.path(), "training.csv", FEW.training());
    home.ok(&["data", "import", "faces", path.to_str().unwrap(), "--numbers", "yaw"]);
    let sweep = r#"
name = "columns"
[objective]
kind = "keypoints"
dataset = "faces"
[search]
sampler = "random"
trials = 1
[space]
extra_columns = { type = "choice", values = [[], ["yaw"], ["yaw", "age"]] }
epochs = { type = "fixed", value = 1 }
"#;
    let file = written(home.path(), "sweep.toml", sweep);
    let file = file.to_str().unwrap();
    let told = "space.extra_columns: dataset faces: there is no column `age` of numbers; known: yaw";
    let said = |home: &Home, args: &[&str]| String::from_utf8(home.sweepd(args).stderr).unwrap();
    assert!(said(&home, &["submit", "--dry-run", file]).contains(told));
    fs::write(file, sweep.replace(", [\"yaw\", \"age\"]", "")).unwrap();
    home.ok(&["submit", "--dry-run", file]);
    // Nor may one go on with it.
    home.serve(0);
    home.ok(&["submit", file]);
    fs::write(file, sweep).unwrap();
    assert!(said(&home, &["submit", file]).contains(told));
    assert!(said(&home, &["edit", "columns", file]).contains(told));
}
