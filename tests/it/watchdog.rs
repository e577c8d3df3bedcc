//! What is held for too long is reported, once, with whoever holds it.

use std::{sync::Arc, time::Duration};

use lockstep::observed::{
    CacheMetrics, Held, Limits, LoadPanicked, LockMetrics, ObservedCache, ObservedLocks,
    ObservedMutex, ObservedSemaphore, Watch, Watchdog,
};
use opentelemetry::trace::SpanContext;
use serde_json::Value;
use tokio::time::sleep;

use crate::harness::{Root, TestMetrics, TestServer};

const LIMIT: Duration = Duration::from_secs(10);

struct Kennel {
    metrics: TestMetrics,
    watchdog: Arc<Watchdog>,
    caches: CacheMetrics,
    locks: LockMetrics,
}

impl Kennel {
    fn new() -> Self {
        let (metrics, watch) = (TestMetrics::new(), Watch::default());
        let meter = metrics.meter();
        Self {
            watchdog: Watchdog::start(watch.clone(), Some(LIMIT), &meter),
            caches: CacheMetrics::new(&meter).with_watch(watch.clone()),
            locks: LockMetrics::new(&meter).with_watch(watch),
            metrics,
        }
    }

    fn reports(&self, name: &str) -> u64 {
        let labels = [("watchdog.name", name)];
        self.metrics.counter("lockstep.watchdog.reports", &labels)
    }

    fn stuck(&self) -> Vec<(&'static str, usize, SpanContext)> {
        let stuck = self.watchdog.look().into_iter().filter(|held| held.stuck);
        let told = |Held { holding, .. }| (holding.name, holding.waiters, holding.holder);
        stuck.map(told).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadlock_is_reported_once_with_holders_and_waiters() {
    let kennel = Kennel::new();
    let turns = Arc::new(ObservedLocks::new("turns", &kennel.locks));
    let roots = [Root::new(), Root::new()];

    for (root, (first, second)) in roots.iter().zip([(1, 2), (2, 1)]) {
        let turns = Arc::clone(&turns);
        tokio::spawn(root.run(async move {
            let _held = turns.turn(first).await;
            tokio::task::yield_now().await;
            let _never = turns.turn(second).await;
        }));
    }
    sleep(LIMIT - Duration::from_secs(2)).await; // The clock is paused: this takes no time.
    assert_eq!((kennel.reports("turns"), kennel.stuck().len()), (0, 0));
    sleep(Duration::from_secs(4)).await;
    assert_eq!(kennel.reports("turns"), 2);
    sleep(Duration::from_secs(100)).await;

    assert_eq!(kennel.reports("turns"), 2, "once each");
    let mut holders: Vec<_> = kennel.stuck();
    holders.sort_by_key(|(.., span)| span.span_id().to_bytes());
    let mut expected: Vec<_> = roots.iter().map(|root| ("turns", 1, root.span())).collect();
    expected.sort_by_key(|(.., span)| span.span_id().to_bytes());
    assert_eq!(holders, expected);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_load_and_taken_permits_are_seen_and_those_who_take_turns_are_not() {
    let kennel = Kennel::new();
    let limits = Limits {
        max_entries: 10,
        time_to_live: None,
    };
    let cache: Arc<ObservedCache<u32, u32, LoadPanicked>> =
        Arc::new(ObservedCache::new("cache", limits, &kennel.caches));
    let permits = ObservedSemaphore::new("permits", 1, &kennel.locks);
    let busy = Arc::new(ObservedMutex::new("busy", (), &kennel.locks));
    let forever = || async { std::future::pending().await };

    let (held, calls) = (permits.acquire().await, [Arc::clone(&cache), cache]);
    for cache in calls {
        tokio::spawn(async move { cache.get_or_load(&1, forever).await });
    }
    tokio::spawn(async move { permits.acquire().await });
    for _ in 0..20 {
        let turn = busy.lock().await;
        sleep(Duration::from_secs(1)).await;
        drop(turn);
    }

    let stuck = kennel.stuck().into_iter();
    let mut stuck: Vec<_> = stuck.map(|(name, waiters, _)| (name, waiters)).collect();
    stuck.sort_unstable();
    assert_eq!(stuck, [("cache", 1), ("permits", 1)]);
    assert_eq!(
        (
            kennel.reports("cache"),
            kennel.reports("permits"),
            kennel.reports("busy")
        ),
        (1, 1, 0)
    );
    drop(held);
}

#[tokio::test]
async fn operators_see_who_holds_what() {
    let server = TestServer::spawn().await;

    let locks: Value = server.ask("/debug/locks").await.json().await.unwrap();

    assert_eq!(locks, serde_json::json!({ "limit_secs": 10, "held": [] }));
}
