//! TOML text to nodes, with lines.

use super::Parsed;
use super::node::{Kind, MOST_DEPTH, Node};
use super::problem::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) fn parse(text: &str) -> Parsed {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Node { line: Some(1), kind: table_of(table.get_ref(), &lines, 0) });
    }
    Err(errors
        .iter()
        .map(|error| Problem::new(error.span().map(|s| lines.at(s.start)), "", error.message()))
        .collect())
}

/// Where each line starts.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line, from 1, of a byte.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }
}

fn table_of(table: &DeTable<'_>, lines: &Lines, depth: usize) -> Kind {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<toml::de::DeString<'_>> = key;
        let mut node = node(value, lines, depth + 1);
        // A mistake in an entry is looked for where its key stands.
        node.line = Some(lines.at(key.span().start));
        (key.get_ref().to_string(), node)
    };
    Kind::Table(table.iter().map(entry).collect())
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines, depth: usize) -> Node {
    let line = Some(lines.at(value.span().start));
    if depth > MOST_DEPTH {
        return Node { line, kind: Kind::Other("something nested too deep") };
    }
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Integer(digits) => {
            match i64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()) {
                Ok(number) => Kind::Int(number),
                Err(_) => Kind::Other("a number too large"),
            }
        }
        DeValue::Float(digits) => match digits.as_str().replace('_', "").parse() {
            Ok(number) => Kind::Float(number),
            Err(_) => Kind::Other("a number too large"),
        },
        DeValue::Boolean(flag) => Kind::Bool(*flag),
        DeValue::Datetime(date) => Kind::Date(date.to_string()),
        DeValue::Array(items) => Kind::List(items.iter().map(|item| node(item, lines, depth + 1)).collect()),
        DeValue::Table(table) => table_of(table, lines, depth),
    };
    Node { line, kind }
}
