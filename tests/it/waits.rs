//! Who waits says for whom.

use futures::FutureExt as _;
use lockstep::observed::{LockMetrics, ObservedLocks, ObservedMutex, ObservedSemaphore};
use opentelemetry::trace::SpanContext;

use crate::harness::{Root, TestMetrics, attribute};

/// The `lock.holder` of the one wait in `root`'s trace, and the spans that it links to.
fn told(root: &Root) -> (String, Vec<SpanContext>) {
    let spans = root.spans();
    let wait = spans.one("lock.wait");
    let links = wait.links.iter().map(|link| link.span_context.clone());
    (attribute(wait, "lock.holder"), links.collect())
}

#[tokio::test]
async fn a_wait_links_to_its_holder_or_says_that_there_is_no_span_to_link_to() {
    let metrics = TestMetrics::new();
    let locks = LockMetrics::new(&metrics.meter());
    let (turns, mutex) = (
        ObservedLocks::new("turns", &locks),
        ObservedMutex::new("mutex", (), &locks),
    );
    let permits = ObservedSemaphore::new("permits", 1, &locks);
    let (holder, first, second, third) = (Root::new(), Root::new(), Root::new(), Root::new());

    let held = holder.run(turns.turn(1)).await;
    let mut waiting = Box::pin(first.run(turns.turn(1)));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(held);
    drop(waiting.await);
    assert_eq!(told(&first), ("linked".to_owned(), vec![holder.span()]));

    let held = mutex.lock().await; // Nobody's request.
    let mut waiting = Box::pin(second.run(mutex.lock()));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(held);
    drop(waiting.await);
    assert_eq!(told(&second), ("unrecorded".to_owned(), Vec::new()));

    let held = permits.acquire().await;
    let mut waiting = Box::pin(third.run(permits.acquire()));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop((held, waiting));
    assert_eq!(told(&third), ("unknown".to_owned(), Vec::new()));
}

/// The lock is given to who waited longest before that one runs: who comes then finds it taken by
/// nobody.
#[tokio::test]
async fn who_comes_between_two_holders_is_linked_to_the_second() {
    let metrics = TestMetrics::new();
    let locks = LockMetrics::new(&metrics.meter());
    let mutex = ObservedMutex::new("mutex", (), &locks);
    let (first, second, third) = (Root::new(), Root::new(), Root::new());

    let held = first.run(mutex.lock()).await;
    let mut next = Box::pin(second.run(mutex.lock()));
    assert!(next.as_mut().now_or_never().is_none());
    drop(held);
    let mut last = Box::pin(third.run(mutex.lock()));
    assert!(last.as_mut().now_or_never().is_none());
    drop(next.await);
    drop(last.await);

    assert_eq!(told(&second), ("linked".to_owned(), vec![first.span()]));
    assert_eq!(told(&third), ("linked".to_owned(), vec![second.span()]));
}
