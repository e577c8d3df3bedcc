//! Every metric name, unit, attribute and bucket of ours.
//!
//! Conventions: OpenTelemetry's (dotted names, no unit in the name, seconds). Attribute values
//! are names given in code, never keys, queries or session ids.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Histogram, Meter, UpDownCounter},
};

use super::{Outcome, Watch, counters::Counters, tally};
use crate::faults::Faults;

/// Boundaries of load times in seconds: from a file read to a slow model.
const LOAD_SECONDS: [f64; 17] = [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0, 10.0,
];
/// Boundaries of waits in seconds: from a hand-over between two tasks to a stuck holder.
const WAIT_SECONDS: [f64; 15] = [
    1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0,
];

/// Causes of an eviction, in the order of their counters in [`CacheStats::evictions`].
const CAUSES: [&str; 4] = ["expired", "explicit", "replaced", "size"];

/// A count that its owner keeps.
#[derive(Debug)]
pub struct Count {
    name: &'static str,
    description: &'static str,
    unit: &'static str,
}

/// Sessions that sweeps removed.
pub const SWEPT: Count = Count {
    name: "lockstep.sessions.swept",
    description: "Sessions removed because they were older than their retention.",
    unit: "{session}",
};

/// Has the exporter read a count that only grows.
pub fn export_count(meter: &Meter, count: &Count, read: impl Fn() -> u64 + Send + Sync + 'static) {
    meter
        .u64_observable_counter(count.name)
        .with_description(count.description)
        .with_unit(count.unit)
        .with_callback(move |observer| observer.observe(read(), &[]))
        .build();
}

/// What one cache counted.
#[derive(Debug)]
pub(super) struct CacheStats {
    pub(super) name: &'static str,
    pub(super) lookups: Counters<{ Outcome::ALL.len() }>,
    pub(super) evictions: Counters<{ CAUSES.len() }>,
    pub(super) double_loads: Counters<1>,
}

