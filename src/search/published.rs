//! The snapshot that questions are answered from.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use super::{Progress, progress::Run, snapshot::Snapshot};

/// The current snapshot, and the making of the next.
#[derive(Debug)]
pub(super) struct Published {
    snapshot: ArcSwap<Snapshot>,
    generation: watch::Sender<u64>,
    /// Set while passages are embedded.
    run: ArcSwapOption<Run>,
    /// Why the standards could not be indexed the last time.
    failure: ArcSwapOption<String>,
    /// Why vectors are not kept on disk, while they are not.
    cache_failure: ArcSwapOption<String>,
}

impl Published {
    /// Begins without a snapshot.
    pub(super) fn new() -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            generation: watch::Sender::new(0),
            run: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            cache_failure: ArcSwapOption::empty(),
        }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Answers from `snapshot` from now on, and tells those who wait for it.
    pub(super) fn publish(&self, snapshot: Arc<Snapshot>) {
        let generation = snapshot.generation;
        self.snapshot.store(snapshot);
        self.generation.send_replace(generation);
    }

    /// Waits until the generation is at least `generation`, and returns it.
    pub(super) async fn reaches(&self, generation: u64) -> u64 {
        let mut generations = self.generation.subscribe();
        let reached = generations.wait_for(|current| *current >= generation).await;
        *reached.expect("the sender lives as long as self")
    }

    /// Shows the progress of `run`, or of none.
    pub(super) fn show(&self, run: Option<Arc<Run>>) {
        self.run.store(run);
    }

    /// Notes why the last indexing failed, or that it did not.
    pub(super) fn fail(&self, failure: Option<String>) {
        self.failure.store(failure.map(Arc::new));
    }

    /// Notes why vectors are not kept on disk, or that they are. Tells whether that is news.
    pub(super) fn cache_failed(&self, failure: Option<String>) -> bool {
        let failing = failure.is_some();
        let before = self.cache_failure.swap(failure.map(Arc::new));
        failing && before.is_none()
    }

    pub(super) fn failure(&self) -> Option<Arc<String>> {
        self.failure.load_full()
    }

    pub(super) fn cache_failure(&self) -> Option<Arc<String>> {
        self.cache_failure.load_full()
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        self.run.load().as_ref().map(|run| run.progress())
    }
}
