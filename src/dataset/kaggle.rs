//! Import of the data of Kaggle's "Facial Keypoints Detection", as downloaded.

use super::builder::{Builder, IfExists, Written};
use super::cache::Provenance;
use super::columns::{COLUMNS, PIXELS, names};
use super::error::DatasetError;
use super::numbers::Numbers;
use super::registry::folder;
use super::source::{Limits, Source};
use super::table::Table;
use std::io::BufRead;
use std::path::Path;

/// The table of faces with labels.
const TRAINING: &str = "training.csv";
/// The column of pixels.
pub(super) const IMAGE: &str = "Image";

/// Imports the labelled faces under `path` as the dataset `name`.
///
/// `path` is the bundle's zip, its inner `training.zip`, `training.csv`, or a folder with one of the latter
/// two. Rows are read, checked and written one at a time; `progress` is told the rows so far now and then.
/// An error leaves no dataset behind, and an old one of that name as it was. `numbers` names further columns, which
/// networks may take beside the image.
///
/// # Errors
/// `Input` naming file, row, line and column of the first mistake; `Taken`, `BadName` and `Io` as
/// [`Builder`].
pub fn import(
    home: &Path,
    name: &str,
    path: &Path,
    numbers: Vec<String>,
    if_exists: IfExists,
    progress: &mut dyn FnMut(usize),
) -> Result<Written, DatasetError> {
    import_within(home, name, (path, Limits::default()), numbers, if_exists, progress)
}

/// As [`import`], with other limits on what an archive may unpack to.
///
/// # Errors
/// As [`import`].
pub fn import_within(
    home: &Path,
    name: &str,
    (path, limits): (&Path, Limits),
    numbers: Vec<String>,
    if_exists: IfExists,
    progress: &mut dyn FnMut(usize),
) -> Result<Written, DatasetError> {
    let mut numbers = Numbers::of_columns(numbers)?;
    let mut builder = Builder::create(home, name)?;
    let scratch = folder(home);
    let source = Source { path, scratch: &scratch, limits };
    let read = source
        .table(TRAINING, |reader, file| read_faces(reader, file, (&mut builder, &mut numbers), progress))?;
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    if read.is_none() {
        let problem = format!("there is no {TRAINING} in it (nor a training.zip that has one)");
        return Err(DatasetError::input(&shown, problem));
    }
    builder.finish(&numbers, Provenance { kind: "kaggle".to_owned(), detail: shown }, if_exists)
}

fn read_faces(
    reader: &mut dyn BufRead,
    file: &str,
    (builder, numbers): (&mut Builder, &mut Numbers),
    progress: &mut dyn FnMut(usize),
) -> Result<(), DatasetError> {
    let mut table = Table::open(reader, file)?;
    let labels = names();
    let further = numbers.names().to_vec();
    let wanted: Vec<&str> = labels.iter().map(String::as_str).chain([IMAGE]).collect();
    let wanted: Vec<&str> = wanted.into_iter().chain(further.iter().map(String::as_str)).collect();
    let columns = table.columns(&wanted, false)?;
    let mut image = Box::new([0; PIXELS]);
    let mut values = [0.0; COLUMNS];
    while let Some(row) = table.next()? {
        for (value, cell) in values.iter_mut().zip(&columns) {
            *value = row.coordinate(*cell)?;
        }
        row.image(columns[COLUMNS], &mut image)?;
        numbers.read(&row, &columns[COLUMNS + 1..])?;
        builder.push(&image, &values)?;
        if builder.rows().is_multiple_of(256) {
            progress(builder.rows());
        }
    }
    if builder.rows() == 0 {
        return Err(DatasetError::input(file, "it has a header but no rows"));
    }
    progress(builder.rows());
    Ok(())
}
