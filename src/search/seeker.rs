//! Answers a question on one snapshot.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::instrument;

use super::{Answer, Error, Query, embedder::Workers, snapshot::Snapshot};
use crate::observed::{ObservedCache, ObservedSemaphore};

/// What an answer is made with.
#[derive(Debug)]
pub(super) struct Seeker {
    pub(super) workers: Arc<Workers>,
    pub(super) vectors: ObservedCache<Arc<str>, Arc<[f32]>, Error>,
    /// As many permits as threads that the index was built for.
    pub(super) lookups: ObservedSemaphore,
}

impl Seeker {
    /// Finds the passages of `snapshot` that are nearest to the question.
    ///
    /// # Errors
    ///
    /// If the model or the index fails, or too many questions wait for the model.
    #[instrument(name = "search.answer", skip_all, fields(search.generation = snapshot.generation))]
    pub(super) async fn answer(
        self: Arc<Self>,
        snapshot: Arc<Snapshot>,
        query: Query,
    ) -> Result<Arc<Answer>, Error> {
        if snapshot.len() == 0 {
            return Ok(Arc::new(Answer::new(Vec::new(), snapshot.generation)));
        }
        let (workers, text) = (Arc::clone(&self.workers), Arc::clone(query.text()));
        let embed = || async move { workers.question(text).await };
        let vector = self.vectors.get_or_load(query.text(), embed).await;
        let vector = vector.map_err(Error::Shared)?;

        let permit = self.lookups.acquire().await;
        let lookup = move || {
            let passages = snapshot.nearest(&query, &vector);
            drop(permit);
            Ok(Arc::new(Answer::new(passages?, snapshot.generation)))
        };
        spawn_blocking(lookup).await?
    }
}
