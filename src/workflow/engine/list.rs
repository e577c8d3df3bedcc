//! Listing the sessions.

use tracing::instrument;

use super::Engine;
use crate::workflow::{Error, Listing, SessionId, SessionQuery};

impl Engine {
    /// Lists sessions: of the principal that this acts for, or all.
    ///
    /// A session that nobody changes meanwhile is on exactly one page. One that is changed moves
    /// to the front when the order is by the last change; in the order of creation, which never
    /// changes, every session that is there all the time is on exactly one page.
    ///
    /// # Errors
    ///
    /// [`Error::Cursor`] if the cursor is of another query, [`Error::File`] if the directory
    /// cannot be listed.
    #[instrument(name = "workflow.sessions", skip_all)]
    pub async fn sessions(&self, query: impl Into<SessionQuery>) -> Result<Listing, Error> {
        let query = SessionQuery {
            owner: self.principal.clone(),
            ..query.into()
        };
        self.store.list(&query, &self.age()).await
    }

    /// Returns the ids of those sessions, those changed last first.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory cannot be listed.
    #[instrument(name = "workflow.session_ids", skip_all)]
    pub async fn session_ids(&self) -> Result<Vec<SessionId>, Error> {
        self.store.ids(self.principal.as_ref()).await
    }
}
