//! Makes a snapshot of the standards, and another whenever they change.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::{
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tracing::{error, info, warn};

use super::{
    Error,
    corpus::{self, Corpus},
    embedder::Workers,
    progress::Run,
    published::Published,
    snapshot::Snapshot,
    watcher::Watcher,
};

/// Time between two log lines about the progress.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Reads, embeds and publishes, off the request path.
#[derive(Debug)]
pub(super) struct Indexer {
    pub(super) content: PathBuf,
    pub(super) debounce: Duration,
    pub(super) watcher: Watcher,
    pub(super) workers: Arc<Workers>,
    pub(super) published: Arc<Published>,
    /// Threads that a snapshot's index must serve at once.
    pub(super) threads: usize,
}

impl Indexer {
    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            self.watcher.attach();
            if let Err(error) = self.renew().await {
                let error = &error as &dyn std::error::Error;
                error!(
                    error,
                    "the standards were not indexed: the last snapshot stays"
                );
            }
            self.watcher.change(self.debounce).await;
        }
    }

    /// Publishes a snapshot of the files as they are, unless nothing changed.
    async fn renew(&self) -> Result<(), Error> {
        let started = Instant::now();
        let content = self.content.clone();
        let corpus = spawn_blocking(move || corpus::read(&content)).await?;
        let previous = self.published.snapshot();
        if previous.digest == Some(corpus.digest) {
            return Ok(());
        }
        for fault in &corpus.faults {
            if !previous.faults.contains(fault) {
                warn!(%fault, "a file of the standards cannot be used");
            }
        }
        let vectors = self.embed(&corpus, previous.vectors()).await;
        let (generation, threads) = (previous.generation + 1, self.threads);
        let build = move || Snapshot::build(generation, corpus, vectors, threads);
        let snapshot = spawn_blocking(build).await??;
        let (files, chunks) = (snapshot.files, snapshot.len());
        self.published.publish(snapshot);
        let elapsed_ms = started.elapsed().as_millis();
        info!(generation, files, chunks, elapsed_ms, "standards indexed");
        Ok(())
    }

    /// Returns the vectors of the passages: known ones as they are, others from the model. One
    /// that the model fails on is none.
    async fn embed(
        &self,
        corpus: &Corpus,
        known: HashMap<String, Arc<[f32]>>,
    ) -> Vec<Option<Arc<[f32]>>> {
        let texts: Vec<_> = corpus.chunks.iter().map(|chunk| chunk.embedded()).collect();
        let mut vectors: Vec<_> = texts.iter().map(|text| known.get(text).cloned()).collect();
        let missing: Vec<_> = (0..texts.len())
            .filter(|at| vectors[*at].is_none())
            .collect();
        if missing.is_empty() {
            return vectors;
        }
        let run = Arc::new(Run::start(missing.len()));
        self.published.show(Some(Arc::clone(&run)));
        let embed = |at: usize| {
            let text: Arc<str> = texts[at].as_str().into();
            async move { (at, self.workers.passage(text).await) }
        };
        let mut embedded = stream::iter(missing)
            .map(embed)
            .buffer_unordered(self.workers.passages_in_flight());
        let mut lines = interval_at(Instant::now() + LOG_EVERY, LOG_EVERY);
        lines.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                next = embedded.next() => match next {
                    Some((at, Ok(vector))) => vectors[at] = Some(vector),
                    Some((at, Err(error))) => {
                        let chunk = &corpus.chunks[at];
                        let error = &error as &dyn std::error::Error;
                        warn!(error, file = %chunk.file, line = chunk.lines.0, "a passage is left out");
                    }
                    None => break,
                },
                _ = lines.tick() => {
                    info!(progress = %run.progress(), "embedding the standards");
                    continue;
                }
            }
            run.advance();
        }
        self.published.show(None);
        vectors
    }
}
