//! One lock for each key.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard, PoisonError},
};

use opentelemetry::trace::SpanContext;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    LockMetrics,
    loads::here,
    metrics::{Acquired, LockRecorder},
    wait::wait,
};
use crate::faults::Faults;

/// One lock for each key, kept only while somebody holds it or waits for it.
///
/// Invariant: a key's lock is one object for all who hold it or wait for it, whatever caches do
/// meanwhile. Finding it and giving it back cost O(1).
#[derive(Debug)]
pub struct ObservedLocks<K> {
    slots: Arc<Slots<K>>,
    recorder: LockRecorder,
    faults: Faults,
}

/// Held for a look-up in a map, never across an await, so its own waits are not reported.
type Slots<K> = StdMutex<HashMap<K, Slot>>;

#[derive(Debug)]
struct Slot {
    lock: Arc<Mutex<()>>,
    /// Holders and waiters. At zero the slot goes.
    users: usize,
    /// Where the holder's span is, so that a waiter's can link to it.
    holder: SpanContext,
}

impl<K: Clone + Eq + Hash> ObservedLocks<K> {
    /// Creates an empty set of locks that report under `name`.
    pub fn new(name: &'static str, metrics: &LockMetrics) -> Self {
        Self {
            slots: Arc::default(),
            recorder: metrics.lock(name),
            faults: metrics.faults(),
        }
    }

    /// Waits for this caller's turn at `key`. Callers are served in the order in which they came.
    pub async fn turn(&self, key: K) -> Turn<K> {
        let (place, lock, holder) = self.join(key);
        let guard = match Arc::clone(&lock).try_lock_owned() {
            Ok(guard) => {
                self.recorder.acquired(Acquired::Free);
                guard
            }
            Err(_) => wait(&self.recorder, Some(holder), lock.lock_owned()).await,
        };
        place.hold(here());
        self.faults.hold().await;
        Turn {
            _guard: guard,
            place,
        }
    }

    fn join(&self, key: K) -> (Place<K>, Arc<Mutex<()>>, SpanContext) {
        let mut slots = lock(&self.slots);
        let slot = slots.entry(key.clone()).or_insert_with(|| Slot {
            lock: Arc::default(),
            users: 0,
            holder: SpanContext::NONE,
        });
        slot.users += 1;
        let place = Place {
            slots: Arc::clone(&self.slots),
            key,
        };
        (place, Arc::clone(&slot.lock), slot.holder.clone())
    }
}

/// The right to change what belongs to one key, until dropped.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    // Before the place: the lock is released before its slot may go.
    _guard: OwnedMutexGuard<()>,
    place: Place<K>,
}

impl<K: Eq + Hash> Turn<K> {
    /// Returns the key whose turn it is.
    pub fn key(&self) -> &K {
        &self.place.key
    }
}

/// One user of a slot, holding or waiting. Also given back by a waiter that is cancelled.
#[derive(Debug)]
struct Place<K: Eq + Hash> {
    slots: Arc<Slots<K>>,
    key: K,
}

impl<K: Eq + Hash> Place<K> {
    fn hold(&self, holder: SpanContext) {
        if holder.is_valid()
            && let Some(slot) = lock(&self.slots).get_mut(&self.key)
        {
            slot.holder = holder;
        }
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get_mut(&self.key) {
            slot.users -= 1;
            if slot.users == 0 {
                slots.remove(&self.key);
            }
        }
    }
}

fn lock<K>(slots: &Slots<K>) -> StdMutexGuard<'_, HashMap<K, Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    use super::*;

    #[tokio::test]
    async fn a_slot_lives_as_long_as_its_users_and_no_longer() {
        let metrics = LockMetrics::new(&SdkMeterProvider::builder().build().meter("test"));
        let locks = ObservedLocks::new("test", &metrics);
        let slots = || lock(&locks.slots).len();

        let first = locks.turn(1).await;
        let mut waiter = Box::pin(locks.turn(1));
        assert!(waiter.as_mut().now_or_never().is_none());
        let mut cancelled = Box::pin(locks.turn(1));
        assert!(cancelled.as_mut().now_or_never().is_none());
        drop(cancelled);
        drop(first);
        assert_eq!(slots(), 1);
        drop(waiter.await);
        assert_eq!(slots(), 0);
    }
}
