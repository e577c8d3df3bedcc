//! The contract of the observed primitives, and the hazards of what they stand on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::{FutureExt as _, future::join_all};
use lockstep::observed::{
    CacheMetrics, Limits, LoadPanicked, LockMetrics, ObservedCache, ObservedLocks, ObservedMutex,
    ObservedSemaphore,
};
use opentelemetry_sdk::trace::SpanData;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestMetrics, traced};

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no such key")]
    NoSuchKey,
    #[error(transparent)]
    Panicked(#[from] LoadPanicked),
}

type Cache = Arc<ObservedCache<u32, u32, Refused>>;

fn cache(metrics: &TestMetrics, max_entries: u64) -> Cache {
    let limits = Limits {
        max_entries,
        time_to_live: None,
    };
    Arc::new(ObservedCache::new(
        "test",
        limits,
        &CacheMetrics::new(&metrics.meter()),
    ))
}

/// A load that says when it runs, and goes on when told to.
#[derive(Clone, Default)]
struct Gate {
    running: Arc<Notify>,
    go: CancellationToken,
    loads: Arc<AtomicUsize>,
}

impl Gate {
    fn load(&self, value: u32) -> impl Future<Output = Result<u32, Refused>> + Send + 'static {
        let gate = self.clone();
        async move {
            gate.loads.fetch_add(1, SeqCst);
            gate.running.notify_one();
            gate.go.cancelled().await;
            Ok(value)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_miss_together_share_one_load() {
    for callers in [10, 1_000] {
        let metrics = TestMetrics::new();
        let (cache, gate) = (cache(&metrics, 10), Gate::default());

        let asked = Arc::new(tokio::sync::Barrier::new(callers + 1));
        let calls = (0..callers).map(|_| {
            let (cache, gate, asked) = (Arc::clone(&cache), gate.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                asked.wait().await;
                cache.get_or_load(&1, || gate.load(7)).await
            })
        });
        let calls = join_all(calls);
        let release = async {
            asked.wait().await;
            gate.running.notified().await;
            gate.go.cancel();
        };
        let (values, ()) = tokio::join!(calls, release);

        assert!(
            values.into_iter().all(|value| matches!(value, Ok(Ok(7)))),
            "{callers}"
        );
        assert_eq!(gate.loads.load(SeqCst), 1, "{callers}");
        assert_eq!(metrics.double_loads(), 0, "{callers}");
        let lookups = |outcome| metrics.lookups("test", outcome) as usize;
        // Who comes after the load's end hits; nobody else loads.
        assert_eq!(lookups("miss"), 1, "{callers}");
        assert_eq!(lookups("coalesced") + lookups("hit"), callers - 1);
    }
}

#[tokio::test]
async fn a_cancelled_leader_neither_ends_the_load_nor_has_it_repeated() {
    let metrics = TestMetrics::new();
    let (cache, gate) = (cache(&metrics, 10), Gate::default());
    let ask = || {
        let (cache, gate) = (Arc::clone(&cache), gate.clone());
        tokio::spawn(async move { cache.get_or_load(&1, || gate.load(9)).await })
    };

    let leader = ask();
    gate.running.notified().await;
    let waiter = ask();
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.go.cancel();

    assert_eq!(waiter.await.unwrap().unwrap(), 9);
    assert_eq!(gate.loads.load(SeqCst), 1);
    let lookups = |outcome| metrics.lookups("test", outcome);
    assert_eq!(
        (lookups("abandoned"), lookups("coalesced"), lookups("miss")),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn a_load_whose_only_caller_went_away_still_fills_the_cache() {
    let metrics = TestMetrics::new();
    let (cache, gate) = (cache(&metrics, 10), Gate::default());

    let caller = tokio::spawn({
        let (cache, gate) = (Arc::clone(&cache), gate.clone());
        async move { cache.get_or_load(&1, || gate.load(9)).await }
    });
    gate.running.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.go.cancel();

    let again = cache.get_or_load(&1, || gate.load(0)).await.unwrap();
    assert_eq!((again, gate.loads.load(SeqCst)), (9, 1));
}

#[tokio::test]
async fn a_load_in_its_callers_task_ends_with_it_and_the_next_who_waits_loads() {
    let metrics = TestMetrics::new();
    let (cache, gate) = (cache(&metrics, 10), Gate::default());
    let ask = |value| {
        let (cache, gate) = (Arc::clone(&cache), gate.clone());
        tokio::spawn(async move { cache.get_or_load_here(&1, || gate.load(value)).await })
    };

    let leader = ask(8);
    gate.running.notified().await;
    let waiters = [ask(9), ask(9), ask(9)];
    tokio::task::yield_now().await;
    assert_eq!(gate.loads.load(SeqCst), 1, "they wait");
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    let next = timeout(Duration::from_secs(10), gate.running.notified()).await;
    next.expect("the next one loads");
    gate.go.cancel();

    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap(), 9);
    }
    assert_eq!(gate.loads.load(SeqCst), 2);
    assert_eq!(metrics.double_loads(), 0);
    let lookups = |outcome| metrics.lookups("test", outcome);
    assert_eq!(
        (lookups("abandoned"), lookups("coalesced"), lookups("miss")),
        (1, 2, 1)
    );
}

#[tokio::test]
async fn an_error_and_a_panic_reach_all_who_wait_and_are_not_kept() {
    for panics in [false, true] {
        let metrics = TestMetrics::new();
        let (cache, gate) = (cache(&metrics, 10), Gate::default());

        let calls = (0..50).map(|_| {
            let gate = gate.clone();
            cache.get_or_load(&1, move || async move {
                gate.load(0).await?;
                assert!(!panics, "the model fell over");
                Err(Refused::NoSuchKey)
            })
        });
        let release = async {
            gate.running.notified().await;
            gate.go.cancel();
        };
        let (results, ()) = tokio::join!(join_all(calls), release);

        let expected = if panics {
            Refused::Panicked(LoadPanicked)
        } else {
            Refused::NoSuchKey
        };
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), expected.to_string());
        }
        assert_eq!(gate.loads.load(SeqCst), 1, "panics: {panics}");
        assert_eq!(metrics.lookups("test", "error"), 50);
        let next = cache.get_or_load(&1, || async { Ok(3) }).await;
        assert_eq!(next.unwrap(), 3, "panics: {panics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn evictions_in_the_middle_of_loads_cause_no_double_load() {
    let metrics = TestMetrics::new();
    let cache = cache(&metrics, 1); // Nearly every insertion evicts another key.

    let calls = (0..2_000_u32).map(|call| {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move {
            let key = call % 7;
            let load = move || async move {
                tokio::task::yield_now().await;
                Ok(key)
            };
            let value = cache.get_or_load(&key, load).await.unwrap();
            assert_eq!(value, key);
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }

    assert_eq!(metrics.double_loads(), 0);
    let all = ["hit", "miss", "coalesced", "error", "abandoned"];
    let lookups: u64 = all
        .into_iter()
        .map(|outcome| metrics.lookups("test", outcome))
        .sum();
    assert_eq!(lookups, 2_000, "every lookup is counted once");
    let labels = [("cache.load.result", "ok")];
    let (loads, _) = metrics.histogram("lockstep.cache.load.duration", &labels);
    assert_eq!(loads, metrics.lookups("test", "miss"));
}

/// Why sessions are filled and changed only in their key's turn.
#[tokio::test]
async fn an_insert_during_a_load_is_overwritten_by_the_load() {
    let metrics = TestMetrics::new();
    let (cache, gate) = (cache(&metrics, 10), Gate::default());

    let reader = tokio::spawn({
        let (cache, gate) = (Arc::clone(&cache), gate.clone());
        async move { cache.get_or_load(&1, || gate.load(0)).await }
    });
    gate.running.notified().await;
    cache.insert(1, 1).await;
    gate.go.cancel();
    reader.await.unwrap().unwrap();

    assert_eq!(cache.get(&1).await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_contended_lock_reports_exactly_the_time_waited() {
    let metrics = TestMetrics::new();
    let lock_metrics = LockMetrics::new(&metrics.meter());
    let lock = Arc::new(ObservedMutex::new("mutex", (), &lock_metrics));
    let turns = Arc::new(ObservedLocks::new("turns", &lock_metrics));
    let permits = ObservedSemaphore::new("permits", 1, &lock_metrics);

    let held = (
        lock.lock().await,
        turns.turn(1).await,
        permits.acquire().await,
    );
    drop(turns.turn(2).await); // Another key's lock is free.
    let waiters = tokio::spawn({
        let (lock, turns, permits) = (Arc::clone(&lock), Arc::clone(&turns), permits.clone());
        async move {
            tokio::join!(
                async { drop(lock.lock().await) },
                turns.turn(1),
                permits.acquire()
            )
        }
    });
    tokio::time::sleep(Duration::from_millis(250)).await; // The clock is paused: this takes no time.
    drop(held);
    waiters.await.unwrap();

    for name in ["mutex", "turns", "permits"] {
        let labels = [("lock.name", name)];
        let waits = metrics.histogram("lockstep.lock.wait.duration", &labels);
        assert_eq!(waits, (1, 0.25), "{name}");
    }
    let acquisitions = |name, contended| {
        let labels = [("lock.name", name), ("lock.contended", contended)];
        metrics.counter("lockstep.lock.acquisitions", &labels)
    };
    assert_eq!(
        (
            acquisitions("turns", "false"),
            acquisitions("turns", "true")
        ),
        (2, 1)
    );
}

#[tokio::test]
async fn turns_are_taken_in_the_order_of_asking_and_a_caller_who_leaves_is_skipped() {
    let metrics = TestMetrics::new();
    let turns = Arc::new(ObservedLocks::new(
        "turns",
        &LockMetrics::new(&metrics.meter()),
    ));
    let order = Arc::new(ObservedMutex::new(
        "order",
        Vec::new(),
        &LockMetrics::new(&metrics.meter()),
    ));

    let held = turns.turn("key").await;
    let mut waiters = Vec::new();
    for place in 0..4 {
        let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
        waiters.push(tokio::spawn(async move {
            let _turn = turns.turn("key").await;
            order.lock().await.push(place);
        }));
        tokio::task::yield_now().await;
    }
    waiters[1].abort();
    assert!((&mut waiters[1]).await.unwrap_err().is_cancelled());
    drop(held);
    for waiter in [0, 2, 3] {
        (&mut waiters[waiter]).await.unwrap();
    }

    assert_eq!(*order.lock().await, [0, 2, 3]);
    let labels = [("lock.name", "turns")];
    assert_eq!(metrics.counter("lockstep.lock.abandoned", &labels), 1);
}

#[tokio::test]
async fn who_waits_is_linked_to_whoever_made_it_wait() {
    let metrics = TestMetrics::new();
    let (cache, gate) = (cache(&metrics, 10), Gate::default());
    let turns = ObservedLocks::new("turns", &LockMetrics::new(&metrics.meter()));

    let ((), spans) = traced(async {
        let leader = cache.get_or_load(&1, || gate.load(7));
        let waiter = async {
            gate.running.notified().await;
            let waiter = cache.get_or_load(&1, || gate.load(8));
            let release = async { gate.go.cancel() };
            tokio::join!(waiter, release).0
        };
        let (first, second) = tokio::join!(leader, waiter);
        assert_eq!((first.unwrap(), second.unwrap()), (7, 7));
        let held = turns.turn(1).await;
        let release = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        tokio::join!(turns.turn(1), release);
    })
    .await;

    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let [load] = named("cache.load").collect::<Vec<_>>()[..] else {
        panic!("one load, in {spans:?}")
    };
    let linked_to = |span: &SpanData| {
        span.links
            .iter()
            .any(|link| link.span_context == load.span_context)
    };
    let outcome = |span: &SpanData| {
        let outcome = span
            .attributes
            .iter()
            .find(|kv| kv.key.as_str() == "cache.outcome");
        outcome.unwrap().value.to_string()
    };
    let mut lookups: Vec<_> = named("cache.lookup")
        .map(|span| (outcome(span), linked_to(span)))
        .collect();
    lookups.sort();
    assert_eq!(
        lookups,
        [("coalesced".to_owned(), true), ("miss".to_owned(), false)]
    );
    let [wait] = named("lock.wait").collect::<Vec<_>>()[..] else {
        panic!("one wait, in {spans:?}")
    };
    assert_eq!(wait.links.len(), 1, "linked to the holder");
}

/// But for moka's own order, which it puts right for all of them: at every 64th hit, and at one that
/// comes 300 ms or more after the last time (`READ_LOG_FLUSH_POINT` and `LOG_SYNC_INTERVAL_MILLIS` of
/// moka 0.12).
#[tokio::test]
async fn a_hit_allocates_nothing() {
    const HITS: usize = 1_000;
    const BETWEEN: (usize, Duration) = (64, Duration::from_millis(300));
    let cache = cache(&TestMetrics::new(), 10);
    let load = || async { Ok(7) };
    cache.get_or_load(&1, load).await.unwrap();

    let hit = || {
        let hit = cache.get_or_load(&1, load).now_or_never();
        assert_eq!(hit.unwrap().unwrap(), 7);
    };
    let mut allocating = Vec::new();
    for number in 0..HITS {
        if allocation_counter::measure(hit).count_total > 0 {
            allocating.push((number, Instant::now()));
        }
    }

    for pair in allocating.windows(2) {
        let [(number, time), (next, later)] = pair else {
            unreachable!("windows of two")
        };
        // A hit that comes between, on a clock of moka's own: a little earlier than ours.
        let due = later.duration_since(*time) >= BETWEEN.1 - Duration::from_millis(10);
        let apart = next - number;
        assert!(
            apart >= BETWEEN.0 || due,
            "{apart} hits apart: {allocating:?}"
        );
    }
}

#[tokio::test]
async fn an_entry_that_leaves_takes_its_weight_along() {
    let metrics = TestMetrics::new();
    let caches = CacheMetrics::new(&metrics.meter());
    let limits = Limits {
        max_entries: 10,
        time_to_live: None,
    };
    let cache: ObservedCache<u32, u64, Refused> =
        ObservedCache::weighed("test", limits, &caches, |_, bytes| *bytes);
    let weight = || metrics.gauge("lockstep_cache_weight_bytes", &[("cache_name", "test")]);

    cache.insert(1, 100).await;
    cache.get_or_load(&2, || async { Ok(10) }).await.unwrap();
    let both = weight();
    cache.insert(1, 5).await;
    let replaced = weight();
    cache.remove(&1).await;

    assert_eq!((both, replaced, weight()), (110.0, 15.0, 10.0));
}
