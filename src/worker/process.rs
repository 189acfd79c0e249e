//! Processes by pid and start time: a pid alone may have been reused.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The start time of a living process, in clock ticks since boot; `None` where there is no such process,
/// or it is a zombie. See proc(5), `/proc/pid/stat`.
#[must_use]
pub fn started_at(pid: i32) -> Option<i64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    if matches!(fields.first(), Some(&"Z" | &"X")) {
        return None;
    }
    // Field 22 of the line; the state, field 3, is the first here.
    fields.get(19)?.parse().ok()
}

/// Whether exactly this process lives.
#[must_use]
pub fn is_alive(pid: i32, started: i64) -> bool {
    started_at(pid) == Some(started)
}

/// Whether a process was started with this folder among its arguments.
#[must_use]
pub fn names_folder(pid: i32, folder: &std::path::Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|byte| *byte == 0).any(|argument| argument == folder.as_os_str().as_bytes())
}

/// Sends a signal to the process group that the process leads, if exactly this process lives.
pub fn signal_group(pid: i32, started: i64, signal: Signal) {
    if is_alive(pid, started) {
        send(|| killpg(Pid::from_raw(pid), signal), pid);
    }
}

/// Sends a signal to the process alone, if exactly this process lives.
pub fn signal(pid: i32, started: i64, signal: Signal) {
    if is_alive(pid, started) {
        send(|| kill(Pid::from_raw(pid), signal), pid);
    }
}

fn send(deliver: impl FnOnce() -> nix::Result<()>, pid: i32) {
    match deliver() {
        // It ended in between, which is what was wanted.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::warn!(pid, %error, "a signal was not delivered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_another_start_time_is_another_process() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let started = started_at(pid).unwrap();
        assert!(is_alive(pid, started));
        assert!(!is_alive(pid, started + 1));
    }
}
