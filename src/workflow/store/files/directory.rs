//! The directory of the session files.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use tracing::warn;

use super::file::{Identity, read, sync_directory, write_aside};
use crate::{
    faults::{Fault, Faults},
    observed::{FileLock, LockMetrics, ObservedMutex, ObservedWait},
    workflow::{
        Error, Moment, Session, SessionId,
        store::{Key, parse, start_hash},
    },
};

/// The directory of sessions. The files are the truth; everything in memory is a copy.
///
/// Invariant: a file is replaced as a whole, by whoever holds its lock and knows its content.
/// Everything here blocks the thread.
#[derive(Debug)]
pub(super) struct Directory {
    dir: PathBuf,
    /// What is ours alone: files that are being written, and lock files. There is a fixed number
    /// of those and they are never removed: a lock on a file that others may remove or rename is
    /// no lock.
    own: PathBuf,
    waits: ObservedWait,
    /// The time that the directory was last changed at by us, if nobody else had changed it since
    /// its names were read. Held over a change of a name, never over a file's bytes. Only threads wait
    /// for it: [`ObservedMutex::lock_blocking`].
    changed: ObservedMutex<Option<SystemTime>>,
    faults: Faults,
}

/// A session, and the file that it was read from.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) session: Arc<Session>,
    pub(super) identity: Identity,
}

/// One of 256 classes of what can be started. Keys of one class have one lock file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct StartStripe(u8);

impl StartStripe {
    /// Returns the class of a key: the same in every process and every version.
    pub(super) fn of(key: &Key) -> Self {
        Self(start_hash(key)[0])
    }
}

impl Directory {
    /// Creates `dir` if it is missing, and tries whether it can be written.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if it cannot.
    pub(super) fn open(dir: PathBuf, metrics: &LockMetrics) -> Result<Self, Error> {
        let own = dir.join(".lockstep");
        let probed = fs::create_dir_all(&own).and_then(|()| {
            let probe = dir.join(format!(".probe-{}", SessionId::new()));
            fs::write(&probe, b"")?;
            fs::remove_file(&probe)?;
            sync_directory(&dir)
        });
        if let Err(source) = probed {
            return Err(Error::State { path: dir, source });
        }
        Ok(Self {
            dir,
            own,
            waits: ObservedWait::new("workflow.file", metrics),
            changed: ObservedMutex::new("workflow.directory", None, metrics),
            faults: metrics.faults(),
        })
    }

