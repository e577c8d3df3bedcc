//! What one request hit, missed and waited for, wherever its work runs.

use std::{
    cell::Cell,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use futures::{future::poll_fn, poll};
use opentelemetry::{
    Context, KeyValue,
    context::FutureExt as _,
    trace::{SpanRef, TraceContextExt as _},
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{JoinError, JoinHandle},
};
use tracing::{Instrument as _, Span, info_span};

use super::counters;

/// Hits of one request that are recorded one by one; the others are only counted.
const MAX_HITS_RECORDED: u64 = 16;

tokio::task_local! {
    static CURRENT: Arc<Tally>;
}

thread_local! {
    /// Whether the work that this thread is at wants its hits one by one.
    static DETAIL: Cell<CacheDetail> = const { Cell::new(CacheDetail::Summary) };
}

/// How much a recorded trace tells about cache hits. Loads and waits are spans in any case.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CacheDetail {
    /// Their number, on the request's span.
    #[default]
    Summary,
    /// The first 16 as events of the span that they happen in, too.
    Events,
    /// The first 16 as spans of their own, too.
    Spans,
}

/// What one request counted. Its tasks share it.
#[derive(Debug, Default)]
pub struct Tally {
    detail: CacheDetail,
    hits: AtomicU64,
    hits_recorded: AtomicU64,
    misses: AtomicU64,
    coalesced: AtomicU64,
    lock_waits: AtomicU64,
    waited_nanos: AtomicU64,
}

impl Tally {
    /// Creates an empty tally. `detail` is for a request that is recorded.
    pub fn new(detail: CacheDetail) -> Arc<Self> {
        Arc::new(Self {
            detail,
            ..Self::default()
        })
    }

    /// Says whether the request waited, for a lock or for a load that another had begun.
    pub fn waited(&self) -> bool {
        self.lock_waits.load(Relaxed) + self.coalesced.load(Relaxed) > 0
    }

    /// Writes what was counted on `span`; what was not is left out, for each attribute is made,
    /// sent and stored.
    pub fn describe(&self, span: &SpanRef<'_>) {
        let counts = [
            ("lockstep.cache.hits", &self.hits),
            ("lockstep.cache.misses", &self.misses),
            ("lockstep.cache.coalesced", &self.coalesced),
            ("lockstep.lock.waits", &self.lock_waits),
        ];
        for (name, count) in counts {
            let count = i64::try_from(count.load(Relaxed)).unwrap_or(i64::MAX);
            if count > 0 {
                span.set_attribute(KeyValue::new(name, count));
            }
        }
        if self.waited() {
            let waited = Duration::from_nanos(self.waited_nanos.load(Relaxed));
            span.set_attribute(KeyValue::new(
                "lockstep.wait.duration",
                waited.as_secs_f64(),
            ));
        }
    }

    /// Runs `work` as a part of the request.
    ///
    /// A hit must cost nothing, so it looks for no request: it counts on its thread, and what the
    /// thread counted while it was at this work is the request's.
    pub async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        let mut work = pin!(CURRENT.scope(Arc::clone(&self), work));
        poll_fn(|context| {
            let _at_work = AtWork::begin(&self);
            work.as_mut().poll(context)
        })
        .await
    }
}

/// The time that this thread is at one request's work.
struct AtWork<'a> {
    tally: &'a Tally,
    hits_before: u64,
    detail_before: CacheDetail,
}

impl<'a> AtWork<'a> {
    fn begin(tally: &'a Tally) -> Self {
        Self {
            tally,
            hits_before: counters::hits_of_this_thread(),
            detail_before: DETAIL.replace(tally.detail),
        }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        DETAIL.set(self.detail_before);
        let hits = counters::hits_of_this_thread() - self.hits_before;
        if hits > 0 {
            self.tally.hits.fetch_add(hits, Relaxed);
        }
    }
}

/// Records a hit one by one, where that is wanted.
#[inline]
pub(super) fn hit(cache: &'static str) {
    let detail = DETAIL.get();
    if detail != CacheDetail::Summary {
        record_hit(cache, detail);
    }
}

