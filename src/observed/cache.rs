//! A cache that loads each missing key once and reports every lookup.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    fmt,
    hash::Hash,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::FutureExt as _;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    catalogue::{CACHE_LOAD_RESULT, CACHE_NAME},
    loads::{Loads, here},
    metrics::{CacheMetrics, CacheStats},
    tally,
};
use crate::faults::Fault;

/// How a lookup was answered; exported as the `cache.outcome` attribute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The value was present.
    Hit,
    /// The value was absent and this caller's load brought it.
    Miss,
    /// The value was absent and another caller's load brought it.
    Coalesced,
    /// The load, own or shared, failed.
    Error,
    /// The caller went away before the value came. The load went on.
    Abandoned,
}

impl Outcome {
    /// Every outcome, in the order of its counter.
    pub const ALL: [Self; 5] = [
        Self::Hit,
        Self::Miss,
        Self::Coalesced,
        Self::Error,
        Self::Abandoned,
    ];

    /// Returns the attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Coalesced => "coalesced",
            Self::Error => "error",
            Self::Abandoned => "abandoned",
        }
    }
}

/// How much a cache keeps, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries kept; the least used leave first.
    pub max_entries: u64,
    /// Age at which an entry leaves; none means that only size and removal end it.
    pub time_to_live: Option<Duration>,
}

/// The task that loaded a value panicked.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the task that loaded the value panicked")]
pub struct LoadPanicked;

/// What [`ObservedCache`] wraps.
pub type Entries<K, V> = moka::future::Cache<K, V, foldhash::quality::RandomState>;

/// Says how many bytes of memory an entry takes, about.
pub type Weigh<K, V> = fn(&K, &V) -> u64;

/// A bounded read-through cache that reports every lookup.
///
/// Invariant: at any time at most one load of a key runs ([`Self::get_or_load`]); the cache
/// measures it itself and counts a breach as a double load.
///
/// `E` is part of the type because moka shares a load only among callers whose loads fail with
/// one and the same error type.
///
/// The order of the fields is part of a hit's cost: if `entries` lay at the start, its address
/// would be this cache's own, and the compiler would copy that and the key's in one load of 16
/// bytes just after storing them as two of 8, which the processor cannot forward: 9 to 16 ns
/// (`benches/cache_hit`).
#[repr(C)]
pub struct ObservedCache<K, V, E> {
    name: &'static str,
    entries: Entries<K, V>,
    stats: Arc<CacheStats>,
    loads: Loads<K>,
    metrics: CacheMetrics,
    weigh: Weigh<K, V>,
    error: std::marker::PhantomData<fn() -> E>,
}

impl<K, V, E> ObservedCache<K, V, E>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: From<LoadPanicked> + Send + Sync + 'static,
{
    /// Creates an empty cache that reports under `name`.
    pub fn new(name: &'static str, limits: Limits, metrics: &CacheMetrics) -> Self {
        Self::weighed(name, limits, metrics, |_, _| 0)
    }

    /// As [`Self::new`], and reports what its entries weigh: for people to see, not as a limit.
    pub fn weighed(
        name: &'static str,
        limits: Limits,
        metrics: &CacheMetrics,
        weigh: Weigh<K, V>,
    ) -> Self {
        let stats = CacheMetrics::stats(name);
        let listener = Arc::clone(&stats);
        let mut entries = moka::future::Cache::builder()
            .name(name)
            .max_capacity(limits.max_entries)
            .eviction_listener(move |key, value, cause| {
                listener.evicted(cause);
                listener.lost(weigh(&key, &value));
            });
        if let Some(age) = limits.time_to_live {
            entries = entries.time_to_live(age);
        }
        let entries: Entries<K, V> = entries.build_with_hasher(Default::default());
        let counted = entries.clone();
        metrics.register(name, move || counted.entry_count(), &stats);
        Self {
            name,
            entries,
            loads: Loads::new(name, Arc::clone(&stats), &metrics.watch),
            stats,
            metrics: metrics.clone(),
            weigh,
            error: std::marker::PhantomData,
        }
    }

