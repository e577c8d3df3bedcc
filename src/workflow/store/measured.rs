//! A store that reports how long it takes.

use std::{ops::Deref, sync::Arc};

use super::{Room, StartTurn, State, Store, Stored, Version};
use crate::{
    observed::{
        Metrics,
        metrics::{Operation, StoreMetrics, StoreOutcome, StoreTimer},
    },
    workflow::{Error, Listing, Session, SessionId, SessionQuery, store::Age},
};

/// Whatever keeps the sessions, with its operations measured here, so that each kind of store
/// reports alike. What is not measured is the store's own.
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
        let name = match &store {
            Store::Files(_) => "files",
            Store::Postgres(_) => "postgres",
        };
        let metrics = metrics.store(name);
        Ok(Self { store, metrics })
    }

    /// As [`Store::load`].
    pub(in crate::workflow) async fn load(&self, id: SessionId) -> Result<Stored, Error> {
        let timer = self.metrics.begin(Operation::Load);
        ended(timer, self.store.load(id).await)
    }

    /// As [`Store::create`].
    pub(in crate::workflow) async fn create(
        &self,
        turn: &StartTurn,
        session: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        let timer = self.metrics.begin(Operation::Create);
        let created = self.store.create(turn, session, instead_of).await;
        ended_unless_late(timer, created)
    }

    /// As [`Store::save`].
    pub(in crate::workflow) async fn save(
        &self,
        expected: Version,
        next: Arc<Session>,
    ) -> Result<Option<Stored>, Error> {
        let timer = self.metrics.begin(Operation::Save);
        ended_unless_late(timer, self.store.save(expected, next).await)
    }

    /// As [`Store::remove`].
    pub(in crate::workflow) async fn remove(&self, id: SessionId) -> Result<(), Error> {
        let timer = self.metrics.begin(Operation::Delete);
        ended(timer, self.store.remove(id).await)
    }

    /// As [`Store::list`].
    pub(in crate::workflow) async fn list(
        &self,
        query: &SessionQuery,
        age: &Age,
    ) -> Result<Listing, Error> {
        let timer = self.metrics.begin(Operation::List);
        ended(timer, self.store.list(query, age).await)
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

fn ended<T>(timer: StoreTimer<'_>, done: Result<T, Error>) -> Result<T, Error> {
    timer.end(outcome(&done));
    done
}

/// As [`ended`], of what is none if another process was faster.
fn ended_unless_late<T>(
    timer: StoreTimer<'_>,
    done: Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    timer.end(match &done {
        Ok(None) => StoreOutcome::Conflict,
        other => outcome(other),
    });
    done
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