#[cold]
fn record_hit(cache: &'static str, detail: CacheDetail) {
    let recorded = CURRENT.try_with(|tally| tally.hits_recorded.fetch_add(1, Relaxed));
    if recorded.is_ok_and(|recorded| recorded >= MAX_HITS_RECORDED) {
        return;
    }
    if detail == CacheDetail::Spans {
        drop(info_span!("cache.hit", cache.name = cache).entered());
    } else {
        let name = KeyValue::new("cache.name", cache);
        Context::map_current(|context| {
            context.span().add_event("lockstep.cache.hit", vec![name]);
        });
    }
}

/// Counts a lookup that led a load.
pub(super) fn missed() {
    let _ = CURRENT.try_with(|tally| tally.misses.fetch_add(1, Relaxed));
}

/// Counts a lookup that waited for a load that another had begun.
pub(super) fn coalesced(waited: Duration) {
    let _ = CURRENT.try_with(|tally| {
        tally.coalesced.fetch_add(1, Relaxed);
        tally.add_wait(waited);
    });
}

/// Counts a wait for a lock.
pub(super) fn waited(waited: Duration) {
    let _ = CURRENT.try_with(|tally| {
        tally.lock_waits.fetch_add(1, Relaxed);
        tally.add_wait(waited);
    });
}

impl Tally {
    fn add_wait(&self, waited: Duration) {
        let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited_nanos.fetch_add(nanos, Relaxed);
    }
}

/// Runs `work` in a task of its own that belongs to the caller's request and span.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = work.with_context(Context::current()).in_current_span();
    match CURRENT.try_with(Arc::clone) {
        Ok(tally) => tokio::spawn(tally.scope(work)),
        Err(_) => tokio::spawn(work),
    }
}

/// Runs `work` to its end, whether or not the caller goes away meanwhile. It begins on the caller's
/// own task, and goes on in one of its own if it has to wait: another task's end is noticed on another
/// thread, after 30 µs or more.
///
/// # Errors
///
/// As the task's. A panic before `work` has to wait is the caller's.
pub fn detached<F>(work: F) -> impl Future<Output = Result<F::Output, JoinError>> + Send
where
    F: Future<Output: Send> + Send + 'static,
{
    // Now: who waits has no room for it, nor has who waits for them.
    let mut work = Box::pin(work);
    async move {
        match poll!(work.as_mut()) {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => spawn(work).await,
        }
    }
}

/// The request and the span that a caller's work belongs to, to be taken to another thread.
#[derive(Debug)]
pub struct Belonging {
    span: Span,
    context: Context,
    tally: Option<Arc<Tally>>,
}

impl Belonging {
    /// Returns those of the caller.
    pub fn here() -> Self {
        Self {
            span: Span::current(),
            context: Context::current(),
            tally: CURRENT.try_with(Arc::clone).ok(),
        }
    }

    /// Runs `work`, on whatever thread, as a part of them.
    pub fn scope<T>(self, work: impl FnOnce() -> T) -> T {
        let _attached = self.context.attach();
        self.span.in_scope(|| match self.tally {
            Some(tally) => CURRENT.sync_scope(tally, work),
            None => work(),
        })
    }
}

/// Runs `work`, which blocks, on a thread for that, as a part of the caller's request and span.
pub fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let here = Belonging::here();
    tokio::task::spawn_blocking(move || here.scope(work))
}

/// As [`spawn_blocking`], but on the caller's thread, whose other tasks go on elsewhere meanwhile.
///
/// To another thread and back takes 50 to 100 µs on a machine that was idle. Whatever else the
/// caller's own task has begun stands still meanwhile, so what is to be done beside it comes first.
///
/// # Errors
///
/// As the task's of [`spawn_blocking`], where the runtime has no other thread that could go on. Where
/// it has, a panic of `work` is the caller's.
pub async fn blocking_here<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => Ok(tokio::task::block_in_place(work)),
        _ => spawn_blocking(work).await,
    }
}
