//! Listing the sessions.

use std::{cmp::Reverse, sync::Arc};

use tracing::instrument;

use super::{Engine, blocking};
use crate::workflow::{Error, SessionId, Status, Summary, store::Stored};

/// The most sessions that one listing shows: 100 lines fit the 10,000 tokens that an agent may
/// spend on looking for one.
const MAX_LISTED: usize = 100;

/// The sessions that there are.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Those changed last, newest first, at most 100.
    pub sessions: Vec<Summary>,
    /// How many there are.
    pub count: usize,
}

impl Engine {
    /// Lists the sessions with that status, or all. Only files that changed are read.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory cannot be listed.
    #[instrument(name = "workflow.sessions", skip_all)]
    pub async fn sessions(&self, status: Option<Status>) -> Result<Listing, Error> {
        let began = self.index.lock().await.listing_begins();
        let store = Arc::clone(&self.store);
        let listed = blocking(move || {
            let identified = |id| Some((id, store.identity(id).ok()??));
            let listed: Vec<_> = store.ids()?.into_iter().filter_map(identified).collect();
            Ok(listed)
        });
        let listed = listed.await?;
        let ids: Vec<_> = listed.iter().map(|(id, _)| *id).collect();
        let changed: Vec<_> = {
            let mut index = self.index.lock().await;
            index.merge(began, &ids);
            let changed = |(id, identity): &(_, _)| (!index.knows(*id, *identity)).then_some(*id);
            listed.iter().filter_map(changed).collect()
        };
        self.note(changed).await?;

        let index = self.index.lock().await;
        let wanted = |summary: &&Summary| status.is_none_or(|status| summary.status == status);
        let mut sessions: Vec<_> = index.summaries().filter(wanted).collect();
        sessions.sort_by_key(|summary| (Reverse(summary.updated_at.instant()), summary.id));
        Ok(Listing {
            count: sessions.len(),
            sessions: sessions.into_iter().take(MAX_LISTED).cloned().collect(),
        })
    }

    /// Reads the sessions that other processes started, so that none is started twice.
    pub(super) async fn notice_new(&self) -> Result<(), Error> {
        let began = self.index.lock().await.listing_begins();
        let store = Arc::clone(&self.store);
        let ids = blocking(move || store.ids()).await?;
        let unknown = self.index.lock().await.merge(began, &ids);
        self.note(unknown).await
    }

    async fn note(&self, ids: Vec<SessionId>) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        // One that cannot be read hides itself, not the others.
        let load = move || {
            Ok(ids
                .into_iter()
                .filter_map(|id| store.load(id).ok())
                .collect())
        };
        let found: Vec<Stored> = blocking(load).await?;
        let mut index = self.index.lock().await;
        found.iter().for_each(|stored| index.put(stored));
        Ok(())
    }
}
