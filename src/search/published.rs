//! The snapshot that questions are answered from.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{sync::watch, time::Instant};

use super::{Progress, progress::Run, snapshot::Snapshot};

/// The current snapshot, and the making of the next.
#[derive(Debug)]
pub(super) struct Published {
    snapshot: ArcSwap<Snapshot>,
    generation: watch::Sender<u64>,
    /// Questions can be answered.
    begun: watch::Sender<bool>,
    /// Set while passages are embedded.
    run: ArcSwapOption<Run>,
    /// Why the standards could not be indexed the last time.
    failure: ArcSwapOption<String>,
    /// Why vectors are not kept on disk, while they are not.
    cache_failure: ArcSwapOption<String>,
    began: Instant,
    /// When the standards were last found to be, or made, the snapshot: milliseconds since then.
    current_at: AtomicU64,
}

impl Published {
    /// Begins without a snapshot.
    pub(super) fn new() -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            generation: watch::Sender::new(0),
            begun: watch::Sender::new(false),
            run: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            cache_failure: ArcSwapOption::empty(),
            began: Instant::now(),
            current_at: AtomicU64::new(0),
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
        self.begun.send_replace(true);
    }

    /// Notes that the snapshot is what the standards are now.
    pub(super) fn is_current(&self) {
        let at = self.began.elapsed().as_millis();
        self.current_at
            .store(u64::try_from(at).unwrap_or(u64::MAX), Relaxed);
    }

    /// Returns the time since that was noted, or since the start.
    pub(super) fn age(&self) -> Duration {
        let at = Duration::from_millis(self.current_at.load(Relaxed));
        self.began.elapsed().saturating_sub(at)
    }

    /// Waits until questions can be answered, if only by words.
    pub(super) async fn begins(&self) {
        let mut begun = self.begun.subscribe();
        let begins = begun.wait_for(|begun| *begun).await;
        begins.expect("the sender lives as long as self");
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
