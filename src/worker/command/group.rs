//! A program and whatever it starts, as one process group that ends as a whole.
//!
//! The program leads the group, and its process id is not given back before every other member is dead: so
//! no signal can reach a stranger that got the same number. Processes that leave the group on purpose
//! (`setsid`) are out of reach.

use crate::worker::process;
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpid, getppid};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// How often is looked whether killed processes are gone, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const MOST_LOOKS: u32 = 1000;

/// The running group. Dropping it kills whatever of it is left.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    leader: Pid,
    is_over: bool,
}

impl Group {
    /// Starts the program as the leader of a new group.
    ///
    /// The kernel kills it when this thread ends, also by `kill -9`. That reaches the program alone: what it
    /// started itself must notice (most do, by a closed pipe).
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let parent = getpid();
        command.process_group(0);
        let die_with_parent = move || {
            set_pdeathsig(Signal::SIGKILL)?;
            // The parent ended before that was arranged.
            if getppid() != parent { Err(Errno::ESRCH.into()) } else { Ok(()) }
        };
        // SAFETY: between fork and exec it makes two system calls and allocates nothing.
        unsafe { command.pre_exec(die_with_parent) };
        let child = command.spawn()?;
        let leader = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        Ok(Self { child, leader, is_over: false })
    }

    /// The program itself, for its output.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether the program has ended. It stays a zombie, which keeps its number.
    pub fn has_exited(&self) -> bool {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.leader), look), Ok(WaitStatus::StillAlive) | Err(Errno::EINTR))
    }

    /// Whether the program and everything else in its group has ended.
    pub fn is_gone(&self) -> bool {
        self.has_exited() && process::living_members(self.leader.as_raw()).is_empty()
    }

    /// Sends a signal to every member.
    pub fn signal(&self, signal: Signal) {
        if let Err(error) = killpg(self.leader, signal) {
            // No member is left, which is what was wanted.
            if error != Errno::ESRCH {
                tracing::warn!(%error, %signal, "a signal was not delivered");
            }
        }
    }

    /// Kills what is left of the group and says how the program ended; `None` if it cannot be killed, as
    /// when the kernel waits for a disk.
    pub fn end(mut self) -> Option<ExitStatus> {
        self.kill()
    }

    fn kill(&mut self) -> Option<ExitStatus> {
        self.is_over = true;
        for look in 0..MOST_LOOKS {
            if look > 0 {
                sleep(LOOK_EVERY);
            }
            self.signal(Signal::SIGKILL);
            if self.is_gone() {
                return self.child.try_wait().ok().flatten();
            }
        }
        tracing::error!(pid = self.leader.as_raw(), "cannot be killed");
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::Stdio;

    fn shell(script: &str) -> Group {
        Group::start(Command::new("sh").args(["-c", script]).stdout(Stdio::piped())).unwrap()
    }

    /// The first line that it prints.
    fn first_line(group: &mut Group) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        let stdout = group.child().stdout.as_mut().unwrap();
        while stdout.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_ignores_signals_and_what_it_started_end_together() {
        let mut group = shell("trap '' TERM; sleep 300 & echo $!; while :; do sleep 1; done");
        let grandchild: i32 = first_line(&mut group).parse().unwrap();
        assert!(!group.has_exited());
        group.signal(Signal::SIGTERM);
        assert!(process::started_at(grandchild).is_some());
        let leader = group.leader.as_raw();
        let status = group.end().unwrap();
        assert_eq!(process::describe(status), "signal 9 (SIGKILL)");
        assert_eq!((process::started_at(grandchild), process::started_at(leader)), (None, None));
    }

    #[test]
    fn a_group_outlives_its_leader_until_it_is_ended() {
        let mut group = shell("sleep 300 & echo $!; exit 3");
        let grandchild: i32 = first_line(&mut group).parse().unwrap();
        while !group.has_exited() {
            sleep(LOOK_EVERY);
        }
        assert!(!group.is_gone());
        assert_eq!(process::describe(group.end().unwrap()), "exit code 3");
        assert!(process::started_at(grandchild).is_none());
    }

    #[test]
    fn a_dropped_group_is_killed() {
        let mut group = shell("sleep 300 & echo $!; wait");
        let grandchild: i32 = first_line(&mut group).parse().unwrap();
        drop(group);
        assert!(process::started_at(grandchild).is_none());
    }
}
