//! What people say of sweeps and trials.

use super::ids::{SweepId, TrialId};
use std::collections::BTreeSet;

/// The longest note, in bytes.
pub const LONGEST_NOTE: usize = 16 << 10;
/// The longest tag, in bytes, and the most of them.
pub const LONGEST_TAG: usize = 64;
/// The most tags of one sweep or trial.
pub const MOST_TAGS: usize = 32;

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A sweep.
    Sweep(SweepId),
    /// A trial.
    Trial(TrialId),
}

/// A remark, in the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A note; an empty one takes the note away.
    Note {
        /// What it is about.
        of: Subject,
        /// What it says.
        text: String,
    },
    /// All tags.
    Tags {
        /// Of what.
        of: Subject,
        /// Words to find it by.
        tags: BTreeSet<String>,
    },
}

impl Remark {
    /// A note.
    ///
    /// # Errors
    /// Where it is too long.
    pub fn note(of: Subject, text: &str) -> Result<Self, String> {
        match text.trim() {
            long if long.len() > LONGEST_NOTE => {
                Err(format!("the note has {} bytes; at most {LONGEST_NOTE} are kept", long.len()))
            }
            text => Ok(Self::Note { of, text: text.to_owned() }),
        }
    }

    /// Tags, each once.
    ///
    /// # Errors
    /// Where they are too many, or one is no word.
    pub fn tags(of: Subject, tags: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let tags: BTreeSet<String> = tags.into_iter().collect();
        if tags.len() > MOST_TAGS {
            return Err(format!("there are at most {MOST_TAGS} tags, not {}", tags.len()));
        }
        let is_word = |tag: &str| {
            !tag.is_empty()
                && tag.len() <= LONGEST_TAG
                && !tag.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        match tags.iter().find(|tag| !is_word(tag)) {
            Some(tag) => Err(format!("{tag:?} is no tag: expected a word of at most {LONGEST_TAG} bytes")),
            None => Ok(Self::Tags { of, tags }),
        }
    }
}
