//! The datasets of one home: `HOME/datasets/NAME.faces`.

use super::builder::file_name;
use super::cache::{Dataset, EXTENSION};
use super::error::DatasetError;
use std::path::{Path, PathBuf};

/// The folder of a home's datasets.
#[must_use]
pub fn folder(home: &Path) -> PathBuf {
    home.join("datasets")
}

/// Where the dataset of that name is, or would be.
#[must_use]
pub fn path_of(home: &Path, name: &str) -> PathBuf {
    folder(home).join(file_name(name))
}

/// Whether a name may be a dataset's: it becomes a file name.
///
/// # Errors
/// `BadName`.
pub fn check_name(name: &str) -> Result<(), DatasetError> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
    if starts && name.len() <= 64 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Ok(());
    }
    Err(DatasetError::BadName(name.to_owned()))
}

/// Names of the datasets there are, in order; none when the folder does not exist.
///
/// # Errors
/// `Io` when the folder cannot be read.
pub fn list(home: &Path) -> Result<Vec<String>, DatasetError> {
    let folder = folder(home);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(DatasetError::io("read", &folder)(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(DatasetError::io("read", &folder))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|e| e == EXTENSION) && check_name(stem).is_ok() {
            names.push(stem.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a dataset by name.
///
/// # Errors
/// `Unknown` (listing the known names) when there is none, else what [`Dataset::open`] says.
pub fn find(home: &Path, name: &str) -> Result<Dataset, DatasetError> {
    check_name(name)?;
    let path = path_of(home, name);
    if path.try_exists().map_err(DatasetError::io("read", &path))? {
        return Dataset::open(&path);
    }
    Err(DatasetError::Unknown { name: name.to_owned(), known: list(home)? })
}
