//! Who may do what: tokens that the user hands out, and sessions of browsers.
//!
//! A secret is a random word of 160 bits. Only its hash is kept, and secrets are compared by their hashes, so that how
//! long a comparison takes says nothing about how much of a guess was right.

mod file;
mod links;
mod sessions;
mod tokens;

pub use links::{LINK_MS, Links};
pub use sessions::{SESSION_DAYS, Sessions};
pub use tokens::{NamedToken, TokenError, TokenFile, add, list, remove};

use serde::{Deserialize, Serialize};
use std::io;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// Look at everything, change nothing.
    Read,
    /// Everything.
    Write,
    /// What a worker does: ask for trials, report, tell, put and get blobs. Nothing else.
    Work,
}

impl May {
    /// The word in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Work => "work",
        }
    }
}

/// Letters of a secret, five bits each.
const LETTERS: usize = 32;

/// A new secret.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn secret() -> io::Result<String> {
    crate::home::random_word(LETTERS)
}

/// What is kept of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash(blake3::Hash);

impl Hash {
    /// Of a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(blake3::hash(secret.as_bytes()))
    }

    /// Whether a secret is the one of which this is the hash. `blake3::Hash` compares in constant time.
    #[must_use]
    pub fn is_of(&self, secret: &str) -> bool {
        *self == Self::of(secret)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_hex())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        blake3::Hash::from_hex(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_of_the_type_that_compares_in_constant_time() {
        // Bytes or a text of the same content would compare from the left until they differ.
        let Hash(_): Hash = Hash(blake3::hash(b"secret"));
        assert_eq!(std::any::type_name_of_val(&Hash::of("secret").0), std::any::type_name::<blake3::Hash>());
    }

    #[test]
    fn a_hash_knows_its_secret_and_says_nothing_of_it() {
        let secret = secret().unwrap();
        let hash = Hash::of(&secret);
        assert!(hash.is_of(&secret) && !hash.is_of("another") && !hash.is_of(""));
        let stored = serde_json::to_string(&hash).unwrap();
        assert!(!stored.contains(&secret));
        assert_eq!(serde_json::from_str::<Hash>(&stored).unwrap(), hash);
    }
}
