//! The rooms of the code know only whom they may know. A test like any other, so nothing has to be
//! installed for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room (a folder or a file of `src`) and the rooms that it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("expr", &["domain"]),
    ("space", &["domain"]),
    ("model", &["domain"]),
    ("augment", &["domain", "model", "dataset"]),
    ("sampler", &["domain", "space"]),
    ("stopper", &["domain"]),
    ("sweepfile", &["domain", "space", "expr", "model"]),
    ("scheduler/shell.rs", &["domain", "store", "scheduler", "error_chain"]),
    ("scheduler/dispatcher.rs", &["domain", "store", "scheduler"]),
    ("scheduler", &["domain", "expr", "space", "model", "sampler", "stopper"]),
    ("store", &["domain", "expr"]),
    ("dataset", &["domain", "model"]),
    ("home.rs", &["worker"]),
    ("access", &["domain", "home"]),
    ("telemetry.rs", &[]),
    ("worker", &["domain", "model", "dataset", "home", "telemetry"]),
    (
        "intake.rs",
        &["domain", "dataset", "model", "sampler", "scheduler", "space", "sweepfile", "error_chain"],
    ),
    ("report", &["domain", "space", "store"]),
    ("ensembling.rs", &["domain", "dataset", "report", "store", "error_chain"]),
    (
        "http",
        &[
            "access",
            "domain",
            "dataset",
            "ensembling",
            "expr",
            "home",
            "intake",
            "model",
            "report",
            "sampler",
            "scheduler",
            "store",
            "worker",
            "error_chain",
        ],
    ),
    ("daemon", &["access", "domain", "home", "http", "scheduler", "store", "worker"]),
];

/// Rooms without input, output, clock or global random numbers, and what would bring them in.
const PURE: &[&str] = &[
    "domain",
    "expr",
    "space",
    "model",
    "augment",
    "sampler",
    "stopper",
    "sweepfile",
    "scheduler",
    "report",
];
const IMPURE: &[&str] = &[
    "tokio",
    "sqlx",
    "tch::",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::io",
    "Instant::now",
    "SystemTime::now",
    "rand::rng",
    "getrandom",
];

/// A soft limit turned hard: past it a file is more than one idea.
const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    // The simulation of the scheduler is a test of many files.
    if path.parent().is_some_and(|folder| folder.ends_with("scheduler/simulation")) {
        return true;
    }
    path.file_stem().is_some_and(|stem| {
        let stem = stem.to_string_lossy();
        stem.ends_with("_test") || stem == "tests"
    })
}

/// The code without comments and without its test module, which may reach further.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let production = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    production.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every room named as `crate::room`, also within `use crate::{a, b}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let group = part.strip_prefix('{').and_then(|rest| rest.split('}').next());
        let names = match group {
            Some(group) => group.split(',').map(str::trim).collect(),
            None => vec![part],
        };
        for name in names {
            let word: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !word.is_empty() {
                named.insert(word);
            }
        }
    }
    named
}

fn room_of<'a>(path: &str) -> Option<&'a (&'static str, &'static [&'static str])> {
    ROOMS.iter().find(|(room, _)| path == *room || path.starts_with(&format!("{room}/")))
}

#[test]
fn rooms_know_only_whom_they_may() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        let may_know_all =
            path.starts_with("cli/") || path.starts_with("bin/") || path == "main.rs" || path == "lib.rs";
        if may_know_all || is_test(&file) {
            continue;
        }
        let Some((room, allowed)) = room_of(&path) else {
            wrong.push(format!("{path} is in no room: add it to ROOMS and to docs/architecture.md"));
            continue;
        };
        let own = room.split(['/', '.']).next().unwrap_or_default();
        for named in rooms_named(&code_of(&file)) {
            if named != own && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{path} names crate::{named}, which {room} may not know"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_do_no_input_or_output() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for room in PURE {
        let folder = src.join(room);
        for file in rust_files(&folder).into_iter().filter(|file| !is_test(file)) {
            if ["scheduler/shell.rs", "scheduler/dispatcher.rs"].iter().any(|shell| file.ends_with(shell)) {
                continue;
            }
            let code = code_of(&file);
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{} names {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_worker_binary_knows_libtorch() {
    let src = root().join("src");
    let strangers: Vec<_> = rust_files(&src)
        .into_iter()
        .filter(|file| !file.starts_with(src.join("bin/sweepd-worker")))
        .filter(|file| {
            code_of(file).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "tch")
        })
        .collect();
    assert_eq!(strangers, Vec::<PathBuf>::new());
}

#[test]
fn files_are_one_idea_long() {
    let long: Vec<String> = rust_files(&root().join("src"))
        .into_iter()
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_rules_themselves_notice_a_stranger() {
    assert_eq!(
        rooms_named("use crate::{domain, store::query};\ncrate::http::x()"),
        BTreeSet::from(["domain".into(), "store".into(), "http".into()])
    );
    assert!(room_of("elsewhere/x.rs").is_none());
}