impl CacheStats {
    pub(super) fn evicted(&self, cause: moka::notification::RemovalCause) {
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

type Registry<T> = Arc<Mutex<Vec<T>>>;

/// The instruments of all caches.
///
/// # Observability
///
/// `lockstep.cache.lookups` by `cache.name` and `cache.outcome`, `.load.duration` by
/// `cache.load.result`, `.wait.duration` of coalesced callers, `.loads.active`, `.double_loads`,
/// `.evictions` by `cache.eviction.cause`, `.entries`.
#[derive(Clone)]
pub struct CacheMetrics {
    caches: Registry<ReadableCache>,
    pub(super) load_seconds: Histogram<f64>,
    pub(super) wait_seconds: Histogram<f64>,
    pub(super) loads_active: UpDownCounter<i64>,
    pub(super) faults: Faults,
    pub(super) watch: Watch,
}

impl CacheMetrics {
    /// Registers the instruments with `meter`. Call it once for each meter provider.
    pub fn new(meter: &Meter) -> Self {
        let caches: Registry<ReadableCache> = Arc::default();
        observe_caches(meter, &caches);
        let seconds = |name, description, boundaries: &[f64]| {
            meter
                .f64_histogram(name)
                .with_description(description)
                .with_unit("s")
                .with_boundaries(boundaries.to_vec())
                .build()
        };
        Self {
            caches,
            load_seconds: seconds(
                "lockstep.cache.load.duration",
                "Duration of loads of absent values.",
                &LOAD_SECONDS,
            ),
            wait_seconds: seconds(
                "lockstep.cache.wait.duration",
                "Time that callers waited for another caller's load.",
                &LOAD_SECONDS,
            ),
            loads_active: meter
                .i64_up_down_counter("lockstep.cache.loads.active")
                .with_description("Loads that run now.")
                .with_unit("{load}")
                .build(),
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

    pub(super) fn register(
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

    pub(super) fn stats(name: &'static str) -> Arc<CacheStats> {
        Arc::new(CacheStats {
            name,
            lookups: Counters::new(),
            evictions: Counters::new(),
            double_loads: Counters::new(),
        })
    }
}

impl std::fmt::Debug for CacheMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheMetrics").finish_non_exhaustive()
    }
}

/// Has the exporter read the caches' own counters. The callbacks live as long as the provider.
fn observe_caches(meter: &Meter, caches: &Registry<ReadableCache>) {
    let read = |caches: &Registry<ReadableCache>, each: &mut dyn FnMut(&ReadableCache)| {
        let caches = caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.iter().for_each(each);
    };
    let name = |cache: &ReadableCache| KeyValue::new("cache.name", cache.stats.name);

    let registry = Arc::clone(caches);
    meter
        .u64_observable_counter("lockstep.cache.lookups")
        .with_description("Lookups by outcome.")
        .with_unit("{lookup}")
        .with_callback(move |observer| {
            read(&registry, &mut |cache| {
                for outcome in Outcome::ALL {
                    let labels = [
                        name(cache),
                        KeyValue::new("cache.outcome", outcome.as_str()),
                    ];
                    observer.observe(cache.stats.lookups.sum(outcome as usize), &labels);
                }
            });
        })
        .build();
    let registry = Arc::clone(caches);
    meter
        .u64_observable_counter("lockstep.cache.double_loads")
        .with_description("Loads that began while another load of the same key ran. Must be 0.")
        .with_unit("{load}")
        .with_callback(move |observer| {
            read(&registry, &mut |cache| {
                observer.observe(cache.stats.double_loads.sum(0), &[name(cache)]);
            });
        })
        .build();
    let registry = Arc::clone(caches);
    meter
        .u64_observable_counter("lockstep.cache.evictions")
        .with_description("Entries that left the cache, by cause.")
        .with_unit("{entry}")
        .with_callback(move |observer| {
            read(&registry, &mut |cache| {
                for (index, cause) in CAUSES.into_iter().enumerate() {
                    let labels = [name(cache), KeyValue::new("cache.eviction.cause", cause)];
                    observer.observe(cache.stats.evictions.sum(index), &labels);
                }
            });
        })
        .build();
    let registry = Arc::clone(caches);
    meter
        .u64_observable_gauge("lockstep.cache.entries")
        .with_description("Entries in the cache; may lag behind by a moment.")
        .with_unit("{entry}")
        .with_callback(move |observer| {
            read(&registry, &mut |cache| {
                observer.observe((cache.entries)(), &[name(cache)]);
            });
        })
        .build();
}

/// How an acquisition went, in the order of the counters in [`LockStats::acquisitions`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Acquired {
    Free,
    AfterWait,
    Abandoned,
}

/// What one lock, or one family of locks by key, counted.
#[derive(Debug)]
pub(super) struct LockStats {
    name: &'static str,
    acquisitions: Counters<3>,
    waiters: AtomicI64,
}

impl LockStats {
    fn counts(&self) -> LockCounts {
        let acquisitions = |how: Acquired| self.acquisitions.sum(how as usize);
        LockCounts {
            name: self.name,
            free: acquisitions(Acquired::Free),
            waits: acquisitions(Acquired::AfterWait),
            abandoned: acquisitions(Acquired::Abandoned),
        }
    }
}

/// What one lock counted since the start of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LockCounts {
    /// The lock's name.
    pub name: &'static str,
    /// Acquisitions that did not have to wait.
    pub free: u64,
    /// Acquisitions after a wait.
    pub waits: u64,
    /// Waits that ended because the caller went away.
    pub abandoned: u64,
}

/// The instruments of all locks and semaphores.
///
/// # Observability
///
/// `lockstep.lock.acquisitions` by `lock.name` and `lock.contended`, `.wait.duration` of those
/// that waited, `.waiters` now, `.abandoned` waits.
#[derive(Clone, Debug)]
pub struct LockMetrics {
    locks: Registry<Arc<LockStats>>,
    wait_seconds: Histogram<f64>,
    faults: Faults,
    watch: Watch,
}

impl LockMetrics {
    /// Registers the instruments with `meter`. Call it once for each meter provider.
    pub fn new(meter: &Meter) -> Self {
        let locks: Registry<Arc<LockStats>> = Arc::default();
        observe_locks(meter, &locks);
        Self {
            locks,
            wait_seconds: meter
                .f64_histogram("lockstep.lock.wait.duration")
                .with_description("Time that callers waited for a lock that was taken.")
                .with_unit("s")
                .with_boundaries(WAIT_SECONDS.to_vec())
                .build(),
            faults: Faults::default(),
            watch: Watch::default(),
        }
    }

