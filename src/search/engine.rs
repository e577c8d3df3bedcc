//! The face of the search: questions in, answers out.

use std::{sync::Arc, time::Duration};

use tokio::{task::AbortHandle, time::timeout};

use super::{
    Answer, Embedder, Error, Progress, Query, Settings, answer::parse_address, embedder::Workers,
    embedding::Embedding, index::Layout, indexer::Indexer, published::Published, ranking::Rules,
    seeker::Seeker, vectors::Store, watcher::Watcher,
};
use crate::observed::{
    Limits, Metrics, ObservedCache, ObservedSemaphore, ObservedWait, metrics::SearchState,
};

/// The longest that a question waits for the first snapshot.
const FIRST_SNAPSHOT_WAIT: Duration = Duration::from_secs(10);

/// Answers questions about the standards, and keeps up with their files.
///
/// Invariant: an answer's passages are all of the one generation that it names.
#[derive(Debug)]
pub struct Engine {
    published: Arc<Published>,
    seeker: Arc<Seeker>,
    answers: ObservedCache<(Query, u64), Arc<Answer>, Error>,
    first_snapshot: ObservedWait,
    indexer: AbortHandle,
}

/// What the engine answers from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// Questions are answered, if only by words.
    pub ready: bool,
    /// Questions are answered by meaning, too.
    pub vectors: bool,
    /// How far the next snapshot is, while passages are embedded for it.
    pub progress: Option<Progress>,
    /// Files that the snapshot was made from.
    pub files: usize,
    /// Passages of the snapshot.
    pub chunks: usize,
    /// Things that were wrong with the files: [`super::check`] tells them.
    pub faults: usize,
    /// Counts the snapshots; 0 before the first.
    pub generation: u64,
    /// Texts that the model was asked for to make the snapshot; the others' vectors were known.
    pub inferred: usize,
    /// Passages that the model failed on: nothing finds them.
    pub left_out: usize,
    /// Why the files as they are now could not be indexed: the snapshot is of before.
    pub failure: Option<Arc<String>>,
    /// Why vectors are not kept on disk, if they should be and are not.
    pub cache_failure: Option<Arc<String>>,
}

impl Status {
    /// Returns the number of passages that have no vector: while the first ones are made, those
    /// still to be made; after that, those that the model failed on.
    pub fn vectors_missing(&self) -> usize {
        match self.vectors {
            true => self.left_out,
            false => match self.progress {
                Some(progress) => progress.total.saturating_sub(progress.done),
                None => self.chunks,
            },
        }
    }
}

impl Engine {
    /// Starts the model's threads and the indexing of `content/standards`, and returns at once.
    /// Both end when the engine is dropped. Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// If there are no embedders, or the system refuses a thread.
    pub fn start(
        settings: Settings,
        embedders: Vec<Box<dyn Embedder>>,
        metrics: &Metrics,
    ) -> Result<Arc<Self>, Error> {
        let (caches, locks) = (&metrics.caches, &metrics.locks);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let model = embedders.first().and_then(|embedder| embedder.id());
        let tokens = embedders.first().map(|embedder| embedder.tokens());
        let tokens = tokens.ok_or(Error::NoWorkers)?;
        let store = settings.cache.zip(model);
        let store = store.map(|(cache, model)| Arc::new(Store::new(&cache, model, locks)));
        let workers = Arc::new(Workers::start(embedders, settings.queue, metrics)?);
        let published = Arc::new(Published::new());
        let limits = |max_entries, time_to_live| Limits {
            max_entries,
            time_to_live,
        };
        let vectors = limits(settings.max_cached_vectors, None);
        export(metrics, &published, &workers);
        let seeker = Arc::new(Seeker {
            metrics: metrics.search.clone(),
            workers: Arc::clone(&workers),
            vectors: ObservedCache::weighed("vectors", vectors, caches, |text, vector| {
                (text.len() + size_of_val(&**vector)) as u64
            }),
            lookups: ObservedSemaphore::new("search.index", threads, locks),
            tokens: Arc::clone(&tokens),
            rules: Rules {
                fusion: settings.fusion,
                max_per_file: settings.max_per_file,
                rerank_candidates: settings.rerank_candidates,
            },
        });
        // As notices name their files. Without a working directory nothing can be read either.
        let content = std::path::absolute(&settings.content).unwrap_or(settings.content);
        let indexer = Indexer {
            watcher: Watcher::start(&content, settings.poll),
            content,
            debounce: settings.debounce,
            tokens,
            embedding: Embedding {
                workers,
                store,
                published: Arc::clone(&published),
            },
            published: Arc::clone(&published),
            metrics: metrics.search.clone(),
            layout: Layout {
                quantization: settings.quantization,
                threads,
            },
        };
        let answers = limits(settings.max_cached_answers, Some(settings.answers_ttl));
        Ok(Arc::new(Self {
            published,
            seeker,
            answers: ObservedCache::weighed("answers", answers, caches, |(query, _), answer| {
                // The texts of its passages are the snapshot's.
                let passages = size_of_val(&*answer.passages);
                (size_of::<Answer>() + query.text().len() + passages) as u64
            }),
            first_snapshot: ObservedWait::new("search.first_snapshot", locks),
            indexer: tokio::spawn(indexer.run()).abort_handle(),
        }))
    }

