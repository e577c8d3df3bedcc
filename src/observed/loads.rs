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

use super::metrics::CacheStats;

/// The loads of one cache that run now, by key. Touched by loads and those who wait for them,
/// never by hits.
#[derive(Clone)]
pub(super) struct Loads<K> {
    name: &'static str,
    stats: Arc<CacheStats>,
    running: Arc<Mutex<HashMap<K, Load>>>,
}

struct Load {
    /// More than one is a double load.
    count: usize,
    /// Callers that wait, those whose own load it is among them.
    waiters: usize,
    /// The span of the load that began last.
    span: SpanContext,
}

impl<K: Clone + Eq + Hash> Loads<K> {
    pub(super) fn new(name: &'static str, stats: Arc<CacheStats>) -> Self {
        Self {
            name,
            stats,
            running: Arc::default(),
        }
    }

    /// Notes that a load of `key` runs until the guard is dropped.
    pub(super) fn enter(&self, key: K, span: SpanContext) -> Running<K> {
        let count = {
            let mut running = self.lock();
            let load = running.entry(key.clone()).or_insert(Load::NONE);
            load.count += 1;
            load.span = span;
            load.count
        };
        if count > 1 {
            self.stats.double_loads.add(0);
            warn!(
                cache.name = self.name,
                loads = count,
                "race detected: double load"
            );
        }
        Running {
            loads: self.clone(),
            key,
        }
    }

    /// Notes that a caller waits for the load of `key`, until the guard is dropped.
    pub(super) fn join(&self, key: K) -> Joined<K> {
        let mut running = self.lock();
        running.entry(key.clone()).or_insert(Load::NONE).waiters += 1;
        Joined {
            loads: self.clone(),
            key,
        }
    }

    fn leave(&self, key: &K, change: impl FnOnce(&mut Load)) {
        let mut running = self.lock();
        if let Some(load) = running.get_mut(key) {
            change(load);
            if load.count + load.waiters == 0 {
                running.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Load>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load that runs.
pub(super) struct Running<K: Clone + Eq + Hash> {
    loads: Loads<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Drop for Running<K> {
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
        let running = self.loads.lock();
        let load = running.get(&self.key);
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
        let loads = Loads::new("test", Arc::clone(&stats));

        drop(loads.enter(1, SpanContext::NONE));
        let first = loads.enter(1, SpanContext::NONE);
        let other_key = loads.enter(2, SpanContext::NONE);
        assert_eq!(stats.double_loads.sum(0), 0);
        let second = loads.enter(1, SpanContext::NONE);
        assert_eq!(stats.double_loads.sum(0), 1);

        drop((first, other_key, second));
        assert!(loads.lock().is_empty());
    }
}
