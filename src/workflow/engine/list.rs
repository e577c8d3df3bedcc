//! Listing the sessions.

use std::{cmp::Ordering, sync::Arc};

use tracing::instrument;

use super::{Engine, blocking};
use crate::workflow::{
    Cursor, Error, Moment, SessionId, SessionQuery, Status, Summary, query::Place, store::Stored,
};

/// A page of the sessions that there are.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Those of this page.
    pub sessions: Vec<Summary>,
    /// How many there are on all pages.
    pub count: usize,
    /// Where the next page begins; none on the last.
    pub next: Option<Cursor>,
}

impl Engine {
    /// Lists sessions. Only files that changed are read.
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
        let query = query.into();
        let after = query.place()?;
        self.notice_changes().await?;
        let now = Moment::now();
        let index = self.index.lock().await;
        let mut found: Vec<(Place, Status, &Summary)> = Vec::new();
        let mut count = 0;
        for summary in index.summaries() {
            let status = summary.status_at(&now, self.session_ttl);
            if !query.wants(summary, status) {
                continue;
            }
            count += 1;
            let place = query.sort.place(summary);
            if after.is_none_or(|after| place > after) {
                found.push((place, status, summary));
            }
        }
        let more = found.len() > query.limit;
        let by_place = |a: &(Place, _, _), b: &(Place, _, _)| -> Ordering { a.0.cmp(&b.0) };
        if more {
            // What comes after the page needs no order.
            found.select_nth_unstable_by(query.limit, by_place);
            found.truncate(query.limit);
        }
        found.sort_unstable_by(by_place);
        let last = found.last().map(|(place, ..)| *place);
        let listed = |(_, status, summary): (Place, Status, &Summary)| Summary {
            status,
            ..summary.clone()
        };
        Ok(Listing {
            count,
            next: last.filter(|_| more).map(|last| query.cursor(last)),
            sessions: found.into_iter().map(listed).collect(),
        })
    }

    /// Reads the sessions that other processes started or changed.
    pub(super) async fn notice_changes(&self) -> Result<(), Error> {
        let began = self.index.lock().await.listing_begins();
        let store = Arc::clone(&self.store);
        let listed = blocking(move || store.identities()).await?;
        let listed = listed
            .into_iter()
            .map(|(id, identity)| (id, Some(identity)));
        let changed = self.index.lock().await.merge(began, listed);
        self.note(changed).await
    }

    /// Reads the sessions that other processes started, so that none is started twice.
    pub(super) async fn notice_new(&self) -> Result<(), Error> {
        let began = self.index.lock().await.listing_begins();
        let store = Arc::clone(&self.store);
        let ids = blocking(move || store.ids()).await?;
        let ids = ids.into_iter().map(|id| (id, None));
        let unknown = self.index.lock().await.merge(began, ids);
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
