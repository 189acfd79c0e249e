//! A mistake with its place.

use std::fmt;

/// One mistake of a sweep file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name; empty for JSON.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The key: `space.blocks.low`; empty for the whole.
    pub key: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl Problem {
    pub(super) fn new(line: Option<usize>, key: &str, message: impl Into<String>) -> Self {
        Self { file: String::new(), line, key: key.to_owned(), message: message.into() }
    }
}

/// `quickstart.toml:14: space.blocks.low: expected a whole number, not "three"`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => {}
            (file, Some(line)) => write!(f, "{file}:{line}: ")?,
            (file, None) => write!(f, "{file}: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// All mistakes of a sweep file, in its order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
