//! Where sessions are kept: the one seam between the engine and files or a database.
//!
//! What is stored is the truth; everything in memory is a copy, which is asked for its version
//! before it is used. A change names the version that it was made from: of those who change one
//! version, one wins.

mod files;
mod measured;
mod postgres;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::de::Error as _;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

pub(super) use self::measured::Measured;
pub use self::postgres::Database;
use self::{
    files::{Files, Identity},
    postgres::Postgres,
};
use super::{
    Error, Listing, Moment, Session, SessionId, SessionQuery, Status, TargetFile, WorkflowType,
};
use crate::{observed::LockMetrics, principal::Principal};

/// What a start is about: of each there is at most one unfinished session.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    pub(super) workflow: WorkflowType,
    pub(super) target: TargetFile,
    /// Whose session it is; none where all callers are one.
    pub(super) owner: Option<Principal>,
}

impl Key {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            workflow: session.workflow.clone(),
            target: session.target.clone(),
            owner: session.principal().cloned(),
        }
    }
}

/// How many sessions are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// In all.
    pub(super) all: usize,
    /// Of one principal, if that is bounded.
    pub(super) each: Option<usize>,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum State {
    /// A file each in this directory.
    Files(PathBuf),
    /// A row each in this database, which several servers share.
    Postgres(Database),
}

/// Sessions by their ids.
#[derive(Debug)]
pub(super) enum Store {
    Files(Files),
    Postgres(Postgres),
}

/// A session, and the version that it was read as.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) session: Arc<Session>,
    pub(super) version: Version,
}

impl Stored {
    /// Returns about how many bytes it takes: evidence is most of it.
    pub(super) fn weight(&self) -> u64 {
        let artifacts = self.session.artifacts.values();
        let evidence: usize = artifacts.map(|artifact| weight(artifact)).sum();
        (size_of::<Session>() + evidence) as u64
    }
}

/// Returns about how many bytes a value takes.
fn weight(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let own = size_of::<Value>();
    own + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| key.len() + weight(value);
            fields.iter().map(field).sum()
        }
    }
}

/// Tells a stored session from its predecessors and successors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    File(Identity),
    Revision(i64),
}

/// The right to decide whether a session of some key is started, until dropped.
pub(super) enum StartTurn {
    Files(#[expect(dead_code, reason = "held until dropped")] files::StartTurn),
    /// The database decides.
    Postgres,
}

/// What a listing and a count go by beside their filters.
#[derive(Clone, Debug)]
pub(super) struct Age {
    pub(super) now: Timestamp,
    /// How long an unfinished session lives that nobody changes.
    pub(super) ttl: Option<Duration>,
}

/// How many sessions there are.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// By how they stand now; every status is there.
    pub(super) by_status: BTreeMap<&'static str, usize>,
    /// By what they run.
    pub(super) by_workflow: BTreeMap<String, usize>,
}

impl Store {
    /// Opens the place, and makes it if it is missing; it has `room` for sessions.
    /// Blocks the thread, which for a database must be one that a runtime has for that.
    ///
    /// # Errors
    ///
    /// [`Error::State`] or [`Error::Database`] if sessions cannot be kept there.
    pub(super) fn open(state: State, room: Room, locks: &LockMetrics) -> Result<Self, Error> {
        match state {
            State::Files(dir) => Files::open(dir, room, locks).map(Self::Files),
            State::Postgres(database) => {
                let open = Postgres::open(&database, room, locks);
                Handle::current().block_on(open).map(Self::Postgres)
            }
        }
    }

    /// Reads a session. One that cannot be understood is put aside and kept.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none, [`Error::Corrupt`] if it was put aside.
    pub(super) async fn load(&self, id: SessionId) -> Result<Stored, Error> {
        match self {
            Self::Files(files) => files.load(id).await,
            Self::Postgres(rows) => rows.load(id).await,
        }
    }

    /// Returns the version of a session; none if there is none.
    pub(super) async fn version(&self, id: SessionId) -> Result<Option<Version>, Error> {
        match self {
            // Not on another thread: to ask for it takes longer than this takes.
            Self::Files(files) => files.version(id),
            // In a place of its own: each read of a session asks, and files need no room for it.
            Self::Postgres(rows) => Box::pin(rows.version(id)).await,
        }
    }

    /// Keeps a new session; none if somebody started another of its key meanwhile. `instead_of`
    /// are those that are not taken up although they are unfinished.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySessions`], [`Error::TooManyOwnSessions`].
    pub(super) async fn create(
        &self,
        _turn: &StartTurn,
        session: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        match self {
            Self::Files(files) => files.create(session).await.map(Some),
            Self::Postgres(rows) => rows.create(session, instead_of).await,
        }
    }

