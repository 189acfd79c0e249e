//! Small files of the home folder that their owner alone may read, written whole or not at all.

use crate::home::write_private;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// What tells one version of a file from another: every version is a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(u64, i64, i64, u64);

/// The version that is there; `None` where there is no file.
pub(super) fn version(path: &Path) -> io::Result<Option<Version>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(Version(found.ino(), found.mtime(), found.mtime_nsec(), found.size()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a file holds; nothing where there is none.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> io::Result<T> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

/// Changes what a file holds, one at a time whoever does so.
pub(super) fn change<T: Serialize + DeserializeOwned + Default, R>(
    path: &Path,
    change: impl FnOnce(&mut T) -> R,
) -> io::Result<R> {
    let lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path.with_extension("lock"))?;
    let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| io::Error::from(errno))?;
    let mut content = read(path)?;
    let result = change(&mut content);
    write_private(path, &content)?;
    Ok(result)
}
