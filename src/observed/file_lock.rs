//! Locks that other processes see.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use super::{ObservedWait, metrics::HoldTimer};

/// The lock on a file, until dropped: it ends with the open file, also when the process is
/// killed.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
    _hold: HoldTimer,
}

impl FileLock {
    /// Waits for the exclusive lock on `path`, which is created if it is missing. It blocks the
    /// thread. The file must never be removed or renamed: a lock on such a file is no lock.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or its file system knows no locks.
    pub fn acquire(path: &Path, waits: &ObservedWait) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => waits.acquired_free(),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                waits.wait_blocking(|| wait(&file))?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            _file: file,
            _hold: waits.held_from_now(),
        })
    }
}

fn wait(file: &File) -> io::Result<()> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}
