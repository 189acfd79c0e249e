//! What a worker could not say before it ended, because no daemon was there to hear it: left in writing in the
//! home folder, for the next daemon to read. So neither a long absence of the daemon nor a machine that is shut
//! down costs an epoch that was trained.
//!
//! A letter is a folder `unsaid/ATTEMPT`. Its blobs are written first and `letter.json` last, so that one that can
//! be read is whole.

use super::line::Saved;
use super::protocol::{Checkpoint, Report, Tell};
use crate::domain::{AttemptId, TrialId};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of all letters within the home folder.
const FOLDER: &str = "unsaid";
const LETTER: &str = "letter.json";
const CHECKPOINT: &str = "checkpoint";
const WEIGHTS: &str = "weights";

/// The calls that a worker would have made, in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsaid {
    /// Whose calls they are.
    pub trial: TrialId,
    /// Reports that were not answered, the oldest first.
    pub reports: Vec<Report>,
    /// The last checkpoint, if it was not stored. Its bytes lie beside the letter.
    pub checkpoint: Option<Checkpoint>,
    /// How the attempt ended. The bytes of its weights lie beside the letter.
    pub tell: Tell,
}

impl Unsaid {
    /// What there is to say of an attempt that ended; hashes stand for the bytes, which [`Unsaid::leave`] writes.
    pub(super) fn new(
        trial: TrialId,
        reports: Vec<Report>,
        saved: Option<&Saved>,
        mut tell: Tell,
        weights: Option<&[u8]>,
    ) -> Self {
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        let checkpoint = saved.map(|saved| Checkpoint {
            attempt: tell.attempt,
            step: saved.step,
            hash: hash(&saved.bytes),
            bytes: saved.bytes.len() as u64,
        });
        tell.weights = weights.map(hash);
        Self { trial, reports, checkpoint, tell }
    }

    /// Writes the letter, synced.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(super) fn leave(
        &self,
        home: &Path,
        saved: Option<&Saved>,
        weights: Option<&[u8]>,
    ) -> io::Result<PathBuf> {
        let folder = folder_of(home, self.tell.attempt);
        fs::create_dir_all(&folder)?;
        let blobs = [(CHECKPOINT, saved.map(|saved| saved.bytes.as_slice())), (WEIGHTS, weights)];
        for (name, bytes) in blobs {
            if let Some(bytes) = bytes {
                write(&folder.join(name), bytes)?;
            }
        }
        let temporary = folder.join("letter.new");
        write(&temporary, &serde_json::to_vec(self)?)?;
        fs::rename(temporary, folder.join(LETTER))?;
        fs::File::open(&folder)?.sync_all()?;
        Ok(folder)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn folder_of(home: &Path, attempt: AttemptId) -> PathBuf {
    home.join(FOLDER).join(attempt.0.to_string())
}

/// A letter as it was found.
#[derive(Debug)]
pub struct Letter {
    /// Its folder.
    pub folder: PathBuf,
    /// What it says.
    pub unsaid: Unsaid,
}

impl Letter {
    /// The bytes of its checkpoint.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn checkpoint(&self) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(CHECKPOINT))
    }

    /// The bytes of its weights.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn weights(&self) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(WEIGHTS))
    }

    /// Throws the letter away.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// All letters of a home folder; those that cannot be read (a worker that was killed while it wrote) are logged and
/// removed.
///
/// # Errors
/// Where the folder cannot be read.
pub fn letters(home: &Path) -> io::Result<Vec<Letter>> {
    let entries = match fs::read_dir(home.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut letters = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        let text = fs::read(folder.join(LETTER));
        match text.and_then(|text| serde_json::from_slice(&text).map_err(io::Error::from)) {
            Ok(unsaid) => letters.push(Letter { folder, unsaid }),
            Err(error) => {
                let folder_name = folder.display();
                tracing::warn!(%error, folder = %folder_name, "a worker's last words cannot be read: thrown away");
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
    letters.sort_by_key(|letter| letter.unsaid.tell.attempt.0);
    Ok(letters)
}
