//! One-time links: who opens one gets a session, once and soon. They are kept in memory alone.

use super::{Hash, May, secret};
use crate::domain::Millis;
use std::io;
use std::sync::{Mutex, PoisonError};

/// How long a link holds.
pub const LINK_MS: i64 = 10 * 60 * 1000;
/// The oldest make room for new ones.
const MOST: usize = 16;

#[derive(Debug)]
struct Link {
    hash: Hash,
    may: May,
    until: Millis,
}

/// The links that nobody has opened yet.
#[derive(Debug, Default)]
pub struct Links(Mutex<Vec<Link>>);

impl Links {
    /// A new link's code.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn make(&self, may: May, now: Millis) -> io::Result<String> {
        let code = secret()?;
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| now < link.until);
        if links.len() >= MOST {
            links.remove(0);
        }
        links.push(Link { hash: Hash::of(&code), may, until: now.plus_ms(LINK_MS) });
        Ok(code)
    }

    /// What a code is good for, from now on for nothing any more.
    #[must_use]
    pub fn take(&self, code: &str, now: Millis) -> Option<May> {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| now < link.until);
        let at = links.iter().position(|link| link.hash.is_of(code))?;
        Some(links.remove(at).may)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_once_and_soon() {
        let links = Links::default();
        let (one, other) =
            (links.make(May::Write, Millis(0)).unwrap(), links.make(May::Read, Millis(0)).unwrap());
        assert_eq!(links.take("another", Millis(1)), None);
        assert_eq!(links.take(&one, Millis(1)), Some(May::Write));
        assert_eq!(links.take(&one, Millis(1)), None, "a second time");
        assert_eq!(links.take(&other, Millis(LINK_MS)), None, "too late");
    }
}
