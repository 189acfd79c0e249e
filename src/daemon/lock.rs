//! One daemon per home folder: a file lock that the kernel lifts when the process ends, however it does.

use crate::home;
use crate::worker::process::started_at;
use nix::fcntl::{Flock, FlockArg};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Held as long as the daemon runs.
pub struct HomeLock {
    _held: Flock<fs::File>,
}

/// How often, and after what pause, a lock is tried again that no daemon seems to hold.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock; `None` where another daemon holds it.
pub(super) fn take(home: &Path) -> io::Result<Option<HomeLock>> {
    for _ in 0..TRIES {
        if let Some(held) = try_to_take(home)? {
            return Ok(Some(held));
        }
        let daemon = home::read_daemon_file(home).ok().flatten();
        if daemon.is_some_and(|daemon| started_at(daemon.pid).is_some()) {
            return Ok(None);
        }
        // A daemon was killed while it started a worker, whose process holds what it has inherited until its
        // own program begins; or another one has just begun to start.
        std::thread::sleep(PAUSE);
    }
    Ok(None)
}

fn try_to_take(home: &Path) -> io::Result<Option<HomeLock>> {
    let file =
        fs::OpenOptions::new().create(true).truncate(false).write(true).open(home.join("daemon.lock"))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => Ok(Some(HomeLock { _held: held })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()),
    }
}