    /// Keeps `next` in the place of the version that is `expected`; none if there is another by
    /// now, so that what the caller knows of it is old. `instead_of` are those that do not keep the
    /// place that it takes, although they are unfinished.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none any more; [`Error::Superseded`] if a database has
    /// another one in the place that it takes.
    pub(super) async fn save(
        &self,
        expected: Version,
        next: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        match (self, expected) {
            (Self::Files(files), Version::File(expected)) => files.save(expected, next).await,
            (Self::Postgres(rows), Version::Revision(expected)) => {
                rows.save(expected, next, instead_of).await
            }
            // A version of another store is never the one that is stored.
            _ => Ok(None),
        }
    }

    /// Removes a session.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none.
    pub(super) async fn remove(&self, id: SessionId) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.remove(id).await,
            Self::Postgres(rows) => rows.remove(id).await,
        }
    }

    /// Removes a session if it still is the `expected` version, and says whether it was.
    pub(super) async fn remove_unchanged(
        &self,
        expected: Version,
        id: SessionId,
    ) -> Result<bool, Error> {
        match (self, expected) {
            (Self::Files(files), Version::File(expected)) => {
                files.remove_unchanged(expected, id).await
            }
            (Self::Postgres(rows), Version::Revision(expected)) => {
                rows.remove_unchanged(expected, id).await
            }
            _ => Ok(false),
        }
    }

    /// Waits until nobody else starts a session of `key`, if the store cannot tell by itself that
    /// somebody did.
    pub(super) async fn start_turn(&self, key: &Key) -> Result<StartTurn, Error> {
        match self {
            Self::Files(files) => files.start_turn(key).await.map(StartTurn::Files),
            Self::Postgres(_) => Ok(StartTurn::Postgres),
        }
    }

    /// Returns the sessions of `key` that may be unfinished.
    pub(super) async fn unfinished(
        &self,
        _turn: &StartTurn,
        key: &Key,
    ) -> Result<Vec<SessionId>, Error> {
        match self {
            Self::Files(files) => files.unfinished(key).await,
            Self::Postgres(rows) => rows.unfinished(key).await,
        }
    }

    /// Lists a page of the sessions, as [`super::Engine::sessions`] has it.
    pub(super) async fn list(&self, query: &SessionQuery, age: &Age) -> Result<Listing, Error> {
        match self {
            Self::Files(files) => files.list(query, age).await,
            Self::Postgres(rows) => rows.list(query, age).await,
        }
    }

    /// Returns the ids of all sessions, or of those of `owner`, those changed last first.
    pub(super) async fn ids(&self, owner: Option<&Principal>) -> Result<Vec<SessionId>, Error> {
        match self {
            Self::Files(files) => files.ids(owner).await,
            Self::Postgres(rows) => rows.ids(owner).await,
        }
    }

    /// Counts the sessions, or those of `owner`.
    pub(super) async fn count(
        &self,
        age: &Age,
        owner: Option<&Principal>,
    ) -> Result<Counts, Error> {
        match self {
            Self::Files(files) => files.count(age, owner).await,
            Self::Postgres(rows) => rows.count(age, owner).await,
        }
    }

    /// Returns sessions that are finished or expired, and were not changed for `retention`: the
    /// oldest first, at most `most`.
    pub(super) async fn too_old(
        &self,
        retention: Duration,
        age: &Age,
        most: usize,
    ) -> Result<Vec<SessionId>, Error> {
        match self {
            Self::Files(files) => files.too_old(retention, age, most).await,
            Self::Postgres(rows) => rows.too_old(retention, age, most).await,
        }
    }

    /// Says where sessions are kept; a password in it is not repeated.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Files(files) => files.dir().display().to_string(),
            Self::Postgres(rows) => rows.place().to_owned(),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            by_status: Status::ALL.map(|status| (status.as_str(), 0)).into(),
            by_workflow: BTreeMap::new(),
        }
    }
}

impl Counts {
    fn add(&mut self, status: Status, workflow: &str, sessions: usize) {
        *self.by_status.entry(status.as_str()).or_default() += sessions;
        match self.by_workflow.get_mut(workflow) {
            Some(count) => *count += sessions,
            None => drop(self.by_workflow.insert(workflow.to_owned(), sessions)),
        }
    }
}

impl Age {
    /// Says whether a session that stands so, and was changed last then, is to be removed.
    pub(super) fn is_beyond(
        &self,
        retention: Duration,
        status: Status,
        updated_at: &Moment,
    ) -> bool {
        let over = matches!(status, Status::Completed | Status::Expired);
        over && updated_at.is_over(retention, self.now)
    }
}

/// Parses the stored form of the session `id`.
fn parse(id: SessionId, bytes: &[u8]) -> Result<Session, serde_json::Error> {
    let session: Session = serde_json::from_slice(bytes)?;
    if session.id != id {
        let problem = format!("it is kept as another session than {}", session.id);
        return Err(serde_json::Error::custom(problem));
    }
    Ok(session)
}

/// Stands for a key: the same in every process and every version.
fn start_hash(key: &Key) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(key.workflow.as_str());
    hash.update([0]);
    hash.update(key.target.as_str());
    if let Some(owner) = &key.owner {
        // No target and no name has a NUL.
        hash.update([0]);
        hash.update(owner.as_str());
    }
    hash.finalize().into()
}
