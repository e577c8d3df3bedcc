//! Sessions as files, one of JSON each, which other processes may start and change too.

mod directory;
mod file;
mod index;
mod listed;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing::info;

pub(in crate::workflow) use self::file::Identity;
use self::{
    directory::{Directory, Found, StartStripe},
    index::{Index, Known},
};
use super::{Key, Room, Stored, Version};
use crate::{
    observed::{FileLock, LockMetrics, ObservedLocks, ObservedMutex, Turn},
    workflow::{Error, Session, SessionId, blocking, blocking_here},
};

/// The sessions of a directory. The files are the truth.
#[derive(Debug)]
pub(in crate::workflow) struct Files {
    directory: Arc<Directory>,
    /// By stripe, not by key: a start holds its stripe's lock file while it needs threads that
    /// block, so those who wait for that file must not hold them all. In one process nobody does.
    starts: ObservedLocks<StartStripe>,
    /// Held for look-ups in memory only, never over a file.
    index: ObservedMutex<Index>,
    /// Held while the directory is listed, so that one listing serves all who need one.
    listing: ObservedMutex<()>,
    room: Room,
}

/// The right to decide whether a session of some key is started.
pub(in crate::workflow) struct StartTurn {
    // Before the turn: whoever is next in this process finds the file free.
    _others: FileLock,
    _turn: Turn<StartStripe>,
}

impl From<Found> for Stored {
    fn from(found: Found) -> Self {
        Self {
            session: found.session,
            version: Version::File(found.identity),
        }
    }
}

impl Files {
    /// Opens the directory, creating it if it is missing, and reads what sessions it holds.
    pub(super) fn open(dir: PathBuf, room: Room, locks: &LockMetrics) -> Result<Self, Error> {
        let directory = Directory::open(dir, locks)?;
        let index = read_index(&directory)?;
        Ok(Self {
            directory: Arc::new(directory),
            starts: ObservedLocks::new("workflow.start", locks),
            index: ObservedMutex::new("workflow.index", index, locks),
            listing: ObservedMutex::new("workflow.listing", (), locks),
            room,
        })
    }

    pub(super) async fn load(&self, id: SessionId) -> Result<Stored, Error> {
        let found = self.on_disk(move |directory| directory.load(id)).await?;
        Ok(found.into())
    }

    pub(super) fn version(&self, id: SessionId) -> Result<Option<Version>, Error> {
        Ok(self.directory.identity(id)?.map(Version::File))
    }

    /// Keeps a new session. The bound is exact in one process; several over one directory may pass
    /// it by the starts that each has under way.
    pub(super) async fn create(&self, session: Arc<Session>) -> Result<Stored, Error> {
        let owner = session.principal().cloned();
        self.index.lock().await.reserve(self.room, owner.as_ref())?;
        let created = self
            .on_disk_here(move |directory| directory.create(session))
            .await;
        let mut index = self.index.lock().await;
        index.release(owner.as_ref());
        let created = created?;
        index.put(&created);
        Ok(created.into())
    }

    pub(super) async fn save(
        &self,
        expected: Identity,
        next: Arc<Session>,
    ) -> Result<Option<Stored>, Error> {
        let replace = move |directory: &Directory| directory.replace(expected, next);
        let Some(saved) = self.on_disk_here(replace).await? else {
            return Ok(None);
        };
        self.index.lock().await.put(&saved);
        Ok(Some(saved.into()))
    }

    pub(super) async fn remove(&self, id: SessionId) -> Result<(), Error> {
        let removed = self.on_disk(move |directory| directory.remove(id)).await;
        self.index.lock().await.remove(id);
        removed
    }

    pub(super) async fn remove_unchanged(
        &self,
        expected: Identity,
        id: SessionId,
    ) -> Result<bool, Error> {
        let remove = move |directory: &Directory| directory.remove_unchanged(expected, id);
        let removed = self.on_disk(remove).await?;
        if removed {
            self.index.lock().await.remove(id);
        }
        Ok(removed)
    }