    /// Returns the value for `key` if it is present. An absent value is not counted: whoever
    /// wants it loaded calls [`Self::get_or_load`].
    #[inline(always)] // One call more is 4 ns.
    pub fn get(&self, key: &K) -> impl Future<Output = Option<V>> {
        Counted {
            lookup: self.entries.get(key),
            cache: self,
        }
    }

    /// Returns the value for `key`, loading it if it is absent.
    ///
    /// Of several callers that miss one key at once, one's `load` is awaited, and the others wait
    /// for its result. The load runs in a task of its own: a caller that goes away neither ends
    /// it nor has it repeated.
    ///
    /// An [`Self::insert`] during a load is overwritten by the load. Where that matters, fill and
    /// change the entry only in its key's turn.
    ///
    /// # Errors
    ///
    /// The error of the one load that ran, for every caller that waited for it; a panic in it is
    /// [`LoadPanicked`]. Errors are not kept: the next caller loads again.
    pub async fn get_or_load<F, L>(&self, key: &K, load: F) -> Result<V, Arc<E>>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<V, E>> + Send + 'static,
    {
        if let Some(value) = self.get(key).await {
            return Ok(value);
        }
        // Boxed, so that a hit does not carry the state of a load, and that is moved only once.
        let load = self.load_once(key.clone(), Box::pin(load()), Place::OwnTask);
        Box::pin(load).await
    }

    /// As [`Self::get_or_load`], but the load runs in the caller's task, which spares two changes of
    /// tasks. For a caller that runs to its end itself, as a load does: with one that goes away its
    /// load ends, and another who waits for the key loads in its turn.
    ///
    /// # Errors
    ///
    /// As those of [`Self::get_or_load`].
    pub async fn get_or_load_here<F, L>(&self, key: &K, load: F) -> Result<V, Arc<E>>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<V, E>> + Send + 'static,
    {
        if let Some(value) = self.get(key).await {
            return Ok(value);
        }
        let load = self.load_once(key.clone(), Box::pin(load()), Place::CallersTask);
        Box::pin(load).await
    }

    /// Puts `value` in the place of whatever is cached for `key`.
    pub async fn insert(&self, key: K, value: V) {
        self.stats.gained((self.weigh)(&key, &value));
        self.entries.insert(key, value).await;
    }

    /// Drops the value for `key`, if any.
    pub async fn remove(&self, key: &K) {
        self.entries.invalidate(key).await;
    }

    /// Returns the number of entries, which may lag behind by a moment.
    pub fn entry_count(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Returns the entries themselves, whose lookups are not counted, for `benches/cache_hit` to compare
    /// with: they lie in the same place of memory.
    #[doc(hidden)]
    pub fn beneath(&self) -> Entries<K, V> {
        self.entries.clone()
    }

    async fn load_once(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>> + Send + 'static,
        place: Place,
    ) -> Result<V, Arc<E>> {
        let span = info_span!(
            "cache.lookup",
            cache.name = self.name,
            cache.outcome = field::Empty
        );
        let mut lookup = SlowLookup::start(&self.stats, span.clone());
        let started = Instant::now();
        let joined = self.loads.join(key.clone());

        let flight = self.flight(key, load).instrument(span.clone());
        let flown = match place {
            Place::OwnTask => tally::spawn(flight).await,
            Place::CallersTask => Ok(flight.await),
        };
        // Only the runtime's end cancels the task, and it ends this caller too.
        let (result, led) = flown.unwrap_or_else(|_| (Err(Arc::new(E::from(LoadPanicked))), true));

        lookup.end(match (&result, led) {
            (Err(_), _) => Outcome::Error,
            (Ok(_), true) => Outcome::Miss,
            (Ok(_), false) => Outcome::Coalesced,
        });
        if led {
            tally::missed();
        } else {
            let (name, waited) = ([CACHE_NAME.is(self.name)], started.elapsed());
            self.metrics
                .wait_seconds
                .record(waited.as_secs_f64(), &name);
            tally::coalesced(waited);
            span.add_link(joined.load());
        }
        result
    }

    /// Joins the load of `key` that runs, or runs `load`, and says whether it was this one.
    fn flight(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>> + Send + 'static,
    ) -> impl Future<Output = (Result<V, Arc<E>>, bool)> + Send + 'static {
        let (entries, loads) = (self.entries.clone(), self.loads.clone());
        let alone = self.metrics.faults.has(Fault::DoubleLoad);
        let (stats, weigh) = (Arc::clone(&self.stats), self.weigh);
        let measure = Measure {
            name: self.name,
            metrics: self.metrics.clone(),
        };
        async move {
            let mut led = false; // Set only in the one future that moka polls.
            let lead = async {
                led = true;
                let span = info_span!("cache.load", cache.name = measure.name);
                let load = async {
                    let _running = loads.enter(key.clone(), here());
                    measure.load(load).await
                };
                let loaded = load.instrument(span).await;
                if let Ok(value) = &loaded {
                    stats.gained(weigh(&key, value));
                }
                loaded
            };
            if alone {
                let loaded = lead.await;
                if let Ok(value) = &loaded {
                    entries.insert(key, value.clone()).await;
                }
                return (loaded.map_err(Arc::new), true);
            }
            let entry = entries.entry(key.clone()).or_try_insert_with(lead).await;
            (entry.map(moka::Entry::into_value), led)
        }
    }
}

