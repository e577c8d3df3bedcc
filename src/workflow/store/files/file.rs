//! One session file: read, understood, and replaced as a whole.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    time::SystemTime,
};

use crate::workflow::Session;

/// The largest session file in bytes: two dozen phases with the largest evidence each.
const MAX_SESSION_BYTES: u64 = 256 * 1024 * 1024;

/// Memory for a session's JSON: as much as one of two dozen phases has, so that it need not be
/// moved while it grows.
const TYPICAL_BYTES: usize = 16 * 1024;

/// Tells a file from its predecessors and successors under the same name.
///
/// It stands for the file's bytes, revision included. Files of ours differ by inode from the one
/// that they replace and carry the nanosecond of their writing, so no two have one identity;
/// files that others write in place differ by time or length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::workflow) struct Identity {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    len_bytes: u64,
}

impl Identity {
    pub(super) fn of(attributes: &Metadata) -> Self {
        Self {
            device: attributes.dev(),
            inode: attributes.ino(),
            modified: (attributes.mtime(), attributes.mtime_nsec()),
            len_bytes: attributes.len(),
        }
    }
}

/// Reads a file and its identity.
pub(super) fn read(path: &Path) -> io::Result<(Vec<u8>, Identity)> {
    let file = File::open(path)?;
    let identity = Identity::of(&file.metadata()?);
    if identity.len_bytes > MAX_SESSION_BYTES {
        return Err(too_large(identity.len_bytes));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(identity.len_bytes).unwrap_or_default());
    file.take(MAX_SESSION_BYTES).read_to_end(&mut bytes)?;
    Ok((bytes, identity))
}

/// Writes the file `aside`, which is to take the place of the session's. When this returns, the
/// bytes are on the disk.
pub(super) fn write_aside(session: &Session, aside: &Path) -> io::Result<Identity> {
    let mut json = Vec::with_capacity(TYPICAL_BYTES);
    serde_json::to_writer_pretty(&mut json, session)?;
    if json.len() as u64 > MAX_SESSION_BYTES {
        return Err(too_large(json.len() as u64));
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(aside)?;
    file.write_all(&json)?;
    // The kernel's own stamps have the resolution of its tick, in which two changes fit.
    file.set_modified(SystemTime::now())?;
    file.sync_all()?;
    Ok(Identity::of(&file.metadata()?))
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn too_large(len_bytes: u64) -> io::Error {
    let problem = format!("a session has {len_bytes} bytes, the most is {MAX_SESSION_BYTES}");
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}
