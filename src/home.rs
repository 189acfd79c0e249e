//! The home folder: which it is, what lies where in it, and who may use it.

use crate::worker::protocol::DaemonFile;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The folder that holds everything: `given` (a flag or `SWEEPD_HOME`), else the XDG data folder.
///
/// # Errors
/// Where neither is set and there is no home directory.
pub fn choose(given: Option<PathBuf>) -> io::Result<PathBuf> {
    if let Some(home) = given {
        return std::path::absolute(home);
    }
    let variable = |name| {
        #[allow(clippy::disallowed_methods, reason = "this is the one place that looks for the home folder")]
        std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    let data = variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("sweepd")).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "no home folder: give --home FOLDER or set SWEEPD_HOME")
    })
}

/// Where the daemon's address and token stand.
#[must_use]
pub fn daemon_file(home: &Path) -> PathBuf {
    home.join("daemon.json")
}

/// Where a trial's own files (its log) lie.
#[must_use]
pub fn trial_folder(home: &Path, sweep_uid: &str, number: u64) -> PathBuf {
    home.join("trials").join(sweep_uid).join(number.to_string())
}

/// A trial's log within its folder: one file for all its attempts.
pub const TRIAL_LOG: &str = "trial.log";

/// Reads `daemon.json`; `None` where there is none.
///
/// # Errors
/// Where it cannot be read or is damaged.
pub fn read_daemon_file(home: &Path) -> io::Result<Option<DaemonFile>> {
    match fs::read(daemon_file(home)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes `daemon.json`, readable by its owner alone, whole or not at all.
///
/// # Errors
/// Where it cannot be written.
pub fn write_daemon_file(home: &Path, content: &DaemonFile) -> io::Result<()> {
    write_private(&daemon_file(home), content)
}

/// Writes a file of JSON, readable by its owner alone, whole or not at all.
///
/// # Errors
/// Where it cannot be written.
pub fn write_private(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let temporary = path.with_extension("json.new");
    // A leftover of a crash might have other permissions.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(serde_json::to_string_pretty(content)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// A random word of lower-case letters and digits without those that look alike, five bits each.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn random_word(letters: usize) -> io::Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut bytes = vec![0; letters];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}