/// Where a load runs.
#[derive(Clone, Copy)]
enum Place {
    OwnTask,
    CallersTask,
}

pin_project! {
    /// A lookup that counts its hit. Not an `async fn`: that would be one more call and copy.
    struct Counted<'a, L, K, V, E> {
        #[pin]
        lookup: L,
        cache: &'a ObservedCache<K, V, E>,
    }
}

impl<L: Future<Output = Option<V>>, K, V, E> Future for Counted<'_, L, K, V, E> {
    type Output = Option<V>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<V>> {
        let this = self.project();
        let found = this.lookup.poll(context);
        if let Poll::Ready(Some(_)) = &found {
            this.cache.stats.lookups.add_hit(Outcome::Hit as usize);
            tally::hit(this.cache.name);
        }
        found
    }
}

/// Reports one load.
struct Measure {
    name: &'static str,
    metrics: CacheMetrics,
}

impl Measure {
    /// Awaits `load`; a panic becomes an error, so that moka hands it to all who wait instead of
    /// letting each of them try in turn.
    async fn load<V, E: From<LoadPanicked>>(
        &self,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let name = CACHE_NAME.is(self.name);
        let started = Instant::now();
        self.metrics
            .loads_active
            .add(1, std::slice::from_ref(&name));
        let loaded = AssertUnwindSafe(load).catch_unwind().await;
        self.metrics
            .loads_active
            .add(-1, std::slice::from_ref(&name));
        let result = match &loaded {
            Ok(Ok(_)) => "ok",
            Ok(Err(_)) => "error",
            Err(_) => "panic",
        };
        let labels = [name, CACHE_LOAD_RESULT.is(result)];
        let seconds = started.elapsed().as_secs_f64();
        self.metrics.load_seconds.record(seconds, &labels);
        loaded.unwrap_or_else(|_| Err(E::from(LoadPanicked)))
    }
}

/// A lookup that did not hit, counted as abandoned unless it ends.
struct SlowLookup<'a> {
    stats: &'a CacheStats,
    span: Span,
    outcome: Outcome,
}

impl<'a> SlowLookup<'a> {
    fn start(stats: &'a CacheStats, span: Span) -> Self {
        Self {
            stats,
            span,
            outcome: Outcome::Abandoned,
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for SlowLookup<'_> {
    fn drop(&mut self) {
        self.span.record("cache.outcome", self.outcome.as_str());
        self.stats.lookups.add(self.outcome as usize);
    }
}

impl<K, V, E> fmt::Debug for ObservedCache<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedCache")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