    /// Lists the sessions that there are files of.
    pub(super) fn ids(&self) -> Result<Vec<SessionId>, Error> {
        self.note_names();
        let unlisted = |source| Error::File {
            action: "list",
            path: self.dir.clone(),
            source,
        };
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(unlisted)? {
            let name = entry.map_err(unlisted)?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".json"));
            ids.extend(stem.and_then(|stem| SessionId::try_from(stem).ok()));
        }
        Ok(ids)
    }

    /// Lists the sessions that there are files of, and the files' identities.
    pub(super) fn identities(&self) -> Result<Vec<(SessionId, Identity)>, Error> {
        let mut path = self.dir.join("any");
        let identified = |id: SessionId| {
            path.set_file_name(file_name(id));
            // A file that is gone by now, or cannot be asked about, is left out.
            Some((id, Identity::of(&fs::metadata(&path).ok()?)))
        };
        Ok(self.ids()?.into_iter().filter_map(identified).collect())
    }

    /// Returns the identity of a session's file; none if there is no file.
    pub(super) fn identity(&self, id: SessionId) -> Result<Option<Identity>, Error> {
        let path = self.path(id);
        match fs::metadata(&path) {
            Ok(attributes) => Ok(Some(Identity::of(&attributes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("read", &path, source)),
        }
    }

    /// Reads a session. A file that cannot be understood is renamed and kept.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is no file, [`Error::Corrupt`] if it was renamed.
    pub(super) fn load(&self, id: SessionId) -> Result<Found, Error> {
        let path = self.path(id);
        let (bytes, identity) = self.bytes(id, &path)?;
        match parse(id, &bytes) {
            Ok(session) => Ok(Found {
                session: Arc::new(session),
                identity,
            }),
            Err(_) => self.load_or_set_aside(id, &path),
        }
    }

    /// Writes the file of a new session.
    pub(super) fn create(&self, session: Arc<Session>) -> Result<Found, Error> {
        // Nobody else knows the id yet, so nobody else holds its lock.
        self.put(session)
    }

    /// Writes `next` in the place of the file that is `expected`; none if the file is another by
    /// now, so that what the caller knows of it is old.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is no file any more.
    pub(super) fn replace(
        &self,
        expected: Identity,
        next: Arc<Session>,
    ) -> Result<Option<Found>, Error> {
        let _locked = self.lock_session(next.id)?;
        match self.identity(next.id)? {
            None => Err(Error::UnknownSession(next.id)),
            Some(found) if found != expected && !self.faults.has(Fault::LostUpdate) => Ok(None),
            Some(_) => self.put(next).map(Some),
        }
    }

    /// Removes the file of a session.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none.
    pub(super) fn remove(&self, id: SessionId) -> Result<(), Error> {
        let _locked = self.lock_session(id)?;
        let path = self.path(id);
        match self.change_names(|| fs::remove_file(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::UnknownSession(id)),
            other => other.map_err(|source| failed("remove", &path, source)),
        }
    }

    /// Removes the file of a session if it still is the `expected` one, and says whether it was.
    pub(super) fn remove_unchanged(
        &self,
        expected: Identity,
        id: SessionId,
    ) -> Result<bool, Error> {
        let _locked = self.lock_session(id)?;
        if self.identity(id)? != Some(expected) {
            return Ok(false);
        }
        let path = self.path(id);
        self.change_names(|| fs::remove_file(&path))
            .map_err(|source| failed("remove", &path, source))?;
        Ok(true)
    }

    /// Returns the directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits until no other process starts a session of a key in `stripe`.
    pub(super) fn lock_start(&self, StartStripe(stripe): StartStripe) -> Result<FileLock, Error> {
        self.lock(&format!("start-{stripe:02x}.lock"))
    }

    fn lock_session(&self, id: SessionId) -> Result<FileLock, Error> {
        self.lock(&format!("session-{:02x}.lock", id.stripe()))
    }

    fn lock(&self, name: &str) -> Result<FileLock, Error> {
        let path = self.own.join(name);
        FileLock::acquire(&path, &self.waits).map_err(|source| failed("lock", &path, source))
    }

    fn put(&self, session: Arc<Session>) -> Result<Found, Error> {
        let path = self.path(session.id);
        let aside = self.own.join(format!("{}.json.partial", session.id));
        let written = write_aside(&session, &aside).and_then(|identity| {
            self.change_names(|| fs::rename(&aside, &path))?;
            Ok(identity)
        });
        match written {
            Ok(identity) => Ok(Found { session, identity }),
            Err(source) => {
                // What is left over hinders nobody: the next change overwrites it.
                let _ = fs::remove_file(&aside);
                Err(failed("write", &path, source))
            }
        }
    }

    /// Changes a name in the directory and makes that durable. The directory then carries a time
    /// of ours, so that it can be told from one that others changed.
    fn change_names(&self, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let dir = File::open(&self.dir)?;
        {
            let mut changed = self.changed.lock_blocking();
            let ours = changed.is_some() && *changed == modified(&dir);
            change()?;
            *changed = ours.then(|| stamp(&dir)).flatten();
        }
        dir.sync_all()
    }

    /// Says whether others may have changed names in the directory since they were listed.
    ///
    /// What others change in the microseconds of a change of ours is not seen until the next
    /// listing. Other servers of this kind start under a lock of their own key; the Python server
    /// takes none, and may race any start.
    pub(super) fn changed_by_others(&self) -> bool {
        let changed = self.changed.lock_blocking();
        changed.is_none() || *changed != fs::metadata(&self.dir).and_then(|dir| dir.modified()).ok()
    }

    /// Notes that the names are about to be read: those that are there now will be found.
    fn note_names(&self) {
        let mut changed = self.changed.lock_blocking();
        *changed = File::open(&self.dir).ok().and_then(|dir| stamp(&dir));
    }

    /// Reads again while nobody writes, and renames the file if it is still broken.
    fn load_or_set_aside(&self, id: SessionId, path: &Path) -> Result<Found, Error> {
        let _locked = self.lock_session(id)?;
        let (bytes, identity) = self.bytes(id, path)?;
        let source = match parse(id, &bytes) {
            Ok(session) => {
                return Ok(Found {
                    session: Arc::new(session),
                    identity,
                });
            }
            Err(source) => source,
        };
        let now = Moment::now().instant().strftime("%Y%m%dT%H%M%S%.6f");
        let kept_as = self.dir.join(format!("{id}.json.corrupt-{now}"));
        self.change_names(|| fs::rename(path, &kept_as))
            .map_err(|source| failed("rename", path, source))?;
        let error = Error::Corrupt {
            id,
            kept_as,
            line: source.line(),
            column: source.column(),
            source: Arc::new(source),
        };
        warn!(
            name: "lockstep.session.set_aside",
            { error = &error as &dyn std::error::Error },
            "a broken session file was put aside"
        );
        Err(error)
    }

    fn bytes(&self, id: SessionId, path: &Path) -> Result<(Vec<u8>, Identity), Error> {
        read(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::UnknownSession(id),
            _ => failed("read", path, source),
        })
    }

    fn path(&self, id: SessionId) -> PathBuf {
        self.dir.join(file_name(id))
    }
}