    /// Lets `watch` see the holders of the locks that are made from now on.
    pub fn with_watch(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Has the locks that are made from now on go wrong on purpose, and what they guard.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Returns what goes wrong on purpose.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Returns what each lock counted so far, in the order in which they were made.
    pub fn counts(&self) -> Vec<LockCounts> {
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.iter().map(|lock| lock.counts()).collect()
    }

    pub(super) fn lock(&self, name: &'static str) -> LockRecorder {
        let stats = Arc::new(LockStats {
            name,
            acquisitions: Counters::new(),
            waiters: AtomicI64::new(0),
        });
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.push(Arc::clone(&stats));
        LockRecorder {
            stats,
            wait_seconds: self.wait_seconds.clone(),
        }
    }
}

fn observe_locks(meter: &Meter, locks: &Registry<Arc<LockStats>>) {
    let read = |locks: &Registry<Arc<LockStats>>, each: &mut dyn FnMut(&LockStats, KeyValue)| {
        let locks = locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks
            .iter()
            .for_each(|lock| each(lock, KeyValue::new("lock.name", lock.name)));
    };

    let registry = Arc::clone(locks);
    meter
        .u64_observable_counter("lockstep.lock.acquisitions")
        .with_description("Acquisitions, by whether the caller had to wait.")
        .with_unit("{acquisition}")
        .with_callback(move |observer| {
            read(&registry, &mut |lock, name| {
                for (acquired, contended) in [(Acquired::Free, false), (Acquired::AfterWait, true)]
                {
                    let labels = [name.clone(), KeyValue::new("lock.contended", contended)];
                    observer.observe(lock.acquisitions.sum(acquired as usize), &labels);
                }
            });
        })
        .build();
    let registry = Arc::clone(locks);
    meter
        .u64_observable_counter("lockstep.lock.abandoned")
        .with_description("Waits that ended because the caller went away.")
        .with_unit("{wait}")
        .with_callback(move |observer| {
            read(&registry, &mut |lock, name| {
                observer.observe(lock.acquisitions.sum(Acquired::Abandoned as usize), &[name]);
            });
        })
        .build();
    let registry = Arc::clone(locks);
    meter
        .i64_observable_gauge("lockstep.lock.waiters")
        .with_description("Callers that wait now.")
        .with_unit("{caller}")
        .with_callback(move |observer| {
            read(&registry, &mut |lock, name| {
                observer.observe(lock.waiters.load(Relaxed), &[name]);
            });
        })
        .build();
}

/// Counts the acquisitions of one lock.
#[derive(Clone, Debug)]
pub(super) struct LockRecorder {
    stats: Arc<LockStats>,
    wait_seconds: Histogram<f64>,
}

impl LockRecorder {
    pub(super) fn name(&self) -> &'static str {
        self.stats.name
    }

    pub(super) fn acquired(&self, how: Acquired) {
        self.stats.acquisitions.add(how as usize);
    }

    /// Returns the callers that wait now.
    pub(super) fn waiters(&self) -> usize {
        usize::try_from(self.stats.waiters.load(Relaxed)).unwrap_or(0)
    }

    /// Returns the acquisitions so far.
    pub(super) fn acquisitions(&self) -> u64 {
        let counts = self.stats.counts();
        counts.free + counts.waits
    }

    pub(super) fn waiting(&self, change: i64) {
        self.stats.waiters.fetch_add(change, Relaxed);
    }

    pub(super) fn waited(&self, waited: Duration) {
        let labels = [KeyValue::new("lock.name", self.stats.name)];
        self.wait_seconds.record(waited.as_secs_f64(), &labels);
        tally::waited(waited);
    }
}
