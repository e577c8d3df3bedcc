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
    metrics::{Acquired, HoldTimer, LockRecorder},
    wait::{WaitsFor, wait},
    watch::{Holding, Kind, Watched, key_hash},
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
#[derive(Debug)]
struct Slots<K> {
    name: &'static str,
    by_key: StdMutex<ByKey<K>>,
}

#[derive(Debug)]
struct ByKey<K> {
    slots: HashMap<K, Slot>,
    /// Holders so far.
    holders: u64,
}

#[derive(Debug)]
struct Slot {
    lock: Arc<Mutex<()>>,
    /// Holders and waiters. At zero the slot goes.
    users: usize,
    /// Where the holder's span is, so that a waiter's can link to it.
    holder: SpanContext,
    /// Another number for each holder.
    serial: u64,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> ObservedLocks<K> {
    /// Creates an empty set of locks that report under `name`.
    pub fn new(name: &'static str, metrics: &LockMetrics) -> Self {
        let slots = Arc::new(Slots {
            name,
            by_key: StdMutex::new(ByKey {
                slots: HashMap::new(),
                holders: 0,
            }),
        });
        metrics.watch().add(&slots);
        Self {
            slots,
            recorder: metrics.lock(name),
            faults: metrics.faults(),
        }
    }

    /// Waits for this caller's turn at `key`. Callers are served in the order in which they came.
    pub async fn turn(&self, key: K) -> Turn<K> {
        let (place, lock, before) = self.join(key);
        let first = before.is_none();
        let (guard, hold) = match Arc::clone(&lock).try_lock_owned() {
            Ok(guard) => {
                self.recorder.acquired(Acquired::Free);
                if !first {
                    place.hold(here());
                }
                (guard, HoldTimer::default())
            }
            Err(_) => {
                // Also the first, if another took the lock before it could.
                let last = || place.holder();
                let holder = before.map_or(WaitsFor::Changing(&last), WaitsFor::from);
                let guard = wait(&self.recorder, holder, lock.lock_owned()).await;
                place.hold(here());
                (guard, self.recorder.held_from_now())
            }
        };
        self.faults.hold().await;
        Turn {
            _guard: guard,
            place,
            _hold: hold,
        }
    }

    /// Takes a place at `key`'s lock, and returns who was there before, if anybody was.
    fn join(&self, key: K) -> (Place<K>, Arc<Mutex<()>>, Option<SpanContext>) {
        let by_key = &mut *lock(&self.slots);
        let slot = by_key.slots.entry(key.clone()).or_insert_with(|| {
            by_key.holders += 1;
            Slot {
                lock: Arc::default(),
                users: 0,
                holder: here(), // Who comes first need not come again to say so.
                serial: by_key.holders,
            }
        });
        let before = (slot.users > 0).then(|| slot.holder.clone());
        slot.users += 1;
        let place = Place {
            slots: Arc::clone(&self.slots),
            key,
        };
        (place, Arc::clone(&slot.lock), before)
    }
}

/// The right to change what belongs to one key, until dropped.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    // Before the place: the lock is released before its slot may go.
    _guard: OwnedMutexGuard<()>,
    place: Place<K>,
    _hold: HoldTimer,
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
    /// Returns the span of who noted last that they hold the lock.
    fn holder(&self) -> SpanContext {
        let slots = &lock(&self.slots).slots;
        let slot = slots.get(&self.key);
        slot.map_or(SpanContext::NONE, |slot| slot.holder.clone())
    }

    /// Notes who holds the lock.
    fn hold(&self, holder: SpanContext) {
        let by_key = &mut *lock(&self.slots);
        if let Some(slot) = by_key.slots.get_mut(&self.key) {
            slot.holder = holder;
            by_key.holders += 1;
            slot.serial = by_key.holders;
        }
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let slots = &mut lock(&self.slots).slots;
        if let Some(slot) = slots.get_mut(&self.key) {
            slot.users -= 1;
            if slot.users == 0 {
                slots.remove(&self.key);
            }
        }
    }
}

impl<K: Hash + Send> Watched for Slots<K> {
    fn holdings(&self, each: &mut dyn FnMut(Holding)) {
        for (key, slot) in &lock(self).slots {
            each(Holding {
                kind: Kind::Lock,
                name: self.name,
                key_hash: Some(key_hash(key)),
                holder: slot.holder.clone(),
                waiters: slot.users.saturating_sub(1),
                serial: slot.serial,
            });
        }
    }
}

fn lock<K>(slots: &Slots<K>) -> StdMutexGuard<'_, ByKey<K>> {
    slots.by_key.lock().unwrap_or_else(PoisonError::into_inner)
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
        let slots = || lock(&locks.slots).slots.len();

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

    #[tokio::test]
    async fn who_finds_the_lock_free_beside_somebody_who_leaves_is_another_holder() {
        let metrics = LockMetrics::new(&SdkMeterProvider::builder().build().meter("test"));
        let locks = ObservedLocks::new("test", &metrics);
        let serial = || lock(&locks.slots).slots[&1].serial;
        let (_leaving, ..) = locks.join(1);
        let before = serial();

        let _turn = locks.turn(1).await;

        assert_ne!(serial(), before, "the watchdog would add up their times");
    }
}
