//! The last checkpoint of a worker that found no daemon to give it to: a file in the trial's folder.
//!
//! The next attempt goes on from what the daemon knows, which is never ahead of the reports it has; this file
//! is ahead of them, and so for people's eyes and hands only. The next one takes its place.

use super::line::Saved;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `FOLDER/checkpoint-STEP.part`, and removes those of earlier steps. It is logged where that fails:
/// nothing depends on it.
pub(super) fn keep(folder: Option<&Path>, saved: &Saved) {
    let Some(folder) = folder else {
        tracing::warn!(step = saved.step, "the last checkpoint is lost: the trial has no folder here");
        return;
    };
    match write(folder, saved) {
        Ok(path) => {
            tracing::warn!(path = %path.display(), "the last checkpoint was not stored: kept as a file")
        }
        Err(error) => tracing::warn!(%error, folder = %folder.display(), "the last checkpoint is lost"),
    }
}

fn write(folder: &Path, saved: &Saved) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("checkpoint-{}.part", saved.step));
    let temporary = path.with_extension("new");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(&saved.bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.path() != path && name.starts_with("checkpoint-") && name.ends_with(".part") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(path)
}
