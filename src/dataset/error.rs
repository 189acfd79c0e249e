//! What can go wrong with datasets.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where in a table of an input file a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The data row, from 1 (the header is not counted).
    pub row: u64,
    /// The line of the file, from 1 (the header is line 1).
    pub line: u64,
    /// The column's name, where it is one column's mistake.
    pub column: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} (line {})", self.row, self.line)?;
        match &self.column {
            Some(column) => write!(f, ", column {column}"),
            None => Ok(()),
        }
    }
}

/// What can go wrong with datasets. Every message names the file and says what to do or what was expected.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The operating system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// `read`, `write` ...
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A cache file is not what its header says it is.
    #[error("{} is damaged: {what}; make it again with `sweepd data import` or `sweepd data synth`", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A cache file was written by a later version.
    #[error("{} has format version {found}, this program reads {}", path.display(), super::cache::VERSION)]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// No dataset has this name.
    #[error("no dataset is named `{name}`; {}", known_text(known))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The name cannot be a dataset's.
    #[error("`{0}` cannot name a dataset: 1 to 64 letters, digits, `-` and `_`, the first a letter or digit")]
    BadName(String),
    /// Another dataset has the name.
    #[error(
        "a different dataset is named `{name}` already; `--replace` replaces it, another name keeps both"
    )]
    Taken {
        /// The name.
        name: String,
    },
    /// A mistake in an input file (a CSV, or a zip that holds one).
    #[error("{file}{}: {problem}", place_text(place.as_ref()))]
    Input {
        /// The file, with the way into it: `bundle.zip/training.zip/training.csv`.
        file: String,
        /// Where in its table.
        place: Option<Place>,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// What was asked of a dataset cannot be done (a split of one group, zero rows ...).
    #[error("{0}")]
    Request(String),
}

impl DatasetError {
    /// For `map_err`: the system refused to `doing` at `path`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// A mistake of a whole input file.
    pub(super) fn input(file: &str, problem: impl Into<String>) -> Self {
        Self::Input { file: file.to_owned(), place: None, problem: problem.into() }
    }
}

fn known_text(known: &[String]) -> String {
    if known.is_empty() {
        "there is none yet: make one with `sweepd data synth` or `sweepd data import faces PATH`".to_owned()
    } else {
        format!("known: {} (`sweepd data ls` shows them)", known.join(", "))
    }
}

fn place_text(place: Option<&Place>) -> String {
    place.map(|place| format!(", {place}")).unwrap_or_default()
}
