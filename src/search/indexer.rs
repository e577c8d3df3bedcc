//! Makes a snapshot of the standards, and another whenever they change.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::future::try_join;
use tokio::{task::spawn_blocking, time::Instant};
use tracing::{error, info, warn};

use super::{
    Error, Tokens,
    corpus::{self, Corpus},
    embedding::Embedding,
    error::chain,
    index::{Index, Layout},
    published::Published,
    snapshot::Snapshot,
    vectors::Key,
    watcher::Watcher,
};
use crate::observed::metrics::SearchMetrics;

/// Reads, embeds and publishes, off the request path.
#[derive(Debug)]
pub(super) struct Indexer {
    pub(super) content: PathBuf,
    pub(super) debounce: Duration,
    pub(super) watcher: Watcher,
    /// Passages are cut by what it counts.
    pub(super) tokens: Arc<dyn Tokens>,
    pub(super) embedding: Embedding,
    pub(super) published: Arc<Published>,
    pub(super) layout: Layout,
    pub(super) metrics: SearchMetrics,
}

impl Indexer {
    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            self.watcher.attach();
            let started = Instant::now();
            let failure = match self.renew().await {
                // The process ends, and its runtime with it.
                Err(Error::Task(ended)) if ended.is_cancelled() => return,
                renewed => renewed.err(),
            };
            if let Some(error) = &failure {
                let error = error as &dyn std::error::Error;
                error!(
                    name: "lockstep.search.build_failed",
                    { error },
                    "the standards were not indexed: the last snapshot stays"
                );
            }
            match &failure {
                None => self.published.is_current(),
                Some(_) => self.metrics.rebuilt(started.elapsed(), false),
            }
            self.published.fail(failure.map(|error| chain(&error)));
            self.watcher.change(self.debounce).await;
        }
    }

    /// Publishes a snapshot of the files as they are, unless nothing changed.
    async fn renew(&self) -> Result<(), Error> {
        let started = Instant::now();
        let content = self.content.clone();
        let previous = self.published.snapshot();
        let (tokens, known) = (Arc::clone(&self.tokens), Arc::clone(&previous));
        let read = move || corpus::read(&content, &*tokens, known.chunks());
        let corpus = spawn_blocking(read).await?;
        if previous.digest == Some(corpus.digest) {
            return Ok(());
        }
        self.warn_of_new_faults(&corpus, &previous);
        let found = self.embedding.found(&corpus, &previous).await?;
        let corpus = Arc::new(corpus);
        let model_keeps_all_waiting = !previous.begun && !found.is_complete();
        let by_words = async {
            match model_keeps_all_waiting {
                true => self.answer_by_words(&corpus).await.map(Some),
                false => Ok(None),
            }
        };
        // Beside each other: the model's threads are not kept waiting for the words.
        let by_model = async { Ok(self.embedding.completed(found, &corpus).await) };
        let made = try_join(by_words, by_model).await;
        // Without the words the model is not asked on, and its progress is nobody's.
        let (words, embedded) = made.inspect_err(|_| self.published.show(None))?;
        let (generation, inferred) = (previous.generation + 1, embedded.inferred);
        let layout = self.layout;
        let (store, content) = (self.embedding.store.clone(), self.content.clone());
        let index = move |keys: &[Key], vectors: &[Arc<[f32]>]| match store {
            Some(store) => store.index(&content, keys, vectors, layout, previous.index()),
            None => {
                let labels: Vec<_> = keys.iter().map(Key::label).collect();
                Index::build_from(previous.index(), &labels, vectors, layout)
            }
        };
        let build = move || Snapshot::build(generation, &corpus, embedded, words.as_deref(), index);
        let snapshot = Arc::new(spawn_blocking(build).await??);
        let (files, chunks) = (snapshot.files, snapshot.len());
        // Before it is published, so that a command that waits for it may end then.
        self.embedding.keep(&self.content, &snapshot).await;
        self.published.publish(snapshot);
        self.metrics.rebuilt(started.elapsed(), true);
        let elapsed_ms = started.elapsed().as_millis();
        info!(
            name: "lockstep.search.generation_published",
            { generation, files, chunks, inferred, elapsed_ms },
            "standards indexed"
        );
        Ok(())
    }

    /// Publishes what the words of `corpus` can answer, so that nobody waits for the model.
    async fn answer_by_words(&self, corpus: &Arc<Corpus>) -> Result<Arc<Snapshot>, Error> {
        let corpus = Arc::clone(corpus);
        let build = move || Snapshot::of_words(&corpus);
        let words = Arc::new(spawn_blocking(build).await??);
        let chunks = words.len();
        self.published.publish(Arc::clone(&words));
        info!(
            name: "lockstep.search.words_published",
            { chunks },
            "keyword search answers while the standards are embedded"
        );
        Ok(words)
    }

    fn warn_of_new_faults(&self, corpus: &Corpus, previous: &Snapshot) {
        for fault in &corpus.faults {
            if !previous.faults.contains(fault) {
                warn!(
                    name: "lockstep.search.file_unusable",
                    { %fault },
                    "a file of the standards cannot be used"
                );
            }
        }
    }
}
