//! One daemon per home folder: a file lock that the kernel lifts when the process ends, however it does.

use nix::fcntl::{Flock, FlockArg};
use std::fs;
use std::io;
use std::path::Path;

/// Held as long as the daemon runs.
pub struct HomeLock {
    _held: Flock<fs::File>,
}

/// Takes the lock; `None` where another daemon holds it.
pub(super) fn take(home: &Path) -> io::Result<Option<HomeLock>> {
    let file =
        fs::OpenOptions::new().create(true).truncate(false).write(true).open(home.join("daemon.lock"))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => Ok(Some(HomeLock { _held: held })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()),
    }
}
