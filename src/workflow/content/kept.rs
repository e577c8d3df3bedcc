//! What was made of files, for as long as the files are the same.

use std::{
    any::Any,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;

use crate::stamp::{SETTLED, Stamp};

/// The most files that something is kept of; beyond it all is made anew. A hundred workflows of
/// ten phases have 2,000 that are parsed.
const MAX_FILES: usize = 4_096;

/// What was made of files, by their paths. A look-up takes no lock.
///
/// It is no `ObservedCache`, which has one load for all who miss: here each look-up asks the disk
/// whether the file is still the one that was read, so that an edit counts on the next call.
#[derive(Debug)]
pub(super) struct Kept {
    files: ArcSwap<HashMap<PathBuf, Entry>>,
    settled: Duration,
}

impl Default for Kept {
    fn default() -> Self {
        Self::settled_after(SETTLED)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    stamp: Stamp,
    value: Arc<dyn Any + Send + Sync>,
}

impl Kept {
    fn settled_after(settled: Duration) -> Self {
        Self {
            files: ArcSwap::default(),
            settled,
        }
    }

    /// Returns what was made of the file at `path`, unless there is another file by now.
    ///
    /// Only what was found below the content's root is kept, so a link that now leads elsewhere
    /// misses, as it leads to another file.
    pub(super) fn get<T: Send + Sync + 'static>(&self, path: &Path) -> Option<Arc<T>> {
        let files = self.files.load();
        let entry = files.get(path)?;
        let current = Stamp::of(&fs::metadata(path).ok()?);
        let value = (current == entry.stamp).then(|| Arc::clone(&entry.value))?;
        value.downcast().ok()
    }

    /// Returns the stamp of the file that was found at `path` last: there may be another by now.
    pub(super) fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.files.load().get(path).map(|entry| entry.stamp)
    }

    /// Keeps what was made of the file that had `stamp` when its reading began, at `began`. A file
    /// that has just been changed is not kept: the next change may not show.
    pub(super) fn put<T: Send + Sync + 'static>(
        &self,
        path: &Path,
        stamp: Stamp,
        began: SystemTime,
        value: &Arc<T>,
    ) {
        if !stamp.is_settled(began, self.settled) {
            return;
        }
        let entry = Entry {
            stamp,
            value: Arc::clone(value) as _,
        };
        self.files.rcu(|files| {
            let mut files = match files.len() {
                0..MAX_FILES => HashMap::clone(files),
                _ => HashMap::new(),
            };
            files.insert(path.to_owned(), entry.clone());
            files
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        os::unix::fs::{MetadataExt as _, symlink},
        time::UNIX_EPOCH,
    };

    use super::*;
    use crate::workflow::{Fault, content::Content};

    #[test]
    fn a_file_that_was_just_changed_is_not_told_from_its_successor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "text").unwrap();
        let attributes = fs::metadata(&path).unwrap();
        let stamp = Stamp::of(&attributes);
        let changed = UNIX_EPOCH
            + Duration::new(
                u64::try_from(attributes.ctime()).unwrap(),
                u32::try_from(attributes.ctime_nsec()).unwrap(),
            );
        let cases = [
            (changed, false),
            (changed + SETTLED - Duration::from_nanos(1), false),
            (changed + SETTLED, true),
            (changed - Duration::from_secs(60), false),
        ];
        for (now, kept) in cases {
            let files = Kept::default();
            files.put(&path, stamp, now, &Arc::new(1));
            assert_eq!(files.get::<i32>(&path).is_some(), kept, "{now:?}");
        }
    }

    #[test]
    fn no_more_than_the_bound_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "text").unwrap();
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        let files = Kept::default();
        let later = SystemTime::now() + SETTLED * 2;
        for number in 0..=MAX_FILES {
            files.put(
                &dir.path().join(number.to_string()),
                stamp,
                later,
                &Arc::new(1),
            );
        }
        assert_eq!(files.files.load().len(), 1);
    }

    /// A content that keeps what was just written too, and counts what it parses.
    struct Parsed {
        dir: tempfile::TempDir,
        content: Content,
        count: Cell<usize>,
    }

    impl Parsed {
        fn settled_after(settled: Duration) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let mut content = Content::new(dir.path());
            content.parsed = Arc::new(Kept::settled_after(settled));
            content.texts = Arc::new(Kept::settled_after(settled));
            content.confined = Arc::new(Kept::settled_after(settled));
            Self {
                dir,
                content,
                count: Cell::new(0),
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn text(&self) -> Result<Option<String>, Fault> {
            let parse = |text: &str| {
                self.count.set(self.count.get() + 1);
                Ok(text.to_owned())
            };
            let parsed = self.content.parsed(Path::new("file"), parse)?;
            let read = self.content.read(Path::new("file"))?;
            assert_eq!(parsed.as_deref(), read.as_ref());
            Ok(read)
        }
    }

    #[test]
    fn a_file_is_parsed_once_and_anew_when_another_is_moved_over_it() {
        let parsed = Parsed::settled_after(Duration::ZERO);
        for text in ["one", "two", "six"] {
            fs::write(parsed.path("aside"), text).unwrap();
            fs::rename(parsed.path("aside"), parsed.path("file")).unwrap();
            let before = parsed.count.get();
            for _ in 0..3 {
                assert_eq!(parsed.text().unwrap().as_deref(), Some(text));
            }
            assert_eq!(parsed.count.get(), before + 1);
        }
        fs::remove_file(parsed.path("file")).unwrap();
        assert_eq!(parsed.text().unwrap(), None);
    }

    #[test]
    fn a_link_that_is_turned_is_followed_and_never_out_of_the_root() {
        let parsed = Parsed::settled_after(Duration::ZERO);
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("file"), "out").unwrap();
        let turn = |to: &Path| {
            symlink(to, parsed.path("link")).unwrap();
            fs::rename(parsed.path("link"), parsed.path("file")).unwrap();
        };
        for (name, text) in [("a", "one"), ("b", "two"), ("a", "one")] {
            fs::write(parsed.path(name), text).unwrap();
            turn(Path::new(name));
            for _ in 0..2 {
                assert_eq!(parsed.text().unwrap().as_deref(), Some(text));
            }
        }

        turn(&outside.path().join("file"));

        for _ in 0..2 {
            let fault = parsed.text().unwrap_err().to_string();
            assert!(fault.contains("leads out"), "{fault}");
        }
        turn(Path::new("nowhere"));
        assert!(parsed.text().is_err());
        turn(Path::new("b"));
        assert_eq!(parsed.text().unwrap().as_deref(), Some("two"));
    }

    #[test]
    fn no_edit_of_the_same_size_is_missed_however_quick() {
        let parsed = Parsed::settled_after(SETTLED);
        for number in 100..400 {
            // In place: neither inode nor size tell.
            fs::write(parsed.path("file"), number.to_string()).unwrap();
            assert_eq!(parsed.text().unwrap(), Some(number.to_string()));
        }
    }
}
