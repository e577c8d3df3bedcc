//! Whose a session is, and who may know of it.

use std::sync::Arc;

use tracing::instrument;

use super::{Engine, MAX_TRIES};
use crate::{
    observed::{Turn, metrics::End},
    principal::Principal,
    workflow::{Error, SessionId, store::Stored},
};

impl Engine {
    /// Returns the engine that acts for `principal`, over the same sessions.
    pub fn acting_for(&self, principal: Principal) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(&self.shared),
            principal: Some(principal),
        })
    }

    /// Removes a session for good. If the caller goes away, it is removed all the same.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none, or it is somebody else's.
    #[instrument(name = "workflow.delete", skip_all, fields(session.id = %id))]
    pub async fn delete(self: &Arc<Self>, id: SessionId) -> Result<(), Arc<Error>> {
        let engine = Arc::clone(self);
        self.detached(async move {
            let turn = engine.turns.turn(id).await;
            let removed = match engine.principal {
                None => engine.store.remove(id).await.map_err(Arc::new),
                Some(_) => engine.remove_own(&turn).await,
            };
            engine.sessions.remove(&id).await;
            removed?;
            engine.metrics.ended(End::Deleted);
            Ok(())
        })
        .await
    }

    /// Returns `stored`, if this engine's caller may know of it.
    pub(super) fn own(&self, stored: Stored) -> Result<Stored, Error> {
        match (&self.principal, stored.session.principal()) {
            (Some(caller), Some(owner)) if caller != owner => {
                Err(Error::UnknownSession(stored.session.id))
            }
            _ => Ok(stored),
        }
    }

    /// As [`Self::current`], of a session that this engine's caller may know of.
    pub(super) async fn own_current(&self, turn: &Turn<SessionId>) -> Result<Stored, Arc<Error>> {
        Ok(self.own(self.current(turn).await?)?)
    }

    /// Removes the session whose turn it is, unless it is or becomes somebody else's.
    async fn remove_own(&self, turn: &Turn<SessionId>) -> Result<(), Arc<Error>> {
        let id = *turn.key();
        for _ in 0..MAX_TRIES {
            let seen = self.own_current(turn).await?.version;
            if self.store.remove_unchanged(seen, id).await? {
                return Ok(());
            }
        }
        Err(Arc::new(Error::Contended(id)))
    }
}
