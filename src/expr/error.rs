//! A mistake in an expression, shown where it is.

use super::{DEEPEST, LONGEST};
use std::fmt;

/// Most characters of a long line that are shown on either side of the mistake.
const SHOWN: usize = 50;

/// A mistake in an expression: a sentence, and below it the text with a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {character}: {problem}\n  {line}\n  {:column$}^", "")]
pub struct ExprError {
    problem: Problem,
    at: usize,
    character: usize,
    line: String,
    column: usize,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is longer than [`LONGEST`].
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It nests deeper than [`DEEPEST`].
    TooDeep,
    /// A quoted text without its end.
    Unclosed {
        /// The quote that is missing.
        quote: char,
    },
    /// Something else should stand there, or something of another kind.
    Expected {
        /// What should.
        expected: String,
        /// What does.
        found: String,
    },
    /// A name that nobody knows.
    Unknown {
        /// The name.
        name: String,
        /// Known names that may have been meant; where none is near and there are few, all of them.
        known: Vec<String>,
        /// Whether those are near.
        near: bool,
    },
}

impl ExprError {
    /// A problem at a byte of the text.
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> Self {
        let at = text.floor_char_boundary(at);
        let (before, after) = text.split_at(at);
        // The start of the line that the place is on, and what stands there up to the line's end.
        let before_on_line = before.rsplit('\n').next().unwrap_or_default();
        let after_on_line = after.split('\n').next().unwrap_or_default();
        let skipped = before_on_line.chars().count().saturating_sub(SHOWN);
        let mut line = String::from(if skipped > 0 { "…" } else { "" });
        line.extend(before_on_line.chars().skip(skipped));
        let column = line.chars().count();
        line.extend(after_on_line.chars().take(SHOWN));
        if after_on_line.chars().nth(SHOWN).is_some() {
            line.push('…');
        }
        // Tabs and the like would move the caret away from its place.
        let line = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { problem, at, character: before.chars().count() + 1, line, column }
    }

    /// Something else was expected at a byte of the text.
    pub(super) fn expected(
        text: &str,
        at: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(text, at, Problem::Expected { expected: expected.into(), found: found.into() })
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where: the byte of the text, from 0; its length where something is missing at the end.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "expected at most {LONGEST} bytes, found {bytes}")
            }
            Self::TooDeep => write!(f, "expected at most {DEEPEST} levels of nesting, found more"),
            Self::Unclosed { quote } => write!(f, "expected the text to end with {quote}, found the end"),
            Self::Expected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Unknown { name, known, near } => {
                write!(f, "expected a known name, found `{name}`")?;
                if known.is_empty() {
                    return Ok(());
                }
                f.write_str(if *near { "; did you mean " } else { "; known are " })?;
                for (i, name) in known.iter().enumerate() {
                    let before = match i {
                        0 => "",
                        _ if i + 1 == known.len() && *near => " or ",
                        _ if i + 1 == known.len() => " and ",
                        _ => ", ",
                    };
                    write!(f, "{before}`{name}`")?;
                }
                f.write_str(if *near { "?" } else { "" })
            }
        }
    }
}

/// A part of the text as messages quote it; long ones lose their end.
pub(super) fn quoted(part: &str) -> String {
    const MOST: usize = 40;
    if part.is_empty() {
        return "the end".into();
    }
    if part.chars().count() <= MOST {
        return format!("`{part}`");
    }
    let start: String = part.chars().take(MOST - 1).collect();
    format!("`{start}…`")
}
