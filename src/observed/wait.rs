//! What a contended acquisition reports.

use std::time::Duration;

use opentelemetry::trace::SpanContext;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    LockMetrics,
    metrics::{Acquired, HoldTimer, LockRecorder},
};

/// Awaits `acquire`, which found the lock taken: a `lock.wait` span, linked to `holder` if that
/// is recorded, a wait time, and a count of those who wait now. A caller that goes away is
/// counted as abandoned.
pub(super) async fn wait<T>(
    recorder: &LockRecorder,
    holder: Option<SpanContext>,
    acquire: impl Future<Output = T>,
) -> T {
    let waiting = Waiting::start(recorder);
    let acquired = acquire.instrument(span(recorder, holder)).await;
    waiting.end();
    acquired
}

/// As [`wait`], but `acquire` blocks the thread.
pub(super) fn wait_blocking<T>(
    recorder: &LockRecorder,
    holder: Option<SpanContext>,
    acquire: impl FnOnce() -> T,
) -> T {
    let waiting = Waiting::start(recorder);
    let acquired = span(recorder, holder).in_scope(acquire);
    waiting.end();
    acquired
}

fn span(recorder: &LockRecorder, holder: Option<SpanContext>) -> Span {
    let span = info_span!("lock.wait", lock.name = recorder.name());
    if let Some(holder) = holder.filter(SpanContext::is_valid) {
        span.add_link(holder);
    }
    span
}

struct Waiting<'a> {
    recorder: &'a LockRecorder,
    started: Instant,
    how: Acquired,
}

impl<'a> Waiting<'a> {
    fn start(recorder: &'a LockRecorder) -> Self {
        recorder.waiting(1);
        Self {
            recorder,
            started: Instant::now(),
            how: Acquired::Abandoned,
        }
    }

    fn end(mut self) {
        self.recorder.waited(self.started.elapsed());
        self.how = Acquired::AfterWait;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.recorder.waiting(-1);
        self.recorder.acquired(self.how);
    }
}

/// Reports waits that no lock of ours sees: an operating system's file lock, a worker's queue.
#[derive(Clone, Debug)]
pub struct ObservedWait {
    recorder: LockRecorder,
}

impl ObservedWait {
    /// Creates a reporter under `name`.
    pub fn new(name: &'static str, metrics: &LockMetrics) -> Self {
        Self {
            recorder: metrics.lock(name),
        }
    }

    /// Counts an acquisition that was free.
    pub fn acquired_free(&self) {
        self.recorder.acquired(Acquired::Free);
    }

    /// Measures from now on how long what was acquired is held.
    pub(super) fn held_from_now(&self) -> HoldTimer {
        self.recorder.held_from_now()
    }

    /// Counts an acquisition that took `waited`.
    pub fn acquired_after(&self, waited: Duration) {
        self.recorder.waited(waited);
        self.recorder.acquired(Acquired::AfterWait);
    }
}