    /// Waits until nobody else, here or in another process, starts a session of `key`.
    pub(super) async fn start_turn(&self, key: &Key) -> Result<StartTurn, Error> {
        let turn = self.starts.turn(StartStripe::of(key)).await;
        let stripe = *turn.key();
        let lock = move |directory: &Directory| directory.lock_start(stripe);
        Ok(StartTurn {
            _others: self.on_disk_here(lock).await?,
            _turn: turn,
        })
    }

    /// Returns the sessions of `key`, but for those whose file is known to hold a complete one.
    pub(super) async fn unfinished(&self, key: &Key) -> Result<Vec<SessionId>, Error> {
        self.notice_new().await?;
        self.notice_adopted(key).await?;
        let known = self.index.lock().await.sessions_of(key);
        let mut unfinished = Vec::new();
        for known in known {
            if !known.complete || self.is_changed(&known)? {
                unfinished.push(known.id);
            }
        }
        Ok(unfinished)
    }

    fn is_changed(&self, known: &Known) -> Result<bool, Error> {
        Ok(self.directory.identity(known.id)? != Some(known.identity))
    }

    pub(super) fn dir(&self) -> &Path {
        self.directory.dir()
    }

    /// Reads the sessions that other processes started, so that none is started twice. As long as
    /// nobody but us changed names in the directory, it is not listed: that takes time for each
    /// session there is.
    async fn notice_new(&self) -> Result<(), Error> {
        let _listing = self.listing.lock().await;
        let changed = |directory: &Directory| Ok(directory.changed_by_others());
        if !self.on_disk_here(changed).await? {
            return Ok(());
        }
        let began = self.index.lock().await.listing_begins();
        let ids = self.on_disk(Directory::ids).await?;
        let ids = ids.into_iter().map(|id| (id, None));
        let unknown = self.index.lock().await.merge(began, ids);
        self.note(unknown).await
    }

    /// Reads the sessions of nobody that other processes changed: `key`'s owner may have them by now.
    async fn notice_adopted(&self, key: &Key) -> Result<(), Error> {
        if key.owner.is_none() {
            return Ok(());
        }
        let of_nobody = Key {
            owner: None,
            ..key.clone()
        };
        let known = self.index.lock().await.sessions_of(&of_nobody);
        let mut changed = Vec::new();
        for known in known {
            if self.is_changed(&known)? {
                changed.push(known.id);
            }
        }
        self.note(changed).await
    }

    /// Reads the sessions that other processes started or changed.
    async fn notice_changes(&self) -> Result<(), Error> {
        let _listing = self.listing.lock().await;
        let began = self.index.lock().await.listing_begins();
        let listed = self.on_disk(Directory::identities).await?;
        let listed = listed
            .into_iter()
            .map(|(id, identity)| (id, Some(identity)));
        let changed = self.index.lock().await.merge(began, listed);
        self.note(changed).await
    }

    async fn note(&self, ids: Vec<SessionId>) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        // One that cannot be read hides itself, not the others.
        let load = move |directory: &Directory| {
            Ok(ids
                .into_iter()
                .filter_map(|id| directory.load(id).ok())
                .collect())
        };
        let found: Vec<Found> = self.on_disk(load).await?;
        let mut index = self.index.lock().await;
        found.iter().for_each(|found| index.put(found));
        Ok(())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let directory = Arc::clone(&self.directory);
        blocking(move || work(&directory)).await
    }

    /// As [`Self::on_disk`], for what a caller waits for step by step.
    async fn on_disk_here<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let directory = Arc::clone(&self.directory);
        blocking_here(move || work(&directory)).await
    }
}

fn read_index(directory: &Directory) -> Result<Index, Error> {
    let mut index = Index::default();
    let ids = directory.ids()?;
    for id in &ids {
        match directory.load(*id) {
            Ok(found) => index.put(&found),
            // Logged by the directory. The others can be used.
            Err(Error::Corrupt { .. } | Error::UnknownSession(_)) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    name: "lockstep.session.unreadable",
                    { error, session.id = %id },
                    "a session cannot be read"
                );
            }
        }
    }
    info!(
        name: "lockstep.lifecycle.sessions_found",
        { sessions = ids.len() },
        "sessions found"
    );
    Ok(index)
}
