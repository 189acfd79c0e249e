//! Processes by pid and start time: a pid alone may have been reused.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

/// The start time of a living process, in clock ticks since boot; `None` where there is no such process,
/// or it is a zombie. See proc(5), `/proc/pid/stat`.
#[must_use]
pub fn started_at(pid: i32) -> Option<i64> {
    // Field 22 of the line.
    living_stat(pid)?.get(22 - 3)?.parse().ok()
}

/// The fields of a living process from its state (field 3 of the line) on.
fn living_stat(pid: i32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name, in parentheses, may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<String> = after_name.split_whitespace().map(str::to_owned).collect();
    let is_dead = matches!(fields.first().map(String::as_str), None | Some("Z" | "X"));
    (!is_dead).then_some(fields)
}

/// The living processes of a process group; zombies are dead.
#[must_use]
pub fn living_members(group: i32) -> Vec<i32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // Field 5 of the line.
    let is_member = |pid: &i32| {
        living_stat(*pid).is_some_and(|stat| stat.get(5 - 3).and_then(|g| g.parse().ok()) == Some(group))
    };
    pids.filter(is_member).collect()
}

/// How a process ended: `exit code 1`, `signal 9 (SIGKILL)`.
#[must_use]
pub fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match Signal::try_from(signal) {
            Ok(name) => format!("signal {signal} ({name})"),
            Err(_) => format!("signal {signal}"),
        },
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => status.to_string(),
    }
}

/// Whether exactly this process lives.
#[must_use]
pub fn is_alive(pid: i32, started: i64) -> bool {
    started_at(pid) == Some(started)
}

/// Bytes of a living process that are in memory, by proc(5); `None` where exactly this process does not live.
#[must_use]
pub fn resident_bytes_of(pid: i32, started: i64) -> Option<u64> {
    let bytes = super::memory::resident_bytes_at(&format!("/proc/{pid}/status"));
    bytes.filter(|_| is_alive(pid, started))
}

/// A living worker process, as its arguments describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenWorker {
    /// Its process id.
    pub pid: i32,
    /// Its start time; see [`started_at`].
    pub started: i64,
    /// Its name: `--worker`.
    pub name: String,
    /// The slot it serves: `--slot`.
    pub slot: String,
}

/// The living workers that were started for this home folder, whoever started them.
#[must_use]
pub fn workers_of(home: &Path) -> Vec<SeenWorker> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut seen: Vec<SeenWorker> = pids.filter_map(|pid| worker_for(pid, home)).collect();
    seen.sort_by(|a, b| (&a.slot, a.pid).cmp(&(&b.slot, b.pid)));
    seen
}

fn worker_for(pid: i32, home: &Path) -> Option<SeenWorker> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| *argument == flag.as_bytes())?;
        arguments.get(at + 1).copied()
    };
    let text = |flag| after(flag).map(|value| String::from_utf8_lossy(value).into_owned());
    if after("--home")? != home.as_os_str().as_bytes() {
        return None;
    }
    Some(SeenWorker { pid, started: started_at(pid)?, name: text("--worker")?, slot: text("--slot")? })
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
