//! A store that reports how long it takes.

use std::{ops::Deref, sync::Arc};

use super::{Room, StartTurn, State, Store, Stored, Version};
use crate::{
    observed::{
        Metrics,
        metrics::{Operation, StoreKind, StoreMetrics, StoreOutcome},
    },
    workflow::{Error, Listing, Session, SessionId, SessionQuery, store::Age},
};

/// Whatever keeps the sessions, with its operations measured here, so that each kind of store
/// reports alike. What is not measured is the store's own.
///
/// Operations are boxed: their futures are large, and are moved many times on their way through a
/// cache.
#[derive(Debug)]
pub(in crate::workflow) struct Measured {
    store: Store,
    metrics: StoreMetrics,
}

impl Measured {
    /// Opens the place, as [`Store::open`].
    pub(in crate::workflow) fn open(
        state: State,
        room: Room,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let store = Store::open(state, room, &metrics.locks)?;
        let metrics = metrics.store(match &store {
            Store::Files(_) => StoreKind {
                name: "files",
                database: None,
            },
            Store::Postgres(_) => StoreKind {
                name: "postgres",
                database: Some(("postgresql", "lockstep_sessions")),
            },
        });
        Ok(Self { store, metrics })
    }

    /// As [`Store::load`].
    pub(in crate::workflow) async fn load(&self, id: SessionId) -> Result<Stored, Error> {
        let load = Box::pin(self.store.load(id));
        self.metrics.measure(Operation::Load, outcome, load).await
    }

    /// As [`Store::create`].
    pub(in crate::workflow) async fn create(
        &self,
        turn: &StartTurn,
        session: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        let create = Box::pin(self.store.create(turn, session, instead_of));
        self.metrics
            .measure(Operation::Create, outcome_unless_late, create)
            .await
    }

    /// As [`Store::save`].
    pub(in crate::workflow) async fn save(
        &self,
        expected: Version,
        next: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        let save = Box::pin(self.store.save(expected, next, instead_of));
        self.metrics
            .measure(Operation::Save, outcome_unless_late, save)
            .await
    }

    /// As [`Store::remove`].
    pub(in crate::workflow) async fn remove(&self, id: SessionId) -> Result<(), Error> {
        let remove = Box::pin(self.store.remove(id));
        self.metrics
            .measure(Operation::Delete, outcome, remove)
            .await
    }

    /// As [`Store::list`].
    pub(in crate::workflow) async fn list(
        &self,
        query: &SessionQuery,
        age: &Age,
    ) -> Result<Listing, Error> {
        let list = Box::pin(self.store.list(query, age));
        self.metrics.measure(Operation::List, outcome, list).await
    }

    /// Counts a change that is decided again because another process was faster.
    pub(in crate::workflow) fn note_retry(&self) {
        self.metrics.retried();
    }
}

impl Deref for Measured {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// As [`outcome`], of what is none if another process was faster.
fn outcome_unless_late<T>(done: &Result<Option<T>, Error>) -> StoreOutcome {
    match done {
        Ok(None) => StoreOutcome::Conflict,
        other => outcome(other),
    }
}

/// What is not there, cannot be understood, or has no room or place is no failure of the store.
fn outcome<T>(done: &Result<T, Error>) -> StoreOutcome {
    match done {
        Ok(_)
        | Err(
            Error::UnknownSession(_)
            | Error::Corrupt { .. }
            | Error::Superseded { .. }
            | Error::TooManySessions { .. }
            | Error::TooManyOwnSessions { .. },
        ) => StoreOutcome::Ok,
        Err(_) => StoreOutcome::Error,
    }
}
