//! What a contended acquisition reports.

use std::{borrow::Cow, fmt, time::Duration};

use opentelemetry::trace::SpanContext;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    LockMetrics,
    metrics::{Acquired, HoldTimer, LockRecorder},
};

/// A wait that is logged: nothing that is locked should take so long.
const SLOW: Duration = Duration::from_secs(1);

/// Whom a caller waits for: `lock.holder` of its span.
#[derive(Clone)]
pub(super) enum WaitsFor<'a> {
    /// Somebody whose span is this. The wait's links to it.
    Recorded(SpanContext),
    /// Somebody in this process who is not recorded.
    Unrecorded,
    /// The lock is between two holders. Who had it last is asked when the caller has it.
    Changing(&'a (dyn Fn() -> SpanContext + Sync)),
    /// Several hold it, or another process does, or no request at all.
    Unknown,
}

impl From<SpanContext> for WaitsFor<'_> {
    fn from(holder: SpanContext) -> Self {
        match holder.is_valid() {
            true => Self::Recorded(holder),
            false => Self::Unrecorded,
        }
    }
}

impl fmt::Debug for WaitsFor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl WaitsFor<'_> {
    /// Returns the attribute's value.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "linked",
            Self::Unrecorded | Self::Changing(_) => "unrecorded",
            Self::Unknown => "unknown",
        }
    }
}

/// Awaits `acquire`, which found the lock taken: a `lock.wait` span, linked to the holder if that
/// is recorded, a wait time, and a count of those who wait now. A caller that goes away is
/// counted as abandoned.
pub(super) async fn wait<T>(
    recorder: &LockRecorder,
    holder: WaitsFor<'_>,
    acquire: impl Future<Output = T>,
) -> T {
    let waiting = Waiting::start(Cow::Borrowed(recorder), holder);
    let acquired = acquire.instrument(waiting.span.clone()).await;
    waiting.end();
    acquired
}

/// As [`wait`], but `acquire` blocks the thread.
pub(super) fn wait_blocking<T>(
    recorder: &LockRecorder,
    holder: WaitsFor<'_>,
    acquire: impl FnOnce() -> T,
) -> T {
    let waiting = Waiting::start(Cow::Borrowed(recorder), holder);
    let acquired = waiting.span.in_scope(acquire);
    waiting.end();
    acquired
}

/// A wait that has begun. Unless it [ends](Self::end), it is counted as abandoned.
#[derive(Debug)]
pub struct Waiting<'a> {
    recorder: Cow<'a, LockRecorder>,
    holder: WaitsFor<'a>,
    span: Span,
    started: Instant,
    /// How it ends; none if it was no wait.
    how: Option<Acquired>,
}

impl<'a> Waiting<'a> {
    fn start(recorder: Cow<'a, LockRecorder>, holder: WaitsFor<'a>) -> Self {
        recorder.waiting(1);
        let span = info_span!(
            "lock.wait",
            lock.name = recorder.name(),
            lock.holder = field::Empty
        );
        Self {
            recorder,
            holder,
            span,
            started: Instant::now(),
            how: Some(Acquired::Abandoned),
        }
    }

    /// Ends the wait with what was waited for. To be called as a part of the request that waited.
    pub fn end(mut self) {
        let waited = self.started.elapsed();
        self.recorder.waited(waited);
        if waited >= SLOW {
            self.recorder.tell_of_slow_wait(&self.span, waited);
        }
        self.how = Some(Acquired::AfterWait);
        if let WaitsFor::Changing(last) = self.holder {
            self.holder = last().into();
        }
    }

    /// Takes it back: the caller is turned away, and does not wait.
    pub fn retract(mut self) {
        self.how = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.recorder.waiting(-1);
        if let Some(how) = self.how {
            self.recorder.acquired(how);
        }
        self.span.record("lock.holder", self.holder.as_str());
        if let WaitsFor::Recorded(holder) = &self.holder {
            self.span.add_link(holder.clone());
        }
    }
}

/// Reports waits for what is no lock of ours: an operating system's file lock, a worker's queue.
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

    /// Begins a wait that is ended by whoever serves the caller, on a thread of his.
    pub fn begin(&self) -> Waiting<'static> {
        Waiting::start(Cow::Owned(self.recorder.clone()), WaitsFor::Unknown)
    }

    /// Awaits `acquire`, for which the caller has to wait.
    pub async fn wait<T>(&self, acquire: impl Future<Output = T>) -> T {
        wait(&self.recorder, WaitsFor::Unknown, acquire).await
    }

    /// As [`Self::wait`], but `acquire` blocks the thread.
    pub(super) fn wait_blocking<T>(&self, acquire: impl FnOnce() -> T) -> T {
        wait_blocking(&self.recorder, WaitsFor::Unknown, acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };

    use futures::join;
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use tracing::{Event, Subscriber, subscriber};
    use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _};

    use super::*;

    /// Counts the lines about slow waits.
    struct Lines(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let slow = event.metadata().name() == "lockstep.lock.slow_wait";
            self.0.fetch_add(usize::from(slow), Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_a_second_is_told_and_a_shorter_one_is_not() {
        let lines = Arc::new(AtomicUsize::new(0));
        let layer = Lines(Arc::clone(&lines));
        let _heard = subscriber::set_default(tracing_subscriber::registry().with(layer));
        let meter = SdkMeterProvider::builder().build().meter("test");
        let waits = ObservedWait::new("test", &LockMetrics::new(&meter));
        let waited = async |millis| {
            waits
                .wait(tokio::time::sleep(Duration::from_millis(millis)))
                .await;
            lines.load(Relaxed)
        };

        assert_eq!([waited(999).await, waited(1_000).await], [0, 1]);
        join!(waited(1_000), waited(1_000));
        assert_eq!(lines.load(Relaxed), 2, "one line a second");
    }
}
