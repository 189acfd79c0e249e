//! `objective.command` and its companions: a program of the user's as a trial.

use super::node::{Kind, Node};
use super::problem::Problem;
use super::reader::{Table, count, text};
use crate::domain::{ObjectiveKind, template};
use crate::model::nearest;
use std::path::PathBuf;

const EXPECTED: &str = "a list of words, the program first: [\"python3\", \"train.py\", \"--lr\", \"{lr}\"]";

/// What an objective says of its command.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub words: Option<Vec<String>>,
    pub timeout_s: Option<u64>,
    pub workdir: Option<PathBuf>,
}

/// Reads the keys of a command, which only one kind of objective has.
pub(super) fn read(table: &Table<'_>, kind: ObjectiveKind, problems: &mut Vec<Problem>) -> Command {
    let is_command = kind == ObjectiveKind::Command;
    for key in ["command", "timeout_s", "workdir"] {
        // Asked for in any case: it is a known key, in the wrong place.
        if let Some(node) = table.get(key).filter(|_| !is_command) {
            let message = "is only for kind = \"command\"";
            problems.push(Problem::new(node.line, &table.key(key), message));
        }
    }
    if !is_command {
        return Command::default();
    }
    if table.get("metric").is_none() && table.get("metrics").is_none() {
        table.complain("metric is missing: expected the name of a metric that the command prints", problems);
    }
    Command {
        words: read_words(table, problems),
        timeout_s: table.read("timeout_s", "a whole number of seconds, at least 1", problems, count),
        workdir: table.read("workdir", "a folder", problems, |node| {
            text(node).filter(|folder| !folder.is_empty()).map(PathBuf::from)
        }),
    }
}

fn read_words(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let node = table.required("command", EXPECTED, problems)?;
    let items = match &node.kind {
        Kind::List(items) if !items.is_empty() => items,
        _ => {
            table.wrong("command", node, EXPECTED, problems);
            return None;
        }
    };
    let mut words = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let is_program = at == 0;
        // The operating system passes on nothing behind a zero byte.
        let usable = |word: &String| !word.contains('\0') && (!is_program || !word.is_empty());
        match text(item).filter(usable) {
            Some(word) => words.push(word),
            None => {
                let expected =
                    if is_program { "the name of a program" } else { "a word, in quotation marks" };
                table.wrong(&format!("command[{at}]"), item, expected, problems);
            }
        }
    }
    Some(words)
}

/// Finds every `{name}` of the command that is neither a parameter nor a name of sweepd's own.
pub(super) fn check_names(objective: &Node, space: &Node, problems: &mut Vec<Problem>) {
    let Some(Kind::List(words)) = entry(objective, "command").map(|node| &node.kind) else { return };
    // Also those that have mistakes of their own: they exist.
    let parameters: Vec<&str> = match &space.kind {
        Kind::Table(entries) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        _ => return,
    };
    for (at, node) in words.iter().enumerate() {
        let Kind::Text(word) = &node.kind else { continue };
        let key = format!("objective.command[{at}]");
        match template::names(word) {
            Ok(names) => {
                let wrong = names.into_iter().filter_map(|name| mistake(name, &parameters));
                problems.extend(wrong.map(|message| Problem::new(node.line, &key, message)));
            }
            Err(message) => problems.push(Problem::new(node.line, &key, message)),
        }
    }
}

fn mistake(name: &str, parameters: &[&str]) -> Option<String> {
    match (parameters.contains(&name), template::OWN_NAMES.contains(&name)) {
        (true, false) | (false, true) => None,
        (true, true) => {
            Some(format!("{{{name}}} is both a parameter and a name of sweepd's: rename the parameter"))
        }
        (false, false) => {
            let hint = match nearest(name, parameters.iter().copied().chain(template::OWN_NAMES)).first() {
                Some(near) => format!("did you mean {{{near}}}?"),
                None => "for braces themselves write {{ and }}".to_owned(),
            };
            Some(format!("{{{name}}} is not a parameter of the space; {hint}"))
        }
    }
}

fn entry<'a>(table: &'a Node, key: &str) -> Option<&'a Node> {
    match &table.kind {
        Kind::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
        _ => None,
    }
}
