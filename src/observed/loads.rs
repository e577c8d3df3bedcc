//! The loads that run now: measures that there is one for each key, and tells waiters whose.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _},
};
use tracing::warn;

use super::{
    Rare, Watch,
    metrics::CacheStats,
    watch::{Holding, Kind, Watched, key_hash},
};

/// The loads of one cache that run now, by key. Touched by loads and those who wait for them,
/// never by hits.
#[derive(Clone)]
pub(super) struct Loads<K> {
    stats: Arc<CacheStats>,
    running: Arc<Running<K>>,
}

struct Running<K> {
    name: &'static str,
    by_key: Mutex<ByKey<K>>,
    double_loads: Rare,
}

struct ByKey<K> {
    loads: HashMap<K, Load>,
    /// Loads so far.
    begun: u64,
}

struct Load {
    /// More than one is a double load.
    count: usize,
    /// Callers that wait, those whose own load it is among them.
    waiters: usize,
    /// The span of the load that began last.
    span: SpanContext,
    /// Another number for each load.
    serial: u64,
}

impl<K: Clone + Eq + Hash + Send + 'static> Loads<K> {
    pub(super) fn new(name: &'static str, stats: Arc<CacheStats>, watch: &Watch) -> Self {
        let running = Arc::new(Running {
            name,
            by_key: Mutex::new(ByKey {
                loads: HashMap::new(),
                begun: 0,
            }),
            double_loads: Rare::default(),
        });
        watch.add(&running);
        Self { stats, running }
    }
}

impl<K: Clone + Eq + Hash> Loads<K> {
    /// Notes that a load of `key` runs until the guard is dropped.
    pub(super) fn enter(&self, key: K, span: SpanContext) -> Entered<K> {
        let count = {
            let running = &mut *self.running.lock();
            let load = running.loads.entry(key.clone()).or_insert(Load::NONE);
            running.begun += 1;
            load.serial = running.begun;
            load.count += 1;
            load.span = span;
            load.count
        };
        if count > 1 {
            self.stats.double_loads.add(0);
            if let Some(suppressed) = self.running.double_loads.occurs() {
                warn!(
                    name: "lockstep.cache.double_load",
                    { cache.name = self.running.name, loads = count, suppressed },
                    "race detected: double load"
                );
            }
        }
        Entered {
            loads: self.clone(),
            key,
        }
    }

    /// Notes that a caller waits for the load of `key`, until the guard is dropped.
    pub(super) fn join(&self, key: K) -> Joined<K> {
        let mut running = self.running.lock();
        let load = running.loads.entry(key.clone()).or_insert(Load::NONE);
        load.waiters += 1;
        drop(running);
        Joined {
            loads: self.clone(),
            key,
        }
    }

    fn leave(&self, key: &K, change: impl FnOnce(&mut Load)) {
        let loads = &mut self.running.lock().loads;
        if let Some(load) = loads.get_mut(key) {
            change(load);
            if load.count + load.waiters == 0 {
                loads.remove(key);
            }
        }
    }
}

impl<K> Running<K> {
    fn lock(&self) -> MutexGuard<'_, ByKey<K>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Send> Watched for Running<K> {
    fn holdings(&self, each: &mut dyn FnMut(Holding)) {
        let running = self.lock();
        let loads = running.loads.iter().filter(|(_, load)| load.count > 0);
        for (key, load) in loads {
            each(Holding {
                kind: Kind::Load,
                name: self.name,
                key_hash: Some(key_hash(key)),
                holder: load.span.clone(),
                waiters: load.waiters.saturating_sub(load.count),
                serial: load.serial,
            });
        }
    }
}

/// A load that runs.
pub(super) struct Entered<K: Clone + Eq + Hash> {
    loads: Loads<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Drop for Entered<K> {
    fn drop(&mut self) {
        self.loads.leave(&self.key, |load| load.count -= 1);
    }
}

/// A caller that waits for a load.
pub(super) struct Joined<K: Clone + Eq + Hash> {
    loads: Loads<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Joined<K> {
    /// Returns the span of the load that ran last, which need not run any more: who made me wait.
    pub(super) fn load(&self) -> SpanContext {
        let running = self.loads.running.lock();
        let load = running.loads.get(&self.key);
        load.map_or(SpanContext::NONE, |load| load.span.clone())
    }
}

impl<K: Clone + Eq + Hash> Drop for Joined<K> {
    fn drop(&mut self) {
        self.loads.leave(&self.key, |load| load.waiters -= 1);
    }
}

impl Load {
    const NONE: Self = Self {
        count: 0,
        waiters: 0,
        span: SpanContext::NONE,
        serial: 0,
    };
}

/// Returns where the caller is in its trace; invalid if that is not recorded.
pub(super) fn here() -> SpanContext {
    Context::map_current(|context| {
        let span = context.span();
        match span.is_recording() {
            true => span.span_context().clone(),
            false => SpanContext::NONE,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::CacheMetrics;

    #[test]
    fn two_loads_of_one_key_at_once_are_counted_and_two_in_a_row_are_not() {
        let stats = CacheMetrics::stats("test");
        let loads = Loads::new("test", Arc::clone(&stats), &Watch::default());

        drop(loads.enter(1, SpanContext::NONE));
        let first = loads.enter(1, SpanContext::NONE);
        let other_key = loads.enter(2, SpanContext::NONE);
        assert_eq!(stats.double_loads.sum(0), 0);
        let second = loads.enter(1, SpanContext::NONE);
        assert_eq!(stats.double_loads.sum(0), 1);

        drop((first, other_key, second));
        assert!(loads.running.lock().loads.is_empty());
    }
}
