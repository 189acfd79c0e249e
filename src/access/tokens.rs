//! Tokens that the user hands out, by name, in `HOME/tokens.json`.

use super::file::{self, Version};
use super::{Hash, May, secret};
use crate::domain::Millis;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedToken {
    /// What the user calls it.
    pub name: String,
    /// What it allows.
    pub may: May,
    /// When it was made.
    pub created_ms: Millis,
    hash: Hash,
}

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The name is taken.
    #[error("there is a token {0} already: `sweepd token rm {0}` removes it")]
    Taken(String),
    /// The file.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

type Tokens = Vec<NamedToken>;

fn path(home: &Path) -> PathBuf {
    home.join("tokens.json")
}

fn failed(home: &Path) -> impl FnOnce(io::Error) -> TokenError {
    let path = path(home);
    move |source| TokenError::File { path, source }
}

/// Makes a token and returns its secret, which nobody can learn later.
///
/// # Errors
/// [`TokenError`]: the name is taken, or the file cannot be written.
pub fn add(home: &Path, name: &str, may: May, now: Millis) -> Result<String, TokenError> {
    let secret = secret().map_err(failed(home))?;
    let token = NamedToken { name: name.to_owned(), may, created_ms: now, hash: Hash::of(&secret) };
    let added = file::change(&path(home), |tokens: &mut Tokens| {
        let is_free = tokens.iter().all(|token| token.name != name);
        tokens.extend(is_free.then_some(token));
        is_free
    });
    if added.map_err(failed(home))? { Ok(secret) } else { Err(TokenError::Taken(name.to_owned())) }
}

/// All tokens, by age.
///
/// # Errors
/// [`TokenError`]: the file cannot be read.
pub fn list(home: &Path) -> Result<Vec<NamedToken>, TokenError> {
    file::read(&path(home)).map_err(failed(home))
}

/// Removes a token, which is worth nothing from then on; whether there was one.
///
/// # Errors
/// [`TokenError`]: the file cannot be written.
pub fn remove(home: &Path, name: &str) -> Result<bool, TokenError> {
    file::change(&path(home), |tokens: &mut Tokens| {
        let before = tokens.len();
        tokens.retain(|token| token.name != name);
        tokens.len() < before
    })
    .map_err(failed(home))
}

/// The tokens as a daemon knows them: whatever the command line changes holds at once.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<(Option<Version>, Tokens)>,
}

impl TokenFile {
    /// The tokens of a home folder. Nothing is read yet.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { path: path(home), read: Mutex::default() }
    }

    /// What a secret allows; `None` where it is of no token.
    ///
    /// # Errors
    /// Where the file is there and cannot be read: then nobody's token is worth anything.
    pub fn allows(&self, secret: &str) -> io::Result<Option<May>> {
        let found = file::version(&self.path)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != found {
            *read = (None, Tokens::new());
            let tokens = file::read(&self.path)?;
            *read = (found, tokens);
        }
        Ok(read.1.iter().find(|token| token.hash.is_of(secret)).map(|token| token.may))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_token_is_shown_once_and_holds_until_it_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let daemon = TokenFile::new(home.path());
        assert_eq!(daemon.allows("anything").unwrap(), None);
        let ci = add(home.path(), "ci", May::Read, Millis(5)).unwrap();
        let gpu = add(home.path(), "gpu", May::Work, Millis(6)).unwrap();
        assert!(matches!(add(home.path(), "ci", May::Write, Millis(7)), Err(TokenError::Taken(_))));
        assert_eq!(daemon.allows(&ci).unwrap(), Some(May::Read));
        assert_eq!(daemon.allows(&gpu).unwrap(), Some(May::Work));
        let names: Vec<String> = list(home.path()).unwrap().into_iter().map(|token| token.name).collect();
        assert_eq!(names, ["ci", "gpu"]);
        let file = path(home.path());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&ci) && !text.contains(&gpu), "only hashes are kept");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(remove(home.path(), "ci").unwrap() && !remove(home.path(), "ci").unwrap());
        assert_eq!((daemon.allows(&ci).unwrap(), daemon.allows(&gpu).unwrap()), (None, Some(May::Work)));
    }

    #[test]
    fn a_damaged_file_lets_nobody_in() {
        let home = tempfile::tempdir().unwrap();
        let daemon = TokenFile::new(home.path());
        let ci = add(home.path(), "ci", May::Read, Millis(5)).unwrap();
        assert!(daemon.allows(&ci).unwrap().is_some());
        std::fs::write(path(home.path()), "[{").unwrap();
        assert!(daemon.allows(&ci).is_err() && daemon.allows(&ci).is_err());
    }
}
