//! Answers a question on one snapshot.

use std::sync::Arc;

use futures::future::try_join;
use tokio::time::Instant;
use tracing::{instrument, warn};

use super::{
    Answer, Error, Kind, Query, Reranked, Tokens,
    embedder::Workers,
    query::Mode,
    ranking::{ByWords, Ranking, Rules},
    snapshot::Snapshot,
};
use crate::observed::{
    ObservedCache, ObservedSemaphore, blocking_here,
    metrics::{SearchMetrics, Stage},
};

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
    pub(super) metrics: SearchMetrics,
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
        let started = Instant::now();
        let answer = self.sought(snapshot, query).await?;
        self.metrics.stage(Stage::Total, started.elapsed());
        let found = answer.passages.len();
        self.metrics.found(answer.retrieval_method(), found);
        Ok(Arc::new(answer))
    }

    async fn sought(&self, snapshot: Arc<Snapshot>, query: Query) -> Result<Answer, Error> {
        let method = match query.mode() {
            Mode::Hybrid if !snapshot.has_vectors() => Mode::Keyword,
            mode => mode,
        };
        let is_word = |word: &str| self.tokens.is_usual(word);
        let question = snapshot.keywords().mended(query.text(), is_word)?;
        if method == Mode::Vector && snapshot.len() > 0 && !snapshot.has_vectors() {
            return Err(Error::NoVectors);
        }
        let ranking = Arc::new(Ranking {
            snapshot,
            query,
            rules: self.rules,
            question,
            method,
            metrics: self.metrics.clone(),
        });
        if method == Mode::Keyword || ranking.snapshot.len() == 0 {
            let answer = |ranking: &Ranking| {
                let found = ranking.found(ranking.by_words()?, None)?;
                Ok(ranking.answer(found, Reranked::Off))
            };
            return self.looked_up(ranking, answer).await;
        }
        // The model is asked first: the words are looked up while it works.
        let vector = self.vector(&ranking.question);
        let words = self.looked_up(Arc::clone(&ranking), Ranking::by_words);
        let (vector, words) = try_join(vector, words).await?;
        if method == Mode::Hybrid && self.workers.rerank() {
            return self.reranked(ranking, words, vector).await;
        }
        let answer = move |ranking: &Ranking| {
            let found = ranking.found(words, Some(&vector))?;
            Ok(ranking.answer(found, Reranked::Off))
        };
        self.looked_up(ranking, answer).await
    }

    /// Has a cross encoder order the best passages anew. If it fails, or too many wait for it,
    /// the order stays, and the answer says why.
    async fn reranked(
        &self,
        ranking: Arc<Ranking>,
        words: ByWords,
        vector: Arc<[f32]>,
    ) -> Result<Answer, Error> {
        let found = move |ranking: &Ranking| {
            let found = ranking.found(words, Some(&vector))?;
            Ok((ranking.candidates(&found), found))
        };
        let (candidates, mut found) = self.looked_up(Arc::clone(&ranking), found).await?;
        let started = Instant::now();
        let scores = self.workers.scores(&ranking.question, candidates).await;
        self.metrics.stage(Stage::Rerank, started.elapsed());
        let reranked = match scores {
            Ok(scores) => {
                found.reorder(&scores);
                Reranked::Done
            }
            Err(error) => {
                if error.kind() == Kind::Internal {
                    let error = &error as &dyn std::error::Error;
                    warn!(
                        name: "lockstep.search.rerank_failed",
                        { error },
                        "the cross encoder failed: the order stays as it was"
                    );
                }
                Reranked::Failed(error.to_string().into())
            }
        };
        let answer = |ranking: &Ranking| Ok(ranking.answer(found, reranked));
        self.looked_up(ranking, answer).await
    }

    /// Looks something up in its turn. Where that is more than a fraction of a millisecond, or may
    /// read from the disk, it keeps this thread busy, not the runtime.
    async fn looked_up<T: Send + 'static>(
        &self,
        ranking: Arc<Ranking>,
        lookup: impl FnOnce(&Ranking) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.lookups.acquire().await;
        let in_memory = ranking.snapshot.index().is_in_memory();
        let lookup = move || {
            let found = lookup(&ranking);
            drop(permit);
            found
        };
        match in_memory {
            true => lookup(),
            false => blocking_here(lookup).await?,
        }
    }

    async fn vector(&self, question: &Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (workers, text) = (Arc::clone(&self.workers), Arc::clone(question));
        let embed = || async move { workers.question(text).await };
        let vector = self.vectors.get_or_load_here(question, embed).await;
        vector.map_err(Error::Shared)
    }
}