    /// Finds the passages that fit `query` best, in the snapshot of now. Equal questions that are
    /// asked at once are answered by one search, which goes on if a caller goes away. A question
    /// before the files are read waits for that up to ten seconds; before their vectors are there
    /// it is answered by words.
    ///
    /// # Errors
    ///
    /// [`Error::Indexing`] while there is no snapshot, [`Error::Busy`] if too many questions wait
    /// for the model; others if the model fails.
    pub async fn search(&self, query: Query) -> Result<Arc<Answer>, Arc<Error>> {
        let mut snapshot = self.published.snapshot();
        if !snapshot.begun {
            Box::pin(self.wait_for_first_snapshot()).await?;
            snapshot = self.published.snapshot();
        }
        let key = (query, snapshot.generation);
        let seek = || Arc::clone(&self.seeker).answer(snapshot, key.0.clone());
        let answer = self.answers.get_or_load(&key, seek).await?;
        if answer.not_reranked().is_some() {
            // The next one who asks may get the better order.
            self.answers.remove(&key).await;
        }
        Ok(answer)
    }

    /// Returns the text of a standard, or of a section of it, in the snapshot of now. The address
    /// is that of a passage's URI, after `standards://`.
    pub fn standard(&self, address: &str) -> Option<String> {
        let (path, anchor) = parse_address(address)?;
        let snapshot = self.published.snapshot();
        let chunks = snapshot.chunks();
        let chunk = chunks.iter().find(|chunk| chunk.document.path() == path)?;
        let document = &chunk.document;
        match anchor {
            None => Some(document.text.clone()),
            Some(anchor) => {
                let section = document.section(&anchor)?;
                Some(document.text[section].trim_end().to_owned())
            }
        }
    }

    /// Tells what the engine answers from.
    pub fn status(&self) -> Status {
        status(&self.published)
    }

    /// Waits until questions are answered, if only by words.
    pub async fn begins(&self) {
        self.published.begins().await;
    }

    /// Waits for the first snapshot with vectors.
    pub async fn ready(&self) {
        self.published.reaches(1).await;
    }

    /// Waits for a generation after `generation`, and returns it.
    pub async fn generation_after(&self, generation: u64) -> u64 {
        self.published.reaches(generation + 1).await
    }

    async fn wait_for_first_snapshot(&self) -> Result<(), Error> {
        let ready = timeout(FIRST_SNAPSHOT_WAIT, self.begins());
        let ready = self.first_snapshot.wait(ready).await;
        ready.map_err(|_| Error::Indexing {
            progress: self.published.progress().unwrap_or_default(),
        })
    }
}

/// Has the exporter read what is searched now.
fn export(metrics: &Metrics, published: &Arc<Published>, workers: &Arc<Workers>) {
    let (published, workers) = (Arc::downgrade(published), Arc::downgrade(workers));
    metrics.search.export(move || {
        let (published, workers) = (published.upgrade()?, workers.upgrade()?);
        let status = status(&published);
        Some(SearchState {
            generation: status.generation,
            age: published.age(),
            chunks: status.chunks as u64,
            vectors_missing: status.vectors_missing() as u64,
            queue: workers.waiting() as u64,
        })
    });
}

fn status(published: &Published) -> Status {
    let snapshot = published.snapshot();
    Status {
        ready: snapshot.begun,
        vectors: snapshot.generation > 0,
        progress: published.progress(),
        files: snapshot.files,
        chunks: snapshot.len(),
        faults: snapshot.faults.len(),
        generation: snapshot.generation,
        inferred: snapshot.inferred,
        left_out: snapshot.left_out,
        failure: published.failure(),
        cache_failure: published.cache_failure(),
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.indexer.abort();
    }
}
