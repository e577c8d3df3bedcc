//! Tells whether a file is still the one that was read.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How old a file's last change must be for the file to be told from its successor. Stamps have
/// the resolution of the kernel's tick, 10 ms at most, and on some file systems 2 s: two writes
/// may share one.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Tells a file from its predecessors and successors under the same name.
///
/// `changed` is set by whatever touches the file, and cannot be set back as `modified` can.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    len_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(attributes: &Metadata) -> Self {
        Self {
            device: attributes.dev(),
            inode: attributes.ino(),
            len_bytes: attributes.len(),
            modified: (attributes.mtime(), attributes.mtime_nsec()),
            changed: (attributes.ctime(), attributes.ctime_nsec()),
        }
    }

    /// Says whether whatever is written after `now` gives the file another stamp.
    pub(crate) fn is_settled(&self, now: SystemTime, after: Duration) -> bool {
        let (secs, nanos) = self.changed;
        let since_epoch = u64::try_from(secs).ok().zip(u32::try_from(nanos).ok());
        since_epoch.is_some_and(|(secs, nanos)| {
            let changed = UNIX_EPOCH + Duration::new(secs, nanos);
            // A stamp of the future says nothing: the clock was set back.
            now.duration_since(changed).is_ok_and(|age| age >= after)
        })
    }
}
