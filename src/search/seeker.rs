//! Answers a question on one snapshot.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::instrument;

use super::{
    Answer, Error, Query, Tokens,
    embedder::Workers,
    query::Mode,
    ranking::{Ranking, Rules},
    snapshot::Snapshot,
};
use crate::observed::{ObservedCache, ObservedSemaphore};

/// What an answer is made with.
#[derive(Debug)]
pub(super) struct Seeker {
    pub(super) workers: Arc<Workers>,
    pub(super) vectors: ObservedCache<Arc<str>, Arc<[f32]>, Error>,
    /// As many permits as threads that the index was built for.
    pub(super) lookups: ObservedSemaphore,
    pub(super) rules: Rules,
    /// Of the model: it knows words that the standards do not have.
    pub(super) tokens: Arc<dyn Tokens>,
}

impl Seeker {
    /// Finds the passages of `snapshot` that fit the question best.
    ///
    /// # Errors
    ///
    /// If the model or an index fails, too many questions wait for the model, or the query asks
    /// for vectors alone and there are none yet.
    #[instrument(name = "search.answer", skip_all, fields(search.generation = snapshot.generation))]
    pub(super) async fn answer(
        self: Arc<Self>,
        snapshot: Arc<Snapshot>,
        query: Query,
    ) -> Result<Arc<Answer>, Error> {
        let method = match query.mode() {
            Mode::Hybrid if !snapshot.has_vectors() => Mode::Keyword,
            mode => mode,
        };
        let is_word = |word: &str| self.tokens.count(word) == 1;
        let question = snapshot.keywords().mended(query.text(), is_word)?;
        let vector = match method {
            Mode::Keyword => None,
            Mode::Hybrid | Mode::Vector if snapshot.len() == 0 => None,
            Mode::Vector if !snapshot.has_vectors() => return Err(Error::NoVectors),
            Mode::Hybrid | Mode::Vector => Some(self.vector(&question).await?),
        };
        let permit = self.lookups.acquire().await;
        let rules = self.rules;
        let lookup = move || {
            let ranking = Ranking {
                snapshot: &snapshot,
                query: &query,
                question: &question,
                rules,
                method,
            };
            let answer = ranking.answer(vector.as_deref());
            drop(permit);
            answer.map(Arc::new)
        };
        spawn_blocking(lookup).await?
    }

    async fn vector(&self, question: &Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (workers, text) = (Arc::clone(&self.workers), Arc::clone(question));
        let embed = || async move { workers.question(text).await };
        let vector = self.vectors.get_or_load(question, embed).await;
        vector.map_err(Error::Shared)
    }
}