fn modified(dir: &File) -> Option<SystemTime> {
    dir.metadata().and_then(|dir| dir.modified()).ok()
}

/// Gives the directory the time of now to the nanosecond. Times that the kernel gives have the
/// resolution of its tick, in which two changes fit, so that no later change leaves this one.
///
/// None where the directory is another user's, or the file system keeps no such times.
fn stamp(dir: &File) -> Option<SystemTime> {
    let now = SystemTime::now();
    dir.set_modified(now).ok()?;
    (modified(dir) == Some(now)).then_some(now)
}

fn file_name(id: SessionId) -> String {
    format!("{id}.json")
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use tokio::{runtime::Builder, time::Instant};

    use super::{super::Files, *};
    use crate::{observed::Watch, workflow::store::Room};

    /// A task that waited for its turn would find no thread to take it on, and all would stand still.
    #[test]
    fn who_asks_about_names_gets_its_turn_though_all_threads_wait_behind() {
        let threads = 2;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(threads - 1)
            .build()
            .unwrap();
        // Never dropped: that would wait for threads that stand still.
        let runtime = Box::leak(Box::new(runtime));
        let (dir, watch) = (tempfile::tempdir().unwrap(), Watch::default());
        let meter = SdkMeterProvider::default().meter("test");
        let locks = LockMetrics::new(&meter).with_watch(watch.clone());
        let room = Room { all: 1, each: None };
        let files = Arc::new(Files::open(dir.path().to_owned(), room, &locks).unwrap());
        let (done, all_done) = mpsc::channel();
        let held = files.directory.changed.lock_blocking();
        let waiters = |count| {
            let begun = Instant::now();
            let waiting = || {
                watch
                    .holdings()
                    .iter()
                    .map(|held| held.waiters)
                    .sum::<usize>()
            };
            while waiting() < count && begun.elapsed() < Duration::from_millis(200) {
                thread::yield_now();
            }
            waiting()
        };

        let (asking, asked) = (Arc::clone(&files), done.clone());
        runtime.spawn(async move {
            asking.notice_new().await.unwrap();
            asked.send(()).unwrap();
        });
        assert_eq!(waiters(1), 1);
        for _ in 0..threads {
            let (files, removed) = (Arc::clone(&files), done.clone());
            runtime.spawn(async move {
                let remove = |directory: &Directory| directory.remove(SessionId::new());
                files.on_disk_here(remove).await.unwrap_err();
                removed.send(()).unwrap();
            });
        }
        assert!(waiters(1 + threads) >= threads);
        drop(held);

        for _ in 0..=threads {
            let ended = all_done.recv_timeout(Duration::from_secs(10));
            ended.expect("nobody waits for ever");
        }
    }
}
