//! What programs of a population leave to their heirs: the checkpoint folder as it is at the end of a leg, as one
//! file, which is stored like any other checkpoint.

use super::launch::CHECKPOINT;
use crate::domain::Reason;
use crate::worker::protocol::Work;
use crate::worker::run::Session;
use std::fs::{self, File};
use std::io::{self, Cursor, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Where a folder is unpacked before it gets its name: a name stands for all of it.
const UNFINISHED: &str = "checkpoint.unfinished";

/// Gives an heir that has no folder of its own yet what its parent left.
///
/// # Errors
/// Why it cannot begin.
pub(super) fn take_over(work: &Work, session: &Session) -> Result<(), Reason> {
    let (Some(lost), Some(folder)) = (work.lost_heritage(), work.folder.as_deref()) else { return Ok(()) };
    if folder.join(CHECKPOINT).exists() {
        return Ok(());
    }
    let left = session.checkpoints().next().ok_or(lost)?;
    unpack(&left.bytes, folder).map_err(|error| {
        let message = format!("what its parent left cannot be written into {}: {error}", folder.display());
        Reason::Error { message }
    })
}

/// Stores what heirs may go on from, with so many steps done.
pub(super) fn leave(work: &Work, step: u64, session: &mut Session) {
    let Some(folder) = work.folder.as_deref().filter(|_| work.has_heirs) else { return };
    match pack(&folder.join(CHECKPOINT)) {
        Ok(Some(bytes)) => session.checkpoint(step, bytes),
        Ok(None) => tracing::warn!(step, "SWEEPD_CHECKPOINT_DIR is empty: no heir can go on from here"),
        Err(error) => {
            tracing::warn!(%error, step, "the checkpoint folder cannot be read: no heir can go on from here")
        }
    }
}

/// A folder as one file, the same for the same content; `None` where it is empty.
fn pack(folder: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut files = Vec::new();
    list(folder, "", &mut files)?;
    if files.is_empty() {
        return Ok(None);
    }
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for name in files {
        // Weights hardly become smaller.
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        packed.start_file(&name, options)?;
        io::copy(&mut File::open(folder.join(&name))?, &mut packed)?;
    }
    Ok(Some(packed.finish()?.into_inner()))
}

/// All files below a folder, by name; links and other things are left out.
fn list(folder: &Path, within: &str, files: &mut Vec<String>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is no text", name.display()))
        })?;
        let kind = entry.file_type()?;
        let name = format!("{within}{name}");
        if kind.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.push(name);
        }
    }
    Ok(())
}

fn unpack(bytes: &[u8], folder: &Path) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)?;
    let mut packed = ZipArchive::new(Cursor::new(bytes))?;
    for place in 0..packed.len() {
        let mut file = packed.by_index(place)?;
        let name = file.enclosed_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let path = unfinished.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut written = File::create(&path)?;
        io::copy(&mut file, &mut written)?;
        written.flush()?;
    }
    fs::rename(&unfinished, folder.join(CHECKPOINT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_is_taken_over() {
        let (parent, heir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(pack(parent.path()).unwrap().is_none());
        fs::create_dir_all(parent.path().join("optimizer/moments")).unwrap();
        fs::write(parent.path().join("weights.bin"), [1, 2, 3]).unwrap();
        fs::write(parent.path().join("optimizer/moments/0"), "velocity").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", parent.path().join("elsewhere")).unwrap();
        let bytes = pack(parent.path()).unwrap().unwrap();
        assert_eq!(pack(parent.path()).unwrap().unwrap(), bytes, "the same content is the same blob");
        // What an attempt left that was broken off is in nobody's way.
        fs::create_dir_all(heir.path().join(UNFINISHED)).unwrap();
        fs::write(heir.path().join(UNFINISHED).join("half"), "").unwrap();
        unpack(&bytes, heir.path()).unwrap();
        let mut files = Vec::new();
        list(&heir.path().join(CHECKPOINT), "", &mut files).unwrap();
        assert_eq!(files, ["optimizer/moments/0", "weights.bin"]);
        assert_eq!(fs::read(heir.path().join("checkpoint/weights.bin")).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let heir = tempfile::tempdir().unwrap();
        assert!(unpack(b"no archive", heir.path()).is_err());
        assert!(!heir.path().join(CHECKPOINT).exists());
    }
}
