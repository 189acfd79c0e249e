//! Sessions of browsers, in `HOME/sessions.json`: a daemon that comes back knows them again.

use super::{Hash, May, file, secret};
use crate::domain::Millis;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How long a browser stays known.
pub const SESSION_DAYS: i64 = 30;
/// The oldest make room for new ones.
const MOST: usize = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    may: May,
    created_ms: Millis,
    hash: Hash,
}

impl Session {
    fn holds(&self, now: Millis) -> bool {
        (0..SESSION_DAYS * 24 * 3600 * 1000).contains(&now.since_ms(self.created_ms))
    }
}

/// All sessions. The one daemon of a home folder has them.
#[derive(Debug)]
pub struct Sessions {
    path: PathBuf,
    all: Mutex<Vec<Session>>,
}

impl Sessions {
    /// The sessions of a home folder.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn open(home: &Path) -> io::Result<Self> {
        let path = home.join("sessions.json");
        let all = Mutex::new(file::read(&path)?);
        Ok(Self { path, all })
    }

    /// Begins a session and returns its secret.
    ///
    /// # Errors
    /// Where it cannot be written down.
    pub fn begin(&self, may: May, now: Millis) -> io::Result<String> {
        let secret = secret()?;
        let session = Session { may, created_ms: now, hash: Hash::of(&secret) };
        self.change(|all| {
            all.retain(|session| session.holds(now));
            if all.len() >= MOST {
                all.remove(0);
            }
            all.push(session);
        })?;
        Ok(secret)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Where it cannot be written down.
    pub fn end(&self, secret: &str) -> io::Result<()> {
        self.change(|all| all.retain(|session| !session.hash.is_of(secret)))
    }

    /// What a session allows; `None` where there is none of that secret, or it is too old.
    #[must_use]
    pub fn allows(&self, secret: &str, now: Millis) -> Option<May> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|session| session.hash.is_of(secret))?;
        found.holds(now).then_some(found.may)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Session>)) -> io::Result<()> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        *all = file::change(&self.path, |stored: &mut Vec<Session>| {
            change(stored);
            stored.clone()
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_outlives_its_daemon_but_not_its_time_or_its_end() {
        let home = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(home.path()).unwrap();
        let (reads, writes) =
            (sessions.begin(May::Read, Millis(0)).unwrap(), sessions.begin(May::Write, Millis(9)).unwrap());
        let again = Sessions::open(home.path()).unwrap();
        assert_eq!(again.allows(&reads, Millis(10)), Some(May::Read));
        assert_eq!(again.allows(&writes, Millis(10)), Some(May::Write));
        assert_eq!(again.allows("another", Millis(10)), None);
        let late = Millis(SESSION_DAYS * 24 * 3600 * 1000);
        assert_eq!((again.allows(&reads, late), again.allows(&writes, late)), (None, Some(May::Write)));
        again.end(&writes).unwrap();
        assert_eq!(again.allows(&writes, Millis(10)), None);
        let text = std::fs::read_to_string(home.path().join("sessions.json")).unwrap();
        assert!(!text.contains(&reads));
    }

    #[test]
    fn sessions_do_not_pile_up() {
        let home = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(home.path()).unwrap();
        let first = sessions.begin(May::Read, Millis(0)).unwrap();
        let others: Vec<String> = (0..MOST).map(|_| sessions.begin(May::Read, Millis(1)).unwrap()).collect();
        assert_eq!(sessions.allows(&first, Millis(2)), None);
        assert!(others.iter().all(|other| sessions.allows(other, Millis(2)).is_some()));
    }
}
