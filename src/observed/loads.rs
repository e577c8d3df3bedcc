//! The loads that run now: measures that there is one for each key, and tells waiters whose.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use tracing::{Span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::metrics::CacheStats;

/// The loads of one cache that run now, by key. Touched by loads and waiters, never by hits.
#[derive(Clone)]
pub(super) struct Loads<K> {
    name: &'static str,
    stats: Arc<CacheStats>,
    running: Arc<Mutex<HashMap<K, Load>>>,
}

struct Load {
    /// More than one is a double load.
    count: usize,
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
    pub(super) fn enter(&self, key: K, span: &Span) -> Running<K> {
        let span = span_context(span);
        let count = {
            let mut running = self.lock();
            let load = running.entry(key.clone()).or_insert(Load {
                count: 0,
                span: SpanContext::NONE,
            });
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
            key: Some(key),
        }
    }

    /// Links the span of a waiter to the load that it is about to wait for: who made me wait.
    pub(super) fn link_to_running(&self, key: &K, waiter: &Span) {
        let load = self.lock().get(key).map(|load| load.span.clone());
        if let Some(load) = load.filter(SpanContext::is_valid) {
            waiter.add_link(load);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Load>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load that runs.
pub(super) struct Running<K: Clone + Eq + Hash> {
    loads: Loads<K>,
    key: Option<K>,
}

impl<K: Clone + Eq + Hash> Drop for Running<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut running = self.loads.lock();
        if let Some(load) = running.get_mut(&key) {
            load.count -= 1;
            if load.count == 0 {
                running.remove(&key);
            }
        }
    }
}

/// Returns where `span` is in its trace; invalid if it is not recorded.
pub(super) fn span_context(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::CacheMetrics;

    #[test]
    fn two_loads_of_one_key_at_once_are_counted_and_two_in_a_row_are_not() {
        let stats = CacheMetrics::stats("test");
        let loads = Loads::new("test", Arc::clone(&stats));

        drop(loads.enter(1, &Span::none()));
        let first = loads.enter(1, &Span::none());
        let other_key = loads.enter(2, &Span::none());
        assert_eq!(stats.double_loads.sum(0), 0);
        let second = loads.enter(1, &Span::none());
        assert_eq!(stats.double_loads.sum(0), 1);

        drop((first, other_key, second));
        assert!(loads.lock().is_empty());
    }
}
