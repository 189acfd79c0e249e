//! Content-addressed files beside the database: weights now, checkpoints and logs with them later.
//!
//! A blob lies at `blobs/ab/abcdef...`, named by the BLAKE3 of its content; it is complete or absent.

use super::StoreError;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folder of the blobs within the home folder.
pub const FOLDER: &str = "blobs";

/// Whether `hash` is 64 lower-case hexadecimal digits, and so safe as a file name.
#[must_use]
pub fn is_hash(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Where the blob of that hash lies; `None` for what is not a hash.
#[must_use]
pub fn path(home: &Path, hash: &str) -> Option<PathBuf> {
    is_hash(hash).then(|| home.join(FOLDER).join(&hash[..2]).join(hash))
}

/// Stores bytes, synced, and returns their hash. Storing the same bytes again changes nothing.
///
/// # Errors
/// [`StoreError::File`] where the disk fails; nothing half-written stays.
pub fn put(home: &Path, bytes: &[u8]) -> Result<String, StoreError> {
    let hash = blake3::hash(bytes).to_hex().to_string();
    let folder = home.join(FOLDER).join(&hash[..2]);
    let target = folder.join(&hash);
    let failed = |source| StoreError::File { path: target.clone(), source };
    if target.exists() {
        // Whoever stored it may not have come to this yet.
        sync_folder(&folder).map_err(failed)?;
        return Ok(hash);
    }
    make_folder(home, &folder).map_err(failed)?;
    // Two writers of the same bytes must not share the temporary file.
    let temporary = folder.join(format!(".{hash}.{}.{:?}", std::process::id(), std::thread::current().id()));
    let written = (|| {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &target)?;
        sync_folder(&folder)
    })();
    if let Err(source) = written {
        // The write's own error is the one worth telling.
        let _ = fs::remove_file(&temporary);
        return Err(failed(source));
    }
    Ok(hash)
}

/// Makes one of the folders of blobs, with the names that lead to it synced: a file is no more lasting than
/// its path.
fn make_folder(home: &Path, folder: &Path) -> std::io::Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    sync_folder(&home.join(FOLDER))?;
    sync_folder(home)
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// How many files lie among the blobs, referred to or not.
#[must_use]
pub fn count(home: &Path) -> u64 {
    let files = |folder: PathBuf| fs::read_dir(folder).map_or(0, |files| files.flatten().count() as u64);
    fs::read_dir(home.join(FOLDER)).map_or(0, |all| all.flatten().map(|folder| files(folder.path())).sum())
}

/// Deletes a blob if it is there.
///
/// # Errors
/// [`StoreError::File`] where the disk fails.
pub fn remove(home: &Path, hash: &str) -> Result<(), StoreError> {
    let Some(path) = path(home, hash) else { return Ok(()) };
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::File { path, source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_found_by_its_hash_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        let hash = put(home.path(), b"weights").unwrap();
        assert_eq!(fs::read(path(home.path(), &hash).unwrap()).unwrap(), b"weights");
        assert_eq!(put(home.path(), b"weights").unwrap(), hash);
        assert_eq!(path(home.path(), "../../etc/passwd"), None);
        remove(home.path(), &hash).unwrap();
        assert!(!path(home.path(), &hash).unwrap().exists());
    }
}
