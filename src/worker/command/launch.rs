//! Starting the program: its arguments, folder, environment, and what to say when it cannot be started.

use super::group::Group;
use crate::domain::{Params, Reason, Value, template};
use crate::worker::protocol::Work;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder within the trial's folder that one attempt leaves to the next.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// The parameters, as a file within the trial's folder.
const PARAMS: &str = "params.json";

/// Starts the program of one attempt.
///
/// # Errors
/// The reason for which the trial fails.
pub(super) fn launch(work: &Work, slot: &str, threads: usize) -> Result<Group, Reason> {
    let workdir = work.objective.workdir.as_deref();
    let workdir = workdir.ok_or_else(|| bad("the sweep does not say in which folder to run".to_owned()))?;
    if !workdir.is_dir() {
        return Err(bad(format!(
            "the folder {} does not exist here: make it, or name another as objective.workdir",
            workdir.display()
        )));
    }
    let files = Files::prepare(work)?;
    let words = words(work, &files)?;
    let (program, arguments) = words.split_first().ok_or_else(|| bad("the command is empty".to_owned()))?;
    let mut command = Command::new(resolve(program, workdir));
    command
        .args(arguments)
        .current_dir(workdir)
        .env("SWEEPD_SWEEP", &work.sweep)
        .env("SWEEPD_TRIAL", work.number.to_string())
        .env("SWEEPD_ATTEMPT", work.attempt.0.to_string())
        .env("SWEEPD_FOLD", work.fold.to_string())
        .env("SWEEPD_FOLDS", work.objective.runs().to_string())
        .env("SWEEPD_PARAMS_FILE", &files.params)
        .env("SWEEPD_CHECKPOINT_DIR", &files.checkpoint)
        .env("SWEEPD_THREADS", threads.to_string())
        .env("SWEEPD_SLOT", slot)
        // Python holds back what it prints into a pipe, and a step would be heard of much too late.
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match work.until_step {
        Some(step) => command.env("SWEEPD_UNTIL_STEP", step.to_string()),
        None => command.env_remove("SWEEPD_UNTIL_STEP"),
    };
    match work.parent {
        Some(parent) => {
            command.env("SWEEPD_PARENT", parent.number.to_string());
            command.env("SWEEPD_PARENT_STEP", parent.step.to_string());
        }
        None => {
            command.env_remove("SWEEPD_PARENT").env_remove("SWEEPD_PARENT_STEP");
        }
    }
    tracing::info!(command = ?words, workdir = %workdir.display(), "starting");
    Group::start(&mut command).map_err(|error| not_started(program, &error))
}

/// The trial's files that the program is told of.
struct Files {
    checkpoint: PathBuf,
    params: PathBuf,
}

impl Files {
    fn prepare(work: &Work) -> Result<Self, Reason> {
        let no_folder = || failed("this worker has no folder for the trial's files".to_owned());
        let folder = work.folder.as_deref().ok_or_else(no_folder)?;
        // Folds of one trial may run side by side.
        let checkpoint = match work.objective.folds {
            None => folder.join(CHECKPOINT),
            Some(_) => folder.join(format!("{CHECKPOINT}-{}", work.fold)),
        };
        let files = Self { checkpoint, params: folder.join(PARAMS) };
        let cannot_write =
            |error: io::Error| failed(format!("cannot write into {}: {error}", folder.display()));
        fs::create_dir_all(&files.checkpoint).map_err(cannot_write)?;
        let params = serde_json::to_vec_pretty(&work.params).map_err(|error| cannot_write(error.into()))?;
        fs::write(&files.params, params).map_err(cannot_write)?;
        Ok(files)
    }
}

fn words(work: &Work, files: &Files) -> Result<Vec<String>, Reason> {
    let value_of = |name: &str| match name {
        template::TRIAL => Some(work.number.to_string()),
        template::CHECKPOINT_DIR => Some(files.checkpoint.display().to_string()),
        template::PARAMS_FILE => Some(files.params.display().to_string()),
        parameter => argument(&work.params, parameter),
    };
    let templates = work.objective.command.as_deref().unwrap_or_default();
    templates.iter().map(|word| template::fill_in(word, value_of).map_err(bad)).collect()
}

/// A parameter as an argument: words as they are, anything else as JSON, with every digit.
fn argument(params: &Params, name: &str) -> Option<String> {
    match params.get(name)? {
        Value::Text(word) => Some(word.clone()),
        other => serde_json::to_string(other).ok(),
    }
}

/// A program named with a folder lies where the user means it: beside the other files of the command.
fn resolve(program: &str, workdir: &Path) -> PathBuf {
    if program.contains('/') { workdir.join(program) } else { PathBuf::from(program) }
}

fn not_started(program: &str, error: &io::Error) -> Reason {
    let what_to_do = match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            "there is no such file, or the interpreter in its first line is missing"
        }
        io::ErrorKind::NotFound => {
            "no folder in the daemon's PATH has it: install it, or give its full path in objective.command"
        }
        io::ErrorKind::PermissionDenied => {
            "it may not be executed: `chmod +x` it, or put its interpreter first in objective.command"
        }
        _ if error.raw_os_error() == Some(nix::libc::ENOEXEC) => {
            "it is no program: give it a first line such as #!/bin/sh, or put its interpreter first"
        }
        io::ErrorKind::ArgumentListTooLong => "its arguments are too long: read {params_file} instead",
        io::ErrorKind::InvalidInput => "an argument contains a zero byte",
        // Too many processes, no memory: not the configuration's fault.
        _ => return failed(format!("cannot start {program:?}: {error}")),
    };
    bad(format!("cannot start {program:?}: {what_to_do}"))
}

fn bad(message: String) -> Reason {
    Reason::BadConfiguration { message }
}

fn failed(message: String) -> Reason {
    Reason::Error { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_every_digit() {
        let params = Params::from([
            ("lr".to_owned(), Value::Float(0.001_234_567_890_123)),
            ("tiny".to_owned(), Value::Float(1e-7)),
            ("n".to_owned(), Value::Int(-3)),
            ("word".to_owned(), Value::Text("two words".into())),
            ("list".to_owned(), vec![32i64, 64].into()),
        ]);
        let argument = |name| argument(&params, name).unwrap_or_default();
        assert_eq!(argument("lr"), "0.001234567890123");
        assert_eq!(argument("tiny").parse(), Ok(1e-7));
        assert_eq!((argument("n"), argument("word")), ("-3".into(), "two words".into()));
        assert_eq!((argument("list"), argument("absent")), ("[32,64]".into(), String::new()));
    }

    #[test]
    fn only_programs_with_a_folder_are_looked_for_beside_the_command() {
        let workdir = Path::new("/work");
        assert_eq!(resolve("python3", workdir), Path::new("python3"));
        assert_eq!(resolve("./train", workdir), Path::new("/work/./train"));
        assert_eq!(resolve("/bin/sh", workdir), Path::new("/bin/sh"));
    }
}
