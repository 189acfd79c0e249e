//! Reading one table: typed entries, each mistake collected, unknown keys found at the end.

use super::node::{Kind, Node};
use super::problem::Problem;
use crate::domain::Millis;
use crate::model::nearest;
use std::cell::RefCell;

/// A table being read. Every key that is asked for is a known key.
pub(super) struct Table<'a> {
    path: String,
    line: Option<usize>,
    entries: &'a [(String, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    /// The table that a node is; a mistake where it is none.
    pub fn of(node: &'a Node, path: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        match &node.kind {
            Kind::Table(entries) => {
                Some(Self { path: path.to_owned(), line: node.line, entries, asked: RefCell::default() })
            }
            _ => {
                problems.push(Problem::new(node.line, path, format!("expected a table, not {node}")));
                None
            }
        }
    }

    /// The entries under any key, for tables whose keys are the user's.
    pub fn all(&self) -> &'a [(String, Node)] {
        self.entries
    }

    /// The full name of a key.
    pub fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The node under a key.
    pub fn get(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The node under a key that must be there.
    pub fn required(
        &self,
        key: &'static str,
        expected: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            problems.push(Problem::new(
                self.line,
                &self.key(key),
                format!("is missing: expected {expected}"),
            ));
        }
        found
    }

    /// Converts the node under an optional key; a mistake where it cannot be.
    pub fn read<T>(
        &self,
        key: &'static str,
        expected: &str,
        problems: &mut Vec<Problem>,
        convert: impl FnOnce(&Node) -> Option<T>,
    ) -> Option<T> {
        let node = self.get(key)?;
        let value = convert(node);
        if value.is_none() {
            self.wrong(key, node, expected, problems);
        }
        value
    }

    /// Notes that the node under a key is not what was expected.
    pub fn wrong(&self, key: &str, node: &Node, expected: &str, problems: &mut Vec<Problem>) {
        let message = format!("expected {expected}, not {node}");
        problems.push(Problem::new(node.line, &self.key(key), message));
    }

    /// Notes a mistake of the table as a whole.
    pub fn complain(&self, message: impl Into<String>, problems: &mut Vec<Problem>) {
        problems.push(Problem::new(self.line, &self.path, message));
    }

    /// Notes every key that nobody asked for.
    pub fn finish(&self, problems: &mut Vec<Problem>) {
        let known = self.asked.borrow();
        for (name, node) in self.entries.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let near = nearest(name, known.iter().copied());
            let hint = match near.first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", known.join(", ")),
            };
            problems.push(Problem::new(node.line, &self.key(name), format!("is not known; {hint}")));
        }
    }
}

pub(super) fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// A point in time with its offset: a TOML date-time, or the same as text.
pub(super) fn moment(node: &Node) -> Option<Millis> {
    match &node.kind {
        Kind::Date(text) | Kind::Text(text) => Millis::parse(text),
        _ => None,
    }
}

pub(super) fn flag(node: &Node) -> Option<bool> {
    match node.kind {
        Kind::Bool(flag) => Some(flag),
        _ => None,
    }
}

pub(super) fn whole(node: &Node) -> Option<i64> {
    match node.kind {
        Kind::Int(number) => Some(number),
        _ => None,
    }
}

/// A whole number of at least 1.
pub(super) fn count(node: &Node) -> Option<u64> {
    whole(node).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0)
}

pub(super) fn finite(node: &Node) -> Option<f64> {
    match node.kind {
        Kind::Int(number) => Some(number as f64),
        Kind::Float(number) => Some(number).filter(|x| x.is_finite()),
        _ => None,
    }
}

/// A name of letters, digits and `-_.`: one that can stand in a path and on a command line.
pub(super) fn name(node: &Node) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text(node).filter(|name| {
        (1..=100).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(is_plain)
    })
}
