//! What caches count.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};

use crate::{
    faults::Faults,
    observed::{
        Outcome, Watch,
        catalogue::{
            CACHE_DOUBLE_LOADS, CACHE_ENTRIES, CACHE_EVICTION_CAUSE, CACHE_EVICTIONS,
            CACHE_LOAD_DURATION, CACHE_LOADS_ACTIVE, CACHE_LOOKUPS, CACHE_NAME, CACHE_OUTCOME,
            CACHE_WAIT_DURATION, CACHE_WEIGHT,
        },
        counters::Counters,
    },
};

/// Causes of an eviction, in the order of their counters in [`CacheStats::evictions`].
const CAUSES: [&str; 4] = ["expired", "explicit", "replaced", "size"];

/// What one cache counted.
#[derive(Debug)]
pub(in crate::observed) struct CacheStats {
    pub(in crate::observed) name: &'static str,
    pub(in crate::observed) lookups: Counters<{ Outcome::ALL.len() }>,
    pub(in crate::observed) evictions: Counters<{ CAUSES.len() }>,
    pub(in crate::observed) double_loads: Counters<1>,
    weight: AtomicI64,
}

impl CacheStats {
    /// An entry came that weighs so many bytes.
    pub(in crate::observed) fn gained(&self, bytes: u64) {
        self.weight.fetch_add(bytes.cast_signed(), Relaxed);
    }

    /// An entry left that weighed so many bytes.
    pub(in crate::observed) fn lost(&self, bytes: u64) {
        self.weight.fetch_sub(bytes.cast_signed(), Relaxed);
    }

    /// Returns the bytes of all entries; of one that leaves at once the loss may come first.
    fn weight(&self) -> u64 {
        self.weight.load(Relaxed).max(0).cast_unsigned()
    }

    pub(in crate::observed) fn evicted(&self, cause: moka::notification::RemovalCause) {
        use moka::notification::RemovalCause::{Expired, Explicit, Replaced, Size};
        self.evictions.add(match cause {
            Expired => 0,
            Explicit => 1,
            Replaced => 2,
            Size => 3,
        });
    }

    fn counts(&self) -> CacheCounts {
        let lookups = |outcome: Outcome| self.lookups.sum(outcome as usize);
        CacheCounts {
            name: self.name,
            hits: lookups(Outcome::Hit),
            misses: lookups(Outcome::Miss),
            coalesced: lookups(Outcome::Coalesced),
            errors: lookups(Outcome::Error),
            abandoned: lookups(Outcome::Abandoned),
            double_loads: self.double_loads.sum(0),
        }
    }
}

/// What one cache counted since the start of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CacheCounts {
    /// The cache's name.
    pub name: &'static str,
    /// Lookups whose value was present.
    pub hits: u64,
    /// Lookups that loaded the value.
    pub misses: u64,
    /// Lookups that waited for another caller's load.
    pub coalesced: u64,
    /// Lookups whose load, own or shared, failed.
    pub errors: u64,
    /// Lookups whose caller went away before the value came.
    pub abandoned: u64,
    /// Loads that began while another load of the same key ran: always a bug.
    pub double_loads: u64,
}

/// A cache as the exporter reads it.
struct ReadableCache {
    stats: Arc<CacheStats>,
    entries: Box<dyn Fn() -> u64 + Send + Sync>,
}

type Registry = Arc<Mutex<Vec<ReadableCache>>>;

/// The instruments of all caches.
#[derive(Clone)]
pub struct CacheMetrics {
    caches: Registry,
    pub(in crate::observed) load_seconds: Histogram<f64>,
    pub(in crate::observed) wait_seconds: Histogram<f64>,
    pub(in crate::observed) loads_active: UpDownCounter<i64>,
    pub(in crate::observed) faults: Faults,
    pub(in crate::observed) watch: Watch,
}

impl CacheMetrics {
    /// Registers the instruments with `meter`. Call it once for each meter provider.
    pub fn new(meter: &Meter) -> Self {
        let caches = Registry::default();
        observe(meter, &caches);
        Self {
            caches,
            load_seconds: CACHE_LOAD_DURATION.recorded(meter),
            wait_seconds: CACHE_WAIT_DURATION.recorded(meter),
            loads_active: CACHE_LOADS_ACTIVE.balanced(meter),
            faults: Faults::default(),
            watch: Watch::default(),
        }
    }

    /// Lets `watch` see the loads of the caches that are made from now on.
    pub fn with_watch(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// Has the caches that are made from now on go wrong on purpose.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Returns what each cache counted so far, in the order in which they were made.
    pub fn counts(&self) -> Vec<CacheCounts> {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.iter().map(|cache| cache.stats.counts()).collect()
    }

    pub(in crate::observed) fn register(
        &self,
        name: &'static str,
        entries: impl Fn() -> u64 + Send + Sync + 'static,
        stats: &Arc<CacheStats>,
    ) {
        debug_assert_eq!(stats.name, name);
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.push(ReadableCache {
            stats: Arc::clone(stats),
            entries: Box::new(entries),
        });
    }

    pub(in crate::observed) fn stats(name: &'static str) -> Arc<CacheStats> {
        Arc::new(CacheStats {
            name,
            lookups: Counters::new(),
            evictions: Counters::new(),
            double_loads: Counters::new(),
            weight: AtomicI64::new(0),
        })
    }
}

impl std::fmt::Debug for CacheMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheMetrics").finish_non_exhaustive()
    }
}

/// Has the exporter read the caches' own counters. The callbacks live as long as the provider.
fn observe(meter: &Meter, caches: &Registry) {
    let each = |caches: &Registry, read: &mut dyn FnMut(&ReadableCache)| {
        let caches = caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.iter().for_each(read);
    };

    let registry = Arc::clone(caches);
    CACHE_LOOKUPS.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |cache| {
            for outcome in Outcome::ALL {
                let lookups = cache.stats.lookups.sum(outcome as usize);
                let outcome = CACHE_OUTCOME.is(outcome.as_str());
                observe(lookups, &[CACHE_NAME.is(cache.stats.name), outcome]);
            }
        });
    });
    let registry = Arc::clone(caches);
    CACHE_DOUBLE_LOADS.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |cache| {
            let loads = cache.stats.double_loads.sum(0);
            observe(loads, &[CACHE_NAME.is(cache.stats.name)]);
        });
    });
    let registry = Arc::clone(caches);
    CACHE_EVICTIONS.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |cache| {
            for (index, cause) in CAUSES.into_iter().enumerate() {
                let entries = cache.stats.evictions.sum(index);
                let cause = CACHE_EVICTION_CAUSE.is(cause);
                observe(entries, &[CACHE_NAME.is(cache.stats.name), cause]);
            }
        });
    });
    let registry = Arc::clone(caches);
    CACHE_ENTRIES.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |cache| {
            observe((cache.entries)(), &[CACHE_NAME.is(cache.stats.name)]);
        });
    });
    let registry = Arc::clone(caches);
    CACHE_WEIGHT.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |cache| {
            observe(cache.stats.weight(), &[CACHE_NAME.is(cache.stats.name)]);
        });
    });
}
