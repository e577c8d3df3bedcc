//! The vectors of a corpus: those that are known, those on disk, and the rest from the model.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, stream};
use tokio::{
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tracing::{info, warn};

use super::{
    Error,
    corpus::Corpus,
    embedder::Workers,
    error::chain,
    progress::Run,
    published::Published,
    snapshot::Snapshot,
    vectors::{Key, Store},
};

/// Time between two log lines about the progress.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Vectors that are written to disk at once: a killed process loses half a second's work.
const BATCH: usize = 16;

/// Finds vectors for passages.
#[derive(Debug)]
pub(super) struct Embedding {
    pub(super) workers: Arc<Workers>,
    /// None if vectors are not kept on disk.
    pub(super) store: Option<Arc<Store>>,
    pub(super) published: Arc<Published>,
}

/// What is known of the passages' vectors before the model is asked.
#[derive(Debug)]
pub(super) struct Found {
    keys: Vec<Key>,
    known: HashMap<Key, Arc<[f32]>>,
    /// Texts that the model must be asked for, each once.
    missing: Vec<(Key, Arc<str>)>,
}

impl Found {
    /// Tells whether the model is needed, which takes its time.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// The passages' vectors, in their order.
#[derive(Debug, Default)]
pub(super) struct Embedded {
    /// What each passage's text is known by.
    pub(super) keys: Vec<Key>,
    /// None for a passage that the model failed on.
    pub(super) vectors: Vec<Option<Arc<[f32]>>>,
    /// Texts that the model was asked for.
    pub(super) inferred: usize,
}

impl Embedding {
    /// Returns what needs no model: vectors that `previous` has, and those on disk. A text that
    /// stands in several passages is to be embedded once.
    ///
    /// # Errors
    ///
    /// If the index of `previous` fails.
    pub(super) async fn found(&self, corpus: &Corpus, previous: &Snapshot) -> Result<Found, Error> {
        let texts: Vec<Arc<str>> = corpus
            .chunks
            .iter()
            .map(|chunk| chunk.embedded().into())
            .collect();
        let keys: Vec<_> = texts.iter().map(|text| Key::of(text)).collect();
        let mut known = previous.vectors_of(&keys)?;
        let missing = |known: &HashMap<Key, _>| -> HashSet<Key> {
            let missing = keys.iter().filter(|key| !known.contains_key(*key));
            missing.copied().collect()
        };
        known.extend(self.on_disk(missing(&known)).await);
        let mut wanted = missing(&known);
        let texts = keys.iter().zip(&texts);
        let texts: Vec<_> = texts
            .filter(|(key, _)| wanted.remove(*key))
            .map(|(key, text)| (*key, Arc::clone(text)))
            .collect();
        Ok(Found {
            keys,
            known,
            missing: texts,
        })
    }

    /// Returns the vectors of the passages of `corpus`: what was found, and the rest by the model.
    pub(super) async fn completed(&self, found: Found, corpus: &Corpus) -> Embedded {
        let Found {
            keys,
            mut known,
            missing,
        } = found;
        let inferred = missing.len();
        if inferred > 0 {
            known.extend(self.inferred(missing).await);
        }
        let vectors = keys.iter().map(|key| known.get(key).cloned()).collect();
        self.warn_of_missing(corpus, &vectors);
        Embedded {
            keys,
            vectors,
            inferred,
        }
    }

    /// Notes which vectors are in use now, so that others may be removed.
    pub(super) async fn keep(&self, content: &Path, snapshot: &Arc<Snapshot>) {
        let Some(store) = self.store.clone() else {
            return;
        };
        let (content, snapshot) = (content.to_owned(), Arc::clone(snapshot));
        let keep = move || store.keep(&content, snapshot.keys());
        self.note(spawn_blocking(keep).await);
    }

    async fn on_disk(&self, wanted: HashSet<Key>) -> HashMap<Key, Arc<[f32]>> {
        let Some(store) = self.store.clone().filter(|_| !wanted.is_empty()) else {
            return HashMap::new();
        };
        let loaded = spawn_blocking(move || store.load(&wanted)).await;
        self.note(loaded).unwrap_or_default()
    }

    /// Asks the model for vectors, and keeps them on disk as they come.
    async fn inferred(&self, texts: Vec<(Key, Arc<str>)>) -> HashMap<Key, Arc<[f32]>> {
        let run = Arc::new(Run::start(texts.len()));
        self.published.show(Some(Arc::clone(&run)));
        let embed = |(key, text)| async move { (key, self.workers.passage(text).await) };
        let mut embedded = stream::iter(texts)
            .map(embed)
            .buffer_unordered(self.workers.passages_in_flight());
        let mut lines = interval_at(Instant::now() + LOG_EVERY, LOG_EVERY);
        lines.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut vectors, mut batch) = (HashMap::new(), Vec::with_capacity(BATCH));
        loop {
            tokio::select! {
                next = embedded.next() => match next {
                    Some((key, Ok(vector))) => {
                        batch.push((key, Arc::clone(&vector)));
                        vectors.insert(key, vector);
                    }
                    Some((_, Err(error))) => {
                        let error = &error as &dyn std::error::Error;
                        warn!(
                            name: "lockstep.search.passage_failed",
                            { error },
                            "the model failed on a passage"
                        );
                    }
                    None => break,
                },
                _ = lines.tick() => {
                    info!(progress = %run.progress(), "embedding the standards");
                    continue;
                }
            }
            run.advance();
            if batch.len() == BATCH {
                self.save(std::mem::take(&mut batch)).await;
            }
        }
        self.save(batch).await;
        self.published.show(None);
        vectors
    }

    async fn save(&self, batch: Vec<(Key, Arc<[f32]>)>) {
        if let Some(store) = self.store.clone() {
            self.note(spawn_blocking(move || store.append(&batch)).await);
        }
    }

    /// Returns what came of work on the disk. A failure is told, once while it lasts: without a
    /// cache everything works, the next start takes longer.
    fn note<T>(&self, outcome: Result<std::io::Result<T>, tokio::task::JoinError>) -> Option<T> {
        let problem = match outcome {
            Ok(Ok(done)) => {
                self.published.cache_failed(None);
                return Some(done);
            }
            Ok(Err(error)) => chain(&error),
            Err(error) => chain(&error),
        };
        let dir = self
            .store
            .as_ref()
            .map(|store| store.dir().display().to_string());
        let dir = dir.unwrap_or_default();
        if self
            .published
            .cache_failed(Some(format!("{dir}: {problem}")))
        {
            warn!(
                name: "lockstep.search.vectors_not_kept",
                { problem, dir },
                "vectors are not kept on disk"
            );
        }
        None
    }

    fn warn_of_missing(&self, corpus: &Corpus, vectors: &Vec<Option<Arc<[f32]>>>) {
        for (chunk, vector) in corpus.chunks.iter().zip(vectors) {
            if vector.is_none() {
                warn!(
                    name: "lockstep.search.passage_left_out",
                    { file = %chunk.file, line = chunk.lines.0 },
                    "a passage is left out"
                );
            }
        }
    }
}
