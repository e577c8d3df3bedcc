//! Each fault on purpose does what it says, and the server's own measurements show it.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use lockstep::{
    faults::{Fault, Faults},
    observed::{CacheMetrics, Limits, LoadPanicked, LockMetrics, ObservedCache, ObservedLocks},
};
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{TestMetrics, TestServer, tool_call};

#[tokio::test]
async fn without_single_flight_each_caller_loads_and_the_double_loads_are_counted() {
    let metrics = TestMetrics::new();
    let caches = CacheMetrics::new(&metrics.meter()).with_faults(Faults::new(&[Fault::DoubleLoad]));
    let limits = Limits {
        max_entries: 10,
        time_to_live: None,
    };
    let cache: ObservedCache<u32, u32, LoadPanicked> = ObservedCache::new("test", limits, &caches);
    let together = Arc::new(tokio::sync::Barrier::new(3));

    let calls = (0..3).map(|_| {
        let together = Arc::clone(&together);
        cache.get_or_load(&1, move || async move {
            together.wait().await; // Passed only if three loads run at once.
            Ok(7)
        })
    });
    let values = join_all(calls).await;

    assert!(values.into_iter().all(|value| matches!(value, Ok(7))));
    assert_eq!(
        (metrics.double_loads(), metrics.lookups("test", "miss")),
        (2, 3)
    );
    assert_eq!(cache.get(&1).await, Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_held_lock_keeps_those_who_wait_for_half_a_minute() {
    let metrics = TestMetrics::new();
    let locks = LockMetrics::new(&metrics.meter()).with_faults(Faults::new(&[Fault::HeldLock]));
    let turns = ObservedLocks::new("turns", &locks);

    let started = Instant::now();
    let (first, other) = tokio::join!(turns.turn(1), async {
        drop(turns.turn(2).await); // One lock is held at a time.
        started.elapsed()
    });
    drop(first);

    assert_eq!(
        (started.elapsed(), other),
        (Duration::from_secs(30), Duration::ZERO)
    );
}

#[tokio::test]
async fn one_call_of_twenty_fails_and_each_is_slow() {
    let server = TestServer::spawn_with(|config| {
        config.faults.inject = vec![Fault::Errors, Fault::Slow];
    })
    .await;
    let client = server.client().await;

    let started = Instant::now();
    let calls = (0..20).map(|_| tool_call(&client, "current_date", json!({})));
    let failed = join_all(calls)
        .await
        .iter()
        .filter(|call| call.is_err())
        .count();

    assert_eq!(failed, 1);
    assert!(started.elapsed() >= Duration::from_millis(80));
}
